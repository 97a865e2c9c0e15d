use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::endpoint::Endpoint;

/// How long a server that did not answer is left alone.
const SUSPENSION: Duration = Duration::from_secs(30);

/// The servers of a client, and which of them did not answer lately (MinIO KMS
/// protocol, sections 9.1 and 9.2).
#[derive(Debug)]
pub(crate) struct Hosts(Mutex<Vec<Host>>);

#[derive(Debug)]
struct Host {
    endpoint: Arc<Endpoint>,
    suspended_until: Option<Instant>,
}

// === impl Hosts ===

impl Hosts {
    pub(crate) fn new(endpoints: Vec<Endpoint>) -> Self {
        Self(Mutex::new(endpoints.into_iter().map(Host::new).collect()))
    }

    /// All servers, in the order given.
    pub(crate) fn all(&self) -> Vec<Arc<Endpoint>> {
        let hosts = self.lock();
        hosts
            .iter()
            .map(|host| Arc::clone(&host.endpoint))
            .collect()
    }

    /// The servers in the order to try them for one request: round the list from
    /// `start`, those that are suspended last. The official client leaves out the
    /// latter; nothing is lost by asking them before giving up.
    pub(crate) fn order(&self, start: usize, now: Instant) -> Vec<Arc<Endpoint>> {
        let hosts = self.lock();
        let count = hosts.len();
        let from = start.checked_rem(count).unwrap_or_default();
        let round = hosts.iter().cycle().skip(from).take(count);
        let (suspended, willing): (Vec<_>, Vec<_>) = round.partition(|host| host.is_suspended(now));
        let order = willing.into_iter().chain(suspended);
        order.map(|host| Arc::clone(&host.endpoint)).collect()
    }

    /// Takes note of whether a server answered.
    pub(crate) fn report(&self, endpoint: &Endpoint, answered: bool, now: Instant) {
        let mut hosts = self.lock();
        for host in hosts.iter_mut().filter(|host| *host.endpoint == *endpoint) {
            host.suspended_until = (!answered).then(|| now + SUSPENSION);
        }
    }

    /// Adds a server that is not there yet.
    pub(crate) fn add(&self, endpoint: Endpoint) {
        let mut hosts = self.lock();
        if hosts.iter().all(|host| *host.endpoint != endpoint) {
            hosts.push(Host::new(endpoint));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Host>> {
        // No code panics while it holds the lock, and any value is a good value.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Host ===

impl Host {
    fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
            suspended_until: None,
        }
    }

    fn is_suspended(&self, now: Instant) -> bool {
        self.suspended_until.is_some_and(|end| now < end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(names: &[&str]) -> Hosts {
        let endpoints = names.iter().map(|name| Endpoint::parse(name).unwrap());
        Hosts::new(endpoints.collect())
    }

    fn order(hosts: &Hosts, start: usize, now: Instant) -> String {
        let order = hosts.order(start, now);
        let names = order.iter().map(|it| it.host().trim_end_matches(":7373"));
        names.collect::<Vec<_>>().join(" ")
    }

    #[tokio::test(start_paused = true)]
    async fn any_server_may_be_the_first() {
        let hosts = hosts(&["a", "b", "c"]);
        let now = Instant::now();
        assert_eq!(order(&hosts, 0, now), "a b c");
        assert_eq!(order(&hosts, 1, now), "b c a");
        assert_eq!(order(&hosts, usize::MAX, now), "a b c");
        assert_eq!(order(&self::hosts(&[]), 7, now), "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_did_not_answer_is_left_alone_for_30_seconds() {
        let hosts = hosts(&["a", "b", "c"]);
        let b = Endpoint::parse("b").unwrap();
        let start = Instant::now();
        hosts.report(&b, false, start);
        assert_eq!(order(&hosts, 1, start), "c a b");
        let end = start + SUSPENSION;
        assert_eq!(order(&hosts, 1, end - Duration::from_nanos(1)), "c a b");
        assert_eq!(order(&hosts, 1, end), "b c a");
        hosts.report(&b, false, end);
        hosts.report(&b, true, end);
        assert_eq!(order(&hosts, 1, end), "b c a");
    }

    #[tokio::test(start_paused = true)]
    async fn servers_join_once() {
        let hosts = hosts(&["a"]);
        for _ in 0..2 {
            hosts.add(Endpoint::parse("https://b").unwrap());
        }
        assert_eq!(order(&hosts, 0, Instant::now()), "a b");
    }
}
