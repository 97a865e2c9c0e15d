use keystead_config::kes::{self, ServerConfig, TlsConfig};
use keystead_tls::{ClientAuth, ServerSettings, ServerTls};

use crate::Error;

/// Reads the certificate, key and authorities of a configuration.
///
/// Clients must show a certificate in the handshake unless the configuration lifts
/// the authentication of some API (KES protocol, section 2.2).
///
/// # Errors
///
/// [`Error::Tls`] if a file cannot be used.
pub fn server_tls(config: &ServerConfig) -> Result<ServerTls, Error> {
    let settings = settings(&config.tls, config.client_certificate_optional());
    Ok(keystead_tls::server(&settings)?)
}

/// The `tls` section of a configuration in the terms of the TLS crate.
pub(crate) fn settings(tls: &TlsConfig, client_certificate_optional: bool) -> ServerSettings {
    ServerSettings {
        certificate: tls.cert.clone(),
        key: tls.key.clone(),
        password: tls.password.clone(),
        client_auth: ClientAuth {
            required: !client_certificate_optional,
            verified: tls.auth == kes::ClientAuth::On,
        },
        ca: tls.ca.clone(),
    }
}
