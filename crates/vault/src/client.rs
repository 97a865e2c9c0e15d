use std::sync::Arc;
use std::time::Duration;

use http::Method;
use keystead_config::kes::VaultConfig;
use keystead_crypto::Secret;
use keystead_observe::Telemetry;
use keystead_rest::StatusCode;
use keystead_tls::ClientConfig;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::Error;
use crate::api::{Api, Call};
use crate::health::{Health, Seal};
use crate::keeper::{Keeper, Session};
use crate::login::Login;
use crate::reply::Reply;

/// A server that this process is logged in to.
///
/// Two tasks run until the client is closed or dropped: one keeps the token valid,
/// one watches whether the server is sealed.
pub struct Client {
    api: Arc<Api>,
    namespace: Option<String>,
    session: Session,
    seal: Arc<Seal>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

// === impl Client ===

impl Client {
    /// Logs in.
    ///
    /// # Errors
    ///
    /// Any; a server that is not there, sealed or refuses the login is not asked
    /// again.
    pub async fn connect(
        config: &VaultConfig,
        tls: ClientConfig,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let api = Arc::new(Api::new(config, tls, Arc::clone(&telemetry.metrics))?);
        let login = Login {
            api: Arc::clone(&api),
            auth: config.auth.clone(),
            namespace: config.namespace.clone(),
        };
        let seal = Arc::new(Seal::new(telemetry.clone()));
        let retry = login.retry();
        let (keeper, session) = Keeper::log_in(login, retry, seal.subscribe(), telemetry).await?;
        let client = Self {
            api,
            namespace: config.namespace.clone(),
            session,
            seal,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        };
        client.run(keeper.keep());
        client.run({
            let (api, seal) = (Arc::clone(&client.api), Arc::clone(&client.seal));
            let ping = config.status_ping;
            async move { seal.watch(&api, ping).await }
        });
        Ok(client)
    }

    fn run(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    /// Asks the server whether it works, and tells how long the answer took.
    ///
    /// # Errors
    ///
    /// [`Error::NotInitialised`] and [`Error::Sealed`] besides those of every request.
    pub async fn status(&self) -> Result<Duration, Error> {
        let asked = Instant::now();
        let health = Health::ask(&self.api).await?;
        let latency = asked.elapsed();
        self.seal.note(health.sealed);
        match health {
            Health {
                initialized: false, ..
            } => Err(Error::NotInitialised),
            Health { sealed: true, .. } => Err(Error::Sealed),
            Health { .. } => Ok(latency),
        }
    }

    /// Ends the background tasks. The token stays valid until it expires.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Sends a request with the token. If that is no longer accepted, once more with
    /// a new one.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
    ) -> Result<Reply, Error> {
        if self.seal.is_sealed() {
            return Err(Error::Sealed);
        }
        let token = self.session.token();
        let mut reply = self.send(method.clone(), path, body, &token).await?;
        if reply.status == StatusCode::FORBIDDEN
            && let Some(other) = self.session.replace(token).await
        {
            reply = self.send(method, path, body, &other).await?;
        }
        if reply.status == StatusCode::SERVICE_UNAVAILABLE && matches!(reply.error(), Error::Sealed)
        {
            self.seal.note(true);
        }
        Ok(reply)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        token: &Secret,
    ) -> Result<Reply, Error> {
        let call = Call {
            method,
            path,
            namespace: self.namespace.as_deref(),
            token: Some(token),
            body,
            patient: true,
        };
        self.api.send(&call).await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
