use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use keystead_crypto::{Mode, Random};
use keystead_http::{Limits, Listener};
use keystead_identity::KmsIdentity;
use keystead_observe::{BuildInfo, ErrorEvent, ErrorLog, KmsAuditLog, KmsMetrics, Level};
use keystead_store::Store;
use keystead_tls::{ServerTls, TlsSlot, expiry_warnings};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::dispatch::Dispatch;
use crate::{Error, Restart, Settings, Setup};

/// How often every HSM is asked whether it answers.
const PROBE_PERIOD: Duration = Duration::from_secs(60);

/// A running MinIO KMS server.
///
/// Dropping it leaves it running until the runtime ends; see [`Server::shutdown`].
pub struct Server {
    shared: Arc<Shared>,
    tls: Arc<TlsSlot>,
    address: SocketAddr,
    serving: JoinHandle<()>,
    probing: JoinHandle<()>,
}

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) live: ArcSwap<Live>,
    pub(crate) build: BuildInfo,
    pub(crate) store: Store,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) mode: Mode,
    pub(crate) metrics: Arc<KmsMetrics>,
    pub(crate) error_log: Arc<ErrorLog>,
    pub(crate) audit_log: Arc<KmsAuditLog>,
    pub(crate) restart: Option<Restart>,
    /// Cancelled when the server stops.
    pub(crate) stop: CancellationToken,
    /// The number of the next audit record: random at the start.
    id: AtomicU64,
}

/// The settings in force. Never changed: a reload makes new ones.
pub(crate) struct Live {
    pub(crate) metrics_public: bool,
    pub(crate) metrics_identities: BTreeSet<KmsIdentity>,
}

// === impl Server ===

impl Server {
    /// Starts a server: binds `address` and serves in the background.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`].
    pub async fn start(
        setup: Setup,
        address: SocketAddr,
        settings: Settings,
    ) -> Result<Self, Error> {
        let listener = Listener::bind(address)
            .await
            .map_err(|source| Error::Listen { address, source })?;
        let address = listener.local_addr();
        let mut id = [0; 8];
        // Without randomness the numbers begin at 0; keys would be refused.
        setup.random.fill(&mut id).ok();
        let shared = Arc::new(Shared {
            live: ArcSwap::from_pointee(Live::new(&settings)),
            build: setup.build,
            store: setup.store,
            random: setup.random,
            clock: setup.clock,
            mode: setup.mode,
            metrics: setup.metrics,
            error_log: setup.error_log,
            audit_log: setup.audit_log,
            restart: setup.restart,
            stop: CancellationToken::new(),
            id: AtomicU64::new(u64::from_be_bytes(id)),
        });
        shared.error_log.set_level(settings.error_level);
        shared.note_certificate(&settings.tls);
        let tls = Arc::new(TlsSlot::new(settings.tls));
        let serving = tokio::spawn(listener.serve(
            Arc::clone(&tls),
            Dispatch(Arc::clone(&shared)),
            Limits::default(),
            shared.stop.clone(),
        ));
        let probing = tokio::spawn(probe(Arc::clone(&shared)));
        Ok(Self {
            shared,
            tls,
            address,
            serving,
            probing,
        })
    }

    /// Replaces the settings. Requests that are under way end with those they began with,
    /// and connections stay open.
    pub fn reload(&self, settings: Settings) {
        self.shared.live.store(Arc::new(Live::new(&settings)));
        self.shared.error_log.set_level(settings.error_level);
        self.shared.note_certificate(&settings.tls);
        self.tls.replace(settings.tls);
    }

    /// Replaces certificate and key alone, for handshakes that start from now on.
    pub fn reload_tls(&self, tls: ServerTls) {
        self.shared.note_certificate(&tls);
        self.tls.replace(tls);
    }

    /// The address the server listens on, with the port that was chosen if it was 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, gives running requests one second and cuts the rest. The store
    /// stays open.
    pub async fn shutdown(self) {
        self.shared.stop.cancel();
        // They end by themselves; an error would be a panic, which has been reported when
        // it happened.
        self.serving.await.ok();
        self.probing.await.ok();
        self.shared.audit_log.flush().await;
        self.shared.error_log.flush().await;
    }
}

// === impl Shared ===

impl Shared {
    pub(crate) fn next_id(&self) -> u64 {
        self.id.fetch_add(1, Ordering::Relaxed)
    }

    fn note_certificate(&self, tls: &ServerTls) {
        self.metrics.certificate_expires(tls.certificate.not_after);
        for warning in expiry_warnings(&tls.chain, Timestamp::now()) {
            self.error_log.record(
                ErrorEvent::new(Level::WARN, "the server certificate must be renewed")
                    .attribute("subject", warning.subject)
                    .attribute("not_after", warning.not_after),
            );
        }
    }
}

// === impl Live ===

impl Live {
    fn new(settings: &Settings) -> Self {
        Self {
            metrics_public: settings.metrics_public,
            metrics_identities: settings.metrics_identities.clone(),
        }
    }
}

/// Asks every HSM again and again whether it answers, and tells when that changes.
async fn probe(shared: Arc<Shared>) {
    let mut down = BTreeSet::new();
    let mut clock = interval(PROBE_PERIOD);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stop = shared.stop.clone();
    let probing = async {
        loop {
            clock.tick().await;
            for (name, outcome) in shared.store.probe_hsms().await {
                shared.metrics.hsm_up(&name, outcome.is_ok());
                match outcome {
                    Ok(()) => {
                        if down.remove(&name) {
                            let event = ErrorEvent::new(Level::INFO, "hsm answers again");
                            shared.error_log.record(event.attribute("hsm", name));
                        }
                    }
                    Err(error) => {
                        if !down.contains(&name) {
                            let event = ErrorEvent::new(Level::ERROR, "hsm does not answer");
                            let event = event.attribute("hsm", &name).error(&error);
                            shared.error_log.record(event);
                        }
                        down.insert(name);
                    }
                }
            }
        }
    };
    stop.run_until_cancelled(probing).await;
}
