use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use keystead_identity::KmsIdentity;
use keystead_wire_kms::{Command, Privilege};
use serde::Serialize;

use crate::chain::Chain;
use crate::console::{Console, Pushed};
use crate::{Error, ErrorEvent, ErrorLog, KmsMetrics, Level};

/// Commands that may wait for the writer. A record has up to 10,000 of them, so that the
/// number of records says little about the memory they take.
const MAX_WAITING: usize = 200_000;

/// Bytes at the end of an audit file that are searched first for its last record.
const SEARCHED: u64 = 1 << 16;

/// One request and its answer (MinIO KMS protocol, section 0.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KmsAuditEvent {
    /// When the request arrived.
    pub time: Timestamp,
    /// The number of the request.
    pub id: u64,
    /// The address of the client.
    pub ip: IpAddr,
    /// Who asked, if the client showed a certificate.
    pub identity: Option<KmsIdentity>,
    /// What the caller may do in principle, if that is known.
    pub privilege: Option<Privilege>,
    /// The HTTP method.
    pub method: Method,
    /// The URL path.
    pub path: String,
    /// The enclave the path names; empty if none.
    pub enclave: String,
    /// The commands of the request, the same ones counted.
    pub commands: Vec<AuditCommand>,
    /// The HTTP status of the answer.
    pub status: u16,
    /// What the client was told, if it was no success.
    pub error: String,
    /// The rule that decided.
    pub reason: String,
    /// How long the answer took.
    pub duration: Duration,
    /// The node that passed the request on, if one did.
    pub forwarded_by: String,
}

/// Commands of one request that do not differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditCommand {
    /// What was asked for.
    pub command: Command,
    /// What it was asked of: a key, a policy, an identity; of a listing the prefix.
    pub name: String,
    /// The version of the key that was used; 0 if none was.
    pub version: u32,
    /// How many there were.
    pub count: u32,
}

/// Where audit records go.
pub struct AuditTarget {
    output: Box<dyn Write + Send>,
    chain: Chain,
    /// Bytes of an incomplete record that was found at the end of a file and removed.
    torn: u64,
}

/// The audit log of a MinIO KMS server: one JSON object per line, each linked to the one
/// before it (see [`ChainVerifier`](crate::ChainVerifier)).
pub struct KmsAuditLog {
    on: AtomicBool,
    has_target: bool,
    console: Console<KmsAuditEvent>,
    /// Commands of the records that wait for the writer.
    waiting: Arc<AtomicUsize>,
    /// Records that were dropped since the last one that was written.
    lost: Arc<AtomicU64>,
    errors: Arc<ErrorLog>,
}

#[derive(Serialize)]
struct Record<'a> {
    v: u8,
    time: String,
    id: String,
    node: &'a str,
    ip: IpAddr,
    identity: String,
    privilege: &'static str,
    method: &'a str,
    path: &'a str,
    enclave: &'a str,
    commands: Vec<CommandRecord<'a>>,
    status: u16,
    error: &'a str,
    reason: &'a str,
    micros: u64,
    forwarded_by: &'a str,
    #[serde(skip_serializing_if = "is_zero")]
    lost: u64,
}

#[derive(Serialize)]
struct CommandRecord<'a> {
    command: &'static str,
    name: &'a str,
    version: u32,
    count: u32,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde wants"
)]
const fn is_zero(value: &u64) -> bool {
    *value == 0
}

// === impl KmsAuditEvent ===

impl KmsAuditEvent {
    /// The record without its links; `lost` records are missing before it.
    fn json(&self, node: &str, lost: u64) -> String {
        let commands = self.commands.iter().map(|command| CommandRecord {
            command: command.command.name(),
            name: &command.name,
            version: command.version,
            count: command.count,
        });
        let record = Record {
            v: 1,
            time: format!("{:.9}", self.time),
            id: format!("{:016x}", self.id),
            node,
            ip: self.ip,
            identity: self.identity.map_or_else(String::new, |it| it.to_string()),
            privilege: self.privilege.map_or("", Privilege::as_str),
            method: self.method.as_str(),
            path: &self.path,
            enclave: &self.enclave,
            commands: commands.collect(),
            status: self.status,
            error: &self.error,
            reason: &self.reason,
            micros: u64::try_from(self.duration.as_micros()).unwrap_or(u64::MAX),
            forwarded_by: &self.forwarded_by,
            lost,
        };
        // Texts and numbers always have a JSON form.
        serde_json::to_string(&record).unwrap_or_default()
    }
}

// === impl AuditTarget ===

impl AuditTarget {
    /// An output that begins a new chain, such as standard output.
    #[must_use]
    pub fn stream(output: impl Write + Send + 'static) -> Self {
        Self {
            output: Box::new(output),
            chain: Chain::new(),
            torn: 0,
        }
    }

