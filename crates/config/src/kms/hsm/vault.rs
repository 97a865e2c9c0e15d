//! `hsm.hashicorp.vault` and `hsm.openssf.openbao`

use std::path::PathBuf;

use keystead_crypto::Secret;

use crate::{
    Error, SecretSource,
    kes::{ClientCertificate, ClientTlsConfig},
    read::Section,
    text_file,
};

/// Where Kubernetes puts the token of a pod.
const POD_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// A transit key of HashiCorp Vault or OpenBao.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultHsmConfig {
    /// URL of the server.
    pub server: String,
    /// Enterprise namespace; `None` sends no header.
    pub namespace: Option<String>,
    /// Mount path of the transit engine without slashes at its ends.
    pub transit_path: String,
    /// Name of the transit key.
    pub transit_key: String,
    /// How the server logs in.
    pub auth: VaultHsmAuth,
    /// How the server connects.
    pub tls: ClientTlsConfig,
}

/// The login method and its credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultHsmAuth {
    /// `approle`
    AppRole {
        /// Mount path without slashes at its ends.
        path: String,
        /// The role id.
        id: SecretSource,
        /// The secret id.
        secret: SecretSource,
    },
    /// `kubernetes`
    Kubernetes {
        /// Mount path without slashes at its ends.
        path: String,
        /// The role.
        role: String,
        /// The service account token; a file is read at every login.
        jwt: SecretSource,
    },
}

impl VaultHsmConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let server = section.required(
            "server",
            "invalid Vault HSM: no server specified",
            "write the URL of the server, such as https://vault.example.net:8200",
        );
        let transit = section.section("transit", |transit| {
            let key = transit.required(
                "key",
                "invalid Vault HSM: no transit key specified",
                "write the name of a key of the transit engine",
            );
            Ok((path(transit, "transit"), key?))
        });
        let namespace = section.text("namespace");
        let auth = VaultHsmAuth::read(section);
        let tls = section.section("tls", client_tls);
        let (transit_path, transit_key) = transit?;
        Ok(Self {
            server: server?,
            namespace: namespace.map(|field| field.value),
            transit_path,
            transit_key,
            auth: auth?,
            tls,
        })
    }
}

impl VaultHsmAuth {
    fn read(section: &Section<'_>) -> Result<Self, Error> {
        if section.has("approle") && section.has("kubernetes") {
            section.wrong_here(
                "invalid Vault HSM: more than one authentication method specified",
                "keep either approle or kubernetes",
            );
        }
        let app_role = section.optional("approle", Self::app_role);
        let kubernetes = section.optional("kubernetes", Self::kubernetes);
        app_role.or(kubernetes).unwrap_or_else(|| {
            Err(section.wrong_here(
                "invalid Vault HSM: no authentication method specified",
                "add a section approle or kubernetes",
            ))
        })
    }

    fn app_role(section: &Section<'_>) -> Result<Self, Error> {
        let id = section.required_secret_source(
            "id",
            "id_file",
            "invalid Vault HSM: no approle ID specified",
            "write the role id, or name a file with it in id_file",
        );
        let secret = section.required_secret_source(
            "secret",
            "secret_file",
            "invalid Vault HSM: no approle secret specified",
            "write the secret id, or name a file with it in secret_file",
        );
        Ok(Self::AppRole {
            path: path(section, "approle"),
            id: id?,
            secret: secret?,
        })
    }

    fn kubernetes(section: &Section<'_>) -> Result<Self, Error> {
        let role = section.required(
            "role",
            "invalid Vault HSM: no kubernetes role specified",
            "write the name of the role",
        );
        let path = path(section, "kubernetes");
        let jwt = jwt(section);
        Ok(Self::Kubernetes {
            path,
            role: role?,
            jwt: jwt?,
        })
    }
}

/// A token with a slash in it is the path of a file.
fn jwt(section: &Section<'_>) -> Result<SecretSource, Error> {
    let Some(field) = section.text("jwt") else {
        return Ok(SecretSource::File(PathBuf::from(POD_TOKEN)));
    };
    if !field.value.contains('/') {
        return Ok(SecretSource::Value(Secret::new(field.value)));
    }
    let file = PathBuf::from(&field.value);
    if let Err(cause) = text_file::read(&file) {
        let message = format!("failed to read the kubernetes JWT from '{}'", field.value);
        return Err(section.wrong(&field.place, message, &text_file::cause(&cause)));
    }
    Ok(SecretSource::File(file))
}

fn client_tls(section: &Section<'_>) -> ClientTlsConfig {
    let (key, cert, ca) = (section.pem("key"), section.pem("cert"), section.pem("ca"));
    let identity = match (key, cert) {
        (Some(key), Some(cert)) => Some(ClientCertificate { cert, key }),
        (None, None) => None,
        (key, _) => {
            let (missing, message) = match key {
                Some(_) => ("cert", "invalid Vault HSM: no TLS certificate provided"),
                None => ("key", "invalid Vault HSM: no TLS private key provided"),
            };
            let place = section.place_of(missing);
            section.wrong(&place, message.to_owned(), "write key and cert, or neither");
            None
        }
    };
    ClientTlsConfig { identity, ca }
}

/// A mount path without slashes at its ends.
fn path(section: &Section<'_>, default: &str) -> String {
    let path = section.text("path").map(|field| field.value);
    let path = path.as_deref().unwrap_or_default().trim_matches('/');
    if path.is_empty() { default } else { path }.to_owned()
}
