//! When a token is renewed or replaced, and what happens when that fails.

use std::time::Duration;

use tokio::time::Instant;

/// The least time between a login and one on demand.
const APART: Duration = Duration::from_secs(3);

/// The least time between two renewals, for tokens of very short life.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// The pauses between failed logins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// After the first failed login.
    pub first: Duration,
    /// The pauses double until they are as long as this.
    pub longest: Duration,
}

/// What to do about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Renew,
    Login,
}

/// What a failure says about the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The credentials are not accepted: each further login counts against the account.
    Refused,
    /// Something else.
    Passing,
}

/// Decides what to do next about a token, and when. It knows no clock and does
/// nothing itself.
///
/// A token is renewed, or replaced if it cannot be renewed, at half of its life. A
/// failed renewal is followed by a login; after a failed login the pauses double from
/// the first to the longest, and it never ends. When the key store no longer knows the
/// token, the login need not wait for its pause, unless the last one was refused; but
/// it comes some time after the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    pace: Pace,
    /// What is done at half of the life of a token.
    refresh: Step,
    step: Step,
    at: Instant,
    /// After the next failed login.
    pause: Duration,
    earliest_login: Instant,
    /// Whether the last login was.
    refused: bool,
}

// === impl Schedule ===

impl Schedule {
    /// After a login that gave a token of this life.
    pub(crate) fn new(now: Instant, life: Duration, pace: Pace, renews: bool) -> Self {
        let mut schedule = Self {
            pace,
            refresh: if renews { Step::Renew } else { Step::Login },
            step: Step::Login,
            at: now,
            pause: pace.first,
            earliest_login: now,
            refused: false,
        };
        schedule.succeeded(now, life);
        schedule
    }

    pub(crate) fn next(&self) -> (Step, Instant) {
        (self.step, self.at)
    }

    /// The step has been taken and gave a token of this life.
    pub(crate) fn succeeded(&mut self, now: Instant, life: Duration) {
        if self.step == Step::Login {
            self.logged_in(now);
        }
        self.step = self.refresh;
        self.at = now + (life / 2).max(LEAST_WAIT);
        self.pause = self.pace.first;
        self.refused = false;
    }

    /// The step has been taken and failed.
    pub(crate) fn failed(&mut self, now: Instant, failure: Failure) {
        match self.step {
            Step::Renew => {
                self.step = Step::Login;
                self.at = self.earliest_login.max(now);
            }
            Step::Login => {
                self.logged_in(now);
                self.at = now + self.pause;
                self.pause = (self.pause * 2).min(self.pace.longest);
                self.refused = failure == Failure::Refused;
            }
        }
    }

    /// The key store does not accept the token.
    pub(crate) fn rejected(&mut self, now: Instant) {
        if self.refused {
            return;
        }
        let soon = self.earliest_login.max(now);
        self.at = match self.step {
            Step::Renew => soon,
            Step::Login => self.at.min(soon),
        };
        self.step = Step::Login;
    }

    fn logged_in(&mut self, now: Instant) {
        self.earliest_login = now + self.pace.first.min(APART);
    }
}

#[cfg(test)]
mod tests;
