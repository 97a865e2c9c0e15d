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
        }
    }
}
