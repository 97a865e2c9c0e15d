//! What servers are put through on every remote key store.
#![allow(clippy::print_stdout, reason = "figures for who reads a test's output")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use keystead_client_kes::{Client, Error};
use keystead_doubles::{Fault, Faults, Server};
use keystead_wire_kes::ApiError;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Process;

/// Concurrent creates of one name.
const RIVALS: usize = 50;

/// Requests for the status.
const POLLS: u64 = 10_000;

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

/// Asks a server for its status ten thousand times.
///
/// # Errors
///
/// If the key store was not reachable once, or if files, connections or memory of the
/// server have become more.
pub async fn ten_thousand_polls(server: &Process, client: &Client) -> Result<()> {
    polls(client, POLLS / 5).await?;
    let (files, memory) = (server.descriptors()?, server.memory()?);
    let start = Instant::now();
    polls(client, POLLS).await?;
    let took = start.elapsed();
    let (files_after, memory_after) = (server.descriptors()?, server.memory()?);
    println!(
        "{POLLS} polls in {took:?}: descriptors {files} -> {files_after}, \
         memory {memory} -> {memory_after} KiB"
    );
    ensure!(files_after <= files + 4, "descriptors are left behind");
    ensure!(memory_after <= memory + 4_096, "memory is left behind");
    Ok(())
}

/// Asks for the status so often, from four sides.
async fn polls(client: &Client, polls: u64) -> Result<()> {
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

/// Ends the key store and starts it again, for a server that keeps keys in its cache.
/// Meanwhile `forget` may take away what the key store remembers of its clients.
///
/// # Errors
///
/// Unless cached keys are served all the time, everything else has its answer, and all is
/// well again within the time promised.
pub async fn outage(
    server: &Process,
    client: &Client,
    store: &mut Server,
    forget: impl FnOnce(),
) -> Result<()> {
    for name in ["cached", "uncached"] {
        client.create_key(name).await?;
    }
    client.generate("cached", b"").await?;

    store.kill().await;
    forget();
    let down = Instant::now();
    let uncached = client.generate("uncached", b"").await.err();
    ensure!(uncached.as_ref().and_then(status) == Some(502));
    client.generate("cached", b"").await?;
    ensure!(exists(&client.create_key("cached").await));
    let ready = client.ready().await.err();
    ensure!(ready.as_ref().and_then(status) == Some(504));
    ensure!(client.status().await?.keystore_unreachable);
    server.complained("key store is offline")?;
    println!("noticed after {:?}", down.elapsed());

    store.restart().await?;
    let up = Instant::now();
    client.generate("uncached", b"").await?;
    println!("keys are read again after {:?}", up.elapsed());
    ensure!(up.elapsed() < Duration::from_secs(5));
    server.complained("key store is online again")?;
    println!("online again after {:?}", up.elapsed());
    ensure!(up.elapsed() < Duration::from_secs(15));
    client.ready().await?;
    Ok(())
}

/// Lets the key store take connections and requests to paths with `path` in them, and say
/// nothing, after an [`outage`]. Meanwhile `forget` may take away what it remembers.
/// In the end there is a key of the name `new`.
///
/// # Errors
///
/// Unless cached keys are served all the time, everything else fails in time, and all is
/// well soon after the key store speaks again.
pub async fn silence(
    client: &Client,
    faults: &Faults,
    path: &str,
    forget: impl FnOnce(),
    new: &str,
) -> Result<()> {
    faults.plan(usize::MAX, path, Fault::Hang);
    forget();
    let start = Instant::now();
    let created = client.create_key("other").await;
    let took = start.elapsed();
    created.err().context("created")?;
    client.generate("cached", b"").await?;
    faults.clear();
    let well = Instant::now();
    client.create_key(new).await?;
    let recovered = well.elapsed();
    println!("silent to '{path}': a create failed in {took:?}, worked after {recovered:?}");
    ensure!(took < Duration::from_secs(17));
    ensure!(recovered < Duration::from_secs(10));
    Ok(())
}
