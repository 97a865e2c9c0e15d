//! Connections of the load generator.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HOST, TE};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use keystead_crypto::SystemRandom;
use keystead_identity::ApiKey;
use keystead_tls::{ClientCredential, ClientSettings, Trust};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::calls::{Call, GRPC};

/// 0 is success.
const GRPC_STATUS: &str = "grpc-status";

/// The HTTP version of a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// A client of one server.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    protocol: Protocol,
    connector: TlsConnector,
    /// What every request carries besides the usual.
    token: Option<String>,
}

/// One connection, or one of its streams.
pub(crate) enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

// === impl Protocol ===

impl Protocol {
    /// Both versions.
    pub(crate) const ALL: [Self; 2] = [Self::Http1, Self::Http2];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http1 => "HTTP/1.1",
            Self::Http2 => "HTTP/2",
        }
    }

    fn alpn(self) -> Vec<u8> {
        match self {
            Self::Http1 => b"http/1.1".to_vec(),
            Self::Http2 => b"h2".to_vec(),
        }
    }
}

// === impl Client ===

impl Client {
    /// A client that shows the certificate of `key` and makes a full handshake for
    /// each connection.
    pub(crate) fn new(address: SocketAddr, protocol: Protocol, key: &ApiKey) -> Result<Self> {
        let credential = ClientCredential::from_api_key(key, Timestamp::now(), &SystemRandom)?;
        let tls = keystead_tls::client(ClientSettings {
            credential: Some(credential),
            trust: Trust::Insecure,
        })?;
        Ok(Self::over(address, protocol, tls))
    }

    /// A client with other TLS settings.
    pub(crate) fn over(address: SocketAddr, protocol: Protocol, mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![protocol.alpn()];
        tls.resumption = Resumption::disabled();
        Self {
            address,
            protocol,
            connector: TlsConnector::from(Arc::new(tls)),
            token: None,
        }
    }

    /// The same client with a token of Vault.
    pub(crate) fn with_token(mut self, token: String) -> Self {
        self.token = Some(token);
        self
    }

    /// Connects and finishes both handshakes.
    pub(crate) async fn connect(&self) -> Result<Sender> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::IpAddress(self.address.ip().into());
        let stream = TokioIo::new(self.connector.connect(name, stream).await?);
        Ok(match self.protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await?;
                tokio::spawn(connection);
                Sender::Http1(sender)
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
                tokio::spawn(connection);
                Sender::Http2(sender)
            }
        })
    }

    /// Sends one call and returns the body of the answer, which has to be a 200.
    pub(crate) async fn send(&self, sender: &mut Sender, call: &Call) -> Result<Bytes> {
        let request = Request::builder().method(call.method.clone());
        let request = match sender {
            Sender::Http1(_) => request
                .uri(&call.path)
                .header(HOST, self.address.to_string()),
            Sender::Http2(_) => request.uri(format!("https://{}{}", self.address, call.path)),
        };
        let request = match &self.token {
            Some(token) => request.header("X-Vault-Token", token),
            None => request.header(CONTENT_TYPE, call.format),
        };
        let request = match call.format {
            GRPC => request.header(TE, "trailers"),
            _ => request,
        };
        let request = request.body(Full::new(call.body.clone()))?;
        let response = match sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                sender.send_request(request).await?
            }
        };
        let status = response.status();
        // An answer without a body has its trailers in the head.
        let early = response.headers().get(GRPC_STATUS).cloned();
        let body = response.into_body().collect().await?;
        let late = body
            .trailers()
            .and_then(|trailers| trailers.get(GRPC_STATUS));
        let outcome = late.cloned().or(early);
        ensure!(
            outcome.is_none_or(|outcome| outcome == "0"),
            "{}: refused",
            call.path
        );
        let body = body.to_bytes();
        ensure!(
            status == StatusCode::OK,
            "{}: {status} {}",
            call.path,
            String::from_utf8_lossy(&body)
        );
        Ok(body)
    }
}

// === impl Sender ===

impl Sender {
    /// Up to `count` senders that share this connection: one over HTTP/1.1.
    pub(crate) fn streams(self, count: usize) -> Vec<Self> {
        match self {
            Self::Http1(_) => vec![self],
            Self::Http2(sender) => std::iter::repeat_n(sender, count)
                .map(Self::Http2)
                .collect(),
        }
    }
}
