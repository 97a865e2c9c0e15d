use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use keystead_crypto::{Random, SystemRandom};
use keystead_tls::ClientConfig;
use keystead_wire_kms::{CONTENT_TYPE_PROTOBUF, Command, FrameWriter, decode_answers};
use prost::Message;
use reqwest::Body;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::endpoint::Endpoint;
use crate::hosts::Hosts;
use crate::transport::{Failure, Transport};
use crate::{Enclave, Error};

/// What answers may be. The official client sends the same.
pub(crate) const ANY: HeaderValue = HeaderValue::from_static("application/*");

/// Protobuf.
pub(crate) const PROTOBUF: HeaderValue = HeaderValue::from_static(CONTENT_TYPE_PROTOBUF);

/// Where commands of the cluster go.
pub(crate) const CLUSTER: &str = "/v1/kms";

/// A client of one MinIO KMS server, or of several that form a cluster.
///
/// Clones share their connections. No call has a time limit; wrap it into one.
#[derive(Clone)]
pub struct Client(Arc<Shared>);

struct Shared {
    hosts: Hosts,
    transport: Transport,
    random: Arc<dyn Random>,
}

/// A request that can be sent more than once.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

// === impl Client ===

impl Client {
    /// A client for the servers at `endpoints`, each `[https://]HOST[:PORT]`.
    ///
    /// `tls` says who the client is and whom it trusts. The variables `HTTPS_PROXY`
    /// and `NO_PROXY` are honoured, except for servers on this machine. Nothing is
    /// connected yet.
    ///
    /// # Errors
    ///
    /// [`Error::Endpoint`] for something that is no server, [`Error::NoEndpoint`] if
    /// there is none, [`Error::Setup`].
    pub fn new(
        endpoints: impl IntoIterator<Item = impl AsRef<str>>,
        tls: ClientConfig,
    ) -> Result<Self, Error> {
        Self::with_transport(endpoints, Transport::new(tls)?, Arc::new(SystemRandom))
    }

    /// A client that reaches its servers through `transport`.
    pub(crate) fn with_transport(
        endpoints: impl IntoIterator<Item = impl AsRef<str>>,
        transport: Transport,
        random: Arc<dyn Random>,
    ) -> Result<Self, Error> {
        let endpoints = endpoints.into_iter();
        let endpoints = endpoints.map(|endpoint| Endpoint::parse(endpoint.as_ref()));
        let endpoints: Vec<_> = endpoints.collect::<Result<_, _>>()?;
        if endpoints.is_empty() {
            return Err(Error::NoEndpoint);
        }
        Ok(Self(Arc::new(Shared {
            hosts: Hosts::new(endpoints),
            transport,
            random,
        })))
    }

    /// The enclave of this name, whether it exists or not.
    ///
    /// # Errors
    ///
    /// [`Error::EnclaveName`].
    pub fn enclave(&self, name: &str) -> Result<Enclave, Error> {
        Enclave::new(self.clone(), name)
    }

    /// Host and port of every server, in the order given.
    #[must_use]
    pub fn hosts(&self) -> Vec<String> {
        let all = self.0.hosts.all();
        all.iter().map(|host| host.host().to_owned()).collect()
    }

    pub(crate) fn endpoints(&self) -> Vec<Arc<Endpoint>> {
        self.0.hosts.all()
    }

    pub(crate) fn add_host(&self, host: &str) -> Result<(), Error> {
        self.0.hosts.add(Endpoint::parse(host)?);
        Ok(())
    }

    // --- commands

    /// Sends requests that change nothing, in one body. Gives one answer per request.
    pub(crate) async fn read<R: Message, A: Message + Default>(
        &self,
        path: &str,
        command: Command,
        requests: &[R],
    ) -> Result<Vec<A>, Error> {
        if requests.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self.ask(&commands(path, command, requests)).await?;
        let host = answer.host.clone();
        let body = answer.body().await?;
        let broken = |source| Error::response(&host, source);
        let answers = decode_answers(command, &body).map_err(broken)?;
        if answers.len() == requests.len() {
            return Ok(answers);
        }
        Err(broken(keystead_wire_kms::Error::Response {
            reason: "not one answer for each command",
        }))
    }

    /// Sends one request that changes nothing.
    pub(crate) async fn read_one<R: Message, A: Message + Default>(
        &self,
        path: &str,
        command: Command,
        request: R,
    ) -> Result<A, Error> {
        let answers = self.read(path, command, &[request]).await?;
        // One request has one answer, or else there was an error.
        Ok(answers.into_iter().next().unwrap_or_default())
    }

