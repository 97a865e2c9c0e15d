use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::Mutex;

use tokio::time::{advance, sleep, timeout};

use super::Failure::{Passing, Refused};
use super::*;

/// The life of every token, in seconds.
const LIFE: u64 = 300;

/// What a key store does, one entry per request: how it fails, if it does. When there are
/// no more, it grants.
#[derive(Default)]
struct Script {
    outcomes: VecDeque<Option<Failure>>,
    /// What was asked for, and at which second.
    asked: Vec<(Step, u64)>,
}

struct Player<const RENEWS: bool> {
    start: Instant,
    script: Arc<Mutex<Script>>,
}

impl<const RENEWS: bool> Player<RENEWS> {
    fn play(&self, step: Step) -> Result<Grant, Sorry> {
        let mut script = self.script.lock().unwrap();
        let at = self.start.elapsed().as_secs();
        script.asked.push((step, at));
        if let Some(failure) = script.outcomes.pop_front().flatten() {
            return Err(Sorry(failure));
        }
        Ok(Grant {
            token: Secret::new(script.asked.len().to_string()),
            life: Duration::from_secs(LIFE),
        })
    }
}

#[derive(Debug)]
struct Sorry(Failure);

impl StdError for Sorry {}

impl fmt::Display for Sorry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sorry: {:?}", self.0)
    }
}

impl<const RENEWS: bool> Session for Player<RENEWS> {
    type Error = Sorry;

    const RENEWS: bool = RENEWS;

    fn pace(&self) -> Pace {
        Pace {
            first: Duration::from_secs(3),
            longest: Duration::from_secs(60),
        }
    }

    async fn login(&self) -> Result<Grant, Sorry> {
        self.play(Step::Login)
    }

    async fn renew(&self, _token: &Secret) -> Result<Grant, Sorry> {
        self.play(Step::Renew)
    }

    fn is_refusal(error: &Sorry) -> bool {
        error.0 == Refused
    }

    fn message(event: TokenEvent) -> &'static str {
        match event {
            TokenEvent::Rejected => "rejected",
            TokenEvent::RenewalFailed => "renewal failed",
            TokenEvent::LoginFailed => "login failed",
            TokenEvent::Recovered => "recovered",
        }
    }
}

fn telemetry() -> Telemetry {
    Telemetry::new(Level::INFO, io::sink()).unwrap()
}

/// A keeper whose first login succeeds, and the script of what follows.
async fn keeper_that<const RENEWS: bool>(
    outcomes: &[Option<Failure>],
) -> (Keeper<Sorry>, Arc<Mutex<Script>>, Telemetry) {
    let script = Arc::new(Mutex::new(Script {
        outcomes: [None].iter().chain(outcomes).copied().collect(),
        asked: Vec::new(),
    }));
    let player = Player::<RENEWS> {
        start: Instant::now(),
        script: Arc::clone(&script),
    };
    let telemetry = telemetry();
    let keeper = Keeper::start(player, telemetry.clone()).await.unwrap();
    (keeper, script, telemetry)
}

async fn keeper(outcomes: &[Option<Failure>]) -> (Keeper<Sorry>, Arc<Mutex<Script>>, Telemetry) {
    keeper_that::<true>(outcomes).await
}

/// What has to be asked for and when, by the words of the specification.
fn expected(outcomes: &[Option<Failure>]) -> Vec<(Step, u64)> {
    let mut asked = vec![(Step::Login, 0)];
    let (mut step, mut at, mut pause) = (Step::Renew, LIFE / 2, 3);
    for outcome in outcomes {
        asked.push((step, at));
        match (step, outcome) {
            (_, None) => (step, at, pause) = (Step::Renew, at + LIFE / 2, 3),
            (Step::Renew, Some(_)) => step = Step::Login,
            (Step::Login, Some(_)) => (at, pause) = (at + pause, 60.min(pause * 2)),
        }
    }
    asked.push((step, at));
    asked
}

