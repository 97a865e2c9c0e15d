use std::collections::BTreeSet;

use super::*;

const RETRY: Duration = Duration::from_secs(3);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn grant(ttl: u64, renewable: bool) -> Grant {
    Grant {
        ttl: (ttl > 0).then(|| seconds(ttl)),
        renewable,
    }
}

/// What is next and in how many milliseconds.
fn plan(lifecycle: &Lifecycle, now: Instant) -> Option<(u128, Act)> {
    let (at, act) = lifecycle.next()?;
    Some((at.saturating_duration_since(now).as_millis(), act))
}

#[test]
fn a_new_token_is_renewed_or_replaced_in_time() {
    let now = Instant::now();
    for (ttl, renewable, retry, expected) in [
        (0, true, 3, None),
        (0, false, 3, None),
        (300, true, 3, Some((240_000, Act::Renew))),
        (300, false, 3, Some((240_000, Act::LogIn))),
        (30, true, 3, Some((24_000, Act::Renew))),
        (29, true, 3, Some((3_000, Act::LogIn))),
        (29, true, 15, Some((15_000, Act::LogIn))),
        (10, true, 15, Some((8_000, Act::LogIn))),
        (1, true, 3, Some((800, Act::LogIn))),
        (1, false, 3, Some((800, Act::LogIn))),
    ] {
        let lifecycle = Lifecycle::new(seconds(retry), now, grant(ttl, renewable));
        assert_eq!(plan(&lifecycle, now), expected, "{ttl} {renewable} {retry}");
        let expires = (ttl > 0).then(|| now + seconds(ttl));
        assert_eq!(lifecycle.expires(), expires);
    }
}

#[test]
fn the_worked_example() {
    let start = Instant::now();
    let mut lifecycle = Lifecycle::new(RETRY, start, grant(300, true));
    let renewed = start + seconds(240);
    let used = lifecycle.granted(renewed, Act::Renew, grant(300, true));
    assert_eq!(used, start + seconds(270));
    assert_eq!(plan(&lifecycle, renewed), Some((240_000, Act::Renew)));
}

#[test]
fn another_token_is_used_when_all_nodes_know_it_and_before_the_old_one_ends() {
    let start = Instant::now();
    for (old, new, at, lag_millis) in [
        (300, 300, 240, 30_000),
        (3_000, 3_000, 2_400, 30_000),
        (100, 100, 80, 10_000),
        (100, 1_000, 80, 10_000),
        (1_000, 100, 800, 10_000),
        // The login succeeded late.
        (100, 100, 95, 5_000),
        (100, 100, 120, 0),
        (0, 100, 50, 10_000),
        (100, 0, 80, 10_000),
        (0, 0, 80, 30_000),
        // Too short to wait.
        (29, 29, 3, 0),
        (29, 300, 3, 0),
    ] {
        let mut lifecycle = Lifecycle::new(RETRY, start, grant(old, false));
        let now = start + seconds(at);
        let used = lifecycle.granted(now, Act::LogIn, grant(new, false));
        assert_eq!((used - now).as_millis(), lag_millis, "{old} {new} {at}");
    }
}

#[test]
fn what_renewals_can_no_longer_prolong_is_replaced() {
    let start = Instant::now();
    let mut lifecycle = Lifecycle::new(RETRY, start, grant(300, true));
    let now = start + seconds(240);
    lifecycle.granted(now, Act::Renew, grant(29, true));
    assert_eq!(plan(&lifecycle, now), Some((0, Act::LogIn)));
    lifecycle.granted(now, Act::LogIn, grant(300, true));
    assert_eq!(plan(&lifecycle, now), Some((240_000, Act::Renew)));
}

#[test]
fn a_renewal_is_tried_three_times_unless_it_is_refused() {
    let start = Instant::now();
    let now = start + seconds(240);
    for (failures, expected) in [
        (&[Failure::Refused][..], Act::LogIn),
        (&[Failure::Passing], Act::Renew),
        (&[Failure::Passing, Failure::Passing], Act::Renew),
        (&[Failure::Passing, Failure::Refused], Act::LogIn),
        (
            &[Failure::Passing, Failure::Passing, Failure::Passing],
            Act::LogIn,
        ),
    ] {
        let mut lifecycle = Lifecycle::new(RETRY, start, grant(300, true));
        for failure in failures {
            lifecycle.failed(now, Act::Renew, *failure);
        }
        assert_eq!(plan(&lifecycle, now), Some((0, expected)), "{failures:?}");
        // The count starts anew with the next token.
        lifecycle.granted(now, expected, grant(300, true));
        lifecycle.failed(now, Act::Renew, Failure::Passing);
        assert_eq!(plan(&lifecycle, now), Some((0, Act::Renew)), "{failures:?}");
    }
}

#[test]
fn failed_logins_are_spaced_out_up_to_the_configured_pause() {
    let start = Instant::now();
    for (retry, pauses) in [
        (3, [1_000, 2_000, 3_000, 3_000, 3_000, 3_000]),
        (15, [1_000, 2_000, 4_000, 8_000, 15_000, 15_000]),
    ] {
        let mut lifecycle = Lifecycle::new(seconds(retry), start, grant(300, false));
        for pause in pauses {
            for failure in [Failure::Passing, Failure::Refused] {
                let mut one = lifecycle.clone();
                one.failed(start, Act::LogIn, failure);
                assert_eq!(plan(&one, start), Some((pause, Act::LogIn)));
            }
            lifecycle.failed(start, Act::LogIn, Failure::Passing);
        }
        for _ in 0..100 {
            lifecycle.failed(start, Act::LogIn, Failure::Passing);
        }
        assert_eq!(
            plan(&lifecycle, start),
            Some((u128::from(retry) * 1_000, Act::LogIn))
        );
        lifecycle.granted(start, Act::LogIn, grant(300, false));
        lifecycle.failed(start, Act::LogIn, Failure::Passing);
        assert_eq!(plan(&lifecycle, start), Some((1_000, Act::LogIn)));
    }
}

