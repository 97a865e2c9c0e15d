use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use jiff::Timestamp;
use keystead_config::Warning;
use keystead_config::kms::{Loaded, LogFormat, ServerConfig};
use keystead_crypto::{Mode, SystemRandom};
use keystead_observe::{
    BuildInfo, ErrorEvent, ErrorLog, KmsAuditLog, KmsMetrics, Level, LogFormat as LineFormat,
};
use keystead_server_kms::{Server, Setup};
use keystead_store::{Opened, Store};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::kes::addresses::reachable;
use crate::kes::occasions::{Occasion, Occasions};
use crate::output;

use super::banner::Banner;
use super::files::{audit_target, error_output};
use super::folder::Folder;
use super::node::Keys;
use super::place::Place;
use super::source::{self, Source};
use super::voice::Voice;

/// How the life of a server ended.
pub(super) enum End {
    /// A signal asked for it.
    Stopped,
    /// A client asked for another one.
    Restart,
}

/// A running server with all it takes to give it another configuration.
struct Life {
    server: Server,
    store: Store,
    source: Source,
    config: ServerConfig,
    error_log: Arc<ErrorLog>,
    /// None in development mode: there is nothing to read again.
    occasions: Option<Occasions>,
    /// Somebody asks for another life.
    restart: Arc<Notify>,
    /// Removed at the end if it is not to be kept.
    _folder: Folder,
}

/// The signals that end a server.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

/// Starts a server and keeps it until something ends it.
pub(super) async fn live(
    source: Source,
    folder: Option<PathBuf>,
    place: Place,
    voice: Voice,
) -> Result<End> {
    let mut stop = Stop::new()?;
    let mut life = tokio::select! {
        life = Life::begin(source, folder, place, &voice) => life?,
        () = stop.requested() => return Ok(End::Stopped),
    };
    let (restart, store) = (Arc::clone(&life.restart), life.store.clone());
    let end = tokio::select! {
        () = life.go_on() => Ok(End::Stopped),
        () = stop.requested() => Ok(End::Stopped),
        () = restart.notified() => Ok(End::Restart),
        // Serving on would mean to answer from a state that nobody can vouch for.
        reason = store.stopped() => Err(anyhow!(reason)),
    };
    life.end().await;
    voice.say_goodbye();
    end
}

// === impl Life ===

impl Life {
    /// Opens the state, starts a server on it and announces it.
    async fn begin(
        source: Source,
        folder: Option<PathBuf>,
        place: Place,
        voice: &Voice,
    ) -> Result<Self> {
        let Loaded {
            config,
            warnings,
            files,
            ..
        } = source.load()?;
        let build = BuildInfo {
            version: voice.build.version.to_owned(),
            commit: voice.build.commit.to_owned(),
            fips: false,
        };
        let metrics = Arc::new(KmsMetrics::new(&build, Timestamp::now())?);
        let error_log = Arc::new(error_log(&config, &metrics)?);
        // Whatever is wrong with the certificates is told before any state is made.
        let settings = source::settings(&config)?;
        let keys = match source {
            Source::Development => Keys::random()?,
            _ => Keys::find(&config)?,
        };
        let folder = match (&source, folder) {
            (Source::Development, _) => Folder::temporary()?,
            (_, Some(folder)) => Folder::Kept(folder),
            (_, None) => return Err(anyhow!("no folder specified. See 'minkms server --help'")),
        };
        let opened = keys
            .open(folder.path(), place.host.clone(), &config)
            .await?;
        let Opened {
            store,
            root_api_key,
            warnings: notes,
            ..
        } = opened;
        let audit_log = KmsAuditLog::new(
            audit_target(&config.log.audit)?,
            place.host.clone(),
            Arc::clone(&error_log),
            &metrics,
        )?;
        let restart = Arc::new(Notify::new());
        let again = Arc::clone(&restart);
        let setup = Setup {
            build,
            store: store.clone(),
            random: Arc::new(SystemRandom),
            clock: Timestamp::now,
            mode: Mode::Standard,
            metrics,
            error_log: Arc::clone(&error_log),
            audit_log: Arc::new(audit_log),
            restart: Some(Arc::new(move || again.notify_one())),
        };
        let server = Server::start(setup, place.address, settings).await;
        let server = match server {
            Ok(server) => server,
            Err(error) => {
                store.close().await;
                return Err(error.into());
            }
        };
        let status = store.status();
        let api_key = root_api_key.map(|key| key.to_text());
        let address = server.local_addr();
        voice.announce(&Banner {
            build: voice.build,
            hsms: status.configured_hsms,
            cluster: store.cluster().to_string(),
            node: status.node,
            nodes: status.nodes,
            addresses: reachable(address).unwrap_or_else(|_| vec![address]),
            api_key: api_key.as_ref().map(|key| key.as_str()),
            root: store.root().to_string(),
            key_hint: keys.hint(store.root(), &config),
            error: &config.log.error,
            audit: &config.log.audit,
            memory_locked: voice.memory_locked,
        });
        let occasions = match source {
            Source::Development => None,
            _ => Some(Occasions::new(files, Arc::clone(&error_log))?),
        };
        let life = Self {
            server,
            store,
            source,
            config,
            error_log,
            occasions,
            restart,
            _folder: folder,
        };
        life.report(&warnings);
        for note in notes.into_iter().chain(keys.warning) {
            life.warn(&note);
        }
        if life.config.tls.certs.is_empty() {
            life.warn(
                "no TLS certificate: a self-signed one is used until the server ends, and clients \
                 need '--insecure'",
            );
        }
        Ok(life)
    }

