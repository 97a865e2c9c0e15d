use std::array;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use keystead_wire_kms::Command;
use prometheus::{
    Gauge, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};
use tokio::time::Instant;

use crate::metrics::{Families, unix_time};
use crate::{Error, open_metrics};

/// The content type of [`KmsMetrics::encode`].
pub const CONTENT_TYPE_OPEN_METRICS: &str = open_metrics::CONTENT_TYPE;

/// Upper bounds of the request time buckets in seconds.
const DURATIONS: [f64; 10] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1.0, 5.0,
];

/// Upper bounds of the request size buckets in bytes.
const SIZES: [f64; 6] = [64.0, 256.0, 1024.0, 16_384.0, 262_144.0, 4_194_304.0];

const APIS: usize = 5;
const RESULTS: usize = 5;

/// HTTP statuses that are counted, from [`FIRST_STATUS`] on.
const STATUSES: usize = 400;
const FIRST_STATUS: u16 = 200;

/// The group of endpoints a request went to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KmsApi {
    /// `/v1/kms`
    Kms,
    /// `/version`
    Version,
    /// `/v1/health/*`
    Health,
    /// `/v1/db`
    Db,
    /// `/v1/debug/*`
    Debug,
}

/// What became of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandResult {
    /// It was answered.
    Ok,
    /// The caller may not do this.
    Denied,
    /// What it names does not exist.
    NotFound,
    /// The client made a mistake.
    Invalid,
    /// The server failed.
    Error,
}

/// What the program says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildInfo {
    /// The release.
    pub version: String,
    /// The source revision.
    pub commit: String,
    /// Whether only certified cryptography is in use.
    pub fips: bool,
}

/// Figures that are measured when somebody asks for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClusterFigures {
    /// Nodes that answer.
    pub nodes_up: u64,
    /// Nodes that do not.
    pub nodes_down: u64,
    /// Whether this node leads.
    pub leader: bool,
    /// State changes applied so far.
    pub commit: u64,
    /// Entries known but not applied.
    pub lag: u64,
    /// Whether reads of this node are as good as the leader's.
    pub lease_valid: bool,
}

/// All metrics of a MinIO KMS server (MinIO KMS protocol, section 0.5).
///
/// No label ever carries the name of a key, an enclave or an identity.
pub struct KmsMetrics {
    registry: Registry,
    started: Instant,
    answers: IntCounterVec,
    by_answer: [[OnceLock<IntCounter>; STATUSES]; APIS],
    bytes_in: IntCounter,
    bytes_out: IntCounter,
    in_flight: IntGauge,
    durations: [Histogram; APIS],
    sizes: [Histogram; APIS],
    commands: IntCounterVec,
    by_command: Vec<[OnceLock<IntCounter>; RESULTS]>,
    nodes: IntGaugeVec,
    leader: IntGauge,
    commit: IntGauge,
    lag: IntGauge,
    lease_valid: IntGauge,
    stale_reads: IntCounter,
    hsm_up: IntGaugeVec,
    hsm_sealed: IntGaugeVec,
    audit_dropped: IntCounter,
    log_records: IntCounterVec,
    error_log: [IntCounter; 3],
    certificate_expiry: Gauge,
}

/// A request that is being answered; dropping it ends it.
#[must_use]
pub struct InFlight<'m>(&'m IntGauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

// === impl KmsApi ===

impl KmsApi {
    const ALL: [Self; APIS] = [
        Self::Kms,
        Self::Version,
        Self::Health,
        Self::Db,
        Self::Debug,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Kms => "kms",
            Self::Version => "version",
            Self::Health => "health",
            Self::Db => "db",
            Self::Debug => "debug",
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Kms => 0,
            Self::Version => 1,
            Self::Health => 2,
            Self::Db => 3,
            Self::Debug => 4,
        }
    }
}

// === impl CommandResult ===

impl CommandResult {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Denied => "denied",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Error => "error",
        }
    }

    const fn index(self) -> usize {
        match self {
            Self::Ok => 0,
            Self::Denied => 1,
            Self::NotFound => 2,
            Self::Invalid => 3,
            Self::Error => 4,
        }
    }
}