#[test]
fn a_rejected_token_is_replaced_at_once_but_not_again_and_again() {
    let start = Instant::now();
    for ttl in [0, 300] {
        let mut lifecycle = Lifecycle::new(seconds(15), start, grant(ttl, true));
        assert!(lifecycle.rejected(start));
        assert_eq!(plan(&lifecycle, start), Some((0, Act::LogIn)));
        lifecycle.granted(start, Act::LogIn, grant(ttl, true));
        let now = start + seconds(2);
        assert!(!lifecycle.rejected(now), "the last login was of no help");
        assert_eq!(plan(&lifecycle, now), Some((1_000, Act::LogIn)));
        let now = start + seconds(3);
        assert!(lifecycle.rejected(now));
        assert_eq!(plan(&lifecycle, now), Some((0, Act::LogIn)));

        lifecycle.failed(now, Act::LogIn, Failure::Passing);
        assert!(!lifecycle.rejected(now));
        assert_eq!(
            plan(&lifecycle, now),
            Some((1_000, Act::LogIn)),
            "as planned"
        );
        for _ in 0..5 {
            lifecycle.failed(now, Act::LogIn, Failure::Passing);
        }
        assert_eq!(plan(&lifecycle, now), Some((15_000, Act::LogIn)));
        let now = now + seconds(3);
        assert!(
            lifecycle.rejected(now),
            "the server answers: no need to wait"
        );

        let used = lifecycle.granted(now, Act::LogIn, grant(300, true));
        assert_eq!(used, now, "the former token is of no use");
    }
}

#[test]
fn nothing_is_done_while_the_server_is_sealed() {
    let start = Instant::now();
    let mut lifecycle = Lifecycle::new(RETRY, start, grant(300, true));
    lifecycle.sealed(true);
    assert_eq!(lifecycle.next(), None);
    let now = start + seconds(1_000);
    assert!(!lifecycle.rejected(now));
    assert_eq!(lifecycle.next(), None);
    lifecycle.sealed(false);
    assert_eq!(plan(&lifecycle, now), Some((0, Act::LogIn)));
}

/// Everything that can happen in any order, seven events deep: there is always
/// something planned for a token that ends, never later than the pause or its end,
/// and no two logins follow each other without one.
#[test]
fn no_order_of_events_leads_astray() {
    let start = Instant::now();
    let grants = [
        grant(0, true),
        grant(10, true),
        grant(300, true),
        grant(300, false),
    ];
    let mut seen = BTreeSet::new();
    let mut steps = 0_u64;
    for first in grants {
        let lifecycle = Lifecycle::new(RETRY, start, first);
        explore(&lifecycle, start, 7, &grants, &mut seen, &mut steps);
    }
    println!("states: {}, steps: {steps}", seen.len());
    assert!(seen.len() > 100);
}

fn explore(
    lifecycle: &Lifecycle,
    now: Instant,
    depth: u32,
    grants: &[Grant],
    seen: &mut BTreeSet<String>,
    steps: &mut u64,
) {
    *steps += 1;
    if depth == 0
        || !seen.insert(format!(
            "{depth}{:?}{:?}",
            relative(lifecycle, now),
            lifecycle.rejected
        ))
    {
        return;
    }
    if lifecycle.expires().is_some() {
        let (at, _) = lifecycle.next().expect("a token that ends has a plan");
        let limit = lifecycle.expires().map_or(now, |end| end.max(now + RETRY));
        assert!(at <= limit, "{lifecycle:?}");
    }
    let mut go_on = |next: &Lifecycle, now| explore(next, now, depth - 1, grants, seen, steps);
    if let Some((at, act)) = lifecycle.next() {
        let now = at.max(now);
        for grant in grants {
            let mut next = lifecycle.clone();
            let used = next.granted(now, act, *grant);
            assert!(used >= now && used <= now + LONGEST_LAG);
            assert!(
                grant.ttl.is_none_or(|ttl| used < now + ttl),
                "used before it ends"
            );
            go_on(&next, now);
        }
        for failure in [Failure::Refused, Failure::Passing] {
            let mut next = lifecycle.clone();
            next.failed(now, act, failure);
            if act == Act::LogIn {
                assert!(next.next().is_some_and(|(at, _)| at > now), "no pause");
            }
            go_on(&next, now);
        }
    }
    for pause in [0, 2, 400] {
        let now = now + seconds(pause);
        let mut next = lifecycle.clone();
        if next.rejected(now) {
            let spaced = lifecycle.last_remedy.is_none_or(|last| now >= last + SOON);
            let planned = lifecycle
                .next()
                .is_some_and(|(at, act)| at <= now && act == Act::LogIn);
            assert!(spaced || planned, "{lifecycle:?}");
        }
        go_on(&next, now);
    }
}

/// Where a lifecycle stands, whatever the time is.
fn relative(lifecycle: &Lifecycle, now: Instant) -> impl std::fmt::Debug + use<> {
    let left = |at: Option<Instant>| at.map(|at| at.saturating_duration_since(now));
    (
        left(lifecycle.next.map(|(at, _)| at)),
        lifecycle.next.map(|(_, act)| act),
        left(lifecycle.expires),
        lifecycle
            .last_remedy
            .map(|last| now.saturating_duration_since(last).min(seconds(500))),
        lifecycle.failed_logins,
        lifecycle.failed_renewals,
    )
}