    /// A file, whose chain goes on. It is made with mode 0600 if it is missing; a record at
    /// its end that a crash left incomplete is removed.
    ///
    /// # Errors
    ///
    /// What the operating system says, or that the file holds something else.
    pub fn file(path: &Path) -> io::Result<Self> {
        let mut file = open(path)?;
        let length = file.seek(SeekFrom::End(0))?;
        let (last, complete) = last_line(&mut file, length)?;
        let chain = match last {
            None => Chain::new(),
            Some(line) => {
                let line = std::str::from_utf8(&line).ok();
                line.and_then(Chain::after).ok_or_else(|| {
                    io::Error::new(
                        io::ErrorKind::InvalidData,
                        "its last line is no audit record: name another file, or move this one \
                         away",
                    )
                })?
            }
        };
        let torn = length.saturating_sub(complete);
        if torn > 0 {
            file.set_len(complete)?;
        }
        Ok(Self {
            output: Box::new(file),
            chain,
            torn,
        })
    }
}

/// The last complete line of a file, if there is one, and where it ends with its line break.
fn last_line(file: &mut File, length: u64) -> io::Result<(Option<Vec<u8>>, u64)> {
    let mut window = SEARCHED;
    loop {
        let from = length.saturating_sub(window);
        file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        file.read_to_end(&mut tail)?;
        let mut breaks = (0..tail.len())
            .rev()
            .filter(|at| tail.get(*at) == Some(&b'\n'));
        match (breaks.next(), breaks.next()) {
            (Some(end), before) if before.is_some() || from == 0 => {
                let begin = before.map_or(0, |at| at.saturating_add(1));
                let line = tail.get(begin..end).map(<[u8]>::to_vec);
                let end = u64::try_from(end).unwrap_or(u64::MAX);
                return Ok((line, from.saturating_add(end).saturating_add(1)));
            }
            // Only what is the begin of a record may be taken for one that a crash cut.
            (None, _) if from == 0 && b"{\"v\":1,".starts_with(head(&tail)) => {
                return Ok((None, 0));
            }
            (None, _) if from == 0 => return Ok((Some(tail), length)),
            _ => window = window.saturating_mul(4),
        }
    }
}

/// As many bytes as tell a record from something else.
fn head(bytes: &[u8]) -> &[u8] {
    bytes.get(..7).unwrap_or(bytes)
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

// === impl KmsAuditLog ===

impl KmsAuditLog {
    /// A log of the node `node` that writes to `target`, if there is one, and reports an
    /// overflow to `errors`.
    ///
    /// # Errors
    ///
    /// [`Error::Writer`] if no thread can be started.
    pub fn new(
        target: Option<AuditTarget>,
        node: String,
        errors: Arc<ErrorLog>,
        metrics: &KmsMetrics,
    ) -> Result<Self, Error> {
        let has_target = target.is_some();
        let target = target.unwrap_or_else(|| AuditTarget::stream(io::sink()));
        if target.torn > 0 {
            errors.record(
                ErrorEvent::new(Level::WARN, "incomplete audit record removed")
                    .attribute("bytes", target.torn),
            );
        }
        let AuditTarget {
            output, mut chain, ..
        } = target;
        let lost = Arc::new(AtomicU64::new(0));
        let missing = Arc::clone(&lost);
        let waiting = Arc::new(AtomicUsize::new(0));
        let written = Arc::clone(&waiting);
        let format = move |event: &KmsAuditEvent| {
            written.fetch_sub(event.commands.len(), Ordering::Relaxed);
            chain.link(event.json(&node, missing.swap(0, Ordering::Relaxed)))
        };
        let console =
            Console::start(output, format, metrics.audit_dropped()).map_err(Error::Writer)?;
        Ok(Self {
            on: AtomicBool::new(has_target),
            has_target,
            console,
            waiting,
            lost,
            errors,
        })
    }

    /// Whether anybody would see an event. Asking first saves building it.
    #[must_use]
    pub fn enabled(&self) -> bool {
        self.on.load(Ordering::Relaxed)
    }

    /// Turns the log off, or on again; it stays off if it has no target.
    pub fn set_enabled(&self, on: bool) {
        self.on.store(on && self.has_target, Ordering::Relaxed);
    }

    /// Records an event. Never blocks.
    ///
    /// If the writer cannot keep up the event is dropped, because a stopped reader of
    /// standard output must not stop the use of keys. The loss is counted, told once in the
    /// error log until the writer has caught up, and stands in the next record as `lost`.
    pub fn record(&self, event: KmsAuditEvent) {
        let commands = event.commands.len();
        let waiting = self.waiting.fetch_add(commands, Ordering::Relaxed);
        let pushed = match waiting.saturating_add(commands) > MAX_WAITING {
            true => self.console.reject(),
            false => self.console.push(event),
        };
        match pushed {
            Pushed::Queued => {}
            Pushed::Dropped { first } => {
                self.waiting.fetch_sub(commands, Ordering::Relaxed);
                self.lost.fetch_add(1, Ordering::Relaxed);
                if first {
                    self.errors.record(ErrorEvent::new(
                        Level::ERROR,
                        "audit log cannot keep up: events are dropped and counted",
                    ));
                }
            }
        }
    }

    /// Waits until every event recorded before has been written.
    pub async fn flush(&self) {
        self.console.flush().await;
    }
}

#[cfg(test)]
mod tests;