// === impl KmsMetrics ===

impl KmsMetrics {
    /// All families at zero; the up time counts from now.
    ///
    /// # Errors
    ///
    /// [`Error::Metrics`] if the library refuses a family.
    pub fn new(build: &BuildInfo, now: Timestamp) -> Result<Self, Error> {
        let registry = Registry::new();
        let families = Families::of(registry.clone());
        let counters = |name, help, labels: &[&str]| {
            families.add(IntCounterVec::new(Opts::new(name, help), labels)?)
        };
        let gauges = |name, help, labels: &[&str]| {
            families.add(IntGaugeVec::new(Opts::new(name, help), labels)?)
        };
        let bytes = counters(
            "http_request",
            "Bytes of request bodies (in) and answers (out).",
            &["direction"],
        )?;
        let durations = families.add(HistogramVec::new(
            HistogramOpts::new(
                "http_request_duration",
                "Seconds from the arrival of a request to its answer.",
            )
            .buckets(DURATIONS.to_vec()),
            &["api"],
        )?)?;
        let sizes = families.add(HistogramVec::new(
            HistogramOpts::new("http_request_size", "Bytes of request bodies.")
                .buckets(SIZES.to_vec()),
            &["api"],
        )?)?;
        families
            .seconds("minkms_start_time_seconds", "Unix time of the start.")?
            .set(now.as_duration().as_secs_f64());
        gauges(
            "minkms_build_info",
            "What this program is; always 1.",
            &["version", "commit", "fips"],
        )?
        .with_label_values(&[&build.version, &build.commit, &build.fips.to_string()])
        .set(1);
        Ok(Self {
            started: Instant::now(),
            answers: counters("http", "Answers by API and status.", &["api", "code"])?,
            by_answer: array::from_fn(|_| array::from_fn(|_| OnceLock::new())),
            bytes_in: bytes.with_label_values(&["in"]),
            bytes_out: bytes.with_label_values(&["out"]),
            in_flight: families
                .gauge("http_request_inflight", "Requests that are being answered.")?,
            durations: KmsApi::ALL.map(|api| durations.with_label_values(&[api.name()])),
            sizes: KmsApi::ALL.map(|api| sizes.with_label_values(&[api.name()])),
            commands: counters(
                "minkms_commands",
                "Commands by what became of them.",
                &["command", "result"],
            )?,
            by_command: Command::ALL
                .iter()
                .map(|_| array::from_fn(|_| OnceLock::new()))
                .collect(),
            nodes: gauges("minkms_cluster_nodes", "Nodes of the cluster.", &["state"])?,
            leader: families.gauge("minkms_cluster_leader", "1 on the leader, else 0.")?,
            commit: families.gauge("minkms_cluster_commit", "State changes applied so far.")?,
            lag: families.gauge(
                "minkms_cluster_lag_entries",
                "Log entries that are known and not yet applied.",
            )?,
            lease_valid: families.gauge(
                "minkms_lease_valid",
                "1 while reads of this node are as good as the leader's, else 0.",
            )?,
            stale_reads: families.counter(
                "minkms_stale_reads",
                "Reads that were answered without a valid lease.",
            )?,
            hsm_up: gauges(
                "minkms_hsm_up",
                "1 if the HSM answered its last probe, else 0.",
                &["hsm"],
            )?,
            hsm_sealed: gauges(
                "minkms_hsm_sealed",
                "1 if the HSM has a sealed entry, else 0.",
                &["hsm"],
            )?,
            audit_dropped: families.counter(
                "minkms_audit_dropped",
                "Audit records that were not written.",
            )?,
            log_records: counters(
                "minkms_log_records",
                "Records of the error log by level.",
                &["level"],
            )?,
            error_log: [
                families.counter(
                    "minkms_log_dropped",
                    "Error log lines that were not written.",
                )?,
                // Streams of MinIO KMS do not pass through here: not registered.
                IntCounter::new("unused_delivered", "Unused.")?,
                IntCounter::new("unused_missed", "Unused.")?,
            ],
            certificate_expiry: families.seconds(
                "minkms_tls_not_after_seconds",
                "When the server certificate expires, as Unix time; 0 if unknown.",
            )?,
            registry,
        })
    }

