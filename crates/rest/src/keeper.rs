use std::error::Error as StdError;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keystead_crypto::Secret;
use keystead_observe::{ErrorEvent, Level, RemoteMetrics, Telemetry};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use crate::Pace;
use crate::schedule::{Failure, Schedule, Step};

#[cfg(test)]
mod tests;

/// How a key store gives out tokens.
pub trait Session: Send + Sync + 'static {
    /// Why it gave out none.
    type Error: StdError + Send + Sync + 'static;

    /// Whether there is a renewal; otherwise a login takes its place.
    const RENEWS: bool;

    /// The pauses between failed logins.
    fn pace(&self) -> Pace;

    /// A token for the credentials.
    fn login(&self) -> impl Future<Output = Result<Grant, Self::Error>> + Send;

    /// Another token for one that is still valid.
    fn renew(&self, token: &Secret) -> impl Future<Output = Result<Grant, Self::Error>> + Send;

    /// Whether the error of a login means that the key store does not accept the
    /// credentials, so that another attempt may lock the account.
    fn is_refusal(error: &Self::Error) -> bool;

    /// What the log says when something happens to the token.
    fn message(event: TokenEvent) -> &'static str;
}

/// A token and how long it lives.
pub struct Grant {
    /// What requests carry.
    pub token: Secret,
    /// From now on.
    pub life: Duration,
}

/// A token in use.
pub struct Token {
    /// What requests carry.
    pub secret: Secret,
    /// Tells it from those before and after it.
    serial: u64,
}

/// What the log tells about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenEvent {
    /// The key store does not accept it any more.
    Rejected,
    /// A renewal failed; a login follows.
    RenewalFailed,
    /// A login failed; another one follows.
    LoginFailed,
    /// The end of the three others.
    Recovered,
}

/// Why there is no token.
#[derive(Debug)]
pub enum NoToken<E> {
    /// The last login failed.
    Login(Arc<E>),
    /// The keeper has been closed, and its token is not accepted any more.
    Closed,
}

/// Has a token at any time, and another one when it is rejected.
///
/// A background task renews the token at half of its life and logs in when that fails,
/// again and again with the pauses of [`Session::pace`]; it ends when the keeper is
/// dropped or closed. A rejected token is replaced at once, but by one login for all
/// who ask and not sooner than 3 seconds after the one before. After a *refused* login
/// asking causes none: until the pause is over, everybody gets the refusal.
pub struct Keeper<E> {
    state: watch::Receiver<State<E>>,
    rejected: Arc<Rejected>,
    task: AbortOnDropHandle<()>,
}

struct State<E> {
    token: Arc<Token>,
    /// When the token ends, as far as is known.
    expires: Instant,
    failed_logins: u64,
    /// Of the last login, if it was one.
    failure: Option<(Failure, Arc<E>)>,
}

/// What calls tell the background task.
#[derive(Default)]
struct Rejected {
    serial: AtomicU64,
    told: Notify,
}

struct Task<S: Session> {
    session: S,
    schedule: Schedule,
    state: watch::Sender<State<S::Error>>,
    rejected: Arc<Rejected>,
    telemetry: Telemetry,
    /// Whether the log says that something is wrong with the token.
    complained: bool,
}

// === impl Keeper ===

