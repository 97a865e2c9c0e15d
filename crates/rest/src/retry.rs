//! When to try again (key stores, section 1.5).

use std::time::Duration;

use keystead_crypto::Random;

/// How often every endpoint is tried.
const ROUNDS: usize = 3;

/// The shortest pause between two rounds.
const PAUSE: Duration = Duration::from_millis(200);

/// What is added to the pause at most, so that servers do not return all at once.
const JITTER_MILLIS: u32 = 800;

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// An answer that counts.
    Settled,
    /// A failure that may pass.
    Passing,
    /// A failure that this endpoint will repeat.
    Lasting,
}

/// The attempts of one call: one endpoint after the other, three times each, until one
/// settles the matter or none would do better.
///
/// Decides only: it knows no clock and sends nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempts {
    endpoints: usize,
    first: usize,
    made: usize,
    /// Whether another round may do better.
    hope: bool,
    settled: bool,
}

/// An attempt that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// At which endpoint.
    pub(crate) endpoint: usize,
    /// Whether it has had a turn, so that a pause comes first.
    pub(crate) again: bool,
}

// === impl Attempts ===

impl Attempts {
    pub(crate) fn new(endpoints: usize, first: usize) -> Self {
        Self {
            endpoints,
            first,
            made: 0,
            hope: true,
            settled: false,
        }
    }

    /// The next attempt; its verdict is to be [noted](Self::note).
    pub(crate) fn next(&mut self) -> Option<Attempt> {
        let step = self.made.checked_rem(self.endpoints)?;
        let round = self.made / self.endpoints;
        let stop = step == 0 && !self.hope;
        if self.settled || stop || round == ROUNDS {
            return None;
        }
        if step == 0 {
            self.hope = false;
        }
        Some(Attempt {
            endpoint: self.first.wrapping_add(step) % self.endpoints,
            again: step == 0 && round > 0,
        })
    }

    pub(crate) fn note(&mut self, verdict: Verdict) {
        self.made += 1;
        match verdict {
            Verdict::Settled => self.settled = true,
            Verdict::Passing => self.hope = true,
            Verdict::Lasting => {}
        }
    }
}

/// How long to wait before another attempt at one endpoint. Without randomness only
/// fairness is lost.
pub(crate) fn pause(random: &dyn Random) -> Duration {
    let mut bytes = [0; 4];
    let jitter = match random.fill(&mut bytes) {
        Ok(()) => u32::from_ne_bytes(bytes) % JITTER_MILLIS,
        Err(_) => 0,
    };
    PAUSE + Duration::from_millis(jitter.into())
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Lasting, Passing, Settled};
    use super::*;

    /// The endpoints that are tried, with a `+` where a pause comes first. After the last
    /// verdict everything is settled.
    fn course(endpoints: usize, first: usize, verdicts: &[Verdict]) -> String {
        let mut attempts = Attempts::new(endpoints, first);
        let mut course = String::new();
        let mut verdicts = verdicts.iter();
        while let Some(Attempt { endpoint, again }) = attempts.next() {
            course.push_str(if again { "+" } else { " " });
            course.push_str(&endpoint.to_string());
            attempts.note(verdicts.next().copied().unwrap_or(Settled));
        }
        course
    }

    #[test]
    fn one_endpoint_has_three_attempts() {
        assert_eq!(course(1, 0, &[Settled]), " 0");
        assert_eq!(course(1, 0, &[Lasting]), " 0");
        assert_eq!(course(1, 0, &[Passing, Settled]), " 0+0");
        assert_eq!(course(1, 0, &[Passing, Lasting]), " 0+0");
        assert_eq!(course(1, 0, &[Passing; 9]), " 0+0+0");
    }

    #[test]
    fn another_endpoint_stands_in_at_once() {
        assert_eq!(course(3, 1, &[Passing, Lasting, Settled]), " 1 2 0");
        assert_eq!(course(3, 2, &[Passing, Passing]), " 2 0 1");
        assert_eq!(course(2, 1, &[Lasting, Lasting]), " 1 0");
        assert_eq!(course(2, 1, &[Lasting, Passing, Lasting]), " 1 0+1 0");
        assert_eq!(course(2, 0, &[Passing; 9]), " 0 1+0 1+0 1");
    }

    #[test]
    fn there_may_be_nobody_to_ask() {
        assert_eq!(course(0, 0, &[]), "");
    }

    #[test]
    fn pauses_are_between_a_fifth_of_a_second_and_one() {
        struct Fixed(u32);

        impl Random for Fixed {
            fn fill(&self, out: &mut [u8]) -> Result<(), keystead_crypto::Error> {
                out.copy_from_slice(&self.0.to_ne_bytes());
                Ok(())
            }
        }

        for (random, millis) in [(0, 200), (799, 999), (800, 200), (u32::MAX, 295)] {
            assert_eq!(pause(&Fixed(random)).as_millis(), millis);
        }
    }
}
