//! Disks that fail: the node stops with a reason and never serves wrong data.

use tempfile::TempDir;

use super::*;
use crate::disk::faulty::{Dice, Faults};
use crate::node::HsmError;
use crate::{Digest, log, tables};

/// A store on a disk without faults yet.
async fn store() -> (TempDir, FaultyDisk, Store) {
    let folder = TempDir::new().unwrap();
    let disk = FaultyDisk::default();
    let store = open_on(&disk, folder.path()).await.unwrap();
    store.propose(create_enclave()).await.unwrap();
    (folder, disk, store)
}

/// After the power was cut: everything that was confirmed is there, and whole.
async fn reopen(disk: &FaultyDisk, folder: &TempDir, confirmed: &[String]) -> Store {
    let store = open_on(disk, folder.path()).await.unwrap();
    let state = store.state();
    for name in confirmed {
        assert!(has_key(&state, name), "{name} is lost");
    }
    store
}

fn assert_stopped(store: &Store, error: &ProposeError) {
    let stopped = store.check().unwrap_err();
    let text = stopped.to_string();
    assert!(text.contains(".redb"), "{text}");
    assert!(
        matches!(
            error,
            ProposeError::Stopped(_) | ProposeError::Unavailable { .. }
        ),
        "{error:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_sync_stops_the_node() {
    for after in [1, 2, 3, 5, 8, 13, 40] {
        let (folder, disk, store) = store().await;
        disk.set_faults(Faults {
            failing_sync: Some(disk.syncs() + after),
            ..Faults::default()
        });
        let (confirmed, error) = create_until_refused(&store, "key").await;
        assert_stopped(&store, &error);
        let served = store.state();
        for name in &confirmed {
            assert!(has_key(&served, name));
        }
        assert!(store.propose(create_key("later")).await.is_err());
        store.close().await;
        disk.crash(&mut Dice(after));
        reopen(&disk, &folder, &confirmed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_node() {
    for after in [0, 1, 4, 10, 33, 100] {
        let (folder, disk, store) = store().await;
        disk.set_faults(Faults {
            writes_left: Some(after),
            ..Faults::default()
        });
        let (confirmed, error) = create_until_refused(&store, "key").await;
        assert_stopped(&store, &error);
        store.close().await;
        // Space again, without a power cut.
        let disk = disk.copy();
        reopen(&disk, &folder, &confirmed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_cannot_grow_stop_the_node() {
    let (folder, disk, store) = store().await;
    disk.set_faults(Faults {
        capacity: Some(disk.used() + 100_000),
        ..Faults::default()
    });
    let (confirmed, error) = create_until_refused(&store, "key").await;
    assert_stopped(&store, &error);
    store.close().await;
    let disk = disk.copy();
    reopen(&disk, &folder, &confirmed).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn power_cuts_lose_nothing() {
    let mut dice = Dice(4711);
    let (folder, disk, mut store) = store().await;
    let mut confirmed = Vec::new();
    for round in 0..30 {
        let creating = {
            let store = store.clone();
            tokio::spawn(async move { create_until_refused(&store, &format!("r{round}")).await })
        };
        let enough = disk.syncs() + 3 + u64::try_from(dice.below(30)).unwrap();
        while disk.syncs() < enough {
            tokio::task::yield_now().await;
        }
        disk.crash(&mut dice);
        let (names, error) = creating.await.unwrap();
        assert_stopped(&store, &error);
        confirmed.extend(names);
        store.close().await;
        store = reopen(&disk, &folder, &confirmed).await;
    }
    assert!(confirmed.len() > 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn power_cuts_while_records_move_to_a_new_root_key_lose_nothing() {
    let mut dice = Dice(815);
    let (folder, disk, mut store) = store().await;
    let mut confirmed = create_at_once(&store, "before", 3000).await;
    for round in 0..12 {
        let creating = {
            let store = store.clone();
            tokio::spawn(async move { create_until_refused(&store, &format!("r{round}")).await })
        };
        match store.rotate_root().await {
            Ok(_) | Err(HsmError::Rotating) => {}
            Err(error) => panic!("{error}"),
        }
        let enough = disk.syncs() + u64::try_from(dice.below(12)).unwrap();
        while disk.syncs() < enough {
            tokio::task::yield_now().await;
        }
        disk.crash(&mut dice);
        confirmed.extend(creating.await.unwrap().0);
        store.close().await;
        store = reopen(&disk, &folder, &confirmed).await;
    }
    while store.status().root_keys > 1 {
        assert_eq!(store.check(), Ok(()));
        tokio::task::yield_now().await;
    }
}

/// What is true of a store, whichever moment it was opened at.
fn content(store: &Store) -> (u64, Digest) {
    let state = store.state();
    (state.commit(), state.digest())
}

#[tokio::test(flavor = "multi_thread")]
async fn flipped_bits_are_found() {
    let (folder, disk, store) = store().await;
    create_at_once(&store, "key", 200).await;
    let right = content(&store);
    // Killed: the log holds what the tables do not. And ended in order.
    let killed = disk.copy();
    store.close().await;
    let mut dice = Dice(42);
    let (mut refused, mut harmless) = (0, 0);
    for (image, file) in [
        (&killed, log::FILE),
        (&killed, tables::FILE),
        (&disk, log::FILE),
        (&disk, tables::FILE),
    ] {
        for _ in 0..50 {
            let disk = image.copy();
            disk.flip(file, dice.below(disk.len(file)), dice.below(8));
            match open_on(&disk, folder.path()).await {
                Ok(store) => {
                    assert_eq!(content(&store), right);
                    harmless += 1;
                    store.close().await;
                }
                Err(error) => {
                    let text = error.to_string();
                    assert!(text.contains(".redb"), "{text}");
                    refused += 1;
                }
            }
        }
    }
    println!("refused {refused}, harmless {harmless}");
    assert!(refused > 0);
}
