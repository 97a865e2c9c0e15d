//! Networks and appliances that fail.

use std::time::Duration;

use http::StatusCode;
use keystead_doubles::{Authority, Fault, Tls};
use keystead_keycontrol::{Client, Error};
use tokio::time::Instant;

use crate::world::{LIMITS, World};

fn sorry(status: u16) -> Fault {
    let html = "<html><body>Service Unavailable</body></html>";
    Fault::Page(
        StatusCode::from_u16(status).unwrap(),
        "text/html",
        html.into(),
    )
}

async fn unreachable(client: &Client) -> String {
    let error = client.status().await.unwrap_err();
    assert!(error.is_unreachable(), "{error:?}");
    error.to_string()
}

#[tokio::test]
async fn failures_that_pass_are_tried_again_twice() {
    let world = World::new().await;
    let client = world.connect().await;
    let node = &world.nodes[0];
    for fault in [sorry(502), Fault::Drop, Fault::Cut] {
        node.journal().take();
        node.faults().plan(2, "GetBox", fault);
        client.status().await.unwrap();
        assert_eq!(node.journal().count("GetBox"), 3);
    }
    // The body of a create is sent whole each time.
    node.faults().plan(2, "CreateSecret", sorry(503));
    client.create("key", b"value").await.unwrap();
    assert_eq!(*client.checkout("key").await.unwrap(), b"value");

    node.journal().take();
    node.faults().plan(3, "GetBox", sorry(503));
    let error = client.status().await.unwrap_err();
    assert!(!error.is_unreachable());
    assert_eq!(
        error.to_string(),
        "keycontrol: 503 Service Unavailable: <html><body>Service Unavailable</body></html>"
    );
    assert_eq!(node.journal().count("GetBox"), 3);
    assert_eq!(world.metric("request_failures_total"), 2.0 * 4.0 + 3.0);
}

#[tokio::test]
async fn a_create_whose_answer_is_lost_says_that_the_key_exists() {
    let world = World::new().await;
    let client = world.connect().await;
    world.nodes[0]
        .faults()
        .plan(1, "CreateSecret", Fault::LoseAnswer);
    assert!(matches!(
        client.create("key", b"value").await,
        Err(Error::Exists)
    ));
    assert_eq!(*client.checkout("key").await.unwrap(), b"value");
}

#[tokio::test]
async fn a_silent_appliance_costs_what_the_limits_say() {
    let world = World::new().await;
    let client = world.connect().await;
    world.nodes[0].faults().plan(9, "GetBox", Fault::Hang);
    let start = Instant::now();
    let text = unreachable(&client).await;
    let took = start.elapsed();
    assert!(text.ends_with(": no answer within 500ms"), "{text}");
    let pauses = Duration::from_millis(200)..Duration::from_millis(1000);
    let attempts = LIMITS.attempt * 3;
    assert!(took >= attempts + pauses.start * 2, "{took:?}");
    assert!(
        took < attempts + pauses.end * 2 + Duration::from_secs(1),
        "{took:?}"
    );
    world.nodes[0].faults().clear();
    client.status().await.unwrap();
}

#[tokio::test]
async fn a_trickling_answer_counts_as_silence() {
    let world = World::new().await;
    let client = world.connect().await;
    let slow = Fault::Slow(Duration::from_millis(100));
    world.nodes[0].faults().plan(1, "GetBox", slow);
    client.status().await.unwrap();
    assert_eq!(world.nodes[0].journal().count("GetBox"), 3);
}

#[tokio::test]
async fn an_answer_may_be_too_long() {
    let world = World::new().await;
    let client = world.connect().await;
    let megabytes = "x".repeat((1 << 20) + 1);
    let fault = Fault::Page(StatusCode::OK, "application/json", megabytes);
    world.nodes[0].faults().plan(1, "GetBox", fault);
    let text = unreachable(&client).await;
    assert!(
        text.ends_with(": the answer is longer than 1048576 bytes"),
        "{text}"
    );
    client.status().await.unwrap();
}

#[tokio::test]
async fn a_killed_appliance_is_found_again() {
    let mut world = World::new().await;
    let client = world.connect().await;
    for _ in 0..2 {
        world.nodes[0].kill().await;
        let text = unreachable(&client).await;
        assert!(text.contains("Connection refused"), "{text}");
        world.nodes[0].restart().await.unwrap();
        let start = Instant::now();
        client.status().await.unwrap();
        assert!(start.elapsed() < Duration::from_secs(1));
    }
}

