//! What is known of a connection.

use std::net::SocketAddr;

use keystead_identity::Identity;
use keystead_tls::PeerError;

/// One accepted connection after its TLS handshake; shared by all its requests.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connection {
    /// Address of the peer.
    pub peer_addr: SocketAddr,
    /// Address it connected to.
    pub local_addr: SocketAddr,
    /// Identity of the certificate the peer proved to own.
    pub identity: Result<Identity, PeerError>,
    /// SHA-256 of the DER SubjectPublicKeyInfo of that certificate, of which MinIO KMS makes
    /// its identities; further certificates play no role.
    pub public_key_hash: Option<[u8; 32]>,
}

impl Connection {
    /// A connection, for servers with their own listener and for tests of handlers.
    pub fn new(
        peer_addr: SocketAddr,
        local_addr: SocketAddr,
        identity: Result<Identity, PeerError>,
    ) -> Self {
        Self {
            peer_addr,
            local_addr,
            identity,
            public_key_hash: None,
        }
    }

    /// The same connection, of a peer that proved to own a key.
    #[must_use]
    pub fn with_public_key_hash(mut self, hash: Option<[u8; 32]>) -> Self {
        self.public_key_hash = hash;
        self
    }
}
