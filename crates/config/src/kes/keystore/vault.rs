//! `keystore.vault`

use std::{path::PathBuf, time::Duration};

use keystead_crypto::Secret;

use super::ClientTlsConfig;
use crate::{Error, SecretSource, read::Section, text_file};

/// HashiCorp Vault, OpenBao and compatible servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultConfig {
    /// URL with scheme, as configured.
    pub endpoint: String,
    /// Mount path of the K/V engine without slashes at its ends.
    pub engine: String,
    /// API version of the K/V engine.
    pub version: EngineVersion,
    /// Enterprise namespace; `None` sends no header.
    pub namespace: Option<String>,
    /// Folder inside the engine without slashes at its ends; may be empty.
    pub prefix: String,
    /// Encryption of the stored values by a transit engine.
    pub transit: Option<VaultTransit>,
    /// How the server logs in.
    pub auth: VaultAuth,
    /// How the server connects.
    pub tls: ClientTlsConfig,
    /// Interval of the seal status polls.
    pub status_ping: Duration,
}

/// API version of a K/V engine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineVersion {
    /// `v1`: one value per name.
    #[default]
    V1,
    /// `v2`: versioned values.
    V2,
}

/// A transit engine and the key in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultTransit {
    /// Mount path of the engine without slashes at its ends.
    pub engine: String,
    /// Name of the transit key.
    pub key: String,
}

/// The login method and its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultAuth {
    /// `approle`
    AppRole {
        /// Mount, namespace and delay.
        login: VaultLogin,
        /// The role id.
        id: SecretSource,
        /// The secret id.
        secret: SecretSource,
    },
    /// `kubernetes`
    Kubernetes {
        /// Mount, namespace and delay.
        login: VaultLogin,
        /// The Vault role.
        role: String,
        /// The service account token, which Kubernetes rotates.
        jwt: SecretSource,
    },
}

/// What the login methods have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultLogin {
    /// Mount path of the auth method without slashes at its ends.
    pub engine: String,
    /// Namespace of the login request; `None` sends no header. The namespace of
    /// the store and the value `/` are already resolved.
    pub namespace: Option<String>,
    /// Delay between failed logins.
    pub retry: Duration,
}

// === impl VaultConfig ===

impl VaultConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoint = section.required(
            "endpoint",
            "invalid vault keystore: no endpoint specified",
            "write the URL of the server, such as https://vault.example.net:8200",
        );
        let namespace = text(section, "namespace");
        let auth = VaultAuth::read(section, namespace.as_deref());
        let transit = section.optional("transit", VaultTransit::read);
        let tls = section.section("tls", |tls| ClientTlsConfig::read(tls, "vault"));
        let status_ping = section.section("status", |status| {
            status.interval("ping", |value| {
                format!("invalid vault keystore: invalid status ping '{value}'")
            })
        });
        let prefix = section.text("prefix");
        let engine = mount(section, "kv");
        let version = EngineVersion::read(section);
        Ok(Self {
            endpoint: endpoint?,
            engine,
            version,
            namespace,
            prefix: prefix.map_or_else(String::new, |field| trimmed(&field.value)),
            transit: transit.transpose()?,
            auth: auth?,
            tls,
            status_ping: status_ping.unwrap_or(Duration::from_secs(10)),
        })
    }
}

// === impl EngineVersion ===

impl EngineVersion {
    fn read(section: &Section<'_>) -> Self {
        let Some(field) = section.text("version") else {
            return Self::default();
        };
        match field.value.as_str() {
            "v1" => Self::V1,
            "v2" => Self::V2,
            other => {
                let message = format!("invalid engine API version '{other}'");
                section.wrong(&field.place, message, "write v1 or v2");
                Self::default()
            }
        }
    }
}

// === impl VaultTransit ===

