use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::{SignedDuration, Timestamp};
use keystead_crypto::{Mode, SystemRandom};
use keystead_hsm::{Hsm, HsmKey, SoftHsm};
use keystead_identity::{ApiKey, CertificateTemplate, KmsApiKey, KmsIdentity, certificate_to_pem};
use keystead_observe::{
    AuditTarget, BuildInfo, ErrorLog, KmsAuditLog, KmsMetrics, Level, LogFormat,
};
use keystead_server_kms::{Server, Settings, Setup};
use keystead_store::{Options, Store};
use keystead_tls::{ClientAuth, ClientCredential, ServerSettings, ServerTls};
use keystead_wire_kms::Command;
use keystead_wire_kms::message::{
    AssignPolicyRequest, CreateEnclaveRequest, CreateIdentityRequest, CreateKeyRequest,
    CreatePolicyRequest, RuleSet,
};
use tempfile::TempDir;

use super::client::dial;
use super::{Captured, Client, Version, unhex};

pub(crate) const HOST: &str = "kms0:7373";
pub(crate) const HSM_KEY: &str = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A server with everything around it.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) store: Store,
    pub(crate) folder: TempDir,
    pub(crate) error_log: Arc<ErrorLog>,
    pub(crate) restarts: Arc<AtomicUsize>,
    root: u8,
    audit_log: Arc<KmsAuditLog>,
    errors: Captured,
    audit: Captured,
}

/// How a world differs from the usual one.
#[derive(Clone)]
pub(crate) struct Different {
    /// The root, 0 if nothing else is said.
    pub(crate) root: u8,
    pub(crate) clock: fn() -> Timestamp,
    pub(crate) mode: Mode,
    pub(crate) metrics_public: bool,
    pub(crate) metrics_identities: Vec<KmsIdentity>,
    pub(crate) no_restart: bool,
}

/// The two identities of the golden answers.
pub(crate) const GOLDEN: u8 = 200;
pub(crate) const GOLDEN_OTHER: u8 = 201;

/// A client; each number is another one.
pub(crate) fn member(number: u8) -> ApiKey {
    ApiKey::from_seed(&seed(number)).unwrap()
}

/// Its identity.
pub(crate) fn id(number: u8) -> KmsIdentity {
    KmsApiKey::from_seed(&seed(number)).unwrap().identity()
}

fn seed(number: u8) -> [u8; 32] {
    let golden = match number {
        GOLDEN => "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        GOLDEN_OTHER => "e4eb4ec403c42c45cc94d13bf63875ccc65fb016896b1f99bfe5ae97da9b564d",
        number => return [number; 32],
    };
    unhex(golden).try_into().unwrap()
}

fn tls(folder: &Path) -> ServerTls {
    let key = ApiKey::generate(&SystemRandom).unwrap();
    let now = Timestamp::now();
    let template = CertificateTemplate {
        subject: Some("localhost".to_owned()),
        dns: vec!["localhost".to_owned()],
        ips: Vec::new(),
        server: true,
        not_before: now,
        not_after: now + SignedDuration::from_hours(100 * 24),
    };
    let certificate = key.certificate(&template, &SystemRandom).unwrap();
    fs::write(folder.join("server.crt"), certificate_to_pem(&certificate)).unwrap();
    fs::write(folder.join("server.key"), key.to_pem().as_bytes()).unwrap();
    let settings = ServerSettings {
        certificate: folder.join("server.crt"),
        key: folder.join("server.key"),
        password: None,
        client_auth: ClientAuth {
            required: false,
            verified: false,
        },
        ca: None,
    };
    keystead_tls::server(&settings).unwrap()
}

// === impl Different ===

impl Default for Different {
    fn default() -> Self {
        Self {
            root: 0,
            clock: Timestamp::now,
            mode: Mode::Standard,
            metrics_public: false,
            metrics_identities: Vec::new(),
            no_restart: false,
        }
    }
}