/// Restarted without its tokens, as after a crash.
#[tokio::test]
async fn a_restarted_appliance_may_have_forgotten_everything() {
    let mut world = World::new().await;
    let client = world.connect().await;
    world.nodes[0].kill().await;
    world.appliance.revoke_tokens();
    unreachable(&client).await;
    world.nodes[0].restart().await.unwrap();
    client.status().await.unwrap();
    assert_eq!(world.metric("logins_total"), 2.0);
}

#[tokio::test]
async fn another_node_stands_in_at_once() {
    let mut world = World::with_nodes(&[Tls::On, Tls::On]).await;
    let client = world.connect().await;
    client.create("key", b"value").await.unwrap();
    assert_eq!(world.nodes[1].journal().count(""), 0);

    world.nodes[0].kill().await;
    let start = Instant::now();
    assert_eq!(*client.checkout("key").await.unwrap(), b"value");
    let took = start.elapsed();
    println!("fail-over from a killed node: {took:?}");
    assert!(took < Duration::from_millis(200), "{took:?}");

    // The second one is asked first from now on.
    world.nodes[0].restart().await.unwrap();
    world.nodes[0].journal().take();
    client.status().await.unwrap();
    assert_eq!(world.nodes[0].journal().count(""), 0);

    for (fault, limit) in [
        (sorry(503), Duration::from_millis(200)),
        (Fault::Hang, LIMITS.attempt + Duration::from_millis(200)),
    ] {
        client.status().await.unwrap();
        world.nodes[1].faults().plan(9, "", fault.clone());
        world.nodes[0].faults().clear();
        let start = Instant::now();
        client.status().await.unwrap();
        assert!(start.elapsed() < limit, "{fault:?}");
        let start = Instant::now();
        client.status().await.unwrap();
        assert!(start.elapsed() < Duration::from_millis(200), "only once");
        // Back to the second node.
        world.nodes[1].faults().clear();
        world.nodes[0].faults().plan(1, "GetBox", sorry(503));
        client.status().await.unwrap();
    }
}

#[tokio::test]
async fn one_node_is_enough_to_begin() {
    let mut world = World::with_nodes(&[Tls::On, Tls::On]).await;
    world.nodes[0].kill().await;
    world.connect().await.status().await.unwrap();
    world.nodes[1].kill().await;
    let error = world.try_connect().await.err().unwrap();
    assert!(error.is_unreachable());
    assert!(
        error
            .to_string()
            .starts_with("keycontrol: login failed: https://127.0.0.1:")
    );
}

#[tokio::test]
async fn each_version_of_tls_alone_will_do() {
    for tls in [Tls::Only12, Tls::Only13, Tls::On, Tls::Off] {
        let world = World::with_nodes(&[tls]).await;
        world.connect().await.status().await.unwrap();
    }
}

#[tokio::test]
async fn a_foreign_certificate_is_refused_at_once() {
    let mut world = World::new().await;
    let other = Authority::new().unwrap();
    world.config.ca = Some(other.file());
    let error = world.try_connect().await.err().unwrap();
    assert!(
        error.to_string().contains("invalid peer certificate"),
        "{error}"
    );
    assert_eq!(world.nodes[0].accepted(), 1);

    world.config.ca = Some("/no/such/file".into());
    let error = world.try_connect().await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "keycontrol: open /no/such/file: No such file or directory (os error 2)"
    );
    world.config.endpoints = vec!["https://user:word@127.0.0.1".into()];
    world.config.ca = None;
    let error = world.try_connect().await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "keycontrol: invalid endpoint '127.0.0.1': credentials do not belong into the URL"
    );
}

#[tokio::test]
async fn connections_are_kept_and_few() {
    const POLLS: usize = 2000;
    let world = World::new().await;
    let client = world.connect().await;
    let start = Instant::now();
    for _ in 0..POLLS {
        client.status().await.unwrap();
    }
    let each = start.elapsed() / u32::try_from(POLLS).unwrap();
    let (accepted, open) = (world.nodes[0].accepted(), world.nodes[0].open());
    client.create("key", b"value").await.unwrap();
    let start = Instant::now();
    for _ in 0..100 {
        client.checkout("key").await.unwrap();
    }
    println!("checkout: {:?} each", start.elapsed() / 100);
    println!("{POLLS} polls: {each:?} each, {accepted} connections accepted, {open} open");
    assert_eq!((accepted, open), (1, 1));
}