impl VaultTransit {
    fn read(section: &Section<'_>) -> Result<Self, Error> {
        let key = section.required(
            "key",
            "invalid transit config: no key name specified",
            "write the name of a key of the transit engine",
        );
        Ok(Self {
            engine: mount(section, "transit"),
            key: key?,
        })
    }
}

// === impl VaultAuth ===

impl VaultAuth {
    fn read(section: &Section<'_>, namespace: Option<&str>) -> Result<Self, Error> {
        if section.has("approle") && section.has("kubernetes") {
            section.wrong_here(
                "invalid vault keystore: more than one authentication method specified",
                "keep either approle or kubernetes",
            );
        }
        let app_role = section.optional("approle", |method| Self::app_role(method, namespace));
        let kubernetes =
            section.optional("kubernetes", |method| Self::kubernetes(method, namespace));
        app_role.or(kubernetes).unwrap_or_else(|| {
            Err(section.wrong_here(
                "invalid vault keystore: no authentication method specified",
                "add a section approle or kubernetes",
            ))
        })
    }

    fn app_role(section: &Section<'_>, namespace: Option<&str>) -> Result<Self, Error> {
        let id = section.required_secret_source(
            "id",
            "id_file",
            "invalid approle config: no approle ID specified",
            "write the role id, or name a file with it in id_file",
        );
        let secret = section.required_secret_source(
            "secret",
            "secret_file",
            "invalid approle config: no approle secret specified",
            "write the secret id, or name a file with it in secret_file",
        );
        Ok(Self::AppRole {
            login: VaultLogin::read(section, "approle", namespace),
            id: id?,
            secret: secret?,
        })
    }

    fn kubernetes(section: &Section<'_>, namespace: Option<&str>) -> Result<Self, Error> {
        let role = section.text("role");
        let login = VaultLogin::read(section, "kubernetes", namespace);
        let jwt = kubernetes_jwt(section);
        Ok(Self::Kubernetes {
            login,
            role: role.map_or_else(String::new, |field| field.value),
            jwt: jwt?,
        })
    }
}

// === impl VaultLogin ===

impl VaultLogin {
    /// `store_namespace` counts if the method has none of its own.
    fn read(section: &Section<'_>, engine: &'static str, store_namespace: Option<&str>) -> Self {
        let namespace = match text(section, "namespace") {
            None => store_namespace.map(str::to_owned),
            Some(namespace) if namespace == "/" => None,
            own => own,
        };
        let retry = section.interval("retry", |value| {
            format!("invalid {engine} config: invalid retry '{value}'")
        });
        Self {
            engine: mount(section, engine),
            namespace,
            retry: retry.unwrap_or(Duration::from_secs(3)),
        }
    }
}

/// A token with a slash in it is the path of a file.
fn kubernetes_jwt(section: &Section<'_>) -> Result<SecretSource, Error> {
    let field = section.require(
        "jwt",
        section.text("jwt"),
        "invalid kubernetes config: no JWT specified",
        "write the path of the service account token, \
         /var/run/secrets/kubernetes.io/serviceaccount/token",
    )?;
    if !field.value.contains(['/', std::path::MAIN_SEPARATOR]) {
        return Ok(SecretSource::Value(Secret::new(field.value)));
    }
    let path = PathBuf::from(&field.value);
    if let Err(cause) = text_file::read(&path) {
        let message = format!("failed to read vault kubernetes JWT from '{}'", field.value);
        let cause = text_file::cause(&cause);
        return Err(section.wrong(&field.place, message, &cause));
    }
    Ok(SecretSource::File(path))
}

/// A mount path without slashes at its ends.
fn mount(section: &Section<'_>, default: &str) -> String {
    let engine = section.text("engine").map(|field| trimmed(&field.value));
    engine
        .filter(|engine| !engine.is_empty())
        .unwrap_or_else(|| default.to_owned())
}

fn trimmed(path: &str) -> String {
    path.trim_matches('/').to_owned()
}

fn text(section: &Section<'_>, key: &'static str) -> Option<String> {
    section.text(key).map(|field| field.value)
}