// === impl World ===

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(Different::default()).await
    }

    pub(crate) async fn with(different: Different) -> Self {
        let folder = TempDir::new().unwrap();
        let hsm: Arc<dyn Hsm> = Arc::new(
            SoftHsm::new(&HsmKey::parse(HSM_KEY).unwrap(), Arc::new(SystemRandom)).unwrap(),
        );
        let mut options = Options::new(folder.path().join("data"), HOST.to_owned(), vec![hsm]);
        options.admin = Some(id(different.root));
        let store = Store::open(options).await.unwrap().store;

        let build = BuildInfo {
            version: "2026-11-21T16-00-00Z".to_owned(),
            commit: "c0ffee".to_owned(),
            fips: different.mode == Mode::Fips,
        };
        let metrics = Arc::new(KmsMetrics::new(&build, Timestamp::now()).unwrap());
        let (errors, audit) = (Captured::default(), Captured::default());
        let error_log = ErrorLog::for_kms(
            Level::DEBUG,
            LogFormat::Text,
            errors.clone(),
            Timestamp::now,
            &metrics,
        );
        let error_log = Arc::new(error_log.unwrap());
        let audit_log = KmsAuditLog::new(
            Some(AuditTarget::stream(audit.clone())),
            HOST.to_owned(),
            Arc::clone(&error_log),
            &metrics,
        );
        let audit_log = Arc::new(audit_log.unwrap());
        let restarts = Arc::new(AtomicUsize::new(0));
        let restarted = Arc::clone(&restarts);
        let setup = Setup {
            build,
            store: store.clone(),
            random: Arc::new(SystemRandom),
            clock: different.clock,
            mode: different.mode,
            metrics,
            error_log: Arc::clone(&error_log),
            audit_log: Arc::clone(&audit_log),
            restart: (!different.no_restart).then(|| {
                let restart: keystead_server_kms::Restart = Arc::new(move || {
                    restarted.fetch_add(1, Ordering::SeqCst);
                });
                restart
            }),
        };
        let settings = Settings {
            tls: tls(folder.path()),
            metrics_public: different.metrics_public,
            metrics_identities: different.metrics_identities.into_iter().collect(),
            error_level: Level::DEBUG,
        };
        let address = "127.0.0.1:0".parse().unwrap();
        Self {
            server: Server::start(setup, address, settings).await.unwrap(),
            store,
            folder,
            error_log,
            restarts,
            root: different.root,
            audit_log,
            errors,
            audit,
        }
    }

    /// A client with the certificate that the official client makes of its key.
    pub(crate) fn credential(number: u8) -> ClientCredential {
        ClientCredential::from_api_key(&member(number), Timestamp::now(), &SystemRandom).unwrap()
    }

    pub(crate) async fn client(&self, number: u8, version: Version) -> Client {
        let credential = Some(Self::credential(number));
        self.connect(credential, version).await.unwrap()
    }

    pub(crate) async fn root(&self) -> Client {
        self.client(self.root, Version::Http2).await
    }

    pub(crate) async fn member(&self, number: u8) -> Client {
        self.client(number, Version::Http2).await
    }

    /// A client without a certificate.
    pub(crate) async fn nobody(&self) -> Client {
        self.connect(None, Version::Http2).await.unwrap()
    }

    pub(crate) async fn connect(
        &self,
        credential: Option<ClientCredential>,
        version: Version,
    ) -> Result<Client, String> {
        Client::connect(self.server.local_addr(), credential, version).await
    }

    /// A TLS connection of a client, to speak HTTP by hand.
    pub(crate) async fn dial(
        &self,
        number: u8,
    ) -> tokio_rustls::client::TlsStream<tokio::net::TcpStream> {
        let credential = Some(Self::credential(number));
        let address = self.server.local_addr();
        dial(address, credential, Version::Http1).await.unwrap()
    }

    pub(crate) async fn enclave(&self, name: &str) {
        let request = CreateEnclaveRequest { name: name.into() };
        let mut root = self.root().await;
        root.change("", Command::CreateEnclave, &request).await;
    }

    pub(crate) async fn key(&self, enclave: &str, name: &str) {
        let request = CreateKeyRequest {
            name: name.into(),
            ..Default::default()
        };
        let mut root = self.root().await;
        root.change(enclave, Command::CreateKey, &request).await;
    }

    /// Registers a member with a privilege.
    pub(crate) async fn register(&self, enclave: &str, number: u8, privilege: &str) {
        let request = CreateIdentityRequest {
            identity: id(number).to_string(),
            privilege: privilege.into(),
            ..Default::default()
        };
        let mut root = self.root().await;
        root.change(enclave, Command::CreateIdentity, &request)
            .await;
    }

    /// Registers a user with a policy of its own.
    pub(crate) async fn user(
        &self,
        enclave: &str,
        number: u8,
        allow: &[(&str, &[&str])],
        deny: &[(&str, &[&str])],
    ) {
        self.register(enclave, number, "User").await;
        let policy = format!("policy-{number}");
        let mut root = self.root().await;
        let request = policy_request(&policy, allow, deny);
        root.change(enclave, Command::CreatePolicy, &request).await;
        let request = AssignPolicyRequest {
            identity: id(number).to_string(),
            policy,
        };
        root.change(enclave, Command::AssignPolicy, &request).await;
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

pub(crate) fn policy_request(
    name: &str,
    allow: &[(&str, &[&str])],
    deny: &[(&str, &[&str])],
) -> CreatePolicyRequest {
    let rules = |rules: &[(&str, &[&str])]| {
        let rules = rules.iter();
        let rules = rules.map(|(command, patterns)| {
            let patterns: RuleSet = patterns.iter().copied().collect();
            ((*command).to_owned(), patterns)
        });
        rules.collect()
    };
    CreatePolicyRequest {
        name: name.to_owned(),
        allow: rules(allow),
        deny: rules(deny),
    }
}
