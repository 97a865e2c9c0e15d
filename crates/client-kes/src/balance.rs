use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long a server that failed is left alone.
const TIMEOUT: Duration = Duration::from_secs(30);

/// In which order to try the endpoints (KES protocol, section 9).
///
/// Endpoints on this machine come first, the others take turns. One that failed
/// comes last for 30 seconds; the first request after that probes it while the
/// others still avoid it.
#[derive(Debug)]
pub(crate) struct Balancer {
    is_local: Vec<bool>,
    turn: AtomicUsize,
    /// When each endpoint that failed may be tried again.
    timeouts: Mutex<Vec<Option<Instant>>>,
}

// === impl Balancer ===

impl Balancer {
    /// `start` is a random number that chooses the first endpoint.
    pub(crate) fn new(is_local: Vec<bool>, start: usize) -> Self {
        Self {
            timeouts: Mutex::new(vec![None; is_local.len()]),
            turn: AtomicUsize::new(start),
            is_local,
        }
    }

    /// The endpoints in the order to try them for one request, each once.
    pub(crate) fn order(&self, now: Instant) -> Vec<usize> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = self.is_local.len();
        let mut order: Vec<usize> = (0..count)
            .map(|step| turn.wrapping_add(step) % count)
            .collect();
        let mut timeouts = self.timeouts();
        let rank = |index: usize| {
            let out = timeouts
                .get(index)
                .copied()
                .flatten()
                .is_some_and(|end| now < end);
            let local = self.is_local.get(index).copied().unwrap_or_default();
            (out, !local)
        };
        order.sort_by_key(|index| rank(*index));
        // An endpoint whose time is over stays out for everybody but this request
        // until the result is known, or, should this request be dropped, once more.
        if let Some(first) = order.first()
            && let Some(Some(end)) = timeouts.get_mut(*first)
        {
            *end = now + TIMEOUT;
        }
        order
    }

    /// Takes note of what became of a request to the endpoint.
    pub(crate) fn report(&self, index: usize, failed: bool, now: Instant) {
        if let Some(timeout) = self.timeouts().get_mut(index) {
            *timeout = failed.then(|| now + TIMEOUT);
        }
    }

    fn timeouts(&self) -> MutexGuard<'_, Vec<Option<Instant>>> {
        // No code panics while it holds the lock, and any value is a good value.
        self.timeouts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn servers_take_turns() {
        let balancer = Balancer::new(vec![false; 3], 7);
        let now = Instant::now();
        assert_eq!(balancer.order(now), [1, 2, 0]);
        assert_eq!(balancer.order(now), [2, 0, 1]);
        assert_eq!(balancer.order(now), [0, 1, 2]);
        let balancer = Balancer::new(vec![false; 2], usize::MAX);
        assert_eq!(balancer.order(now), [1, 0]);
        assert_eq!(balancer.order(now), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn servers_on_this_machine_come_first() {
        let balancer = Balancer::new(vec![false, true, false, true], 0);
        let now = Instant::now();
        assert_eq!(balancer.order(now), [1, 3, 0, 2]);
        assert_eq!(balancer.order(now), [1, 3, 2, 0]);
        assert_eq!(balancer.order(now), [3, 1, 2, 0]);
        balancer.report(1, true, now);
        balancer.report(3, true, now);
        assert_eq!(balancer.order(now), [0, 2, 3, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn one_request_probes_a_server_that_failed() {
        let balancer = Balancer::new(vec![true, false], 0);
        let start = Instant::now();
        balancer.report(0, true, start);
        assert_eq!(balancer.order(start), [1, 0]);
        let later = start + TIMEOUT;
        assert_eq!(balancer.order(later - Duration::from_nanos(1)), [1, 0]);
        assert_eq!(balancer.order(later), [0, 1]);
        assert_eq!(balancer.order(later), [1, 0]);
        balancer.report(0, false, later);
        assert_eq!(balancer.order(later), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_probe_that_was_dropped_is_repeated() {
        let balancer = Balancer::new(vec![true, false], 0);
        let start = Instant::now();
        balancer.report(0, true, start);
        assert_eq!(balancer.order(start + TIMEOUT), [0, 1]);
        assert_eq!(balancer.order(start + TIMEOUT), [1, 0]);
        assert_eq!(balancer.order(start + 2 * TIMEOUT), [0, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn all_servers_are_tried_if_all_failed() {
        let balancer = Balancer::new(vec![false; 2], 0);
        let now = Instant::now();
        balancer.report(0, true, now);
        balancer.report(1, true, now);
        assert_eq!(balancer.order(now), [0, 1]);
        assert_eq!(balancer.order(now), [1, 0]);
    }
}
