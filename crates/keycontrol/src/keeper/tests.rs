use std::collections::VecDeque;
use std::io;
use std::sync::Mutex;

use jiff::Timestamp;
use keystead_observe::{ErrorLog, Metrics};
use tokio::time::{advance, sleep, timeout};

use super::*;

/// The life of every token, in seconds.
const LIFE: u64 = 300;

/// What an appliance does, one entry per request: whether it grants a token. When there
/// are no more, it grants.
#[derive(Default)]
struct Script {
    outcomes: VecDeque<bool>,
    /// What was asked for, and at which second.
    asked: Vec<(Step, u64)>,
}

struct Player {
    start: Instant,
    script: Arc<Mutex<Script>>,
}

impl Player {
    fn play(&self, step: Step) -> Result<Grant, Error> {
        let mut script = self.script.lock().unwrap();
        let at = self.start.elapsed().as_secs();
        script.asked.push((step, at));
        if !script.outcomes.pop_front().unwrap_or(true) {
            return Err(Error::EmptyToken);
        }
        Ok(Grant {
            token: Secret::new(script.asked.len().to_string()),
            life: Duration::from_secs(LIFE),
        })
    }
}

impl Session for Player {
    async fn login(&self) -> Result<Grant, Error> {
        self.play(Step::Login)
    }

    async fn renew(&self, _token: &Secret) -> Result<Grant, Error> {
        self.play(Step::Renew)
    }
}

fn telemetry() -> Telemetry {
    let metrics = Metrics::new().unwrap();
    let log = ErrorLog::new(Level::INFO, io::sink(), Timestamp::now, &metrics).unwrap();
    Telemetry {
        metrics: Arc::new(metrics),
        log: Arc::new(log),
    }
}

/// A keeper whose first login succeeds, and the script of what follows.
async fn keeper(outcomes: &[bool]) -> (Keeper, Arc<Mutex<Script>>, Telemetry) {
    let script = Arc::new(Mutex::new(Script {
        outcomes: [true].iter().chain(outcomes).copied().collect(),
        asked: Vec::new(),
    }));
    let player = Player {
        start: Instant::now(),
        script: Arc::clone(&script),
    };
    let telemetry = telemetry();
    let keeper = Keeper::start(player, telemetry.clone()).await.unwrap();
    (keeper, script, telemetry)
}

/// What has to be asked for and when, by the words of the specification.
fn expected(outcomes: &[bool]) -> Vec<(Step, u64)> {
    let mut asked = vec![(Step::Login, 0)];
    let (mut step, mut at, mut pause) = (Step::Renew, LIFE / 2, 3);
    for granted in outcomes {
        asked.push((step, at));
        match (step, granted) {
            (_, true) => (step, at, pause) = (Step::Renew, at + LIFE / 2, 3),
            (Step::Renew, false) => step = Step::Login,
            (Step::Login, false) => (at, pause) = (at + pause, 60.min(pause * 2)),
        }
    }
    asked.push((step, at));
    asked
}

