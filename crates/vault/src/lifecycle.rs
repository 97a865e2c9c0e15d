//! When to log in and when to renew (key stores, section 4.4).

use std::cmp::{max, min};
use std::mem;
use std::time::Duration;

use tokio::time::Instant;

/// A token that lives shorter is not renewed but replaced: what is left of a token
/// that cannot be renewed for ever gets shorter with each renewal.
const SHORT: Duration = Duration::from_secs(30);

/// How long a new token waits at most until every node of a cluster knows it.
const LONGEST_LAG: Duration = Duration::from_secs(30);

/// How often a renewal is tried before it is given up for a login.
const RENEWALS: u32 = 3;

/// The pause after the first failed login of a row; it doubles up to `retry`.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// A rejected token leads to a login at once, but not to one after the other.
const SOON: Duration = Duration::from_secs(3);

/// What has to be done about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Get a new token.
    LogIn,
    /// Make the token live longer.
    Renew,
}

/// What a login or a renewal brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grant {
    /// How long the token lives from now on; `None` for ever.
    pub(crate) ttl: Option<Duration>,
    /// Whether it can be renewed.
    pub(crate) renewable: bool,
}

/// Whether another attempt at a renewal may do better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server refused it.
    Refused,
    /// The server did not answer, or could not do it.
    Passing,
}

/// The life of one token after the other.
///
/// Decides only: it has no clock and sends nothing. Whoever drives it does what
/// [`Lifecycle::next`] says when it is time, and tells what came of it.
#[derive(Clone, Debug)]
pub(crate) struct Lifecycle {
    retry: Duration,
    next: Option<(Instant, Act)>,
    /// When the token in use ends; `None` if it does not.
    expires: Option<Instant>,
    /// The life it was granted.
    ttl: Option<Duration>,
    /// When a login failed last, or brought a token for one that was rejected.
    last_remedy: Option<Instant>,
    /// Whether the server does not take the token in use.
    rejected: bool,
    failed_logins: u32,
    failed_renewals: u32,
    sealed: bool,
}

// === impl Lifecycle ===

impl Lifecycle {
    /// Begins with a login that brought `grant` just now. `retry` is the longest
    /// pause between failed logins, and between logins for tokens with a short life.
    pub(crate) fn new(retry: Duration, now: Instant, grant: Grant) -> Self {
        let mut lifecycle = Self {
            retry,
            next: None,
            expires: Some(now),
            ttl: None,
            last_remedy: None,
            rejected: false,
            failed_logins: 0,
            failed_renewals: 0,
            sealed: false,
        };
        lifecycle.granted(now, Act::LogIn, grant);
        lifecycle
    }

    /// What has to be done next and when; `None` if nothing has, as far as is known.
    pub(crate) fn next(&self) -> Option<(Instant, Act)> {
        self.next.filter(|_| !self.sealed)
    }

    /// When the token in use ends; `None` if it does not.
    pub(crate) fn expires(&self) -> Option<Instant> {
        self.expires
    }

    /// Notes whether the server is sealed: it can do nothing then.
    pub(crate) fn sealed(&mut self, sealed: bool) {
        self.sealed = sealed;
    }

    /// Notes a success and tells from when on the token is to be used.
    pub(crate) fn granted(&mut self, now: Instant, act: Act, grant: Grant) -> Instant {
        let use_from = self.use_from(now, grant.ttl);
        self.failed_renewals = 0;
        if act == Act::LogIn {
            self.failed_logins = 0;
        }
        if mem::take(&mut self.rejected) {
            self.last_remedy = Some(now);
        }
        self.expires = grant.ttl.map(|ttl| now + ttl);
        self.ttl = grant.ttl;
        self.next = grant.ttl.map(|ttl| match act {
            Act::Renew if ttl < SHORT => (now, Act::LogIn),
            _ if ttl < SHORT => (now + min(self.retry, four_fifths(ttl)), Act::LogIn),
            _ if grant.renewable => (now + four_fifths(ttl), Act::Renew),
            _ => (now + four_fifths(ttl), Act::LogIn),
        });
        use_from
    }

    /// Notes a failure. The token in use is not given up for it.
    pub(crate) fn failed(&mut self, now: Instant, act: Act, failure: Failure) {
        match act {
            Act::Renew => {
                self.failed_renewals += 1;
                let again = failure == Failure::Passing && self.failed_renewals < RENEWALS;
                self.next = Some((now, if again { Act::Renew } else { Act::LogIn }));
            }
            Act::LogIn => {
                self.last_remedy = Some(now);
                let doubled = FIRST_PAUSE.saturating_mul(1 << self.failed_logins.min(16));
                self.failed_logins = self.failed_logins.saturating_add(1);
                self.next = Some((now + min(self.retry, doubled), Act::LogIn));
            }
        }
    }

    /// Notes that the server does not take the token in use, and tells whether a
    /// login is due for it now. It is not if one was of no help a moment ago: each
    /// request would cause another.
    pub(crate) fn rejected(&mut self, now: Instant) -> bool {
        self.rejected = true;
        let pause = min(self.retry, SOON);
        let mut at = self.last_remedy.map_or(now, |last| max(now, last + pause));
        if let Some((planned, Act::LogIn)) = self.next {
            at = min(at, planned);
        }
        self.next = Some((at, Act::LogIn));
        at <= now && !self.sealed
    }

    /// A cluster needs a moment until all its nodes know a new token. The former one
    /// is used so long, if it can be.
    fn use_from(&self, now: Instant, ttl: Option<Duration>) -> Instant {
        let usable = match self.expires {
            _ if self.rejected => Duration::ZERO,
            None => LONGEST_LAG,
            Some(expires) => expires.saturating_duration_since(now),
        };
        let lag = match (self.ttl, ttl) {
            (Some(former), Some(ttl)) => lag(min(former, ttl)),
            (Some(ttl), None) | (None, Some(ttl)) => lag(ttl),
            (None, None) => LONGEST_LAG,
        };
        let short = self.ttl.is_some_and(|former| former < SHORT);
        if short { now } else { now + min(lag, usable) }
    }
}

fn four_fifths(ttl: Duration) -> Duration {
    ttl * 4 / 5
}

fn lag(ttl: Duration) -> Duration {
    min((ttl - four_fifths(ttl)) / 2, LONGEST_LAG)
}

#[cfg(test)]
mod tests;
