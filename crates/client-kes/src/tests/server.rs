//! A TLS server that answers from a script and remembers what it was asked.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, Version, header};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use jiff::Timestamp;
use keystead_crypto::{Error, Random, SystemRandom};
use keystead_identity::ApiKey;
use keystead_tls::{ClientConfig, ClientCredential, ClientSettings, Trust, self_signed_dev};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

pub(super) type Reply = Response<BoxBody<Bytes, Infallible>>;

/// The calls and the connections of one server.
#[derive(Default)]
pub(super) struct Seen {
    /// Method, path, content type and body, each with a blank behind.
    pub(super) calls: Vec<String>,
    pub(super) versions: Vec<Version>,
    pub(super) connections: usize,
}

pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

/// Randomness that makes every pause the shortest and the first server the first.
pub(super) struct Zeros;

impl Random for Zeros {
    fn fill(&self, out: &mut [u8]) -> Result<(), Error> {
        out.fill(0);
        Ok(())
    }
}

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
        let seen = Arc::new(Mutex::new(Seen::default()));
        let server = Self {
            address,
            seen: Arc::clone(&seen),
        };
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                seen.lock().unwrap().connections += 1;
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

    pub(super) fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// What was seen since the last time.
    pub(super) fn take(&self) -> Seen {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn answer(
    seen: Arc<Mutex<Seen>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    request: Request<Incoming>,
) -> Result<Reply, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let content_type = head
        .headers
        .get(header::CONTENT_TYPE)
        .map_or("", |value| value.to_str().unwrap());
    let body = std::str::from_utf8(&body).unwrap();
    let call = format!("{} {} {content_type} {body}", head.method, head.uri.path());
    let mut seen = seen.lock().unwrap();
    seen.calls.push(call.trim_end().to_owned());
    seen.versions.push(head.version);
    let reply = replies.lock().unwrap().pop_front();
    Ok(reply.unwrap_or_else(|| reply_with(200, "", "")))
}

pub(super) fn json(status: u16, body: &str) -> Reply {
    reply_with(status, "application/json", body)
}

pub(super) fn reply_with(status: u16, content_type: &str, body: &str) -> Reply {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, content_type)
        .body(Full::from(body.to_owned()).boxed())
        .unwrap()
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
