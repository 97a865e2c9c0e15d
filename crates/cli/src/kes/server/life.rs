use std::convert::Infallible;
use std::future;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, anyhow};
use keystead_config::Warning;
use keystead_config::kes::Overrides;
use keystead_crypto::SystemRandom;
use keystead_observe::{AuditLog, ErrorEvent, Level, Telemetry};
use keystead_server_kes::{Server, Setup};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::output;

use super::occasions::{Occasion, Occasions};
use super::source::Source;
use super::voice::{Summary, Voice};

/// A running server with all it takes to give it another configuration.
struct Life {
    server: Server,
    source: Source,
    overrides: Overrides,
    voice: Voice,
    telemetry: Telemetry,
    /// None in development mode: there is nothing to read again.
    occasions: Option<Occasions>,
}

/// The signals that end a server.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

/// Starts a server and keeps it until a signal ends it.
pub(super) async fn live(source: Source, overrides: Overrides, voice: Voice) -> Result<()> {
    let mut stop = Stop::new()?;
    let mut life = tokio::select! {
        life = Life::begin(source, overrides, voice) => life?,
        () = stop.requested() => return Ok(()),
    };
    tokio::select! {
        never = life.go_on() => match never {},
        () = stop.requested() => {}
    }
    life.end().await;
    Ok(())
}

// === impl Life ===

impl Life {
    /// Starts a server and announces it.
    async fn begin(source: Source, overrides: Overrides, voice: Voice) -> Result<Self> {
        let loaded = source.load(&overrides)?;
        let log = loaded.config.log;
        let telemetry = Telemetry::new(log.error, io::stderr())?;
        let prepared = source.prepare(loaded, &telemetry).await?;
        let Telemetry {
            metrics,
            log: error_log,
        } = telemetry.clone();
        let audit_log = AuditLog::new(log.audit, io::stdout(), Arc::clone(&error_log), &metrics)?;
        let occasions = match source {
            Source::File(_) => Some(Occasions::new(prepared.files, Arc::clone(&error_log))?),
            Source::Development(_) => None,
        };
        let setup = Setup {
            build: voice.build.into(),
            random: Arc::new(SystemRandom),
            metrics,
            error_log,
            audit_log: Arc::new(audit_log),
        };
        let summary = Summary::of(&prepared.settings);
        let server = Server::start(setup, prepared.settings).await?;
        let address = server.local_addr();
        voice.announce(&summary, address, source.api_key(), Voice::STARTED);
        let life = Self {
            server,
            source,
            overrides,
            voice,
            telemetry,
            occasions,
        };
        life.report(&prepared.warnings);
        Ok(life)
    }

    /// Takes every occasion to read the configuration or the certificates again.
    async fn go_on(&mut self) -> Infallible {
        let Some(mut occasions) = self.occasions.take() else {
            return future::pending().await;
        };
        loop {
            match occasions.next().await {
                Occasion::HangUp => {
                    output::note("SIGHUP signal received. Reloading configuration...\n");
                    match self.reload().await {
                        Ok(files) => occasions.watch(files),
                        Err(failure) => output::note(&format!("{failure}\n")),
                    }
                }
                Occasion::Certificates => {
                    if let Err(failure) = self.reload_tls().await {
                        output::note(&format!("{failure}\n"));
                    }
                }
            }
        }
    }

    /// Puts the configuration file in force as it is now, or else changes nothing. Gives
    /// the files that it refers to.
    async fn reload(&self) -> Result<Vec<PathBuf>> {
        let failed = |error| anyhow!("Failed to reload server config: {error}");
        let loaded = self.source.load(&self.overrides).map_err(failed)?;
        let prepared = self.source.prepare(loaded, &self.telemetry).await;
        let prepared = prepared.map_err(failed)?;
        let summary = Summary::of(&prepared.settings);
        let reloaded = self.server.reload(prepared.settings).await;
        reloaded.map_err(|error| anyhow!("Failed to update server configuration: {error}"))?;
        let address = self.server.local_addr();
        self.voice
            .announce(&summary, address, None, Voice::RELOADED);
        self.report(&prepared.warnings);
        Ok(prepared.files)
    }

    /// Puts the certificates in force that are on disk now, or else changes nothing.
    async fn reload_tls(&self) -> Result<()> {
        let loaded = self.source.load(&self.overrides);
        let loaded =
            loaded.map_err(|error| anyhow!("Failed to reload TLS configuration: {error}"))?;
        let reloaded = self.server.reload_tls(&loaded.config.tls).await;
        reloaded.map_err(|error| anyhow!("Failed to update TLS configuration: {error}"))
    }

    async fn end(self) {
        self.server.shutdown().await;
        self.voice.say_goodbye();
    }

    fn report(&self, warnings: &[Warning]) {
        for warning in warnings {
            let event = ErrorEvent::new(Level::WARN, "configuration");
            self.telemetry
                .log
                .record(event.attribute("warning", warning));
        }
    }
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
