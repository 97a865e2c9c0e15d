//! What a data directory holds after its server was killed, a thousand times.
//!
//! The test starts itself as servers that change their state from many tasks and
//! print the name of each key after its change was confirmed, kills them with
//! SIGKILL in the middle of it, and starts the next one on the same directory. Every
//! start compares the digest of all records with the one that was recorded.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::thread;

use jiff::Timestamp;
use keystead_crypto::{SecretKey, SystemRandom, sha256};
use keystead_hsm::{HsmKey, SoftHsm};
use keystead_identity::KmsIdentity;
use keystead_store::{Created, Operation, Options, ProposeError, Store};
use tempfile::TempDir;
use tokio::task::JoinSet;

const FOLDER: &str = "KEYSTEAD_TEST_FOLDER";
const ROUND: &str = "KEYSTEAD_TEST_ROUND";
const KILLS: usize = 1000;
/// Directories that are killed at the same time.
const DIRECTORIES: usize = 4;
/// Who changes the state of a server at the same time.
const TASKS: usize = 8;
const ENCLAVE: &str = "enclave";

async fn open(folder: &Path) -> Store {
    let key = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let key = HsmKey::parse(key).unwrap();
    let hsm = Arc::new(SoftHsm::new(&key, Arc::new(SystemRandom)).unwrap());
    let options = Options::new(folder.to_owned(), "localhost:7373".to_owned(), vec![hsm]);
    Store::open(options).await.unwrap().store
}

fn created() -> Created {
    Created {
        at: Timestamp::UNIX_EPOCH,
        by: KmsIdentity::NOBODY,
    }
}

/// The bytes of a key follow from its name.
fn bytes(name: &str) -> [u8; 32] {
    sha256(name.as_bytes())
}

fn create_enclave(name: &str) -> Operation {
    Operation::CreateEnclave {
        name: name.to_owned(),
        created: created(),
    }
}

fn create_key(enclave: &str, name: &str) -> Operation {
    Operation::CreateKey {
        enclave: enclave.to_owned(),
        name: name.to_owned(),
        cipher: None,
        key: SecretKey::from_bytes(bytes(name)),
        add_version: false,
        created: created(),
    }
}

#[test]
fn killed_servers_lose_nothing_and_leave_nothing_half_done() {
    let threads: Vec<_> = (0..DIRECTORIES)
        .map(|_| thread::spawn(|| kill_on_one_directory(KILLS / DIRECTORIES)))
        .collect();
    let confirmed: usize = threads.into_iter().map(|it| it.join().unwrap()).sum();
    println!("kills: {KILLS}, confirmed: {confirmed}");
    assert!(confirmed > KILLS);
}

fn kill_on_one_directory(kills: usize) -> usize {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("data");
    let mut confirmed = HashSet::new();
    for round in 0..kills {
        let mut server = Server::start(&dir, round);
        // Killed at the first start, between changes, and in the middle of many.
        if round % 5 > 0 {
            server.read(round % 13, &mut confirmed);
        }
        server.kill(&mut confirmed);
    }

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let state = runtime.block_on(async { open(&dir).await.state() });
    let enclave = state.enclave(ENCLAVE).expect("the enclave is there");
    for name in &confirmed {
        let key = enclave
            .key(name)
            .unwrap_or_else(|| panic!("{name} is lost"));
        assert_eq!(key.ring().latest().key.expose(), &bytes(name));
    }
    confirmed.len()
}

/// Not a test but the server that the test starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the test above"]
async fn server() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else {
        return;
    };
    let round = env::var(ROUND).unwrap();
    let store = open(&folder).await;
    match store.propose(create_enclave(ENCLAVE)).await {
        Ok(()) | Err(ProposeError::Api(_)) => {}
        Err(error) => panic!("{error}"),
    }
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let (store, round) = (store.clone(), round.clone());
        tasks.spawn(async move {
            for number in 0.. {
                let name = format!("key-{round}-{task}-{number}");
                store.propose(create_key(ENCLAVE, &name)).await.unwrap();
                let line = format!("\nconfirmed {name} .\n");
                std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
                // Changes of many records: all of them or none.
                if number % 4 == 0 {
                    let enclave = format!("enclave-{round}-{task}-{number}");
                    store.propose(create_enclave(&enclave)).await.unwrap();
                    for key in 0..4 {
                        let key = format!("key-{key}");
                        store.propose(create_key(&enclave, &key)).await.unwrap();
                    }
                    let delete = Operation::DeleteEnclave { name: enclave };
                    store.propose(delete).await.unwrap();
                }
            }
        });
    }
    tasks.join_all().await;
}

struct Server {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(folder: &Path, round: usize) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "server", "--nocapture"])
            .env(FOLDER, folder)
            .env(ROUND, round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// Waits for so many confirmations, after the one that says that it is up.
    fn read(&mut self, count: usize, confirmed: &mut HashSet<String>) {
        let mut missing = count + 1;
        while missing > 0 {
            missing -= usize::from(self.next(confirmed).expect("the server lives"));
        }
    }

    fn kill(mut self, confirmed: &mut HashSet<String>) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        while self.next(confirmed).is_some() {}
    }

    /// Reads a line and whether it is a confirmation; `None` at the end. A line that
    /// the kill cut off confirms nothing.
    fn next(&mut self, confirmed: &mut HashSet<String>) -> Option<bool> {
        let mut line = String::new();
        if self.output.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        let name = line
            .strip_prefix("confirmed ")
            .and_then(|line| line.strip_suffix(" .\n"));
        if let Some(name) = name {
            let new = confirmed.insert(name.to_owned());
            assert!(new, "{name} was created twice");
        }
        Some(name.is_some())
    }
}
