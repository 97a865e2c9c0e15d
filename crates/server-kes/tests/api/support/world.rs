use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use keystead_config::Level;
use keystead_config::kes::{Overrides, ServerConfig};
use keystead_crypto::SystemRandom;
use keystead_identity::{ApiKey, CertificateTemplate, certificate_to_pem};
use keystead_keystore::KeyStore;
use keystead_observe::{AuditLog, ErrorLog, Metrics};
use keystead_server_kes::{Build, Server, Settings, Setup, server_tls};
use keystead_tls::ClientCredential;
use tempfile::TempDir;

use super::{Captured, Client, FaultStore, Version};

/// A server with everything around it.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) store: Arc<FaultStore>,
    pub(crate) folder: TempDir,
    error_log: Arc<ErrorLog>,
    audit_log: Arc<AuditLog>,
    errors: Captured,
    audit: Captured,
}

pub(crate) fn admin() -> ApiKey {
    member(0)
}

/// A client; each number is another one.
pub(crate) fn member(number: u8) -> ApiKey {
    ApiKey::from_seed(&[number; 32]).unwrap()
}

/// Makes key and certificate of a server.
pub(crate) fn write_certificate(folder: &Path, name: &str) -> ApiKey {
    let key = ApiKey::generate(&SystemRandom).unwrap();
    let now = Timestamp::now();
    let template = CertificateTemplate {
        subject: Some(name.to_owned()),
        dns: vec![name.to_owned()],
        ips: Vec::new(),
        server: true,
        not_before: now,
        not_after: now + SignedDuration::from_hours(100 * 24),
    };
    let certificate = key.certificate(&template, &SystemRandom).unwrap();
    fs::write(folder.join("server.crt"), certificate_to_pem(&certificate)).unwrap();
    fs::write(folder.join("server.key"), key.to_pem().as_bytes()).unwrap();
    key
}

/// A configuration: `tls` is put into that section, `more` follows at the top level.
pub(crate) fn config(folder: &Path, tls: &str, more: &str) -> ServerConfig {
    let admin = admin();
    let folder = folder.display();
    let text = format!(
        "address: 127.0.0.1:0\n\
         admin: {{ identity: {} }}\n\
         tls:\n  key: {folder}/server.key\n  cert: {folder}/server.crt\n{tls}\n\
         keystore: {{ fs: {{ path: none }} }}\n\
         log: {{ error: debug, audit: on }}\n\
         {more}\n",
        admin.identity()
    );
    let none = |_: &str| None;
    match ServerConfig::parse(&text, "test.yml", &none, &Overrides::default()) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{error}\n{text}"),
    }
}

// === impl World ===

impl World {
    pub(crate) async fn new() -> Self {
        Self::with("").await
    }

    pub(crate) async fn with(more: &str) -> Self {
        Self::with_tls("", more).await
    }

    pub(crate) async fn with_tls(tls: &str, more: &str) -> Self {
        let folder = TempDir::new().unwrap();
        write_certificate(folder.path(), "localhost");
        let store = Arc::new(FaultStore::default());
        let metrics = Arc::new(Metrics::new().unwrap());
        let (errors, audit) = (Captured::default(), Captured::default());
        let error_log = Arc::new(
            ErrorLog::new(Level::DEBUG, errors.clone(), Timestamp::now, &metrics).unwrap(),
        );
        let audit_log = Arc::new(
            AuditLog::new(Level::INFO, audit.clone(), Arc::clone(&error_log), &metrics).unwrap(),
        );
        let setup = Setup {
            build: Build {
                version: "2026-11-21T16-00-00Z".to_owned(),
                commit: "c0ffee".to_owned(),
            },
            random: Arc::new(SystemRandom),
            metrics,
            error_log: Arc::clone(&error_log),
            audit_log: Arc::clone(&audit_log),
        };
        let settings = settings(config(folder.path(), tls, more), store.clone());
        Self {
            server: Server::start(setup, settings).await.unwrap(),
            store,
            folder,
            error_log,
            audit_log,
            errors,
            audit,
        }
    }

    /// The settings for a reload, with a key store of its own.
    pub(crate) fn settings(&self, tls: &str, more: &str) -> (Settings, Arc<FaultStore>) {
        let store = Arc::new(FaultStore::default());
        let config = config(self.folder.path(), tls, more);
        (settings(config, store.clone()), store)
    }

    /// The settings for a reload that changes nothing, not even the key store.
    pub(crate) fn same_settings(&self) -> Settings {
        settings(config(self.folder.path(), "", ""), self.store.clone())
    }

    pub(crate) async fn client(&self, key: &ApiKey, version: Version) -> Client {
        let now = Timestamp::now();
        let credential = ClientCredential::from_api_key(key, now, &SystemRandom).unwrap();
        self.connect(Some(credential), version).await.unwrap()
    }

    pub(crate) async fn admin(&self) -> Client {
        self.client(&admin(), Version::Http2).await
    }

    pub(crate) async fn member(&self, number: u8) -> Client {
        self.client(&member(number), Version::Http2).await
    }

    pub(crate) async fn connect(
        &self,
        credential: Option<ClientCredential>,
        version: Version,
    ) -> Result<Client, String> {
        Client::connect(self.server.local_addr(), credential, version).await
    }

    /// Waits until so many requests are being answered.
    pub(crate) async fn wait_for_active(&self, requests: usize) {
        let mut client = self.admin().await;
        let line = format!("kes_http_request_active {requests}\n");
        while !client.get("/v1/metrics").await.text().contains(&line) {}
    }

    /// Everything in the error log so far.
    pub(crate) async fn errors(&self) -> String {
        self.error_log.flush().await;
        self.errors.text()
    }

    /// Everything in the audit log so far.
    pub(crate) async fn audit(&self) -> String {
        self.audit_log.flush().await;
        self.audit.text()
    }
}

fn settings(config: ServerConfig, store: Arc<dyn KeyStore>) -> Settings {
    Settings {
        tls: server_tls(&config).unwrap(),
        store,
        config,
    }
}
