//! What a folder of keys looks like after its servers were killed.
//!
//! The test starts itself as writers that create keys as fast as they can and
//! print the name of each after the store has confirmed it, kills them with
//! SIGKILL in the middle of it, and reads the folder.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use keystead_keystore::{Error, FileStore, KeyStore};
use tempfile::TempDir;
use tokio::task::JoinSet;

const FOLDER: &str = "KEYSTEAD_TEST_FOLDER";
const ROUNDS: usize = 100;
/// Writers that share the folder and want the same names.
const WRITERS: usize = 2;
const TASKS: usize = 4;

/// The name of a key is in its value, which fills some pages.
fn value(name: &str) -> Vec<u8> {
    name.as_bytes().repeat(500)
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_servers_leave_whole_keys_and_lose_none() {
    let folder = TempDir::new().unwrap();
    let mut confirmed = HashSet::new();
    let mut leftovers = 0;
    for round in 0..ROUNDS {
        let mut writers: Vec<Writer> = (0..WRITERS)
            .map(|_| Writer::start(folder.path(), round))
            .collect();
        for (number, writer) in writers.iter_mut().enumerate() {
            writer.read(1 + (round + number) % 5, &mut confirmed);
        }
        for writer in writers {
            writer.kill(&mut confirmed);
        }
        leftovers += temporary_files(folder.path());
    }
    assert!(confirmed.len() > ROUNDS * WRITERS);

    let store = FileStore::open(folder.path()).await.unwrap();
    assert_eq!(temporary_files(folder.path()), 0);
    let names = store.list("", "", usize::MAX).await.unwrap();
    for name in &names {
        assert!(
            *store.get(name).await.unwrap() == value(name),
            "{name} is damaged"
        );
        let again = store.create(name, b"other").await;
        assert!(matches!(again, Err(Error::KeyExists)));
    }
    let names: HashSet<String> = names.into_iter().collect();
    let lost: Vec<_> = confirmed.difference(&names).collect();
    assert!(lost.is_empty(), "lost: {lost:?}");
    println!(
        "kills: {}, confirmed: {}, unconfirmed: {}, leftovers: {leftovers}",
        ROUNDS * WRITERS,
        confirmed.len(),
        names.len() - confirmed.len()
    );
}

/// Not a test but the program that the test starts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "started by the test above"]
async fn writer() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = FileStore::open(folder).await.unwrap();
        let round = env::var("ROUND").unwrap();
        tasks.spawn(async move {
            for number in 0.. {
                let name = format!("key-{round}-{task}-{number}");
                match store.create(&name, &value(&name)).await {
                    Ok(()) => {
                        let mut out = std::io::stdout().lock();
                        out.write_all(format!("\nconfirmed {name} .\n").as_bytes())
                            .unwrap();
                    }
                    Err(Error::KeyExists) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        });
    }
    tasks.join_all().await;
}

struct Writer {
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Writer {
    fn start(folder: &Path, round: usize) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["--ignored", "--exact", "writer", "--nocapture"])
            .env(FOLDER, folder)
            .env("ROUND", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        Self { process, output }
    }

    /// Waits for so many confirmations.
    fn read(&mut self, count: usize, confirmed: &mut HashSet<String>) {
        let mut missing = count;
        while missing > 0 {
            missing -= usize::from(self.next(confirmed).expect("the writer lives"));
        }
    }

    fn kill(mut self, confirmed: &mut HashSet<String>) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        while self.next(confirmed).is_some() {}
    }

    /// Reads a line and whether it is a confirmation; `None` at the end. A line
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
            assert!(
                confirmed.insert(name.to_owned()),
                "{name} was created twice"
            );
        }
        Some(name.is_some())
    }
}

fn temporary_files(folder: &Path) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .contains('.')
        })
        .count()
}