    /// Sends a request that changes the state.
    pub(crate) async fn write<R: Message>(
        &self,
        path: &str,
        command: Command,
        request: &R,
    ) -> Result<(), Error> {
        let call = commands(path, command, std::slice::from_ref(request));
        self.change(&call).await.map(drop)
    }

    // --- requests

    /// Sends a request that changes nothing to one server after the other, until one
    /// answers. Only a server that does not answer is passed over, whatever the others
    /// say.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut outcome = Err(Error::NoEndpoint);
        for server in self.order() {
            match self.send(&server, call).await {
                Ok(response) => return response,
                Err(failure) => outcome = Err(failure.error),
            }
        }
        outcome
    }

    /// Sends a request that changes the state. Another server is tried only if it is
    /// certain that none has got it.
    pub(crate) async fn change(&self, call: &Call<'_>) -> Result<Answer, Error> {
        let mut outcome = Err(Error::NoEndpoint);
        for server in self.order() {
            match self.send(&server, call).await {
                Ok(answer) => return answer.map_err(Error::after_a_change),
                Err(failure) if failure.before_sending => outcome = Err(failure.error),
                Err(failure) => return Err(failure.error.after_a_change()),
            }
        }
        outcome
    }

    /// Sends a request to one server.
    pub(crate) async fn ask_at(&self, server: &Endpoint, call: &Call<'_>) -> Result<Answer, Error> {
        match self.send(server, call).await {
            Ok(answer) => answer,
            Err(failure) => Err(failure.error),
        }
    }

    /// Sends a request that changes something to one server.
    pub(crate) async fn change_at(&self, server: &Endpoint, call: &Call<'_>) -> Result<(), Error> {
        match self.send(server, call).await {
            Ok(answer) => answer.map(drop).map_err(Error::after_a_change),
            Err(failure) if failure.before_sending => Err(failure.error),
            Err(failure) => Err(failure.error.after_a_change()),
        }
    }

    async fn send(
        &self,
        server: &Endpoint,
        call: &Call<'_>,
    ) -> Result<Result<Answer, Error>, Failure> {
        let body = Body::from(call.body.clone());
        let sent = self.0.transport.send(
            server,
            call.method.clone(),
            call.path,
            call.headers.clone(),
            body,
        );
        let outcome = sent.await;
        let hosts = &self.0.hosts;
        hosts.report(server, outcome.is_ok(), Instant::now());
        Ok(Answer::of(server.host(), outcome?).await)
    }

    /// Sends a request with a body that can be read once.
    pub(crate) async fn upload(
        &self,
        server: &Endpoint,
        path: &str,
        headers: HeaderMap,
        body: Body,
    ) -> Result<(), Error> {
        let transport = &self.0.transport;
        let sent = transport.send(server, Method::PUT, path, headers, body);
        match sent.await {
            Ok(response) => {
                let answer = Answer::of(server.host(), response).await;
                answer.map(drop).map_err(Error::after_a_change)
            }
            Err(failure) if failure.before_sending => Err(failure.error),
            Err(failure) => Err(failure.error.after_a_change()),
        }
    }

    fn order(&self) -> Vec<Arc<Endpoint>> {
        // Without randomness all clients begin with the first server.
        let mut start = [0; size_of::<usize>()];
        let start = match self.0.random.fill(&mut start) {
            Ok(()) => usize::from_ne_bytes(start),
            Err(_) => 0,
        };
        self.0.hosts.order(start, Instant::now())
    }
}

/// The request with the frames of one command.
pub(crate) fn commands<'a, R: Message>(
    path: &'a str,
    command: Command,
    requests: &[R],
) -> Call<'a> {
    let mut writer = FrameWriter::new();
    for request in requests {
        writer.write(command, request);
    }
    Call {
        method: Method::POST,
        path,
        headers: headers([(header::ACCEPT, ANY), (header::CONTENT_TYPE, PROTOBUF)]),
        // Keys and plaintext may be in it: it is wiped when it was sent.
        body: Bytes::from_owner(writer.into_body()),
    }
}

pub(crate) fn headers(
    pairs: impl IntoIterator<Item = (header::HeaderName, HeaderValue)>,
) -> HeaderMap {
    pairs.into_iter().collect()
}

// === impl Call ===

impl<'a> Call<'a> {
    /// A request without body.
    pub(crate) fn empty(method: Method, path: &'a str, accept: HeaderValue) -> Self {
        Self {
            method,
            path,
            headers: headers([(header::ACCEPT, accept)]),
            body: Bytes::new(),
        }
    }
}
