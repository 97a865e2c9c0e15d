//! A reload is not noticed by those who are served.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, Result};
use keystead_client_kes::Client;
use keystead_tests::{Process, Signal, Site};
use tokio::task::{JoinSet, block_in_place};

const RELOADS: usize = 1_000;
const CLIENTS: usize = 4;

/// Makes and opens data keys until told to stop.
async fn use_key(client: Client, stop: Arc<AtomicBool>, calls: Arc<AtomicU64>) -> Result<()> {
    while !stop.load(Ordering::Relaxed) {
        let made = client.generate("my-key", b"context").await?;
        let opened = client
            .decrypt("my-key", &made.ciphertext, b"context")
            .await?;
        assert!(made.plaintext == opened.plaintext);
        calls.fetch_add(2, Ordering::Relaxed);
    }
    Ok(())
}

fn descriptors(server: &Process) -> Result<usize> {
    Ok(fs::read_dir(format!("/proc/{}/fd", server.id()))?.count())
}

/// Resident memory in KiB.
fn memory(server: &Process) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().next());
    Ok(figure.context("no VmRSS")?.parse()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_reloads_fail_no_request() -> Result<()> {
    let mut site = Site::new("keys: [ { name: my-key } ]\n")?;
    let (server, banner) = site.folder.serve("kes server --config config.yml")?;

    let stop = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicU64::new(0));
    let mut users = JoinSet::new();
    for _ in 0..CLIENTS {
        let client = site.client(&banner)?;
        users.spawn(use_key(client, Arc::clone(&stop), Arc::clone(&calls)));
    }
    let mut settled = (0, 0);
    for reload in 0..RELOADS {
        server.send(Signal::HUP)?;
        block_in_place(|| server.printed("configuration after SIGHUP signal completed"))?;
        if reload == RELOADS / 10 {
            settled = (descriptors(&server)?, memory(&server)?);
        }
    }
    stop.store(true, Ordering::Relaxed);
    for user in users.join_all().await {
        user?;
    }
    let (descriptors_before, memory_before) = settled;
    let (descriptors, memory) = (descriptors(&server)?, memory(&server)?);
    println!(
        "{RELOADS} reloads, {} calls; descriptors {descriptors_before} then {descriptors}, \
         memory {memory_before} KiB then {memory} KiB",
        calls.load(Ordering::Relaxed)
    );
    // A leak of one descriptor or of one TLS set-up per reload would be far beyond this.
    assert!(descriptors <= descriptors_before + 8);
    assert!(memory <= memory_before + 8 * 1024);

    server.send(Signal::TERM)?;
    assert_eq!(server.finish()?.code, 0);
    Ok(())
}
