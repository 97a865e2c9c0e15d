use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus::{Gauge, Histogram, HistogramOpts, IntCounter};
use tokio::time::Instant;

use crate::Error;
use crate::metrics::Families;

/// Upper bounds of the request time buckets in seconds.
const BUCKETS: [f64; 10] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 1.0, 5.0, 15.0];

/// What the client of a remote key store notes: its requests and its login.
///
/// A server has one key store, so none of the families needs a label. They stay
/// at zero for a key store that is not remote.
pub struct RemoteMetrics {
    request_time: Histogram,
    request_failures: IntCounter,
    logins: IntCounter,
    login_failures: IntCounter,
    renewals: IntCounter,
    renewal_failures: IntCounter,
    token_ttl: Gauge,
    token: Mutex<Token>,
}

/// How long the token in use can be used.
#[derive(Clone, Copy)]
enum Token {
    None,
    Until(Instant),
    Endless,
}

// === impl RemoteMetrics ===

impl RemoteMetrics {
    pub(crate) fn new(families: &Families) -> Result<Self, Error> {
        Ok(Self {
            request_time: families.add(Histogram::with_opts(
                HistogramOpts::new(
                    "keystead_keystore_request_seconds",
                    "Seconds that single requests to the remote key store took.",
                )
                .buckets(BUCKETS.to_vec()),
            )?)?,
            request_failures: families.counter(
                "keystead_keystore_request_failures_total",
                "Requests that the remote key store did not answer, or answered with 5xx.",
            )?,
            logins: families.counter(
                "keystead_keystore_logins_total",
                "Successful logins to the remote key store.",
            )?,
            login_failures: families.counter(
                "keystead_keystore_login_failures_total",
                "Failed logins to the remote key store.",
            )?,
            renewals: families.counter(
                "keystead_keystore_renewals_total",
                "Successful renewals of the token of the remote key store.",
            )?,
            renewal_failures: families.counter(
                "keystead_keystore_renewal_failures_total",
                "Failed renewals of the token of the remote key store.",
            )?,
            token_ttl: families.seconds(
                "keystead_keystore_token_ttl_seconds",
                "Remaining life of the token of the remote key store; 0 without a token.",
            )?,
            token: Mutex::new(Token::None),
        })
    }

    /// Counts a request, retries each for itself. `failed` is one without an
    /// answer or with a 5xx.
    pub fn request(&self, took: Duration, failed: bool) {
        self.request_time.observe(took.as_secs_f64());
        if failed {
            self.request_failures.inc();
        }
    }

    /// Counts a login.
    pub fn login(&self, succeeded: bool) {
        if succeeded {
            self.logins.inc();
        } else {
            self.login_failures.inc();
        }
    }

    /// Counts a renewal.
    pub fn renewal(&self, succeeded: bool) {
        if succeeded {
            self.renewals.inc();
        } else {
            self.renewal_failures.inc();
        }
    }

    /// Notes the life of a token that is in use from now on; `None` if it never
    /// expires.
    pub fn token(&self, ttl: Option<Duration>) {
        self.set_token(ttl.map_or(Token::Endless, |ttl| Token::Until(Instant::now() + ttl)));
    }

    /// Notes that there is no usable token.
    pub fn no_token(&self) {
        self.set_token(Token::None);
    }

    fn set_token(&self, token: Token) {
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token;
    }

    /// Brings the gauges that run with time up to date.
    pub(crate) fn refresh(&self) {
        let token = *self.token.lock().unwrap_or_else(PoisonError::into_inner);
        self.token_ttl.set(match token {
            Token::None => 0.0,
            Token::Until(end) => end
                .saturating_duration_since(Instant::now())
                .as_secs_f64()
                .floor(),
            Token::Endless => f64::INFINITY,
        });
    }
}