#[tokio::test(start_paused = true)]
async fn renewal_and_login_may_fail_in_any_order() {
    const STEPS: u32 = 6;
    for pattern in 0..3_u32.pow(STEPS) {
        let outcomes: Vec<_> = (0..STEPS)
            .map(|place| match pattern / 3_u32.pow(place) % 3 {
                0 => None,
                1 => Some(Passing),
                _ => Some(Refused),
            })
            .collect();
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
            let outcomes = [None].iter().chain(&outcomes).chain(&[None]);
            let asked = expected.iter().zip(outcomes);
            asked
                .filter(|((asked, _), was)| *asked == step && was.is_none() == granted)
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
async fn without_renewal_there_are_logins() {
    let (keeper, script, _) = keeper_that::<false>(&[None, Some(Passing), None]).await;
    sleep(Duration::from_secs(310)).await;
    let logins = [0, 150, 300, 303].map(|at| (Step::Login, at));
    assert_eq!(script.lock().unwrap().asked, logins);
    assert_eq!(keeper.token().secret.expose(), "4");
}

#[tokio::test(start_paused = true)]
async fn it_never_gives_up() {
    for failure in [Passing, Refused] {
        let day = 24 * 60 * 60;
        let failures = vec![Some(failure); 2 * day / 60];
        let (keeper, script, _) = keeper(&failures).await;
        sleep(Duration::from_secs(u64::try_from(day).unwrap())).await;
        {
            let mut script = script.lock().unwrap();
            // 150 s, then 3, 6, 12, 24, 48 s, then every minute.
            assert_eq!(script.asked.len(), 3 + 5 + (day - 150 - 93) / 60);
            script.outcomes.clear();
        }
        assert_eq!(keeper.lost().unwrap().0, failure);
        sleep(Duration::from_secs(60)).await;
        let asked = script.lock().unwrap().asked.len();
        assert_eq!(keeper.token().secret.expose(), asked.to_string());
        assert!(keeper.lost().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_login_has_to_succeed() {
    let script = Arc::new(Mutex::new(Script {
        outcomes: [Some(Passing)].into(),
        asked: Vec::new(),
    }));
    let player = Player::<true> {
        start: Instant::now(),
        script,
    };
    let error = Keeper::start(player, telemetry()).await.err().unwrap();
    assert!(matches!(error, NoToken::Login(cause) if cause.0 == Passing));
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
    let (keeper, script, telemetry) = keeper(&[Some(Passing), Some(Passing), None]).await;
    let token = keeper.token();
    advance(Duration::from_secs(1)).await;
    for at in [3, 6] {
        let error = keeper.replacement(&token).await.err().unwrap();
        assert!(matches!(error, NoToken::Login(_)));
        assert_eq!(
            script.lock().unwrap().asked.last(),
            Some(&(Step::Login, at))
        );
        let text = telemetry.metrics.encode().unwrap();
        assert!(text.contains("keystead_keystore_token_ttl_seconds 0\n"));
        assert_eq!(keeper.lost().unwrap().0, Passing);
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
    assert!(keeper.lost().is_none());
}

/// A wrong password under load: however many calls there are, there is one login per
/// pause, and nobody waits for it.
#[tokio::test(start_paused = true)]
async fn after_a_refused_login_asking_causes_none() {
    let (keeper, script, _) = keeper(&[Some(Refused); 6]).await;
    advance(Duration::from_secs(10)).await;
    let token = keeper.token();
    let start = Instant::now();
    let mut refused = 0;
    let replaced = loop {
        let asked = Instant::now();
        match keeper.replacement(&token).await {
            Ok(token) => break token,
            Err(NoToken::Login(cause)) => assert_eq!(cause.0, Refused),
            Err(NoToken::Closed) => panic!("closed"),
        }
        assert!(asked.elapsed() < Duration::from_millis(1));
        refused += 1;
        sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(replaced.secret.expose(), "8");
    let pauses = [3, 6, 12, 24, 48, 60];
    let mut at = 10;
    let mut expected = vec![(Step::Login, 0), (Step::Login, at)];
    for pause in pauses {
        at += pause;
        expected.push((Step::Login, at));
    }
    assert_eq!(script.lock().unwrap().asked, expected);
    assert_eq!(start.elapsed().as_secs(), pauses.iter().sum::<u64>());
    assert!(refused > 15_000, "{refused}");
}

/// The token in use may outlive the credentials.
#[tokio::test(start_paused = true)]
async fn a_refused_login_leaves_the_token_as_it_is() {
    let (keeper, _, _) = keeper(&[Some(Passing), Some(Refused)]).await;
    sleep(Duration::from_secs(151)).await;
    assert_eq!(keeper.token().secret.expose(), "1");
    assert!(keeper.lost().is_none(), "it lives as long again");
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
    assert!(matches!(replacement, Ok(Err(NoToken::Closed))));
}
