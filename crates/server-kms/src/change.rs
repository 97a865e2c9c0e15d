//! Commands that change the state: each becomes one operation, decided in everything but
//! whether it is possible, and is answered when it is durable.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use keystead_crypto::SecretKey;
use keystead_identity::KmsIdentity;
use keystead_store::{
    Caller as Author, Created, NewIdentity, Operation, Versions, rules_from_message,
};
use keystead_wire_kms::message::{CreateIdentityRequest, DeleteKeyRequest};
use keystead_wire_kms::{ApiError, Request};
use tokio::time::timeout;

use crate::call::Call;
use crate::caller::Caller;
use crate::check::{cipher, identity};
use crate::cluster;
use crate::failure::Failure;

/// How long a change may take. What became of it is not known after that.
const LIMIT: Duration = Duration::from_secs(15);

/// Carries out a command that is permitted.
pub(crate) async fn execute(
    call: &Call<'_>,
    caller: &Caller<'_>,
    request: &Request,
) -> Result<(), Failure> {
    let store = &call.shared.store;
    let change = async {
        match request {
            Request::AddNode(request) => Ok(cluster::add_node(call, request)?),
            Request::RemoveNode(request) => Ok(cluster::remove_node(call, request)?),
            Request::EditCluster(request) => Ok(cluster::edit(call, request)?),
            Request::AddHsm(request) => Ok(store.add_hsm(&request.name, request.overwrite).await?),
            Request::RemoveHsm(request) => {
                Ok(store.remove_hsm(&request.name, request.force).await?)
            }
            request => Ok(store.propose(operation(call, caller, request)?).await?),
        }
    };
    timeout(LIMIT, change).await.unwrap_or_else(|late| {
        let message = "the change was not confirmed in time: it may have happened";
        Err(Failure::from(ApiError::new(StatusCode::GATEWAY_TIMEOUT, message)).because(late))
    })
}

fn operation(
    call: &Call<'_>,
    caller: &Caller<'_>,
    request: &Request,
) -> Result<Operation, Failure> {
    let shared = call.shared;
    let created = Created {
        at: (shared.clock)(),
        by: caller.identity,
    };
    let by = Author {
        identity: caller.identity,
        is_root: caller.is_root(),
    };
    let enclave = || Ok::<_, ApiError>(caller.enclave()?.name().to_owned());
    Ok(match request {
        Request::CreateEnclave(request) => Operation::CreateEnclave {
            name: request.name.clone(),
            created,
        },
        Request::DeleteEnclave(request) => Operation::DeleteEnclave {
            name: request.name.clone(),
        },
        Request::CreateKey(request) => Operation::CreateKey {
            enclave: enclave()?,
            name: request.name.clone(),
            cipher: cipher(&request.r#type, shared.mode)?,
            key: SecretKey::generate(&*shared.random)?,
            add_version: request.add_version,
            created,
        },
        Request::ImportKey(request) => Operation::ImportKey {
            enclave: enclave()?,
            name: request.name.clone(),
            cipher: cipher(&request.r#type, shared.mode)?,
            key: SecretKey::try_from(request.key.as_slice())
                .map_err(|_| ApiError::INVALID_KEY_LENGTH)?,
            created,
        },
        Request::DeleteKey(request) => Operation::DeleteKey {
            enclave: enclave()?,
            name: request.name.clone(),
            versions: versions(request),
        },
        Request::CreatePolicy(request) => Operation::CreatePolicy {
            enclave: enclave()?,
            name: request.name.clone(),
            rules: Arc::new(rules_from_message(&request.allow, &request.deny)?),
            created,
        },
        Request::DeletePolicy(request) => Operation::DeletePolicy {
            enclave: enclave()?,
            name: request.name.clone(),
        },
        Request::AssignPolicy(request) => Operation::AssignPolicy {
            enclave: enclave()?,
            identity: identity(&request.identity)?,
            policy: (!request.policy.is_empty()).then(|| request.policy.clone()),
            by,
        },
        Request::CreateIdentity(request) => Operation::CreateIdentity {
            enclave: enclave()?,
            identity: new_identity(request, shared.store.root())?,
            at: created.at,
            by,
        },
        Request::DeleteIdentity(request) => Operation::DeleteIdentity {
            enclave: enclave()?,
            identity: identity(&request.identity)?,
            by,
        },
        // Only what changes the state comes here.
        _ => return Err(ApiError::MIXED_COMMANDS.into()),
    })
}

const fn versions(request: &DeleteKeyRequest) -> Versions {
    match (request.all_versions, request.version) {
        (true, _) => Versions::All,
        (false, 0) => Versions::Latest,
        (false, version) => Versions::One(version),
    }
}

/// The root that a configuration names is known to this node alone, so it is kept out of
/// enclaves here; the recorded one is kept out where the change is applied (D22).
fn new_identity(
    request: &CreateIdentityRequest,
    root: KmsIdentity,
) -> Result<NewIdentity, Failure> {
    let identity = identity(&request.identity)?;
    if identity == root {
        let message = "the root identity cannot be registered";
        return Err(ApiError::new(StatusCode::BAD_REQUEST, message).into());
    }
    Ok(NewIdentity {
        identity,
        privilege: request.privilege.parse()?,
        is_service_account: request.is_service_account,
        tags: request.tags.clone(),
    })
}
