use std::array;
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};
use tokio::time::Instant;

use crate::{Error, ProcessFigures, RemoteMetrics};

/// The content type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper bounds of the response time buckets in seconds.
const BUCKETS: [f64; 10] = [0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 1.5, 3.0, 5.0, 10.0];

/// The lowest HTTP status that is counted, and how many follow it.
const FIRST_STATUS: u16 = 200;
const STATUSES: usize = 400;

/// All metrics of a server in a registry of their own
/// (KES protocol, section 8.3).
///
/// Names beginning with `kes_` are those of the original, without `_total` and
/// with exactly its types. Names beginning with `keystead_` are additions. The
/// decoder of existing clients gives up on the whole document if any family
/// but the three request counters has other than one series, so no addition
/// may have labels.
pub struct Metrics {
    registry: Registry,
    started: Instant,
    requests: RequestCounters,
    active: IntGauge,
    response_time: Histogram,
    error_delivered: IntCounter,
    audit_delivered: IntCounter,
    system: SystemGauges,
    audit_dropped: IntCounter,
    error_dropped: IntCounter,
    stream_missed: IntCounter,
    cache_hits: IntCounter,
    cache_misses: IntCounter,
    keystore_up: IntGauge,
    keystore_offline_since: Gauge,
    keystore_latency: Gauge,
    remote: RemoteMetrics,
    certificate_expiry: Gauge,
}

impl Metrics {
    /// All families at zero; the up time counts from now.
    ///
    /// # Errors
    ///
    /// [`Error::Metrics`] if the library refuses a family.
    pub fn new() -> Result<Self, Error> {
        let families = Families(Registry::new());
        Ok(Self {
            started: Instant::now(),
            requests: RequestCounters::new(&families)?,
            active: families.gauge(
                "kes_http_request_active",
                "Requests that are being answered.",
            )?,
            response_time: families.add(Histogram::with_opts(
                HistogramOpts::new(
                    "kes_http_response_time",
                    "Seconds from the arrival of a request to its answer.",
                )
                .buckets(BUCKETS.to_vec()),
            )?)?,
            error_delivered: families.counter(
                "kes_log_error_events",
                "Error log events delivered to subscribers.",
            )?,
            audit_delivered: families.counter(
                "kes_log_audit_events",
                "Audit events delivered to subscribers.",
            )?,
            system: SystemGauges::new(&families)?,
            audit_dropped: families.counter(
                "keystead_log_audit_dropped_total",
                "Audit events that did not reach the console.",
            )?,
            error_dropped: families.counter(
                "keystead_log_error_dropped_total",
                "Error log lines that did not reach the console.",
            )?,
            stream_missed: families.counter(
                "keystead_log_stream_missed_total",
                "Events that slow subscribers of the log streams lost.",
            )?,
            cache_hits: families
                .counter("keystead_cache_hits_total", "Keys found in the cache.")?,
            cache_misses: families.counter(
                "keystead_cache_misses_total",
                "Keys not found in the cache.",
            )?,
            keystore_up: families.gauge(
                "keystead_keystore_up",
                "1 while the key store counts as online, else 0.",
            )?,
            keystore_offline_since: families.seconds(
                "keystead_keystore_offline_since_timestamp_seconds",
                "Since when keys are served from the cache alone, as Unix time; 0 while the \
                 key store is online.",
            )?,
            keystore_latency: families.seconds(
                "keystead_keystore_latency_seconds",
                "Latency of the key store at the last successful probe.",
            )?,
            remote: RemoteMetrics::new(&families)?,
            certificate_expiry: families.seconds(
                "keystead_tls_certificate_expiry_timestamp_seconds",
                "When the server certificate expires, as Unix time; 0 if unknown.",
            )?,
            registry: families.0,
        })
    }

    /// Counts a request as active until the guard is dropped.
    pub fn request_started(&self) -> ActiveRequest {
        self.active.inc();
        ActiveRequest(self.active.clone())
    }

    /// Counts an answer. A status below 200 or above 599 is not counted.
    pub fn request(&self, status: u16, duration: Duration) {
        self.requests.count(status);
        self.response_time.observe(duration.as_secs_f64());
    }

    /// Counts a key found in the cache.
    pub fn cache_hit(&self) {
        self.cache_hits.inc();
    }

    /// Counts a key not found in the cache.
    pub fn cache_miss(&self) {
        self.cache_misses.inc();
    }

    /// How many keys have been found in the cache so far.
    #[must_use]
    pub fn cache_hits(&self) -> u64 {
        self.cache_hits.get()
    }

    /// Notes that the key store counts as online.
    pub fn keystore_online(&self) {
        self.keystore_up.set(1);
        self.keystore_offline_since.set(0.0);
    }

    /// Notes that the key store counts as offline.
    pub fn keystore_offline(&self, since: Timestamp) {
        self.keystore_up.set(0);
        self.keystore_offline_since.set(unix_time(since));
    }

    /// Notes how long the key store took to answer a probe.
    pub fn keystore_latency(&self, latency: Duration) {
        self.keystore_latency.set(latency.as_secs_f64());
    }