impl<E: StdError + Send + Sync + 'static> Keeper<E> {
    /// Logs in and keeps the token alive from then on.
    ///
    /// # Errors
    ///
    /// [`NoToken::Login`]: a first login that fails is not tried again.
    pub async fn start(
        session: impl Session<Error = E>,
        telemetry: Telemetry,
    ) -> Result<Self, NoToken<E>> {
        let grant = session.login().await;
        let remote = telemetry.metrics.remote();
        remote.login(grant.is_ok());
        let grant = grant.map_err(|cause| NoToken::Login(Arc::new(cause)))?;
        remote.token(Some(grant.life));
        let now = Instant::now();
        let (sender, state) = watch::channel(State {
            token: Arc::new(Token {
                secret: grant.token,
                serial: 1,
            }),
            expires: now + grant.life,
            failed_logins: 0,
            failure: None,
        });
        let rejected = Arc::new(Rejected::default());
        let task = Task {
            schedule: Schedule::for_session(&session, now, grant.life),
            session,
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
    #[must_use]
    pub fn token(&self) -> Arc<Token> {
        Arc::clone(&self.state.borrow().token)
    }

    /// A token that is newer than `rejected`: perhaps there is one already,
    /// otherwise that of the next login.
    ///
    /// # Errors
    ///
    /// [`NoToken::Login`] if that login fails or the one before was refused,
    /// [`NoToken::Closed`].
    pub async fn replacement(&self, rejected: &Token) -> Result<Arc<Token>, NoToken<E>> {
        let mut state = self.state.clone();
        let (failed_logins, refusal) = {
            let state = state.borrow_and_update();
            (state.failed_logins, state.refusal())
        };
        self.rejected.tell(rejected);
        let settled = |state: &State<E>| {
            state.token.serial > rejected.serial
                || state.failed_logins > failed_logins
                || refusal.is_some()
        };
        let state = state.wait_for(settled).await.map_err(|_| NoToken::Closed)?;
        match &state.failure {
            Some((_, cause)) if state.token.serial <= rejected.serial => {
                Err(NoToken::Login(Arc::clone(cause)))
            }
            _ => Ok(Arc::clone(&state.token)),
        }
    }

    /// Why the token cannot be used: it is over, and the last login failed. `None` as
    /// long as nothing is known to be wrong with it.
    #[must_use]
    pub fn lost(&self) -> Option<Arc<E>> {
        let state = self.state.borrow();
        let (_, cause) = state.failure.as_ref()?;
        (state.expires <= Instant::now()).then(|| Arc::clone(cause))
    }

    /// Ends the background task.
    pub fn close(&self) {
        self.task.abort();
    }
}

// === impl State ===

impl<E> State<E> {
    fn refusal(&self) -> Option<Arc<E>> {
        match &self.failure {
            Some((Failure::Refused, cause)) => Some(Arc::clone(cause)),
            _ => None,
        }
    }
}

// === impl Rejected ===

impl Rejected {
    fn tell(&self, token: &Token) {
        self.serial.fetch_max(token.serial, Ordering::Relaxed);
        self.told.notify_one();
    }
}

// === impl Schedule ===

impl Schedule {
    fn for_session<S: Session>(session: &S, now: Instant, life: Duration) -> Self {
        Self::new(now, life, session.pace(), S::RENEWS)
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
            let now = Instant::now();
            self.remote().no_token();
            self.state.send_modify(|state| state.expires = now);
            self.schedule.rejected(now);
            if !mem::replace(&mut self.complained, true) {
                self.tell(Level::WARN, TokenEvent::Rejected, None);
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
                let now = Instant::now();
                remote.token(Some(life));
                self.schedule.succeeded(now, life);
                let serial = token.serial + 1;
                self.state.send_modify(|state| {
                    state.token = Arc::new(Token { secret, serial });
                    state.expires = now + life;
                    state.failure = None;
                });
                if mem::take(&mut self.complained) {
                    self.tell(Level::WARN, TokenEvent::Recovered, None);
                }
            }
            Err(error) => self.failed(step, error),
        }
    }

    fn failed(&mut self, step: Step, error: S::Error) {
        let failure = if S::is_refusal(&error) {
            Failure::Refused
        } else {
            Failure::Passing
        };
        self.schedule.failed(Instant::now(), failure);
        let event = match step {
            Step::Renew => TokenEvent::RenewalFailed,
            Step::Login => TokenEvent::LoginFailed,
        };
        self.tell(Level::ERROR, event, Some(&error));
        self.complained = true;
        if step == Step::Login {
            self.state.send_modify(|state| {
                state.failed_logins += 1;
                state.failure = Some((failure, Arc::new(error)));
            });
        }
    }

    fn tell(&self, level: Level, event: TokenEvent, error: Option<&S::Error>) {
        let event = ErrorEvent::new(level, S::message(event));
        self.telemetry.log.record(match error {
            Some(error) => event.error(error),
            None => event,
        });
    }
}
