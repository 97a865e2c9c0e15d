//! `tls`

use std::path::PathBuf;

use keystead_crypto::Secret;
use keystead_identity::Identity;

use super::Overrides;
use crate::{
    Error,
    read::{Expansion, Field, Section},
};

/// `tls`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsConfig {
    /// PEM private key.
    pub key: PathBuf,
    /// PEM certificate chain, leaf first.
    pub cert: PathBuf,
    /// Password of the private key.
    pub password: Option<Secret>,
    /// Whether client certificates are verified.
    pub auth: ClientAuth,
    /// File or folder of PEM certificates, added to the system's roots.
    pub ca: Option<PathBuf>,
    /// Trusted TLS proxies.
    pub proxy: ProxyConfig,
}

/// Whether client certificates are verified. They are required either way,
/// unless an API path has `skip_auth`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// Any certificate is accepted.
    #[default]
    Off,
    /// The certificate must chain to a trusted root.
    On,
}

/// `tls.proxy`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyConfig {
    /// Identities of the proxies; none switches forwarding off.
    pub identities: Vec<Identity>,
    /// Header with the forwarded client certificate.
    pub header: Option<String>,
}

// === impl TlsConfig ===

impl TlsConfig {
    pub(super) fn read(
        section: &Section<'_>,
        admin: Option<&Identity>,
        overrides: &Overrides,
    ) -> Result<Self, Error> {
        let fallback = |key, option, path: &Option<PathBuf>| {
            section.file(key).or_else(|| {
                let path = path.clone().filter(|path| !path.as_os_str().is_empty())?;
                section.refer(&path);
                Some(section.command_line(key, option, path))
            })
        };
        let key = section.require(
            "key",
            fallback("key", "--key", &overrides.key),
            "invalid tls config: no private key",
            "write the path of the server's PEM private key",
        );
        let cert = section.require(
            "cert",
            fallback("cert", "--cert", &overrides.cert),
            "invalid tls config: no certificate",
            "write the path of the server's PEM certificate",
        );
        let auth = client_auth(section, overrides);
        let password = section.secret("password", "password_file");
        let ca = section.file("ca");
        let proxy = section.section("proxy", |proxy| ProxyConfig::read(proxy, admin));
        Ok(Self {
            key: key?.value,
            cert: cert?.value,
            password: password.map(|field| field.value),
            auth,
            ca: ca.map(|field| field.value),
            proxy,
        })
    }
}

// === impl ProxyConfig ===

impl ProxyConfig {
    fn read(section: &Section<'_>, admin: Option<&Identity>) -> Self {
        let mut identities = Vec::new();
        for Field { value, place } in section.texts("identities", Expansion::Variables) {
            let identity = Identity::from(value.as_str());
            if Some(&identity) == admin {
                let message = format!("invalid tls proxy: identity '{identity}' is already admin");
                section.wrong(
                    &place,
                    message,
                    "write the identity of the proxy's certificate",
                );
            }
            identities.push(identity);
        }
        let header = section.section("header", |header| header.text("cert"));
        Self {
            identities,
            header: header.map(|field| field.value),
        }
    }
}

fn client_auth(section: &Section<'_>, overrides: &Overrides) -> ClientAuth {
    let written = section.text("auth");
    let auth = match &written {
        None => ClientAuth::Off,
        Some(field) => match field.value.to_ascii_lowercase().as_str() {
            "on" => ClientAuth::On,
            "off" => ClientAuth::Off,
            _ => {
                let message = format!("invalid tls config: invalid auth '{}'", field.value);
                section.wrong(&field.place, message, "write on or off");
                ClientAuth::Off
            }
        },
    };
    match overrides.auth {
        Some(auth) => section.command_line("auth", "--auth", auth).value,
        None => auth,
    }
}
