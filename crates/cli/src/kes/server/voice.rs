use std::net::SocketAddr;

use keystead_config::kes::LogConfig;
use keystead_identity::{ApiKey, Identity};
use keystead_server_kes::Settings;

use crate::build::Build;
use crate::output;

use super::addresses::reachable;
use super::banner::Banner;

/// How a server speaks to whoever started it.
pub(super) struct Voice {
    pub(super) build: Build,
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) memory_locked: bool,
}

/// What is announced of the settings.
pub(super) struct Summary {
    keystore: String,
    admin: Identity,
    log: LogConfig,
}

// === impl Voice ===

impl Voice {
    /// The last line of the banner once the server is up.
    pub(super) const STARTED: &str = "=> Server is up and running...";
    /// The last line of the banner after a reload.
    pub(super) const RELOADED: &str = "=> Reloading configuration after SIGHUP signal completed.";

    /// Prints the banner; with `api_key` it is that of development mode. Nobody may be
    /// listening, which keeps no server from its work.
    pub(super) fn announce(
        &self,
        summary: &Summary,
        address: SocketAddr,
        api_key: Option<&ApiKey>,
        last: &str,
    ) {
        if self.quiet {
            return;
        }
        let api_key = api_key.map(ApiKey::to_text);
        let banner = Banner {
            build: self.build,
            keystore: &summary.keystore,
            addresses: reachable(address).unwrap_or_else(|_| vec![address]),
            api_key: api_key.as_ref().map(|key| key.as_str()),
            admin: Some(summary.admin.as_str()).filter(|_| summary.admin.is_fingerprint()),
            error_level: summary.log.error,
            audit_level: summary.log.audit,
            memory_locked: self.memory_locked,
        };
        let text = match self.json {
            true => output::json_line(&banner).unwrap_or_default(),
            false => banner.text(last),
        };
        output::print(&text).ok();
    }

    /// Says that the server has stopped.
    pub(super) fn say_goodbye(&self) {
        if !self.quiet && !self.json {
            output::print("\n=> Stopping server... Goodbye.\n").ok();
        }
    }
}

// === impl Summary ===

impl Summary {
    pub(super) fn of(settings: &Settings) -> Self {
        Self {
            keystore: settings.store.description(),
            admin: settings.config.admin.clone(),
            log: settings.config.log,
        }
    }
}
