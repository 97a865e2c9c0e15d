//! `kes config check`: whether a server with this configuration would start, and could do
//! its work.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use keystead_config::kes::{KeyStoreConfig, Loaded, Overrides, ServerConfig};
use keystead_config::{ProcessEnvironment, SecretSource};
use keystead_keystore::{Operation, Use, open};
use keystead_observe::{Level, Telemetry};
use keystead_server_kes::{policies, server_tls};
use keystead_tls::{CertificateInfo, Pem, certificate_chain, expiry_warnings};

use crate::kes::client::{Interrupted, block_on};
use crate::output::Output;
use crate::usage::see;

use super::probe::{self, Interrupt, Probe};
use super::report::{Outcome, Report};

const COMMAND: &str = "kes config check";

#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    /// The server's configuration file
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    // What other commands call it.
    #[arg(long, value_name = "FILE", hide = true)]
    config: Option<PathBuf>,

    /// Do not connect to the key store
    #[arg(long, visible_alias = "no-connect")]
    offline: bool,

    /// Write nothing to the key store, not even a key that is deleted again
    #[arg(long)]
    read_only: bool,
}

// === impl CheckArgs ===

impl CheckArgs {
    pub(crate) fn run(self, output: Output) -> Result<ExitCode> {
        let file = match (self.file, self.config) {
            (Some(_), Some(_)) => bail!(see("too many arguments", COMMAND)),
            (Some(file), None) | (None, Some(file)) => file,
            (None, None) => bail!(see("no configuration file specified", COMMAND)),
        };
        let mut report = Report::new(output);
        let loaded = match ServerConfig::load(&file, &ProcessEnvironment, &Overrides::default()) {
            Ok(loaded) => loaded,
            Err(error) => {
                report.add(&Outcome::failed("configuration", error.to_string()))?;
                return Ok(ExitCode::FAILURE);
            }
        };
        configuration(&mut report, &loaded)?;
        let config = &loaded.config;
        tls(&mut report, config)?;
        if !self.offline {
            let usage = match self.read_only {
                true => Use::ReadOnly,
                false => Use::Full,
            };
            block_on(key_store(&mut report, &config.keystore, usage))?;
        }
        Ok(match report.has_failed() {
            true => ExitCode::FAILURE,
            false => ExitCode::SUCCESS,
        })
    }
}

fn configuration(report: &mut Report, loaded: &Loaded) -> Result<()> {
    for warning in &loaded.warnings {
        report.add(&Outcome::warning("configuration", warning.to_string()))?;
    }
    let config = &loaded.config;
    report.add(&match policies(config) {
        Ok(_) => Outcome::ok("configuration", config.keystore.name()),
        Err(error) => Outcome::failed("configuration", error.to_string()),
    })
}

/// The server's certificate, and that which it shows to its key store.
fn tls(report: &mut Report, config: &ServerConfig) -> Result<()> {
    match server_tls(config) {
        Ok(tls) => certificates(report, "tls", &tls.chain)?,
        Err(error) => report.add(&Outcome::failed("tls", error.to_string()))?,
    }
    let KeyStoreConfig::Vault(vault) = &config.keystore else {
        return Ok(());
    };
    let Some(identity) = &vault.tls.identity else {
        return Ok(());
    };
    let pem = match identity.cert.clone() {
        SecretSource::File(path) => Pem::File(path),
        SecretSource::Value(text) => Pem::Text(text),
    };
    match certificate_chain(&pem) {
        Ok(chain) => certificates(report, "keystore tls", &chain),
        Err(error) => report.add(&Outcome::failed("keystore tls", error.to_string())),
    }
}

fn certificates(report: &mut Report, check: &'static str, chain: &[CertificateInfo]) -> Result<()> {
    let now = Timestamp::now();
    for warning in expiry_warnings(chain, now) {
        report.add(&match warning.remaining.is_negative() {
            true => Outcome::failed(check, warning.to_string()),
            false => Outcome::warning(check, warning.to_string()),
        })?;
    }
    for certificate in chain {
        let (subject, end) = (&certificate.subject, certificate.not_after);
        if certificate.not_before > now {
            let start = certificate.not_before;
            let message = format!("certificate '{subject}' is not valid before {start}");
            report.add(&Outcome::failed(check, message))?;
        } else if end >= now {
            let message = format!("certificate '{subject}' is valid until {end}");
            report.add(&Outcome::ok(check, message))?;
        }
    }
    Ok(())
}

async fn key_store(report: &mut Report, config: &KeyStoreConfig, usage: Use) -> Result<()> {
    // What the key store complains about goes where errors go.
    let telemetry = Telemetry::new(Level::WARN, io::stderr())?;
    let mut interrupt = Interrupt::new()?;
    let opened = tokio::select! {
        opened = open(config, &telemetry) => opened,
        () = interrupt.requested() => bail!(Interrupted),
    };
    let store = match opened {
        Ok(store) => store,
        Err(error) => {
            return report.add(&probe::refusal("connect", error, || {
                keystead_keystore::grant(config, Operation::Connect, usage)
            }));
        }
    };
    report.add(&Outcome::ok("connect", store.description()))?;
    let probe = Probe::new(&*store, config, usage).map_err(|error| anyhow!(error))?;
    let result = probe.run(report, &mut interrupt).await;
    store.close().await;
    result
}
