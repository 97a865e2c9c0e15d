use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use keystead_tls::{ClientConfig, ClientCredential, ClientSettings, Trust};
use keystead_wire_kms::Command;
use prost::Message;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::{Answer, frame};

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
    sender: Sender,
}

enum Sender {
    Http1(http1::SendRequest<Payload>),
    Http2(http2::SendRequest<Payload>),
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

/// A TLS connection that speaks no protocol yet.
pub(crate) async fn dial(
    address: SocketAddr,
    credential: Option<ClientCredential>,
    version: Version,
) -> Result<TlsStream<TcpStream>, String> {
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
    TlsConnector::from(Arc::new(config))
        .connect(ServerName::try_from("localhost").unwrap(), tcp)
        .await
        .map_err(|error| error.to_string())
}

// === impl Client ===

impl Client {
    pub(crate) async fn connect(
        address: SocketAddr,
        credential: Option<ClientCredential>,
        version: Version,
    ) -> Result<Self, String> {
        let stream = TokioIo::new(dial(address, credential, version).await?);
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
        Ok(Self { sender })
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

    /// A request with the headers of the official client.
    pub(crate) fn request(method: Method, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost")
            .header("accept", "application/*")
            .header("accept-encoding", "gzip")
    }

    pub(crate) async fn call(&mut self, method: Method, path: &str, body: Payload) -> Answer {
        let request = Self::request(method, path).body(body);
        self.send(request.unwrap()).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.call(Method::GET, path, Payload::default()).await
    }

    /// Commands, in an enclave or, if that is empty, in the cluster.
    pub(crate) async fn commands(&mut self, enclave: &str, body: impl Into<Bytes>) -> Answer {
        let path = match enclave {
            "" => "/v1/kms".to_owned(),
            enclave => format!("/v1/kms/{enclave}"),
        };
        let request = Self::request(Method::POST, &path)
            .header("content-type", "application/octet-stream")
            .body(Payload::sized(body));
        self.send(request.unwrap()).await
    }

    /// One command.
    pub(crate) async fn ask(
        &mut self,
        enclave: &str,
        command: Command,
        message: &impl Message,
    ) -> Answer {
        self.commands(enclave, frame(command, message)).await
    }

    /// One change of the state, which must succeed.
    pub(crate) async fn change(&mut self, enclave: &str, command: Command, message: &impl Message) {
        self.ask(enclave, command, message).await.is_done(command);
    }
}
