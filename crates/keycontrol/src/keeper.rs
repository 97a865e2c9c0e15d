use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keystead_crypto::Secret;
use keystead_observe::{ErrorEvent, Level, RemoteMetrics, Telemetry};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::Error;
use crate::schedule::{Schedule, Step};

#[cfg(test)]
mod tests;

/// What the keeper does to get tokens.
pub(crate) trait Session: Send + Sync + 'static {
    /// A token for name and password.
    fn login(&self) -> impl Future<Output = Result<Grant, Error>> + Send;

    /// Another token for one that is still valid.
    fn renew(&self, token: &Secret) -> impl Future<Output = Result<Grant, Error>> + Send;
}

/// A token and how long it lives.
pub(crate) struct Grant {
    pub(crate) token: Secret,
    pub(crate) life: Duration,
}

/// A token in use.
pub(crate) struct Token {
    pub(crate) secret: Secret,
    /// Tells it from those before and after it.
    serial: u64,
}

/// Has a token at any time, and another one when it is rejected.
///
/// The background task ends when the keeper is dropped or closed.
pub(crate) struct Keeper {
    state: watch::Receiver<State>,
    rejected: Arc<Rejected>,
    task: AbortOnDropHandle<()>,
}

struct State {
    token: Arc<Token>,
    failed_logins: u64,
    last_failure: Option<Arc<Error>>,
}

/// What calls tell the background task.
#[derive(Default)]
struct Rejected {
    serial: AtomicU64,
    told: Notify,
}

struct Task<S> {
    session: S,
    schedule: Schedule,
    state: watch::Sender<State>,
    rejected: Arc<Rejected>,
    telemetry: Telemetry,
    /// Whether the log says that something is wrong with the token.
    complained: bool,
}

// === impl Keeper ===

impl Keeper {
    /// Logs in and keeps the token alive from then on.
    pub(crate) async fn start(session: impl Session, telemetry: Telemetry) -> Result<Self, Error> {
        let grant = session.login().await;
        let remote = telemetry.metrics.remote();
        remote.login(grant.is_ok());
        let grant = grant.map_err(|cause| Error::Login(Arc::new(cause)))?;
        remote.token(Some(grant.life));
        let (sender, state) = watch::channel(State {
            token: Arc::new(Token {
                secret: grant.token,
                serial: 1,
            }),
            failed_logins: 0,
            last_failure: None,
        });
        let rejected = Arc::new(Rejected::default());
        let task = Task {
            session,
            schedule: Schedule::new(Instant::now(), grant.life),
            state: sender,
            rejected: Arc::clone(&rejected),
            telemetry,
            complained: false,
        };
        Ok(Self {
            state,
            rejected,
            task: AbortOnDropHandle::new(tokio::spawn(task.run())),
        })
    }

    /// The token to use now.
    pub(crate) fn token(&self) -> Arc<Token> {
        Arc::clone(&self.state.borrow().token)
    }

    /// A token that is newer than `rejected`: perhaps there is one already,
    /// otherwise that of the next login.
    ///
    /// # Errors
    ///
    /// [`Error::Login`] if that login fails, [`Error::Closed`].
    pub(crate) async fn replacement(&self, rejected: &Token) -> Result<Arc<Token>, Error> {
        let mut state = self.state.clone();
        let failed_logins = state.borrow_and_update().failed_logins;
        self.rejected.tell(rejected);
        let settled = |state: &State| {
            state.token.serial > rejected.serial || state.failed_logins > failed_logins
        };
        let state = state.wait_for(settled).await.map_err(|_| Error::Closed)?;
        match &state.last_failure {
            Some(cause) if state.token.serial <= rejected.serial => {
                Err(Error::Login(Arc::clone(cause)))
            }
            _ => Ok(Arc::clone(&state.token)),
        }
    }

    /// Ends the background task.
    pub(crate) fn close(&self) {
        self.task.abort();
    }
}

// === impl Rejected ===

impl Rejected {
    fn tell(&self, token: &Token) {
        self.serial.fetch_max(token.serial, Ordering::Relaxed);
        self.told.notify_one();
    }
}

// === impl Task ===

impl<S: Session> Task<S> {
    fn remote(&self) -> &RemoteMetrics {
        self.telemetry.metrics.remote()
    }

    async fn run(mut self) {
        loop {
            let (step, at) = self.schedule.next();
            tokio::select! {
                () = self.rejected.told.notified() => self.hear(),
                () = sleep_until(at) => self.take(step).await,
            }
        }
    }

    /// Somebody's token was rejected; unless it has been replaced meanwhile, that
    /// changes the schedule.
    fn hear(&mut self) {
        if self.rejected.serial.load(Ordering::Relaxed) >= self.state.borrow().token.serial {
            self.remote().no_token();
            self.schedule.rejected(Instant::now());
            if !mem::replace(&mut self.complained, true) {
                let message = "keycontrol: auth token is not accepted any more";
                self.tell(ErrorEvent::new(Level::WARN, message));
            }
        }
    }

    async fn take(&mut self, step: Step) {
        let token = Arc::clone(&self.state.borrow().token);
        let result = match step {
            Step::Renew => self.session.renew(&token.secret).await,
            Step::Login => self.session.login().await,
        };
        let remote = self.remote();
        match step {
            Step::Renew => remote.renewal(result.is_ok()),
            Step::Login => remote.login(result.is_ok()),
        }
        match result {
            Ok(Grant {
                token: secret,
                life,
            }) => {
                remote.token(Some(life));
                self.schedule.succeeded(Instant::now(), life);
                let serial = token.serial + 1;
                self.state
                    .send_modify(|state| state.token = Arc::new(Token { secret, serial }));
                if mem::take(&mut self.complained) {
                    self.tell(ErrorEvent::new(Level::WARN, "keycontrol: logged in again"));
                }
            }
            Err(error) => self.failed(step, error),
        }
    }

    fn tell(&self, event: ErrorEvent) {
        self.telemetry.log.record(event);
    }

    fn failed(&mut self, step: Step, error: Error) {
        self.schedule.failed(Instant::now());
        let message = match step {
            Step::Renew => "keycontrol: failed to renew auth token",
            Step::Login => "keycontrol: failed to login",
        };
        self.tell(ErrorEvent::new(Level::ERROR, message).error(&error));
        self.complained = true;
        if step == Step::Login {
            self.state.send_modify(|state| {
                state.failed_logins += 1;
                state.last_failure = Some(Arc::new(error));
            });
        }
    }
}
