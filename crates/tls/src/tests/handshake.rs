//! A handshake in memory.

use std::sync::Arc;

use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, Error, ServerConfig, ServerConnection,
    SupportedProtocolVersion,
};
use rustls_pki_types::CertificateDer;

use crate::client::ClientCredential;
use crate::provider::{alpn, provider};
use crate::server_verifier::ServerVerifier;
use crate::signature::HandshakeSignatures;

/// Shakes hands until both ends are done, tickets included, or one of them objects; gives the
/// server's end.
pub(crate) fn shake(
    client: &Arc<ClientConfig>,
    server: &Arc<ServerConfig>,
) -> Result<ServerConnection, Error> {
    let name = "localhost".try_into().unwrap();
    let mut client = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
    loop {
        let sent = pass(&mut client, &mut server)? + pass(&mut server, &mut client)?;
        if sent == 0 {
            assert!(!client.is_handshaking() && !server.is_handshaking());
            return Ok(server);
        }
    }
}

fn pass<A, B>(
    from: &mut ConnectionCommon<A>,
    to: &mut ConnectionCommon<B>,
) -> Result<usize, Error> {
    let mut bytes = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut bytes).unwrap();
    }
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        to.read_tls(&mut rest).unwrap();
        to.process_new_packets()?;
    }
    Ok(bytes.len())
}

/// A client that believes every server and speaks one version only.
pub(crate) fn client_of(
    version: &'static SupportedProtocolVersion,
    credential: Option<ClientCredential>,
) -> Arc<ClientConfig> {
    let provider = provider();
    let verifier = ServerVerifier {
        chain: None,
        signatures: HandshakeSignatures(provider.signature_verification_algorithms),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = match credential {
        Some(credential) => config.with_client_cert_resolver(credential.resolver()),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = alpn();
    Arc::new(config)
}

/// The certificates the server got.
pub(crate) fn presented(server: &ServerConnection) -> &[CertificateDer<'static>] {
    server.peer_certificates().unwrap_or_default()
}
