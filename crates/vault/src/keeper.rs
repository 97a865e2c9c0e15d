use std::future;
use std::sync::Arc;
use std::time::Duration;

use keystead_crypto::Secret;
use keystead_observe::{ErrorEvent, Level, Telemetry};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::Error;
use crate::lifecycle::{Act, Failure, Grant, Lifecycle};

/// Requests that may wait for a new token.
const QUEUE: usize = 64;

/// Who gives out tokens.
pub(crate) trait Authority: Send + Sync + 'static {
    /// A new token.
    fn log_in(&self) -> impl Future<Output = Result<Lease, Error>> + Send;

    /// The token, or one in its place, with a longer life.
    fn renew(&self, token: &Secret) -> impl Future<Output = Result<Lease, Error>> + Send;

    /// Whether the token is good for anything.
    fn accepts(&self, token: &Secret) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// A token and what it was granted.
pub(crate) struct Lease {
    pub(crate) token: Secret,
    pub(crate) grant: Grant,
}

/// The token in use, as requests see it.
#[derive(Clone)]
pub(crate) struct Session {
    token: watch::Receiver<Arc<Secret>>,
    rejections: mpsc::Sender<Rejection>,
}

/// A request that was refused, and waits for a better token.
struct Rejection {
    token: Arc<Secret>,
    answer: oneshot::Sender<Option<Arc<Secret>>>,
}

/// Keeps a valid token at hand, for as long as it runs.
pub(crate) struct Keeper<A> {
    authority: A,
    lifecycle: Lifecycle,
    token: watch::Sender<Arc<Secret>>,
    /// A token that is not used before a certain time.
    pending: Option<(Instant, Secret)>,
    rejections: mpsc::Receiver<Rejection>,
    sealed: watch::Receiver<bool>,
    telemetry: Telemetry,
    /// Whether the log says that there is something wrong with the login.
    complained: bool,
}

// === impl Session ===

impl Session {
    /// The token for a request.
    pub(crate) fn token(&self) -> Arc<Secret> {
        Arc::clone(&self.token.borrow())
    }

    /// Another token than one that was refused; `None` if that is not to blame for
    /// the refusal, or there is no other one.
    pub(crate) async fn replace(&self, token: Arc<Secret>) -> Option<Arc<Secret>> {
        let (answer, replaced) = oneshot::channel();
        let rejection = Rejection { token, answer };
        self.rejections.send(rejection).await.ok()?;
        replaced.await.ok()?
    }
}

// === impl Keeper ===

impl<A: Authority> Keeper<A> {
    /// Logs in. Whatever fails now is not tried again.
    pub(crate) async fn log_in(
        authority: A,
        retry: Duration,
        sealed: watch::Receiver<bool>,
        telemetry: Telemetry,
    ) -> Result<(Self, Session), Error> {
        let result = authority.log_in().await;
        let remote = telemetry.metrics.remote();
        remote.login(result.is_ok());
        let Lease { token, grant } = result?;
        remote.token(grant.ttl);
        let (token, current) = watch::channel(Arc::new(token));
        let (sender, rejections) = mpsc::channel(QUEUE);
        let session = Session {
            token: current,
            rejections: sender,
        };
        let keeper = Self {
            authority,
            lifecycle: Lifecycle::new(retry, Instant::now(), grant),
            token,
            pending: None,
            rejections,
            sealed,
            telemetry,
            complained: false,
        };
        Ok((keeper, session))
    }

    /// Renews and replaces the token until nobody needs one any more.
    pub(crate) async fn keep(mut self) {
        loop {
            tokio::select! {
                biased;
                () = due(self.pending.as_ref().map(|(at, _)| *at)) => self.switch(),
                rejection = self.rejections.recv() => match rejection {
                    Some(rejection) => self.rejected(rejection).await,
                    None => return,
                },
                Ok(()) = self.sealed.changed() => {
                    let sealed = *self.sealed.borrow_and_update();
                    self.lifecycle.sealed(sealed);
                }
                () = due(self.lifecycle.next().map(|(at, _)| at)) => {
                    if let Some((_, act)) = self.lifecycle.next() {
                        self.perform(act).await;
                    }
                }
            }
        }
    }

    async fn perform(&mut self, act: Act) {
        let remote = self.telemetry.metrics.remote();
        let result = match act {
            Act::LogIn => {
                let result = self.authority.log_in().await;
                remote.login(result.is_ok());
                result
            }
            Act::Renew => {
                // The newest token is the one that lives on.
                let token = match &self.pending {
                    Some((_, token)) => token.clone(),
                    None => Secret::clone(&self.token.borrow()),
                };
                let result = self.authority.renew(&token).await;
                remote.renewal(result.is_ok());
                result
            }
        };
        let now = Instant::now();
        match result {
            Ok(lease) => {
                let from = self.lifecycle.granted(now, act, lease.grant);
                remote.token(lease.grant.ttl);
                self.pending = Some((from, lease.token));
                if from <= now {
                    self.switch();
                }
                self.recovered();
            }
            Err(error) => {
                let refused = error.is_refusal();
                let failure = if refused {
                    Failure::Refused
                } else {
                    Failure::Passing
                };
                self.lifecycle.failed(now, act, failure);
                self.complain(act, &error);
            }
        }
    }

    /// Puts the pending token to use.
    fn switch(&mut self) {
        let Some((_, token)) = self.pending.take() else {
            return;
        };
        // A renewed token mostly is the same: requests that carry it go on.
        self.token.send_if_modified(|current| {
            let new = **current != token;
            if new {
                *current = Arc::new(token);
            }
            new
        });
    }

    /// Key stores, section 4.4: one login for a token that is not accepted, none for
    /// a request that the token has no right to.
    async fn rejected(&mut self, Rejection { token, answer }: Rejection) {
        let in_use = Arc::clone(&self.token.borrow());
        if Arc::ptr_eq(&token, &in_use) {
            if self.pending.is_some() {
                self.switch();
            } else if matches!(self.authority.accepts(&token).await, Ok(false)) {
                self.telemetry.metrics.remote().no_token();
                if self.lifecycle.rejected(Instant::now()) {
                    self.perform(Act::LogIn).await;
                }
            }
        }
        let newest = Arc::clone(&self.token.borrow());
        let better = !Arc::ptr_eq(&token, &newest);
        // The request may have been given up.
        answer.send(better.then_some(newest)).ok();
    }

    fn complain(&mut self, act: Act, error: &Error) {
        let (level, message) = match act {
            Act::LogIn => (Level::ERROR, "login to the key store failed"),
            Act::Renew => (Level::WARN, "renewal of the key store's token failed"),
        };
        let mut event = ErrorEvent::new(level, message).error(error);
        if let Some(expires) = self.lifecycle.expires() {
            let left = expires.saturating_duration_since(Instant::now());
            event = event.attribute("token_ttl", format_args!("{}s", left.as_secs()));
        }
        self.telemetry.log.record(event);
        self.complained = true;
    }

    fn recovered(&mut self) {
        if std::mem::take(&mut self.complained) {
            let event = ErrorEvent::new(Level::WARN, "logged in to the key store again");
            self.telemetry.log.record(event);
        }
    }
}

/// Waits until a time that may never come.
async fn due(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => future::pending().await,
    }
}

#[cfg(test)]
mod tests;
