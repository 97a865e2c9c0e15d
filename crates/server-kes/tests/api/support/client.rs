use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use keystead_identity::Identity;
use keystead_tls::{ClientConfig, ClientCredential, ClientSettings, Trust};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// A request body.
#[derive(Default)]
pub(crate) struct Payload {
    frames: VecDeque<Bytes>,
    sized: bool,
}

/// One connection to the server.
pub(crate) struct Client {
    /// Tells the certificates of servers apart.
    pub(crate) server: Identity,
    sender: Sender,
}

enum Sender {
    Http1(http1::SendRequest<Payload>),
    Http2(http2::SendRequest<Payload>),
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

// === impl Payload ===

impl Payload {
    pub(crate) fn sized(body: impl Into<Bytes>) -> Self {
        Self {
            frames: VecDeque::from([body.into()]),
            sized: true,
        }
    }

    /// A body whose length the server is not told: chunked over HTTP/1.1.
    pub(crate) fn streamed(frames: impl IntoIterator<Item = impl Into<Bytes>>) -> Self {
        Self {
            frames: frames.into_iter().map(Into::into).collect(),
            sized: false,
        }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.frames.pop_front().map(|data| Ok(Frame::data(data))))
    }

    fn size_hint(&self) -> SizeHint {
        if self.sized {
            let length: usize = self.frames.iter().map(Bytes::len).sum();
            SizeHint::with_exact(length.try_into().unwrap())
        } else {
            SizeHint::default()
        }
    }
}

// === impl Client ===

impl Client {
    pub(crate) async fn connect(
        address: SocketAddr,
        credential: Option<ClientCredential>,
        version: Version,
    ) -> Result<Self, String> {
        let mut config: ClientConfig = keystead_tls::client(ClientSettings {
            credential,
            trust: Trust::Insecure,
        })
        .unwrap();
        config.alpn_protocols = vec![match version {
            Version::Http1 => b"http/1.1".to_vec(),
            Version::Http2 => b"h2".to_vec(),
        }];
        let tcp = TcpStream::connect(address).await.unwrap();
        let stream = TlsConnector::from(Arc::new(config))
            .connect(ServerName::try_from("localhost").unwrap(), tcp)
            .await
            .map_err(|error| error.to_string())?;
        let certificates = stream.get_ref().1.peer_certificates().unwrap();
        let server = Identity::of_certificate(&certificates[0]).unwrap();
        let stream = TokioIo::new(stream);
        let sender = match version {
            Version::Http1 => {
                let (sender, connection) = http1::handshake(stream).await.unwrap();
                tokio::spawn(connection);
                Sender::Http1(sender)
            }
            Version::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
                    .await
                    .unwrap();
                tokio::spawn(connection);
                Sender::Http2(sender)
            }
        };
        Ok(Self { server, sender })
    }

    /// The answer as soon as its head is there.
    pub(crate) async fn open(
        &mut self,
        request: Request<Payload>,
    ) -> Result<Response<Incoming>, hyper::Error> {
        match &mut self.sender {
            Sender::Http1(sender) => {
                sender.ready().await?;
                sender.send_request(request).await
            }
            Sender::Http2(sender) => {
                sender.ready().await?;
                // HTTP/2 has the host in the URI.
                let (mut head, body) = request.into_parts();
                let target = head.uri.path_and_query().unwrap().as_str();
                head.uri = format!("https://localhost{target}").parse().unwrap();
                sender.send_request(Request::from_parts(head, body)).await
            }
        }
    }

    pub(crate) async fn send(&mut self, request: Request<Payload>) -> Answer {
        let response = self.open(request).await.unwrap();
        let (head, body) = response.into_parts();
        Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub(crate) async fn call(&mut self, method: Method, path: &str, body: Payload) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost");
        self.send(request.body(body).unwrap()).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.call(Method::GET, path, Payload::default()).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.call(Method::DELETE, path, Payload::default()).await
    }

    pub(crate) async fn create(&mut self, key: &str) {
        let path = format!("/v1/key/create/{key}");
        self.put(&path, Value::Null).await.is_empty();
    }

    /// A PUT with a JSON body; `Value::Null` sends none.
    pub(crate) async fn put(&mut self, path: &str, body: Value) -> Answer {
        let body = match body {
            Value::Null => Payload::sized(Bytes::new()),
            body => Payload::sized(body.to_string()),
        };
        self.call(Method::PUT, path, body).await
    }
}

// === impl Answer ===

impl Answer {
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text());
        assert_eq!(self.headers["content-type"], "application/json");
        assert!(self.body.ends_with(b"}\n") || self.body.ends_with(b"]\n"));
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// Checks for success without data.
    #[track_caller]
    pub(crate) fn is_empty(&self) {
        assert_eq!((self.status, self.text()), (200, ""));
        assert_eq!(self.headers["content-length"], "0");
        assert!(!self.headers.contains_key("content-type"));
    }

    /// Checks for an error, byte by byte.
    #[track_caller]
    pub(crate) fn is_error(&self, status: u16, message: &str) {
        let message = Value::from(message);
        let body = format!("{{\"message\":{message}\n}}");
        assert_eq!((self.status, self.text()), (status, body.as_str()));
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.headers["content-length"], body.len().to_string());
    }
}
