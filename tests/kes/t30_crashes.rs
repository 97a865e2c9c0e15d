//! A key that was acknowledged is there, whatever happens to the server.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use keystead_client_kes::Client;
use keystead_tests::{Signal, Site};
use keystead_wire_kes::ApiError;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

const KILLS: usize = 1_000;
const CLIENTS: usize = 4;

/// Creates keys until the server is gone, and says which were acknowledged.
async fn create_keys(client: Client, prefix: String, created: UnboundedSender<String>) {
    for number in 0.. {
        let name = format!("{prefix}-{number}");
        if client.create_key(&name).await.is_err() || created.send(name).is_err() {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_kills_lose_no_acknowledged_key() -> Result<()> {
    let mut site = Site::new("log: { error: off }\n")?;
    let mut acknowledged = BTreeSet::new();
    let mut latest: Vec<String> = Vec::new();
    for kill in 0..KILLS {
        let (server, client) = site.start()?;
        for name in &latest {
            assert_eq!(client.describe_key(name).await?.name, *name);
        }
        acknowledged.extend(latest.drain(..));

        let (sender, mut created) = unbounded_channel();
        let mut creators = JoinSet::new();
        for number in 0..CLIENTS {
            let prefix = format!("kill-{kill}-{number}");
            creators.spawn(create_keys(client.clone(), prefix, sender.clone()));
        }
        drop(sender);
        // The point of the kill moves with the number of keys it waits for; the other
        // creates are anywhere between their first byte and their answer.
        for _ in 0..kill % 11 {
            latest.extend(created.recv().await);
        }
        server.send(Signal::KILL)?;
        server.finish()?;
        creators.shutdown().await;
        while let Some(name) = created.recv().await {
            latest.push(name);
        }
    }
    acknowledged.extend(latest);
    let (_server, client) = site.start()?;
    let listed: BTreeSet<_> = client.list_keys("").await?.into_iter().collect();
    assert!(acknowledged.is_subset(&listed));
    for name in &listed {
        client.describe_key(name).await?;
    }
    println!(
        "{KILLS} kills, {} keys acknowledged, {} stored",
        acknowledged.len(),
        listed.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creates_of_one_name_one_succeeds() -> Result<()> {
    let mut site = Site::new("")?;
    let (_server, client) = site.start()?;
    let exists = Arc::new(ApiError::KEY_EXISTS);
    for round in 0..20 {
        let mut creates = JoinSet::new();
        for _ in 0..50 {
            let (client, name) = (client.clone(), format!("one-{round}"));
            creates.spawn(async move { client.create_key(&name).await });
        }
        let mut successes = 0;
        for outcome in creates.join_all().await {
            match outcome {
                Ok(()) => successes += 1,
                Err(error) => assert_eq!(error.api(), Some(&*exists), "{error}"),
            }
        }
        assert_eq!(successes, 1);
    }
    Ok(())
}
