//! The settings of a KES server as a whole.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use keystead_identity::Identity;
use keystead_wire_kes::Name;

use super::{
    ApiConfig, CacheConfig, ClientAuth, CompatConfig, KeyStoreConfig, LogConfig, PolicyConfig,
    TlsConfig, address, api, keys, policy,
};
use crate::{
    Environment, Error, Origin, Warning,
    read::{Reader, Section},
    text_file,
};

/// Everything the configuration file of a KES server says, validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Listen address.
    pub address: SocketAddr,
    /// The administrator; a text that is no fingerprint disables it.
    pub admin: Identity,
    /// Server certificate and client authentication.
    pub tls: TlsConfig,
    /// Policies by name.
    pub policies: BTreeMap<Name, PolicyConfig>,
    /// Key cache.
    pub cache: CacheConfig,
    /// Settings of known API paths.
    pub api: BTreeMap<String, ApiConfig>,
    /// Console log levels.
    pub log: LogConfig,
    /// Keys to create at start and reload, in the order of the file.
    pub keys: Vec<Name>,
    /// The key store.
    pub keystore: KeyStoreConfig,
    /// Behaviour of old releases.
    pub compat: CompatConfig,
}

/// What the command line says in place of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--addr`, wins over `address`.
    pub address: Option<String>,
    /// `--auth`, wins over `tls.auth`.
    pub auth: Option<ClientAuth>,
    /// `--key`, used when the file has no `tls.key`.
    pub key: Option<PathBuf>,
    /// `--cert`, used when the file has no `tls.cert`.
    pub cert: Option<PathBuf>,
}

/// A configuration with all that was noticed while reading it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub config: ServerConfig,
    /// What is odd but not wrong, in the order of the file.
    pub warnings: Vec<Warning>,
    /// The configuration file and every file and folder it refers to that is
    /// read at start or reload, for watching. Not in it: what a key store
    /// client reads by itself, such as a Kubernetes token.
    pub files: Vec<PathBuf>,
    /// Where each value came from, by its path such as `tls.key`.
    pub origins: BTreeMap<String, Origin>,
}

// === impl ServerConfig ===

impl ServerConfig {
    /// Reads a configuration file.
    ///
    /// Relative paths in it are relative to the working directory of the
    /// process, not to the file.
    ///
    /// # Errors
    ///
    /// The first fault in the order of KES configuration, section 5.
    pub fn load(
        path: &Path,
        environment: &dyn Environment,
        overrides: &Overrides,
    ) -> Result<Loaded, Error> {
        let text = text_file::read(path).map_err(|cause| Error::Unreadable {
            path: path.to_owned(),
            cause: text_file::cause(&cause),
        })?;
        let file = path.display().to_string();
        let mut loaded = Self::parse(&text, &file, environment, overrides)?;
        loaded.files.insert(0, path.to_owned());
        Ok(loaded)
    }

    /// Reads the text of a configuration file; `file` is its name in messages.
    ///
    /// # Errors
    ///
    /// The first fault in the order of KES configuration, section 5.
    pub fn parse(
        text: &str,
        file: &str,
        environment: &dyn Environment,
        overrides: &Overrides,
    ) -> Result<Loaded, Error> {
        let reader = Reader::new(file, environment);
        let document = reader.document(text)?;
        // The original decodes nothing when it does not understand the version.
        if let Some(node) = document.get("version").filter(|node| node.is_collection()) {
            let message = format!("invalid config version at line '{}'", node.mark.line);
            let place = reader.place("version", node.mark);
            return Err(place.type_error(message, VERSION_ADVICE));
        }
        let config = reader
            .root(&document)
            .read(|root| Self::read(root, overrides));
        let (config, notes) = reader.finish(config)?;
        Ok(Loaded {
            config,
            warnings: notes.warnings,
            files: notes.files,
            origins: notes.origins,
        })
    }

    /// Takes the settings in the order in which they are validated.
    fn read(root: &Section<'_>, overrides: &Overrides) -> Result<Self, Error> {
        version(root);
        let admin = admin(root);
        let tls = root.section("tls", |tls| {
            TlsConfig::read(tls, admin.as_ref().ok(), overrides)
        });
        let proxies = tls.as_ref().map_or(&[][..], |tls| &tls.proxy.identities);
        let policies = policy::read(root, admin.as_ref().ok(), proxies);
        let cache = root.section("cache", |cache| cache.section("expiry", CacheConfig::read));
        let log = root.section("log", LogConfig::read);
        let api = api::read(root);
        let keystore_key = keystore_key(root);
        let keys = if keystore_key == "keys" {
            Vec::new()
        } else {
            keys::read(root)
        };
        let keystore = root.section(keystore_key, KeyStoreConfig::read);
        let compat = root.section("compat", CompatConfig::read);
        // The original looks at the rest only when it starts.
        let address = address::read(root, overrides);
        let policies = policy::check(root, policies);
        Ok(Self {
            address: address?,
            admin: admin?,
            tls: tls?,
            policies,
            cache,
            api,
            log,
            keys,
            keystore: keystore?,
            compat,
        })
    }

    /// Whether the handshake only requests a client certificate: at least one
    /// API path has `skip_auth`.
    #[must_use]
    pub fn client_certificate_optional(&self) -> bool {
        self.api.values().any(|api| api.skip_auth)
    }
}

const VERSION_ADVICE: &str = "write v1, or leave the version out";

fn version(root: &Section<'_>) {
    if let Some(field) = root.literal("version")
        && field.value != "v1"
    {
        let message = format!("invalid server config version '{}'", field.value);
        root.wrong(&field.place, message, VERSION_ADVICE);
    }
}

/// The admin, also under its name of releases up to v0.17.1 (KES protocol,
/// D30).
fn admin(root: &Section<'_>) -> Result<Identity, Error> {
    let old = root.text("root");
    root.section("admin", |section| {
        let mut identity = section.text("identity");
        if let Some(old) = old {
            root.warn(
                root.place_of("root"),
                "old name of 'admin.identity'; write that",
            );
            match &identity {
                Some(new) if new.value != old.value => {
                    let message = "both 'root' and 'admin.identity' are specified".to_owned();
                    return Err(section.wrong(&old.place, message, "remove 'root'"));
                }
                _ => identity = Some(identity.unwrap_or(old)),
            }
        }
        let identity = section.require(
            "identity",
            identity,
            "invalid admin identity: no admin identity",
            "write the identity of the administrator's API key or certificate, or 'disabled'",
        )?;
        Ok(Identity::from(identity.value.as_str()))
    })
}

/// Where the key store is. Releases up to v0.13.5 had it under `keys` (KES
/// protocol, D30).
fn keystore_key(root: &Section<'_>) -> &'static str {
    if root.has("keystore") || !root.has_mapping("keys") {
        return "keystore";
    }
    root.warn(root.place_of("keys"), "old name of 'keystore'; write that");
    "keys"
}
