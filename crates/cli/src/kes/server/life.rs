use std::future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use keystead_config::Warning;
use keystead_config::kes::Overrides;
use keystead_crypto::SystemRandom;
use keystead_observe::{AuditLog, ErrorEvent, ErrorLog, Level, Metrics};
use keystead_server_kes::{Server, Setup};
use keystead_tls::FileWatch;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

use crate::output;

use super::source::{Prepared, Source};
use super::voice::{Summary, Voice};

/// How often certificates are read again, should the system not report their change.
const TLS_RELOAD: Duration = Duration::from_secs(15 * 60);

/// A running server and everything that may change its course.
pub(super) struct Life {
    server: Server,
    source: Source,
    overrides: Overrides,
    voice: Voice,
    error_log: Arc<ErrorLog>,
    events: Events,
}

/// What a server has to react to.
struct Events {
    hang_up: Option<Signal>,
    interrupt: Signal,
    terminate: Signal,
    files: FileWatch,
    tls_reload: Interval,
}

enum Event {
    Reload,
    ReloadTls,
    Stop,
}

// === impl Life ===

impl Life {
    /// Starts a server and announces it.
    pub(super) async fn begin(source: Source, overrides: Overrides, voice: Voice) -> Result<Self> {
        let Prepared {
            settings,
            warnings,
            files,
        } = source.prepare(&overrides).await?;
        let metrics = Arc::new(Metrics::new()?);
        let log = &settings.config.log;
        let error_log = ErrorLog::new(log.error, io::stderr(), Timestamp::now, &metrics)?;
        let error_log = Arc::new(error_log);
        let audit_log = AuditLog::new(log.audit, io::stdout(), Arc::clone(&error_log), &metrics)?;
        let setup = Setup {
            build: voice.build.into(),
            random: Arc::new(SystemRandom),
            metrics,
            error_log: Arc::clone(&error_log),
            audit_log: Arc::new(audit_log),
        };
        // Signals that come while the server starts wait for their turn.
        let events = Events::new(&source, files)?;
        let summary = Summary::of(&settings);
        let server = Server::start(setup, settings).await?;
        voice.announce(
            &summary,
            server.local_addr(),
            source.api_key(),
            Voice::STARTED,
        )?;
        let life = Self {
            server,
            source,
            overrides,
            voice,
            error_log,
            events,
        };
        life.report(&warnings);
        Ok(life)
    }

    /// Follows events until one of them ends the server.
    pub(super) async fn live(mut self) -> Result<()> {
        loop {
            match self.events.next().await? {
                Event::Reload => self.reload().await?,
                Event::ReloadTls => self.reload_tls().await,
                Event::Stop => break,
            }
        }
        self.server.shutdown().await;
        self.voice.say_goodbye()
    }

    /// Puts the configuration file in force as it is now, or else changes nothing.
    async fn reload(&mut self) -> Result<()> {
        output::note("SIGHUP signal received. Reloading configuration...\n");
        let Prepared {
            settings,
            warnings,
            files,
        } = match self.source.prepare(&self.overrides).await {
            Ok(prepared) => prepared,
            Err(error) => {
                output::note(&format!("Failed to reload server config: {error}\n"));
                return Ok(());
            }
        };
        let summary = Summary::of(&settings);
        if let Err(error) = self.server.reload(settings).await {
            output::note(&format!("Failed to update server configuration: {error}\n"));
            return Ok(());
        }
        self.events.files.watch(files)?;
        let address = self.server.local_addr();
        self.voice
            .announce(&summary, address, None, Voice::RELOADED)?;
        self.report(&warnings);
        Ok(())
    }

    /// Puts the certificates in force that are on disk now, or else changes nothing.
    async fn reload_tls(&self) {
        match self.source.load(&self.overrides) {
            Ok(loaded) => {
                if let Err(error) = self.server.reload_tls(&loaded.config.tls).await {
                    output::note(&format!("Failed to update TLS configuration: {error}\n"));
                }
            }
            Err(error) => output::note(&format!("Failed to reload TLS configuration: {error}\n")),
        }
    }

    fn report(&self, warnings: &[Warning]) {
        for warning in warnings {
            let event = ErrorEvent::new(Level::WARN, "configuration");
            self.error_log.record(event.attribute("warning", warning));
        }
    }
}

// === impl Events ===

impl Events {
    fn new(source: &Source, files: Vec<PathBuf>) -> Result<Self> {
        // Without a file there is nothing to reload, and a hang-up ends the server.
        let hang_up = match source {
            Source::File(_) => Some(signal(SignalKind::hangup())?),
            Source::Development(_) => None,
        };
        let mut tls_reload = interval_at(Instant::now() + TLS_RELOAD, TLS_RELOAD);
        tls_reload.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            hang_up,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            files: FileWatch::new(files)?,
            tls_reload,
        })
    }

    async fn next(&mut self) -> Result<Event> {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => future::pending().await,
            }
        };
        Ok(tokio::select! {
            _ = self.interrupt.recv() => Event::Stop,
            _ = self.terminate.recv() => Event::Stop,
            _ = hang_up => Event::Reload,
            changed = self.files.changed() => {
                changed?;
                Event::ReloadTls
            }
            _ = self.tls_reload.tick() => Event::ReloadTls,
        })
    }
}