#[tokio::test(start_paused = true)]
async fn renewal_and_login_may_fail_in_any_order() {
    const STEPS: u32 = 9;
    for pattern in 0..1_u32 << STEPS {
        let outcomes: Vec<bool> = (0..STEPS).map(|bit| pattern >> bit & 1 == 1).collect();
        let (keeper, script, telemetry) = keeper(&outcomes).await;
        let expected = expected(&outcomes);
        let (_, last) = expected[expected.len() - 1];
        // Up to the step after the last scripted one, which succeeds.
        sleep(Duration::from_millis(last * 1000 + 500)).await;
        assert_eq!(script.lock().unwrap().asked, expected, "{outcomes:?}");
        assert_eq!(
            keeper.token().secret.expose(),
            expected.len().to_string(),
            "the last token is in use"
        );

        let text = telemetry.metrics.encode().unwrap();
        let count = |step, granted| {
            let outcomes = [true].iter().chain(&outcomes).chain(&[true]);
            let asked = expected.iter().zip(outcomes);
            asked
                .filter(|((asked, _), was)| *asked == step && **was == granted)
                .count()
        };
        for (family, number) in [
            ("logins_total", count(Step::Login, true)),
            ("login_failures_total", count(Step::Login, false)),
            ("renewals_total", count(Step::Renew, true)),
            ("renewal_failures_total", count(Step::Renew, false)),
        ] {
            let line = format!("keystead_keystore_{family} {number}\n");
            assert!(text.contains(&line), "{line} for {outcomes:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_never_gives_up() {
    let day = 24 * 60 * 60;
    let failures = vec![false; 2 * day / 60];
    let (keeper, script, _) = keeper(&failures).await;
    sleep(Duration::from_secs(u64::try_from(day).unwrap())).await;
    {
        let mut script = script.lock().unwrap();
        // 150 s, then 3, 6, 12, 24, 48 s, then every minute.
        assert_eq!(script.asked.len(), 3 + 5 + (day - 150 - 93) / 60);
        script.outcomes.clear();
    }
    sleep(Duration::from_secs(60)).await;
    let asked = script.lock().unwrap().asked.len();
    assert_eq!(keeper.token().secret.expose(), asked.to_string());
}

#[tokio::test(start_paused = true)]
async fn the_first_login_has_to_succeed() {
    let script = Arc::new(Mutex::new(Script {
        outcomes: [false].into(),
        asked: Vec::new(),
    }));
    let player = Player {
        start: Instant::now(),
        script,
    };
    let error = Keeper::start(player, telemetry()).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "keycontrol: login failed: auth token is empty"
    );
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_replaced_by_one_login_for_all() {
    let (keeper, script, _) = keeper(&[]).await;
    advance(Duration::from_secs(10)).await;
    let token = keeper.token();
    let (one, two) = tokio::join!(keeper.replacement(&token), keeper.replacement(&token));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.secret.expose(), two.secret.expose()), ("2", "2"));
    // Somebody is late.
    let three = keeper.replacement(&token).await.unwrap();
    assert_eq!(three.secret.expose(), "2");
    sleep(Duration::from_secs(10)).await;
    assert_eq!(
        script.lock().unwrap().asked,
        [(Step::Login, 0), (Step::Login, 10)]
    );
}

#[tokio::test(start_paused = true)]
async fn logins_on_demand_are_three_seconds_apart() {
    let (keeper, script, telemetry) = keeper(&[false, false, true]).await;
    let token = keeper.token();
    advance(Duration::from_secs(1)).await;
    for at in [3, 6] {
        let error = keeper.replacement(&token).await.err().unwrap();
        assert!(matches!(error, Error::Login(_)));
        assert_eq!(
            script.lock().unwrap().asked.last(),
            Some(&(Step::Login, at))
        );
        let text = telemetry.metrics.encode().unwrap();
        assert!(text.contains("keystead_keystore_token_ttl_seconds 0\n"));
    }
    // Without demand the pauses are those of the schedule.
    sleep(Duration::from_millis(5_500)).await;
    assert_eq!(keeper.token().secret.expose(), "1");
    let token = keeper.replacement(&token).await.unwrap();
    assert_eq!(token.secret.expose(), "4");
    assert_eq!(
        script.lock().unwrap().asked.last(),
        Some(&(Step::Login, 11))
    );
    let text = telemetry.metrics.encode().unwrap();
    assert!(text.contains("keystead_keystore_token_ttl_seconds 300\n"));
}

#[tokio::test(start_paused = true)]
async fn a_closed_keeper_asks_for_nothing() {
    let (keeper, script, _) = keeper(&[]).await;
    let token = keeper.token();
    keeper.close();
    keeper.close();
    sleep(Duration::from_secs(LIFE)).await;
    assert_eq!(script.lock().unwrap().asked.len(), 1);
    assert_eq!(keeper.token().secret.expose(), token.secret.expose());
    let replacement = timeout(Duration::from_secs(1), keeper.replacement(&token)).await;
    assert!(matches!(replacement, Ok(Err(Error::Closed))));
}
