use std::net::IpAddr;

use http::HeaderMap;
use jiff::Timestamp;
use keystead_http::{Connection, HttpError};
use keystead_identity::Identity;
use keystead_tls::{PeerError, ProxyError, ProxyRules};
use keystead_wire_kes::ApiError;

/// Who sent a request, and from where.
pub(crate) struct Caller {
    pub(crate) ip: IpAddr,
    identity: Result<Identity, PeerError>,
}

// === impl Caller ===

impl Caller {
    /// The peer of the connection.
    pub(crate) fn direct(connection: &Connection) -> Self {
        Self {
            ip: connection.peer_addr.ip().to_canonical(),
            identity: connection.identity.clone(),
        }
    }

    /// Becomes the client behind the peer if the peer is a trusted proxy.
    pub(crate) fn follow(
        &mut self,
        rules: &ProxyRules,
        headers: &HeaderMap,
    ) -> Result<(), HttpError> {
        let peer = self.identity.as_ref().map_err(|error| match error {
            PeerError::TooManyCertificates => ApiError::PROXY_TOO_MANY_CERTIFICATES,
            _ => ApiError::PROXY_NO_CERTIFICATE,
        })?;
        let forwarded =
            rules
                .apply(peer, headers, Timestamp::now())
                .map_err(|error| match error {
                    ProxyError::NoCertificate => ApiError::PROXY_NO_CERTIFICATE,
                    ProxyError::TooManyCertificates => ApiError::PROXY_TOO_MANY_CERTIFICATES,
                    ProxyError::NotVerified => ApiError::PROXY_UNVERIFIED_CERTIFICATE,
                    _ => ApiError::PROXY_INVALID_CERTIFICATE,
                })?;
        if let Some(forwarded) = forwarded {
            self.ip = forwarded.ip.unwrap_or(self.ip);
            self.identity = Ok(forwarded.identity);
        }
        Ok(())
    }

    /// The identity, if the caller has a usable one.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref().ok()
    }

    /// The identity, or the answer to a caller without a usable one.
    pub(crate) fn require_identity(&self) -> Result<&Identity, ApiError> {
        self.identity.as_ref().map_err(|error| match error {
            PeerError::TooManyCertificates => ApiError::TOO_MANY_CERTIFICATES,
            _ => ApiError::CERTIFICATE_REQUIRED,
        })
    }
}
