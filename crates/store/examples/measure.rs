//! What a store costs: durable creates by many at once, and the start with many keys.
//!
//! `cargo run --release -p keystead-store --example measure -- DIR KEYS CLIENTS`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement that is read by a person"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use keystead_crypto::{SecretKey, SystemRandom};
use keystead_hsm::{HsmKey, SoftHsm};
use keystead_identity::KmsIdentity;
use keystead_store::{Created, Enclave, Operation, Options, Store};
use tokio::task::JoinSet;

/// Keys in one enclave.
const PER_ENCLAVE: usize = 10_000;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().unwrap());
    let keys: usize = arguments.next().unwrap().parse().unwrap();
    let clients: usize = arguments.next().unwrap().parse().unwrap();

    let store = open(&dir).await;
    let present: usize = store.state().enclaves().map(Enclave::key_count).sum();
    if present < keys {
        create(&store, present, keys, clients).await;
    }
    println!("close: {:?}", timed(store.close()).await);
    drop(store);
    let start = Instant::now();
    let store = open(&dir).await;
    println!("start with {keys} keys: {:?}", start.elapsed());
    println!("memory: {}", resident());
    store.close().await;
}

async fn open(dir: &Path) -> Store {
    let key = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let hsm = SoftHsm::new(&HsmKey::parse(key).unwrap(), Arc::new(SystemRandom));
    let options = Options::new(
        dir.to_owned(),
        "localhost:7373".to_owned(),
        vec![Arc::new(hsm.unwrap())],
    );
    Store::open(options).await.unwrap().store
}

async fn create(store: &Store, from: usize, to: usize, clients: usize) {
    let created = Created {
        at: Timestamp::now(),
        by: KmsIdentity::NOBODY,
    };
    for enclave in from.div_ceil(PER_ENCLAVE)..to.div_ceil(PER_ENCLAVE) {
        let name = format!("enclave-{enclave}");
        let operation = Operation::CreateEnclave { name, created };
        store.propose(operation).await.unwrap();
    }
    let next = Arc::new(AtomicUsize::new(from));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..clients {
        let (store, next) = (store.clone(), next.clone());
        tasks.spawn(async move {
            let mut latencies = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= to {
                    return latencies;
                }
                let operation = Operation::CreateKey {
                    enclave: format!("enclave-{}", number / PER_ENCLAVE),
                    name: format!("key-{number}"),
                    cipher: None,
                    key: SecretKey::generate(&SystemRandom).unwrap(),
                    add_version: false,
                    created,
                };
                let begin = Instant::now();
                store.propose(operation).await.unwrap();
                latencies.push(begin.elapsed());
            }
        });
    }
    let mut latencies: Vec<Duration> = tasks.join_all().await.into_iter().flatten().collect();
    latencies.sort();
    let elapsed = start.elapsed();
    let count = u32::try_from(latencies.len()).unwrap();
    let at = |part: usize| latencies.get(latencies.len() * part / 100).copied();
    println!(
        "{count} creates by {clients}: {elapsed:?}, {:.0} per second, p50 {:?}, p99 {:?}",
        f64::from(count) / elapsed.as_secs_f64(),
        at(50),
        at(99),
    );
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let start = Instant::now();
    work.await;
    start.elapsed()
}

/// Resident memory with its unit.
fn resident() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap_or_default().trim().to_owned()
}