    /// The families of a remote key store.
    #[must_use]
    pub fn remote(&self) -> &RemoteMetrics {
        &self.remote
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

    /// All families in the Prometheus text format, [`CONTENT_TYPE`].
    ///
    /// # Errors
    ///
    /// [`Error::Metrics`] if the library cannot encode a family.
    pub fn encode(&self) -> Result<String, Error> {
        self.system.set(self.up_time(), ProcessFigures::read());
        self.remote.refresh();
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }

    pub(crate) fn error_delivered(&self) -> IntCounter {
        self.error_delivered.clone()
    }

    pub(crate) fn audit_delivered(&self) -> IntCounter {
        self.audit_delivered.clone()
    }

    pub(crate) fn error_dropped(&self) -> IntCounter {
        self.error_dropped.clone()
    }

    pub(crate) fn audit_dropped(&self) -> IntCounter {
        self.audit_dropped.clone()
    }

    pub(crate) fn stream_missed(&self) -> IntCounter {
        self.stream_missed.clone()
    }
}

/// Whole seconds.
pub(crate) fn unix_time(at: Timestamp) -> f64 {
    at.as_duration().as_secs_f64().floor()
}

/// A request that is being answered; dropping it ends it.
#[must_use]
pub struct ActiveRequest(IntGauge);

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.dec();
    }
}

// === impl Families ===

/// Makes families and registers them.
pub(crate) struct Families(Registry);

impl Families {
    pub(crate) fn of(registry: Registry) -> Self {
        Self(registry)
    }

    pub(crate) fn counter(&self, name: &str, help: &str) -> Result<IntCounter, Error> {
        self.add(IntCounter::new(name, help)?)
    }

    pub(crate) fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, Error> {
        self.add(IntGauge::new(name, help)?)
    }

    pub(crate) fn seconds(&self, name: &str, help: &str) -> Result<Gauge, Error> {
        self.add(Gauge::new(name, help)?)
    }

    pub(crate) fn add<C: Collector + Clone + 'static>(&self, family: C) -> Result<C, Error> {
        self.0.register(Box::new(family.clone()))?;
        Ok(family)
    }
}

// === impl RequestCounters ===

/// The three families that are labelled with the status.
///
/// A labelled counter is found under a lock, so each is looked up once and
/// kept; it must not exist earlier, or it would be shown at zero.
struct RequestCounters {
    success: IntCounterVec,
    error: IntCounterVec,
    failure: IntCounterVec,
    by_status: [OnceLock<IntCounter>; STATUSES],
}

impl RequestCounters {
    fn new(families: &Families) -> Result<Self, Error> {
        let family =
            |name, help| families.add(IntCounterVec::new(Opts::new(name, help), &["code"])?);
        Ok(Self {
            success: family("kes_http_request_success", "Requests answered with 2xx.")?,
            error: family("kes_http_request_error", "Requests answered with 4xx.")?,
            failure: family("kes_http_request_failure", "Requests answered with 5xx.")?,
            by_status: array::from_fn(|_| OnceLock::new()),
        })
    }

    fn count(&self, status: u16) {
        let family = match status {
            200..400 => &self.success,
            400..500 => &self.error,
            500..600 => &self.failure,
            _ => return,
        };
        let slot = self
            .by_status
            .get(usize::from(status.saturating_sub(FIRST_STATUS)));
        if let Some(slot) = slot {
            slot.get_or_init(|| family.with_label_values(&[status.to_string()]))
                .inc();
        }
    }
}

// === impl SystemGauges ===

/// The families that are measured when somebody asks.
struct SystemGauges {
    up_time: Gauge,
    num_cpu: IntGauge,
    num_cpu_used: IntGauge,
    num_threads: IntGauge,
    heap_used: IntGauge,
    stack_used: IntGauge,
}

impl SystemGauges {
    fn new(families: &Families) -> Result<Self, Error> {
        // The allocator keeps no count of objects; clients still expect the family.
        families.gauge("kes_system_mem_heap_objects", "Always 0: not counted.")?;
        Ok(Self {
            up_time: families.seconds("kes_system_up_time", "Seconds since the server started.")?,
            num_cpu: families.gauge("kes_system_num_cpu", "Processors the process may use.")?,
            num_cpu_used: families
                .gauge("kes_system_num_cpu_used", "Processors the process uses.")?,
            num_threads: families.gauge("kes_system_num_threads", "Threads of the process.")?,
            heap_used: families
                .gauge("kes_system_mem_heap_used", "Resident heap memory in bytes.")?,
            stack_used: families.gauge(
                "kes_system_mem_stack_used",
                "Memory of the main stack in bytes.",
            )?,
        })
    }

    fn set(&self, up_time: Duration, process: ProcessFigures) {
        let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        // The original measures in steps of 10 ms.
        self.up_time
            .set((up_time.as_secs_f64() * 100.0).floor() / 100.0);
        self.num_cpu.set(count(process.processors));
        self.num_cpu_used.set(count(process.processors));
        self.num_threads.set(count(process.threads));
        self.heap_used.set(count(process.heap_bytes));
        self.stack_used.set(count(process.stack_bytes));
    }
}
