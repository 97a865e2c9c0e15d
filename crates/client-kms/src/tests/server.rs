//! A TLS server that answers from a script and remembers what it was asked.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, Version, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use jiff::Timestamp;
use keystead_crypto::{Error, Random, SystemRandom};
use keystead_identity::ApiKey;
use keystead_tls::{ClientConfig, ClientCredential, ClientSettings, Trust, self_signed_dev};
use keystead_wire_kms::CONTENT_TYPE_PROTOBUF;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a server does with a request.
pub(super) enum Reply {
    /// Status, content type and body.
    Answer(u16, &'static str, Vec<u8>),
    /// It follows another URL, keeping the method.
    Redirect(String),
    /// It reads the request and closes the connection.
    HangUp,
}

/// What a server was asked.
#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    /// Method, path and query.
    pub(super) call: String,
    /// The headers `Accept`, `Content-Type` and `Content-Length`, separated by `|`.
    pub(super) headers: String,
    pub(super) body: Vec<u8>,
    pub(super) version: Version,
}

pub(super) struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Randomness that makes the first server the first.
pub(super) struct Zeros;

impl Random for Zeros {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        out.fill(0);
        Ok(())
    }
}

// === impl Server ===

impl Server {
    /// Answers with `replies` in order, then with 200 and no body.
    pub(super) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::with_protocols(&[b"h2", b"http/1.1"], replies).await
    }

    pub(super) async fn with_protocols(
        alpn: &[&[u8]],
        replies: impl IntoIterator<Item = Reply>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tls = self_signed_dev(&[address.ip()], Timestamp::now()).unwrap();
        let mut tls = (*tls.config).clone();
        tls.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(tls));
        let replies: VecDeque<Reply> = replies.into_iter().collect();
        let replies = Arc::new(Mutex::new(replies));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let server = Self {
            address,
            seen: Arc::clone(&seen),
        };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                let (seen, replies) = (Arc::clone(&seen), Arc::clone(&replies));
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let service = service_fn(move |request| {
                        answer(Arc::clone(&seen), Arc::clone(&replies), request)
                    });
                    drop(
                        auto::Builder::new(TokioExecutor::new())
                            .serve_connection(TokioIo::new(stream), service)
                            .await,
                    );
                });
            }
        });
        server
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// What was seen since the last time.
    pub(super) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn answer(
    seen: Arc<Mutex<Vec<Seen>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let header = |name| {
        let value = head.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    };
    let path = head.uri.path_and_query().unwrap();
    seen.lock().unwrap().push(Seen {
        call: format!("{} {path}", head.method),
        headers: [header::ACCEPT, header::CONTENT_TYPE, header::CONTENT_LENGTH]
            .map(header)
            .join("|"),
        body: body.to_vec(),
        version: head.version,
    });
    let reply = replies.lock().unwrap().pop_front();
    let response = match reply.unwrap_or(Reply::Answer(200, "", Vec::new())) {
        Reply::HangUp => return Err(io::ErrorKind::ConnectionAborted.into()),
        Reply::Redirect(location) => Response::builder()
            .status(307)
            .header(header::LOCATION, location)
            .body(Full::default()),
        Reply::Answer(status, content_type, body) => Response::builder()
            .status(status)
            .header(header::CONTENT_TYPE, content_type)
            .body(Full::from(body)),
    };
    Ok(response.unwrap())
}

/// A successful answer.
pub(super) fn ok(body: impl Into<Vec<u8>>) -> Reply {
    Reply::Answer(200, CONTENT_TYPE_PROTOBUF, body.into())
}

/// An error.
pub(super) fn refusal(status: u16, message: &str) -> Reply {
    let body = serde_json::json!({ "message": message }).to_string();
    Reply::Answer(status, "application/json", body.into())
}

/// TLS of a client with an API key.
pub(super) fn tls(trust: Trust) -> ClientConfig {
    let key = ApiKey::generate(&SystemRandom).unwrap();
    let credential = ClientCredential::from_api_key(&key, Timestamp::now(), &SystemRandom);
    keystead_tls::client(ClientSettings {
        credential: Some(credential.unwrap()),
        trust,
    })
    .unwrap()
}
