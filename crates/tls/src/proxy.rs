//! Requests forwarded by a trusted TLS proxy (KES protocol, section 2.3).

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::header::{AsHeaderName, HeaderMap, HeaderName};
use jiff::Timestamp;
use keystead_identity::Identity;
use percent_encoding::percent_decode;
use rustls_pki_types::{CertificateDer, UnixTime};

use crate::ServerTls;
use crate::client_verifier::ClientChain;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Which peers are proxies and how they forward the certificates of their clients.
#[derive(Clone, Debug, Default)]
pub struct ProxyRules {
    identities: BTreeSet<Identity>,
    header: Option<HeaderName>,
    chain: Option<ClientChain>,
}

/// The client behind a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Forwarded {
    /// Identity of the forwarded certificate.
    pub identity: Identity,
    /// Client address from `X-Forwarded-For`, if the header gives a usable one.
    pub ip: Option<IpAddr>,
}

/// Why a proxy's request is refused; the texts are the protocol's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProxyError {
    /// The header is absent. Status 400.
    #[error("no client certificate is present")]
    NoCertificate,
    /// The header is there more than once. Status 400.
    #[error("too many client certificates are present")]
    TooManyCertificates,
    /// The header does not hold a certificate. Status 400.
    #[error("invalid client certificate")]
    InvalidCertificate,
    /// The certificate is not trusted. Status 403 with an empty text.
    #[error("")]
    NotVerified,
}

// === impl ProxyRules ===

impl ProxyRules {
    /// Rules for the peers `identities`, which forward certificates in `header`.
    ///
    /// Where `tls` verifies client certificates, forwarded ones are verified as well. A
    /// name that no header can have means that no request carries it.
    pub fn new(
        identities: impl IntoIterator<Item = Identity>,
        header: &str,
        tls: &ServerTls,
    ) -> Self {
        Self {
            identities: identities.into_iter().collect(),
            header: header.parse().ok(),
            chain: tls.client_chain.clone(),
        }
    }

    /// The client for whom `peer` sends a request; `None` if the peer is no proxy.
    ///
    /// # Errors
    ///
    /// Each [`ProxyError`] is the answer to the request.
    pub fn apply(
        &self,
        peer: &Identity,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Option<Forwarded>, ProxyError> {
        if !self.identities.contains(peer) {
            return Ok(None);
        }
        let header = self.header.as_ref().ok_or(ProxyError::NoCertificate)?;
        let certificate = certificate(headers, header)?;
        let identity =
            Identity::of_certificate(&certificate).map_err(|_| ProxyError::InvalidCertificate)?;
        if let Some(chain) = &self.chain {
            let seconds = u64::try_from(now.as_second()).unwrap_or_default();
            let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
            chain
                .verify(&certificate, &[], now)
                .map_err(|_| ProxyError::NotVerified)?;
        }
        Ok(Some(Forwarded {
            identity,
            ip: client_ip(headers),
        }))
    }
}

/// The one PEM certificate of a header, which is escaped like a URL query.
fn certificate(
    headers: &HeaderMap,
    header: impl AsHeaderName,
) -> Result<CertificateDer<'static>, ProxyError> {
    let mut values = headers.get_all(header).into_iter();
    let value = values.next().ok_or(ProxyError::NoCertificate)?;
    if values.next().is_some() {
        return Err(ProxyError::TooManyCertificates);
    }
    let spaced: Vec<u8> = value
        .as_bytes()
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    let text: Vec<u8> = percent_decode(&spaced).collect();
    match pem::parse_many(text).as_deref() {
        Ok([block]) if block.tag() == "CERTIFICATE" => {
            Ok(CertificateDer::from(block.contents().to_vec()))
        }
        _ => Err(ProxyError::InvalidCertificate),
    }
}

/// The part of `X-Forwarded-For` before the first comma, with or without a port.
fn client_ip(headers: &HeaderMap) -> Option<IpAddr> {
    let client = headers.get(FORWARDED_FOR)?.to_str().ok()?;
    let client = client.split(',').next()?.trim();
    let address = client.parse::<SocketAddr>().map(|address| address.ip());
    address
        .or_else(|_| client.trim_matches(['[', ']']).parse())
        .ok()
}
