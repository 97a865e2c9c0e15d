//! Tokens that end, in every way they can.

use std::fs;
use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;
use keystead_config::SecretSource;
use keystead_doubles::{Fault, Refusal, Tls};
use keystead_keycontrol::Error;
use tokio::time::{Instant, sleep, sleep_until};

use crate::world::World;

/// Both modes of renewal: whether the former token lives on makes no difference.
#[tokio::test]
async fn no_call_notices_a_renewal() {
    tokio::join!(work_through_renewals(false), work_through_renewals(true));
}

/// Works without a pause until the token has been renewed twice.
async fn work_through_renewals(revokes: bool) {
    let world = World::new().await;
    world.appliance.set(|settings| {
        settings.token_life = Duration::from_secs(2);
        settings.revokes_renewed = revokes;
    });
    let client = world.connect().await;
    let start = Instant::now();
    let mut calls = 0;
    while world.metric("renewals_total") < 2.0 {
        client.status().await.unwrap();
        calls += 1;
        assert!(start.elapsed() < Duration::from_secs(30));
    }
    assert!(
        start.elapsed() >= Duration::from_secs(2),
        "half of each life"
    );
    println!("{calls} calls through two renewals, former token revoked: {revokes}");
    assert_eq!(world.metric("logins_total"), 1.0);
    assert_eq!(world.metric("renewal_failures_total"), 0.0);
    assert_eq!(world.errors().await, "");
}

#[tokio::test]
async fn a_token_the_appliance_forgot_costs_one_login() {
    let dialects = [
        Refusal::new(401, "Authentication failure"),
        Refusal::new(403, "Invalid or expired token"),
    ];
    for refusal in dialects {
        let world = World::new().await;
        world
            .appliance
            .set(|settings| settings.unauthenticated = refusal);
        let client = world.connect().await;
        client.create("key", b"value").await.unwrap();
        world.appliance.revoke_tokens();
        let (one, two) = tokio::join!(client.checkout("key"), client.checkout("key"));
        assert_eq!((one.unwrap().len(), two.unwrap().len()), (5, 5));
        assert_eq!(world.nodes[0].journal().count("Login"), 2);
        assert_eq!(world.metric("logins_total"), 2.0);
    }
}

#[tokio::test]
async fn a_plain_401_is_understood_as_well() {
    let world = World::new().await;
    let client = world.connect().await;
    let unauthorized = Fault::Answer(StatusCode::UNAUTHORIZED, String::new());
    world.nodes[0]
        .faults()
        .plan(1, "GetBox", unauthorized.clone());
    client.status().await.unwrap();
    // But once: then it is the answer.
    world.nodes[0].faults().plan(2, "GetBox", unauthorized);
    let error = client.status().await.unwrap_err();
    assert_eq!(error.to_string(), "keycontrol: 401 Unauthorized: ");
    client.status().await.unwrap();
}

#[tokio::test]
async fn a_missing_right_is_no_reason_to_log_in() {
    let world = World::new().await;
    let client = world.connect().await;
    let forbidden = Fault::Page(
        StatusCode::FORBIDDEN,
        "application/json",
        r#"{"error":"Operation not permitted"}"#.into(),
    );
    world.nodes[0].faults().plan(1, "GetBox", forbidden);
    let error = client.status().await.unwrap_err();
    assert_eq!(error.to_string(), "keycontrol: Operation not permitted");
    assert_eq!(world.nodes[0].journal().count("Login"), 1);
}

#[tokio::test]
async fn the_clocks_need_not_agree() {
    for hours in [-3, 3] {
        let world = World::new().await;
        world.appliance.set(|settings| {
            settings.clock = SignedDuration::from_hours(hours);
            settings.token_life = Duration::from_secs(1000);
        });
        world.connect().await;
        let ttl = world.metric("token_ttl_seconds");
        assert!((998.0..=1001.0).contains(&ttl), "{ttl}");
    }
}

#[tokio::test]
async fn a_token_without_an_end_lives_five_minutes() {
    let world = World::new().await;
    world
        .appliance
        .set(|settings| settings.tells_expiry = false);
    world.connect().await;
    let ttl = world.metric("token_ttl_seconds");
    assert!((298.0..=300.0).contains(&ttl), "{ttl}");
}

