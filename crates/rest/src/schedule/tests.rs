use proptest::prelude::*;

use super::Failure::{Passing, Refused};
use super::Step::{Login, Renew};
use super::*;

/// That of Entrust KeyControl.
const DOUBLING: Pace = Pace {
    first: seconds(3),
    longest: seconds(60),
};

/// That of CipherTrust.
const STEADY: Pace = Pace {
    first: seconds(5),
    longest: seconds(5),
};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_token_is_renewed_at_half_of_its_life() {
    let start = Instant::now();
    let mut schedule = Schedule::new(start, seconds(300), DOUBLING, true);
    assert_eq!(schedule.next(), (Renew, start + seconds(150)));
    schedule.succeeded(start + seconds(150), seconds(60));
    assert_eq!(schedule.next(), (Renew, start + seconds(180)));
    schedule.succeeded(start + seconds(180), Duration::from_millis(10));
    assert_eq!(schedule.next(), (Renew, start + seconds(181)));
}

#[test]
fn a_token_that_cannot_be_renewed_is_replaced_then() {
    let start = Instant::now();
    let mut schedule = Schedule::new(start, seconds(300), STEADY, false);
    assert_eq!(schedule.next(), (Login, start + seconds(150)));
    for second in [150, 155, 160] {
        assert_eq!(schedule.next(), (Login, start + seconds(second)));
        schedule.failed(start + seconds(second), Passing);
    }
    schedule.succeeded(start + seconds(165), seconds(300));
    assert_eq!(schedule.next(), (Login, start + seconds(315)));
    schedule.rejected(start + seconds(166));
    assert_eq!(schedule.next(), (Login, start + seconds(168)));
}

#[test]
fn pauses_double_to_the_longest_and_never_end() {
    for failure in [Passing, Refused] {
        let start = Instant::now();
        let mut schedule = Schedule::new(start, seconds(300), DOUBLING, true);
        let mut now = start + seconds(150);
        schedule.failed(now, failure);
        assert_eq!(schedule.next(), (Login, now));
        for pause in [3, 6, 12, 24, 48, 60, 60, 60] {
            schedule.failed(now, failure);
            assert_eq!(schedule.next(), (Login, now + seconds(pause)));
            now += seconds(pause);
        }
        schedule.succeeded(now, seconds(300));
        assert_eq!(schedule.next(), (Renew, now + seconds(150)));
        schedule.failed(now + seconds(150), failure);
        schedule.failed(now + seconds(150), failure);
        assert_eq!(schedule.next(), (Login, now + seconds(153)));
    }
}

#[test]
fn a_rejected_token_does_not_wait_for_the_pause() {
    let start = Instant::now();
    let mut schedule = Schedule::new(start, seconds(300), DOUBLING, true);
    schedule.rejected(start + seconds(1));
    assert_eq!(schedule.next(), (Login, start + seconds(3)));
    schedule.rejected(start + seconds(100));
    assert_eq!(schedule.next(), (Login, start + seconds(3)));

    let mut schedule = Schedule::new(start, seconds(300), DOUBLING, true);
    schedule.rejected(start + seconds(100));
    assert_eq!(schedule.next(), (Login, start + seconds(100)));
    for second in [100, 103, 109] {
        schedule.failed(start + seconds(second), Passing);
    }
    assert_eq!(schedule.next(), (Login, start + seconds(121)));
    schedule.rejected(start + seconds(110));
    assert_eq!(schedule.next(), (Login, start + seconds(112)));
    // The next pause is as long as if nobody had asked.
    schedule.failed(start + seconds(112), Passing);
    assert_eq!(schedule.next(), (Login, start + seconds(136)));
}

#[test]
fn after_a_refusal_it_does() {
    let start = Instant::now();
    let mut schedule = Schedule::new(start, seconds(300), DOUBLING, true);
    schedule.rejected(start + seconds(100));
    let mut at = 100;
    for pause in [3, 6, 12] {
        schedule.failed(start + seconds(at), Refused);
        schedule.rejected(start + seconds(at + 2));
        at += pause;
        assert_eq!(schedule.next(), (Login, start + seconds(at)));
    }
    // Once it has another reason, asking may help.
    schedule.failed(start + seconds(at), Passing);
    schedule.rejected(start + seconds(at + 2));
    assert_eq!(schedule.next(), (Login, start + seconds(at + 3)));
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Success(u64),
    Failure(Failure),
    /// After so many milliseconds, if the step is not due earlier.
    Rejection(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0_u64..100_000).prop_map(Event::Success),
        Just(Event::Failure(Passing)),
        Just(Event::Failure(Refused)),
        (0_u64..100_000).prop_map(Event::Rejection),
    ]
}

proptest! {
    /// Whatever happens in whatever order: the next step comes, at the latest after
    /// the longest pause or half of the token's life, logins never come faster than 3
    /// seconds apart, and nobody hurries one after a refusal.
    #[test]
    fn there_is_always_a_next_step(events in prop::collection::vec(event(), 1..200)) {
        let mut now = Instant::now();
        let mut schedule = Schedule::new(now, seconds(60), DOUBLING, true);
        let mut last_login = now;
        let mut longest = seconds(60);
        let mut refused = false;
        for event in events {
            let (step, at) = schedule.next();
            prop_assert!(at >= now && at - now <= longest, "{step:?}");
            if let Event::Rejection(after) = event {
                now = at.min(now + Duration::from_millis(after));
                schedule.rejected(now);
                let (step, then) = schedule.next();
                prop_assert_eq!(step, Login);
                if refused {
                    prop_assert_eq!(then, at);
                } else {
                    prop_assert!(then - now <= APART);
                }
                continue;
            }
            now = at;
            if step == Login {
                prop_assert!(now - last_login >= APART);
                last_login = now;
            }
            match event {
                Event::Success(life) => {
                    let life = Duration::from_millis(life);
                    longest = DOUBLING.longest.max(life / 2);
                    schedule.succeeded(now, life);
                    refused = false;
                }
                Event::Failure(failure) => {
                    schedule.failed(now, failure);
                    if step == Login {
                        refused = failure == Refused;
                    }
                }
                Event::Rejection(_) => {}
            }
        }
    }
}