    /// Counts a request as being answered until the guard is dropped.
    pub fn request_started(&self) -> InFlight<'_> {
        self.in_flight.inc();
        InFlight(&self.in_flight)
    }

    /// Counts an answer with the bytes of the request's and its own body. A status below
    /// 200 or above 599 is not counted.
    pub fn request(&self, api: KmsApi, status: u16, took: Duration, bytes_in: u64, bytes_out: u64) {
        let slot = status.checked_sub(FIRST_STATUS).map(usize::from);
        let slots = self.by_answer.get(api.index());
        if let Some(counter) = slots.and_then(|slots| slots.get(slot?)) {
            counter
                .get_or_init(|| {
                    let code = status.to_string();
                    self.answers.with_label_values(&[api.name(), &code])
                })
                .inc();
        }
        if bytes_in > 0 {
            self.bytes_in.inc_by(bytes_in);
        }
        if bytes_out > 0 {
            self.bytes_out.inc_by(bytes_out);
        }
        if let Some(durations) = self.durations.get(api.index()) {
            durations.observe(took.as_secs_f64());
        }
        if let Some(sizes) = self.sizes.get(api.index()) {
            sizes.observe(as_float(bytes_in));
        }
    }

    /// Counts commands of one kind.
    pub fn commands(&self, command: Command, result: CommandResult, count: u64) {
        let index = Command::ALL.iter().position(|known| *known == command);
        let slots = index.and_then(|index| self.by_command.get(index));
        if let Some(counter) = slots.and_then(|slots| slots.get(result.index())) {
            counter
                .get_or_init(|| {
                    self.commands
                        .with_label_values(&[command.name(), result.name()])
                })
                .inc_by(count);
        }
    }

    /// Counts a read that was answered without a valid lease.
    pub fn stale_read(&self) {
        self.stale_reads.inc();
    }

    /// Notes how the cluster is doing.
    pub fn cluster(&self, figures: &ClusterFigures) {
        let nodes = |state| self.nodes.with_label_values(&[state]);
        nodes("up").set(gauge(figures.nodes_up));
        nodes("down").set(gauge(figures.nodes_down));
        self.leader.set(i64::from(figures.leader));
        self.commit.set(gauge(figures.commit));
        self.lag.set(gauge(figures.lag));
        self.lease_valid.set(i64::from(figures.lease_valid));
    }

    /// Notes whether an HSM answered its last probe.
    pub fn hsm_up(&self, hsm: &str, up: bool) {
        self.hsm_up.with_label_values(&[hsm]).set(i64::from(up));
    }

    /// Notes whether an HSM has a sealed entry.
    pub fn hsm_sealed(&self, hsm: &str, sealed: bool) {
        self.hsm_sealed
            .with_label_values(&[hsm])
            .set(i64::from(sealed));
    }

    /// Notes when the certificate now in use expires.
    pub fn certificate_expires(&self, at: Timestamp) {
        self.certificate_expiry.set(unix_time(at));
    }

    /// How long this server has been running.
    #[must_use]
    pub fn up_time(&self) -> Duration {
        self.started.elapsed()
    }

    /// All families as OpenMetrics text, [`CONTENT_TYPE_OPEN_METRICS`].
    #[must_use]
    pub fn encode(&self) -> String {
        open_metrics::encode(&self.registry.gather())
    }

    pub(crate) fn audit_dropped(&self) -> IntCounter {
        self.audit_dropped.clone()
    }

    /// Lines dropped, events delivered and events missed.
    pub(crate) fn error_log_counters(&self) -> [IntCounter; 3] {
        self.error_log.clone()
    }

    /// Records by level: debug, info, warn, error.
    pub(crate) fn log_records(&self) -> [IntCounter; 4] {
        ["debug", "info", "warn", "error"].map(|level| self.log_records.with_label_values(&[level]))
    }
}

fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number of bytes; request bodies are far below the point where floats lose precision.
fn as_float(bytes: u64) -> f64 {
    u32::try_from(bytes).map_or(f64::from(u32::MAX), f64::from)
}
