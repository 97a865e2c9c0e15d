//! What policies say about commands (decisions D20, step 6, and D21, D22, D27, D28).

use keystead_identity::KmsIdentity;
use keystead_policy::rules::{Action, Decision, Reason};
use keystead_store::Rights;
use keystead_wire_kms::{Command, Privilege, Request};

use crate::caller::Caller;

/// The command as policies know it.
pub(crate) fn action(command: Command) -> Action {
    Action {
        code: command.code(),
        name: command.name(),
    }
}

/// Decides one command; its arguments are well formed.
pub(crate) fn decide<'s>(caller: &Caller<'s>, request: &Request) -> Decision<'s> {
    let policy = match caller.rights {
        Rights::Root => return Decision::Allowed(Reason::Root),
        _ if is_beyond_enclaves(request) => {
            let action = action(request.command());
            return Decision::Denied(Reason::NoRule { action });
        }
        Rights::Admin => return Decision::Allowed(Reason::Admin),
        _ if is_own(caller, request) => return Decision::Allowed(Reason::Own),
        Rights::Policy { policy, .. } => policy,
        Rights::None => return Decision::Denied(Reason::NoPolicy),
    };
    let command = request.command();
    match request {
        Request::ListKeys(_) | Request::ListPolicies(_) | Request::ListIdentities(_) => {
            policy.rules().decide_listing(action(command))
        }
        request => match identity(request) {
            // One identity has several texts, and a pattern must not be got round by
            // another one.
            Some(identity) => policy
                .rules()
                .decide(action(command), &identity.to_string()),
            None => policy.rules().decide(action(command), request.argument()),
        },
    }
}

/// Whether an item of a listing is shown to the caller.
pub(crate) fn shows(caller: &Caller<'_>, command: Command, item: &str) -> bool {
    match caller.rights {
        Rights::Root | Rights::Admin => true,
        Rights::Policy { policy, .. } => policy.rules().shows(action(command), item),
        Rights::None => false,
    }
}

/// The identity that a command is about, where that is its argument.
pub(crate) fn identity(request: &Request) -> Option<KmsIdentity> {
    let text = match request {
        Request::CreateIdentity(request) => &request.identity,
        Request::DeleteIdentity(request) => &request.identity,
        Request::IdentityStatus(request) => &request.identity,
        _ => return None,
    };
    text.parse().ok()
}

/// Everybody may ask what the server knows about them.
fn is_own(caller: &Caller<'_>, request: &Request) -> bool {
    matches!(request, Request::IdentityStatus(_)) && identity(request) == Some(caller.identity)
}

/// Nobody but the root may ask for an identity that is above enclaves, and not even the
/// root gets it.
fn is_beyond_enclaves(request: &Request) -> bool {
    matches!(request, Request::CreateIdentity(request)
        if request.privilege == Privilege::SysAdmin.as_str())
}
