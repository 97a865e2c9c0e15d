use std::sync::Arc;

use http::Method;
use keystead_wire_kms::message::VersionResponse;
use keystead_wire_kms::{Command, Error as WireError};
use prost::Message;
use tokio::task::JoinSet;

use crate::client::{ANY, Call, PROTOBUF, commands};
use crate::endpoint::Endpoint;
use crate::{Client, Error};

/// What one of several servers answered.
#[derive(Debug)]
pub struct HostAnswer<T> {
    /// Host and port of the server.
    pub host: String,
    /// Its answer.
    pub result: Result<T, Error>,
}

/// Single servers, in the order in which the client knows them.
impl Client {
    /// The version of every server.
    pub async fn version(&self) -> Vec<HostAnswer<VersionResponse>> {
        self.each(self.endpoints(), |client, server| async move {
            let call = Call::empty(Method::GET, "/version", PROTOBUF);
            let body = client.ask_at(&server, &call).await?.body().await?;
            let broken = |_| {
                let reason = "not a version";
                Error::response(server.host(), WireError::Response { reason })
            };
            VersionResponse::decode(body.as_slice()).map_err(broken)
        })
        .await
    }

    /// Whether every server runs.
    pub async fn live(&self) -> Vec<HostAnswer<()>> {
        self.probe("/v1/health/live").await
    }

    /// Whether every server can do its work; with `write`, whether it can change the
    /// state.
    pub async fn ready(&self, write: bool) -> Vec<HostAnswer<()>> {
        self.probe(match write {
            true => "/v1/health/ready?write",
            false => "/v1/health/ready",
        })
        .await
    }

    /// Restarts all nodes of the cluster: one server asks the others and itself last.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`].
    pub async fn restart(&self) -> Result<(), Error> {
        let call = Call::empty(Method::POST, "/v1/debug/restart", ANY);
        self.change(&call).await.map(drop)
    }

    /// Restarts each of these servers.
    ///
    /// # Errors
    ///
    /// [`Error::Endpoint`]; the others are in the answers.
    pub async fn restart_hosts(
        &self,
        hosts: &[impl AsRef<str>],
    ) -> Result<Vec<HostAnswer<()>>, Error> {
        let servers = servers(hosts)?;
        Ok(self
            .each(servers, |client, server| async move {
                let call = Call::empty(Method::POST, "/v1/debug/restart?self", ANY);
                client.change_at(&server, &call).await
            })
            .await)
    }

    async fn probe(&self, path: &'static str) -> Vec<HostAnswer<()>> {
        self.each(self.endpoints(), move |client, server| async move {
            let call = Call::empty(Method::GET, path, ANY);
            client.ask_at(&server, &call).await.map(drop)
        })
        .await
    }

    pub(crate) async fn write_at<R: Message>(
        &self,
        server: &Endpoint,
        path: &str,
        command: Command,
        request: &R,
    ) -> Result<(), Error> {
        let call = commands(path, command, std::slice::from_ref(request));
        self.change_at(server, &call).await
    }

    /// Asks all of these servers at once.
    pub(crate) async fn each<T, F>(
        &self,
        servers: Vec<Arc<Endpoint>>,
        ask: impl Fn(Self, Arc<Endpoint>) -> F,
    ) -> Vec<HostAnswer<T>>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, Error>> + Send + 'static,
    {
        let mut tasks = JoinSet::new();
        for (index, server) in servers.into_iter().enumerate() {
            let host = server.host().to_owned();
            let asked = ask(self.clone(), server);
            tasks.spawn(async move {
                let result = asked.await;
                (index, HostAnswer { host, result })
            });
        }
        let mut answers = tasks.join_all().await;
        answers.sort_by_key(|(index, _)| *index);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }
}

pub(crate) fn servers(hosts: &[impl AsRef<str>]) -> Result<Vec<Arc<Endpoint>>, Error> {
    let servers = hosts.iter().map(|host| Endpoint::parse(host.as_ref()));
    servers.map(|server| server.map(Arc::new)).collect()
}
