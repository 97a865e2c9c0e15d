use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use keystead_config::kes::{LogConfig, TlsConfig};
use keystead_crypto::Random;
use keystead_http::{Limits, Listener};
use keystead_observe::{AuditLog, ErrorEvent, ErrorLog, Level, Metrics};
use keystead_tls::{ServerTls, TlsSlot, expiry_warnings};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::dispatch::Dispatch;
use crate::keys::Stores;
use crate::state::State;
use crate::{Build, Error, Settings, Setup, tls};

/// How long a stopping server waits for its key stores to close.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);

/// A running KES server.
///
/// Dropping it leaves it running until the runtime ends; see [`Server::shutdown`].
pub struct Server {
    shared: Arc<Shared>,
    tls: Arc<TlsSlot>,
    stores: Stores,
    address: SocketAddr,
    serving: JoinHandle<()>,
    /// One reload at a time.
    reloading: Mutex<()>,
}

/// What all requests share.
pub(crate) struct Shared {
    pub(crate) state: ArcSwap<State>,
    pub(crate) build: Build,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) error_log: Arc<ErrorLog>,
    pub(crate) audit_log: Arc<AuditLog>,
    pub(crate) started_at: Timestamp,
    /// Cancelled when the server stops.
    pub(crate) stop: CancellationToken,
}

// === impl Server ===

impl Server {
    /// Starts a server: binds the listen address, creates the keys of the
    /// configuration that are missing, and serves in the background.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`], [`Error::Listen`], [`Error::GenerateKey`] and
    /// [`Error::CreateKey`]; the key store is closed then.
    pub async fn start(setup: Setup, settings: Settings) -> Result<Self, Error> {
        let Settings { config, store, tls } = settings;
        let stores = Stores::new(Arc::clone(&setup.metrics), Arc::clone(&setup.error_log));
        let state = State::new(&config, stores.open(store, config.cache), &tls)?;
        let address = config.address;
        let listener = Listener::bind(address)
            .await
            .map_err(|source| Error::Listen { address, source })?;
        let address = listener.local_addr();
        state.create_keys(&config, &*setup.random).await?;

        let shared = Arc::new(Shared {
            state: ArcSwap::from_pointee(state),
            build: setup.build,
            random: setup.random,
            metrics: setup.metrics,
            error_log: setup.error_log,
            audit_log: setup.audit_log,
            started_at: Timestamp::now(),
            stop: CancellationToken::new(),
        });
        shared.set_log_levels(config.log);
        shared.note_certificate(&tls);
        let tls = Arc::new(TlsSlot::new(tls));
        let serving = tokio::spawn(listener.serve(
            Arc::clone(&tls),
            Dispatch(Arc::clone(&shared)),
            Limits::default(),
            shared.stop.clone(),
        ));
        Ok(Self {
            shared,
            tls,
            stores,
            address,
            serving,
            reloading: Mutex::new(()),
        })
    }

    /// Replaces the whole configuration but for the listen address.
    ///
    /// Requests that are under way end with the configuration they began with, and
    /// connections stay open. The cache starts empty; the former key store is closed
    /// when nobody uses it any more. Up time and counters go on.
    ///
    /// # Errors
    ///
    /// [`Error::Policy`], [`Error::GenerateKey`] and [`Error::CreateKey`]; the former
    /// configuration stays in force then, and the new key store is closed.
    pub async fn reload(&self, settings: Settings) -> Result<(), Error> {
        let _turn = self.reloading.lock().await;
        let Settings { config, store, tls } = settings;
        let state = State::new(&config, self.stores.open(store, config.cache), &tls)?;
        state.create_keys(&config, &*self.shared.random).await?;

        self.shared.set_log_levels(config.log);
        self.shared.note_certificate(&tls);
        self.tls.replace(tls);
        self.shared.state.store(Arc::new(state));
        Ok(())
    }

    /// Reads certificate, key and authorities again and replaces the `tls` section
    /// alone, for handshakes that start from now on.
    ///
    /// # Errors
    ///
    /// [`Error::Tls`] if a file cannot be used; the former TLS settings stay in force
    /// then.
    pub async fn reload_tls(&self, config: &TlsConfig) -> Result<(), Error> {
        let _turn = self.reloading.lock().await;
        let state = self.shared.state.load_full();
        let settings = tls::settings(config, state.certificate_optional);
        let tls = keystead_tls::server(&settings)?;

        self.shared.note_certificate(&tls);
        let state = state.with_tls(config, &tls);
        self.tls.replace(tls);
        self.shared.state.store(Arc::new(state));
        Ok(())
    }

    /// The address the server listens on, with the port that was chosen if the
    /// configuration says 0.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, gives running requests one second, cuts the rest and closes
    /// the key store.
    pub async fn shutdown(self) {
        self.shared.stop.cancel();
        // It ends by itself; an error would be a panic in the accept loop, which has
        // been reported when it happened.
        self.serving.await.ok();
        // A key store that does not come to an end is left behind.
        timeout(CLOSE_LIMIT, self.stores.close()).await.ok();
    }
}

// === impl Shared ===

impl Shared {
    fn set_log_levels(&self, config: LogConfig) {
        self.error_log.set_level(config.error);
        self.audit_log.set_level(config.audit);
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
