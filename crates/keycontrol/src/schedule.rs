//! When the token is renewed, and what happens when that fails.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause after a failed login, and the least time between two logins.
const FIRST_PAUSE: Duration = Duration::from_secs(3);

/// The longest pause after a failed login.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The least time between two renewals, for tokens of very short life.
const LEAST_WAIT: Duration = Duration::from_secs(1);

/// What to do about a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Renew,
    Login,
}

/// Decides what to do next about a token, and when. It knows no clock and does
/// nothing itself.
///
/// A token is renewed at half of its life. A failed renewal is followed by a
/// login; after a failed login the pauses double from 3 to 60 seconds,
/// and it never ends. When the appliance no longer knows the token, the login
/// need not wait for its pause, but two logins are 3 seconds apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Schedule {
    step: Step,
    at: Instant,
    /// After the next failed login.
    pause: Duration,
    earliest_login: Instant,
}

// === impl Schedule ===

impl Schedule {
    /// After a login that gave a token of this life.
    pub(crate) fn new(now: Instant, life: Duration) -> Self {
        let mut schedule = Self {
            step: Step::Login,
            at: now,
            pause: FIRST_PAUSE,
            earliest_login: now,
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
            self.earliest_login = now + FIRST_PAUSE;
        }
        self.step = Step::Renew;
        self.at = now + (life / 2).max(LEAST_WAIT);
        self.pause = FIRST_PAUSE;
    }

    /// The step has been taken and failed.
    pub(crate) fn failed(&mut self, now: Instant) {
        match self.step {
            Step::Renew => {
                self.step = Step::Login;
                self.at = self.earliest_login.max(now);
            }
            Step::Login => {
                self.at = now + self.pause;
                self.earliest_login = now + FIRST_PAUSE;
                self.pause = (self.pause * 2).min(LONGEST_PAUSE);
            }
        }
    }

    /// The appliance does not accept the token.
    pub(crate) fn rejected(&mut self, now: Instant) {
        let soon = self.earliest_login.max(now);
        self.at = match self.step {
            Step::Renew => soon,
            Step::Login => self.at.min(soon),
        };
        self.step = Step::Login;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Step::{Login, Renew};
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_token_is_renewed_at_half_of_its_life() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, seconds(300));
        assert_eq!(schedule.next(), (Renew, start + seconds(150)));
        schedule.succeeded(start + seconds(150), seconds(60));
        assert_eq!(schedule.next(), (Renew, start + seconds(180)));
        schedule.succeeded(start + seconds(180), Duration::from_millis(10));
        assert_eq!(schedule.next(), (Renew, start + seconds(181)));
    }

    #[test]
    fn pauses_double_to_a_minute_and_never_end() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, seconds(300));
        let mut now = start + seconds(150);
        schedule.failed(now);
        assert_eq!(schedule.next(), (Login, now));
        for pause in [3, 6, 12, 24, 48, 60, 60, 60] {
            schedule.failed(now);
            assert_eq!(schedule.next(), (Login, now + seconds(pause)));
            now += seconds(pause);
        }
        schedule.succeeded(now, seconds(300));
        assert_eq!(schedule.next(), (Renew, now + seconds(150)));
        schedule.failed(now + seconds(150));
        schedule.failed(now + seconds(150));
        assert_eq!(schedule.next(), (Login, now + seconds(153)));
    }

    #[test]
    fn a_rejected_token_does_not_wait_for_the_pause() {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, seconds(300));
        schedule.rejected(start + seconds(1));
        assert_eq!(schedule.next(), (Login, start + seconds(3)));
        schedule.rejected(start + seconds(100));
        assert_eq!(schedule.next(), (Login, start + seconds(3)));

        let mut schedule = Schedule::new(start, seconds(300));
        schedule.rejected(start + seconds(100));
        assert_eq!(schedule.next(), (Login, start + seconds(100)));
        for second in [100, 103, 109] {
            schedule.failed(start + seconds(second));
        }
        assert_eq!(schedule.next(), (Login, start + seconds(121)));
        schedule.rejected(start + seconds(110));
        assert_eq!(schedule.next(), (Login, start + seconds(112)));
        // The next pause is as long as if nobody had asked.
        schedule.failed(start + seconds(112));
        assert_eq!(schedule.next(), (Login, start + seconds(136)));
    }

    #[derive(Clone, Copy, Debug)]
    enum Event {
        Success(u64),
        Failure,
        /// After so many milliseconds, if the step is not due earlier.
        Rejection(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            (0_u64..100_000).prop_map(Event::Success),
            Just(Event::Failure),
            (0_u64..100_000).prop_map(Event::Rejection),
        ]
    }

    proptest! {
        /// Whatever happens in whatever order: the next step comes, at the latest after
        /// the longest pause or half of the token's life, and logins never come faster
        /// than 3 seconds apart.
        #[test]
        fn there_is_always_a_next_step(events in prop::collection::vec(event(), 1..200)) {
            let mut now = Instant::now();
            let mut schedule = Schedule::new(now, seconds(60));
            let mut last_login = now;
            let mut longest = seconds(60);
            for event in events {
                let (step, at) = schedule.next();
                prop_assert!(at >= now && at - now <= longest, "{step:?}");
                if let Event::Rejection(after) = event {
                    now = at.min(now + Duration::from_millis(after));
                    schedule.rejected(now);
                    let (step, at) = schedule.next();
                    prop_assert_eq!(step, Login);
                    prop_assert!(at - now <= FIRST_PAUSE);
                    continue;
                }
                now = at;
                if step == Login {
                    prop_assert!(now - last_login >= FIRST_PAUSE);
                    last_login = now;
                }
                match event {
                    Event::Success(life) => {
                        let life = Duration::from_millis(life);
                        longest = LONGEST_PAUSE.max(life / 2);
                        schedule.succeeded(now, life);
                    }
                    _ => schedule.failed(now),
                }
            }
        }
    }
}