    /// Takes every occasion to read configuration and certificates again.
    async fn go_on(&mut self) {
        let Some(mut occasions) = self.occasions.take() else {
            return std::future::pending().await;
        };
        loop {
            if let Occasion::HangUp = occasions.next().await {
                output::note("SIGHUP signal received. Reloading configuration...\n");
            }
            match self.reload() {
                Ok(files) => occasions.watch(files),
                Err(failure) => {
                    let event = ErrorEvent::new(Level::ERROR, "reload failed, nothing is changed");
                    self.error_log
                        .record(event.attribute("reason", format!("{failure:#}")));
                }
            }
        }
    }

    /// Puts configuration and certificates in force as they are now, or else changes
    /// nothing. Gives the files that the configuration refers to.
    fn reload(&mut self) -> Result<Vec<PathBuf>> {
        let loaded = self.source.load()?;
        let settings = source::settings(&loaded.config)?;
        self.server.reload(settings);
        self.report(&loaded.warnings);
        let (old, new) = (&self.config, &loaded.config);
        let waits = [
            ("admin", old.admin != new.admin),
            ("cluster", old.cluster != new.cluster),
            ("log", old.log != new.log),
            ("hsm", old.hsms != new.hsms),
        ];
        for (section, _) in waits.iter().filter(|(_, changed)| *changed) {
            self.warn(&format!(
                "the new '{section}' section counts from the next start on"
            ));
        }
        Ok(loaded.files)
    }

    async fn end(self) {
        self.server.shutdown().await;
        self.store.close().await;
    }

    fn report(&self, warnings: &[Warning]) {
        for warning in warnings {
            self.warn(&warning.to_string());
        }
    }

    fn warn(&self, warning: &str) {
        let event = ErrorEvent::new(Level::WARN, "configuration");
        self.error_log.record(event.attribute("warning", warning));
    }
}

fn error_log(config: &ServerConfig, metrics: &KmsMetrics) -> Result<ErrorLog> {
    let format = match config.log.format {
        LogFormat::Text => LineFormat::Text,
        LogFormat::Json => LineFormat::Json,
    };
    let target = &config.log.error;
    let log = ErrorLog::for_kms(
        source::level(target),
        format,
        error_output(target)?,
        Timestamp::now,
        metrics,
    );
    log.context("failed to start the error log")
}

// === impl Stop ===

impl Stop {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn requested(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
