use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use keystead_config::SecretSource;
use keystead_config::kes::KeyControlConfig;
use keystead_crypto::Secret;
use keystead_doubles::{Authority, KeyControl, KeyControlSettings, Server, Tls};
use keystead_keycontrol::{Client, Error, Limits};
use keystead_observe::{ErrorLog, Level, Metrics, Telemetry};

/// Short enough for tests in which the appliance hangs.
pub(crate) const LIMITS: Limits = Limits {
    attempt: Duration::from_millis(500),
    call: Duration::from_secs(5),
};

/// A cluster with some nodes, and what a client needs to meet it.
pub(crate) struct World {
    pub(crate) appliance: KeyControl,
    pub(crate) nodes: Vec<Server>,
    pub(crate) config: KeyControlConfig,
    pub(crate) telemetry: Telemetry,
    log: Output,
    // The file of the authority goes with it.
    _authority: Authority,
}

#[derive(Clone, Default)]
struct Output(Arc<Mutex<Vec<u8>>>);

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === impl World ===

impl World {
    /// One node with TLS.
    pub(crate) async fn new() -> Self {
        Self::with_nodes(&[Tls::On]).await
    }

    pub(crate) async fn with_nodes(nodes: &[Tls]) -> Self {
        let settings = KeyControlSettings::default();
        let appliance = KeyControl::new(settings.clone());
        let authority = Authority::new().unwrap();
        let mut servers = Vec::new();
        for (number, tls) in nodes.iter().enumerate() {
            servers.push(appliance.node(number + 1, &authority, *tls).await.unwrap());
        }
        let metrics = Metrics::new().unwrap();
        let log = Output::default();
        let error_log = ErrorLog::new(Level::DEBUG, log.clone(), Timestamp::now, &metrics);
        Self {
            config: KeyControlConfig {
                endpoints: servers.iter().map(Server::url).collect(),
                vault_id: settings.vault_id,
                box_id: settings.box_name,
                username: settings.username,
                password: SecretSource::Value(Secret::new(settings.password)),
                ca: Some(authority.file()),
            },
            appliance,
            nodes: servers,
            telemetry: Telemetry {
                log: Arc::new(error_log.unwrap()),
                metrics: Arc::new(metrics),
            },
            log,
            _authority: authority,
        }
    }

    pub(crate) async fn try_connect(&self) -> Result<Client, Error> {
        Client::connect(&self.config, LIMITS, self.telemetry.clone()).await
    }

    pub(crate) async fn connect(&self) -> Client {
        self.try_connect().await.unwrap()
    }

    /// Everything in the error log so far.
    pub(crate) async fn errors(&self) -> String {
        self.telemetry.log.flush().await;
        String::from_utf8(self.log.0.lock().unwrap().clone()).unwrap()
    }

    /// The value of a metric of the remote key store.
    pub(crate) fn metric(&self, family: &str) -> f64 {
        let text = self.telemetry.metrics.encode().unwrap();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("keystead_keystore_{family} ")));
        line.unwrap().parse().unwrap()
    }
}
