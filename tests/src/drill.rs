//! What servers are put through on every remote key store.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use keystead_client_kes::{Client, Error};
use keystead_wire_kes::ApiError;
use tokio::task::JoinSet;
use tokio::time::sleep;

/// Concurrent creates of one name.
const RIVALS: usize = 50;

/// Whether a create was told that the key exists.
#[must_use]
pub fn exists(outcome: &Result<(), Error>) -> bool {
    matches!(outcome, Err(error) if error.api() == Some(&ApiError::KEY_EXISTS))
}

/// The HTTP status of an error.
#[must_use]
pub fn status(error: &Error) -> Option<u16> {
    error.api().map(|error| error.status.as_u16())
}

/// The value of one of the metrics of remote key stores.
///
/// # Errors
///
/// If there is no such family.
pub async fn metric(client: &Client, family: &str) -> Result<f64> {
    let metrics = client.metrics().await?;
    let name = format!("keystead_keystore_{family} ");
    let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
    Ok(line.context("no such metric")?.parse()?)
}

/// Creates one key fifty times at once, by turns through two servers.
///
/// # Errors
///
/// Unless one succeeds, all others are told that it exists, and both servers have the
/// same key then.
pub async fn race(first: &Client, second: &Client, name: &str) -> Result<()> {
    let mut creates = JoinSet::new();
    for number in 0..RIVALS {
        let client = if number % 2 == 0 { first } else { second }.clone();
        let name = name.to_owned();
        creates.spawn(async move { client.create_key(&name).await });
    }
    let outcomes = creates.join_all().await;
    let created = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let refused = outcomes.iter().filter(|outcome| exists(outcome)).count();
    ensure!((created, refused) == (1, RIVALS - 1), "{outcomes:?}");
    let made = first.generate(name, b"context").await?;
    let opened = second.decrypt(name, &made.ciphertext, b"context").await?;
    ensure!(*opened.plaintext == *made.plaintext, "they have two keys");
    Ok(())
}

/// Uses a key from two sides for a while; gives the number of requests. It is read from
/// the key store each time if the cache keeps it for less than two milliseconds.
///
/// # Errors
///
/// The first failure.
pub async fn under_load(client: &Client, key: &'static str, time: Duration) -> Result<u64> {
    let end = Arc::new(AtomicBool::new(false));
    let mut workers = JoinSet::new();
    for _ in 0..2 {
        let (client, end) = (client.clone(), Arc::clone(&end));
        workers.spawn(async move {
            let mut requests = 0;
            while !end.load(Ordering::Relaxed) {
                client.generate(key, b"").await?;
                requests += 1;
                sleep(Duration::from_millis(2)).await;
            }
            anyhow::Ok(requests)
        });
    }
    sleep(time).await;
    end.store(true, Ordering::Relaxed);
    let mut requests = 0;
    while let Some(worker) = workers.join_next().await {
        requests += worker??;
    }
    Ok(requests)
}

/// Asks for the status so often, from four sides.
///
/// # Errors
///
/// If the key store was not reachable once.
pub async fn polls(client: &Client, polls: u64) -> Result<()> {
    let left = Arc::new(AtomicU64::new(polls));
    let mut workers = JoinSet::new();
    for _ in 0..4 {
        let (client, left) = (client.clone(), Arc::clone(&left));
        workers.spawn(async move {
            let one = |left: u64| left.checked_sub(1);
            let order = Ordering::Relaxed;
            while left.fetch_update(order, order, one).is_ok() {
                let status = client.status().await?;
                ensure!(!status.keystore_unreachable, "unreachable");
            }
            Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(())
}
