use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

use http::Method;
use http::request::Parts;
use jiff::Timestamp;
use keystead_identity::KmsIdentity;
use keystead_observe::{AuditCommand, InFlight, KmsApi, KmsAuditEvent};
use keystead_wire_kms::{ApiError, Command, Privilege, Request};
use tokio::time::Instant;

use crate::call::Call;
use crate::caller::Caller;
use crate::decide::identity;
use crate::server::Shared;

/// The status of a request whose client went away before the answer.
const CLIENT_GONE: u16 = 499;

/// The longest name in an audit record, in bytes; prefixes of listings may be longer.
const MAX_NAME: usize = 256;

/// One request under observation: when dropped it is counted and audited, also if the
/// client broke it off, because it may have changed the state by then.
pub(crate) struct Record<'a> {
    shared: &'a Shared,
    api: Option<KmsApi>,
    began: Instant,
    status: u16,
    bytes_in: u64,
    bytes_out: u64,
    audit: Option<Box<Audit<'a>>>,
    _in_flight: InFlight<'a>,
}

/// What the audit record says beside the above.
struct Audit<'a> {
    head: &'a Parts,
    ip: IpAddr,
    identity: Option<KmsIdentity>,
    privilege: Option<Privilege>,
    enclave: String,
    commands: Vec<(Command, String, u32)>,
    error: String,
    reason: String,
}

// === impl Record ===

impl<'a> Record<'a> {
    /// A request to an endpoint, none if the path leads nowhere.
    pub(crate) fn new(call: &Call<'a>, api: Option<KmsApi>) -> Self {
        Self {
            shared: call.shared,
            api,
            began: call.began,
            status: CLIENT_GONE,
            bytes_in: 0,
            bytes_out: 0,
            audit: None,
            _in_flight: call.shared.metrics.request_started(),
        }
    }

    /// Puts the request into the audit log, if there is one.
    pub(crate) fn audit(&mut self, call: &Call<'a>, enclave: Option<&str>) {
        if self.shared.audit_log.enabled() {
            self.audit = Some(Box::new(Audit {
                head: call.head,
                ip: call.ip,
                identity: call.identity,
                privilege: None,
                enclave: short(enclave.unwrap_or_default()),
                commands: Vec::new(),
                error: String::new(),
                reason: String::new(),
            }));
        }
    }

    /// Notes who the caller is.
    pub(crate) fn let_in(&mut self, caller: &Caller<'_>) {
        if let Some(audit) = &mut self.audit {
            audit.privilege = Some(caller.privilege());
        }
    }

    /// Notes that the caller of an endpoint for the root alone is the root.
    pub(crate) fn is_root(&mut self) {
        if let Some(audit) = &mut self.audit {
            audit.privilege = Some(Privilege::SysAdmin);
            audit.reason = "root".to_owned();
        }
    }

    /// Notes the length of the body.
    pub(crate) fn received(&mut self, bytes: usize) {
        self.bytes_in = u64::try_from(bytes).unwrap_or(u64::MAX);
    }

    /// Notes what was asked for.
    pub(crate) fn asked(&mut self, requests: &[Request]) {
        if let Some(audit) = &mut self.audit {
            audit.commands = requests.iter().map(asked).collect();
        }
    }

    /// Notes the rule that decided.
    pub(crate) fn decided(&mut self, reason: impl Display) {
        if let Some(audit) = &mut self.audit {
            audit.reason = reason.to_string();
        }
    }

    /// Notes the version of the key that the command at this place used.
    pub(crate) fn used(&mut self, at: usize, version: u32) {
        if version > 0
            && let Some(audit) = &mut self.audit
            && let Some((_, _, used)) = audit.commands.get_mut(at)
        {
            *used = version;
        }
    }

    /// Notes what the client is told.
    pub(crate) fn failed(&mut self, error: &ApiError) {
        if let Some(audit) = &mut self.audit {
            audit.error = error.message.clone().into_owned();
        }
    }

    /// Notes status and length of the answer.
    pub(crate) fn answered(mut self, status: u16, bytes: u64) {
        self.status = status;
        self.bytes_out = bytes;
    }
}

impl Drop for Record<'_> {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        if let Some(api) = self.api {
            let metrics = &self.shared.metrics;
            metrics.request(api, self.status, took, self.bytes_in, self.bytes_out);
        }
        if let Some(audit) = self.audit.take() {
            let event = audit.event(self.shared, self.status, took);
            self.shared.audit_log.record(event);
        }
    }
}

// === impl Audit ===

impl Audit<'_> {
    fn event(self, shared: &Shared, status: u16, took: Duration) -> KmsAuditEvent {
        KmsAuditEvent {
            time: arrival((shared.clock)(), took),
            id: shared.next_id(),
            ip: self.ip,
            identity: self.identity,
            privilege: self.privilege,
            method: Method::clone(&self.head.method),
            path: short(self.head.uri.path()),
            enclave: self.enclave,
            commands: folded(self.commands),
            status,
            error: self.error,
            reason: self.reason,
            duration: took,
            forwarded_by: String::new(),
        }
    }
}

/// A command with its argument and the version it names. Data is never part of it.
fn asked(request: &Request) -> (Command, String, u32) {
    let version = match request {
        Request::DeleteKey(request) => request.version,
        Request::KeyStatus(request) => request.version,
        Request::Encrypt(request) => request.version,
        Request::Decrypt(request) => request.version,
        Request::GenerateKey(request) => request.version,
        Request::Mac(request) => request.version,
        _ => 0,
    };
    let name = match identity(request) {
        Some(identity) => identity.to_string(),
        None => short(request.argument()),
    };
    (request.command(), name, version)
}

/// Each command once, with the number of times it was given.
fn folded(commands: Vec<(Command, String, u32)>) -> Vec<AuditCommand> {
    let mut counts: BTreeMap<_, u32> = BTreeMap::new();
    for command in commands {
        let count = counts.entry(command).or_default();
        *count = count.saturating_add(1);
    }
    let folded = counts.into_iter();
    folded
        .map(|((command, name, version), count)| AuditCommand {
            command,
            name,
            version,
            count,
        })
        .collect()
}

fn short(text: &str) -> String {
    let end = text.floor_char_boundary(MAX_NAME);
    text.get(..end).unwrap_or_default().to_owned()
}

/// When a request arrived that has taken `took` until `now`.
fn arrival(now: Timestamp, took: Duration) -> Timestamp {
    now.saturating_sub(took).unwrap_or(now)
}