/// The account's password changes while the server runs.
#[tokio::test]
async fn a_password_file_is_read_at_every_login() {
    let mut world = World::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    fs::write(&path, world.appliance.settings().password + "\n").unwrap();
    world.config.password = SecretSource::File(path.clone());
    let client = world.connect().await;

    world
        .appliance
        .set(|settings| settings.password = "new".into());
    world.appliance.revoke_tokens();
    let error = client.status().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "keycontrol: login failed: Invalid username or password"
    );
    fs::write(&path, "new\n").unwrap();
    let fixed = Instant::now();
    while client.status().await.is_err() {
        assert!(fixed.elapsed() < Duration::from_secs(4));
        sleep(Duration::from_millis(20)).await;
    }
    fs::remove_file(&path).unwrap();
    world.appliance.revoke_tokens();
    let error = client.status().await.unwrap_err();
    assert!(matches!(error, Error::Login(_)), "{error:?}");
    assert!(
        error.to_string().contains("failed to read the password: "),
        "{error}"
    );
}

/// So that no lock-out policy makes it worse.
#[tokio::test]
async fn a_wrong_password_is_not_sent_by_every_call() {
    let world = World::new().await;
    let client = world.connect().await;
    world
        .appliance
        .set(|settings| settings.password = "new".into());
    world.appliance.revoke_tokens();
    for _ in 0..100 {
        let (one, two) = tokio::join!(client.status(), client.checkout("key"));
        for error in [one.unwrap_err(), two.unwrap_err()] {
            assert_eq!(
                error.to_string(),
                "keycontrol: login failed: Invalid username or password"
            );
        }
    }
    assert_eq!(world.nodes[0].journal().count("Login"), 2);
    assert_eq!(world.metric("login_failures_total"), 1.0);
}

/// Renewals and logins fail by turns, in all orders of three, while a client works on
/// what token it has. As soon as the appliance is well again, so is the client.
#[tokio::test]
async fn renewal_and_login_fail_in_every_order() {
    let mut orders = tokio::task::JoinSet::new();
    for order in 0..8_u32 {
        orders.spawn(async move {
            let world = World::new().await;
            let life = Duration::from_secs(2);
            world.appliance.set(|settings| settings.token_life = life);
            let client = world.connect().await;
            let sick = Instant::now();
            for turn in 0..3 {
                let action = if order >> turn & 1 == 1 {
                    "Renew"
                } else {
                    "Login"
                };
                let sorry = Fault::Answer(StatusCode::SERVICE_UNAVAILABLE, "Sorry".into());
                world.nodes[0].faults().plan(3, action, sorry);
            }
            if order == 5 {
                world.appliance.revoke_tokens();
            }
            sleep_until(sick + life * 2).await;
            world.nodes[0].faults().clear();
            let well = Instant::now();
            client.status().await.unwrap();
            let took = well.elapsed();
            assert!(took < Duration::from_secs(4), "order {order}: {took:?}");
            took
        });
    }
    let took = orders.join_all().await;
    println!("recovery after renewals and logins failed: {took:?}");
}

#[tokio::test]
async fn a_closed_client_lives_on_its_last_token() {
    let world = World::new().await;
    let client = world.connect().await;
    client.close();
    client.close();
    client.status().await.unwrap();
    world.appliance.revoke_tokens();
    let error = client.status().await.unwrap_err();
    assert_eq!(error.to_string(), "keycontrol: the client is closed");
}

#[tokio::test]
async fn nodes_that_share_no_tokens_can_stand_in() {
    let mut world = World::with_nodes(&[Tls::On, Tls::On]).await;
    world
        .appliance
        .set(|settings| settings.shares_tokens = false);
    let client = world.connect().await;
    client.create("key", b"value").await.unwrap();
    world.nodes[0].kill().await;
    assert_eq!(*client.checkout("key").await.unwrap(), b"value");
    assert_eq!(world.nodes[1].journal().count("Login"), 1);
    assert_eq!(world.nodes[1].journal().count("CheckoutSecret"), 2);
}
