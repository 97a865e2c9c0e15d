use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::{sleep, timeout};

use super::*;
use crate::error::Reason;

/// A server that never expires a token later or earlier than it said.
#[derive(Default)]
struct Server {
    ttl: AtomicU64,
    issued: AtomicU64,
    renewed: AtomicU64,
    tokens: Mutex<Vec<(String, Instant)>>,
    /// What becomes of the next logins and renewals; success when it is empty.
    failures: Mutex<VecDeque<Outage>>,
}

#[derive(Clone, Copy)]
enum Outage {
    None,
    Away,
    Refuses,
}

impl Server {
    fn with_ttl(seconds: u64) -> Arc<Self> {
        let server = Self::default();
        server.ttl.store(seconds, Ordering::Relaxed);
        Arc::new(server)
    }

    fn fails(&self) -> Result<(), Error> {
        match self.failures.lock().unwrap().pop_front() {
            None | Some(Outage::None) => Ok(()),
            Some(Outage::Away) => Err(Error::Sealed),
            Some(Outage::Refuses) => Err(Error::Refused {
                status: 400,
                reason: Reason(vec!["invalid role or secret ID".to_owned()]),
            }),
        }
    }

    fn plan(&self, outages: impl IntoIterator<Item = Outage>) {
        self.failures.lock().unwrap().extend(outages);
    }

    fn is_valid(&self, token: &Secret) -> bool {
        let tokens = self.tokens.lock().unwrap();
        let now = Instant::now();
        tokens
            .iter()
            .any(|(known, end)| known == token.expose() && now < *end)
    }

    fn grant(&self, token: &str) -> Lease {
        let ttl = Duration::from_secs(self.ttl.load(Ordering::Relaxed));
        let mut tokens = self.tokens.lock().unwrap();
        tokens.retain(|(known, _)| known != token);
        tokens.push((token.to_owned(), Instant::now() + ttl));
        Lease {
            token: Secret::new(token.to_owned()),
            grant: Grant {
                ttl: Some(ttl),
                renewable: true,
            },
        }
    }
}

impl Authority for Arc<Server> {
    async fn log_in(&self) -> Result<Lease, Error> {
        self.fails()?;
        let number = self.issued.fetch_add(1, Ordering::Relaxed);
        Ok(self.grant(&format!("t{number}")))
    }

    async fn renew(&self, token: &Secret) -> Result<Lease, Error> {
        self.fails()?;
        if !self.is_valid(token) {
            return Err(Error::Refused {
                status: 403,
                reason: Reason(vec!["permission denied".to_owned()]),
            });
        }
        self.renewed.fetch_add(1, Ordering::Relaxed);
        Ok(self.grant(token.expose()))
    }

    async fn accepts(&self, token: &Secret) -> Result<bool, Error> {
        Ok(self.is_valid(token))
    }
}

fn telemetry() -> Telemetry {
    Telemetry::new(Level::ERROR, io::sink()).unwrap()
}

async fn keep(server: &Arc<Server>) -> (Session, watch::Sender<bool>) {
    let (sealed, seal) = watch::channel(false);
    let retry = Duration::from_secs(3);
    let keeper = Keeper::log_in(Arc::clone(server), retry, seal, telemetry()).await;
    let (keeper, session) = keeper.unwrap();
    tokio::spawn(keeper.keep());
    (session, sealed)
}

/// Uses the token a hundred times in each of its lives for so many seconds; tells how
/// often it was refused.
async fn load(server: &Server, session: &Session, seconds: u64) -> u32 {
    let pause = Duration::from_secs(server.ttl.load(Ordering::Relaxed)) / 100;
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut refused = 0;
    while Instant::now() < end {
        if !server.is_valid(&session.token()) {
            refused += 1;
        }
        sleep(pause).await;
    }
    refused
}

#[tokio::test(start_paused = true)]
async fn a_hundred_lives_of_a_token_pass_unnoticed() {
    for (ttl, logins, renewals) in [(1, 125, 0), (20, 667, 0), (30, 1, 125), (300, 1, 125)] {
        let server = Server::with_ttl(ttl);
        let (session, _seal) = keep(&server).await;
        assert_eq!(load(&server, &session, ttl * 100).await, 0, "{ttl}");
        let near = |count: &AtomicU64, expected: u64| {
            let count = count.load(Ordering::Relaxed);
            assert!(count.abs_diff(expected) <= 1, "{ttl}: {count}");
        };
        near(&server.issued, logins);
        near(&server.renewed, renewals);
    }
}

#[tokio::test(start_paused = true)]
async fn short_outages_pass_unnoticed_in_every_order() {
    use Outage::{Away, None, Refuses};
    let outages = [None, Away, Refuses];
    // Renewals begin at 240 s; up to four failures leave 60 s for another try.
    for number in 0..81_usize {
        let order = [1, 3, 9, 27].map(|power| outages[number / power % 3]);
        let server = Server::with_ttl(300);
        let (session, _seal) = keep(&server).await;
        server.plan(order);
        assert_eq!(load(&server, &session, 1_000).await, 0, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn long_outages_end_by_themselves() {
    let server = Server::with_ttl(300);
    let (session, _seal) = keep(&server).await;
    server.plan([Outage::Away; 1_000]);
    assert!(load(&server, &session, 1_000).await > 0);
    server.failures.lock().unwrap().clear();
    load(&server, &session, 4).await;
    assert_eq!(load(&server, &session, 1_000).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_once_for_all() {
    let server = Server::with_ttl(300);
    let (session, _seal) = keep(&server).await;
    sleep(Duration::from_secs(10)).await;
    let token = session.token();
    assert!(
        session.replace(Arc::clone(&token)).await.is_none(),
        "it is valid"
    );
    server.tokens.lock().unwrap().clear();
    let (one, two) = tokio::join!(
        session.replace(Arc::clone(&token)),
        session.replace(Arc::clone(&token))
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert!(Arc::ptr_eq(&one, &two) && server.is_valid(&one));
    assert_eq!(server.issued.load(Ordering::Relaxed), 2);
    assert!(Arc::ptr_eq(&session.token(), &one));
}

#[tokio::test(start_paused = true)]
async fn a_seal_stops_the_keeper_until_it_is_broken() {
    let server = Server::with_ttl(30);
    let (session, seal) = keep(&server).await;
    seal.send_replace(true);
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(server.renewed.load(Ordering::Relaxed), 0);
    seal.send_replace(false);
    sleep(Duration::from_millis(1)).await;
    assert!(server.is_valid(&session.token()));
}

#[tokio::test(start_paused = true)]
async fn the_keeper_ends_with_its_last_session() {
    let server = Server::with_ttl(30);
    let (_sealed, seal) = watch::channel(false);
    let retry = Duration::from_secs(3);
    let keeper = Keeper::log_in(Arc::clone(&server), retry, seal, telemetry()).await;
    let (keeper, session) = keeper.unwrap();
    let keeping = tokio::spawn(keeper.keep());
    drop(session);
    timeout(Duration::from_secs(1), keeping)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_failed_first_login_is_told() {
    let server = Server::with_ttl(30);
    server.plan([Outage::Refuses]);
    let (_sealed, seal) = watch::channel(false);
    let retry = Duration::from_secs(3);
    let keeper = Keeper::log_in(Arc::clone(&server), retry, seal, telemetry()).await;
    let error = keeper.err().unwrap();
    assert_eq!(error.to_string(), "400: invalid role or secret ID");
}
