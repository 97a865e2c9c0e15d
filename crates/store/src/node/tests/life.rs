use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use keystead_wire_kms::ApiError;
use tempfile::TempDir;

use super::*;
use crate::OperationId;
use crate::node::Role;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_confirmed_is_there_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("data");
    let Opened {
        store, initialised, ..
    } = Store::open(options(&dir)).await.unwrap();
    assert!(initialised);
    store.propose(create_enclave()).await.unwrap();
    let names = create_at_once(&store, "key", 50).await;
    let (before, root) = (store.status(), store.root());
    assert_eq!(before.role, Role::Leader);
    assert_eq!(before.leader, Some(0));
    // The root, the enclave, the keys.
    assert_eq!(before.commit, 52);
    store.close().await;
    assert!(store.check().is_err());

    let Opened {
        store,
        initialised,
        root_api_key,
        warnings,
    } = Store::open(options(&dir)).await.unwrap();
    assert!(!initialised);
    assert!(root_api_key.is_none());
    assert_eq!(warnings, [""; 0]);
    let after = store.status();
    assert_eq!(after.commit, before.commit);
    assert_eq!(after.digest, before.digest);
    assert_eq!(after.cluster, before.cluster);
    assert_eq!(store.root(), root);
    for name in &names {
        assert!(has_key(&store.state(), name));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_close_the_log_has_it() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    store.propose(create_enclave()).await.unwrap();
    // Past a checkpoint and a purge of the log, one entry each.
    for number in 0..1500 {
        store
            .propose(create_key(&format!("key-{number}")))
            .await
            .unwrap();
    }
    let before = store.status();
    drop(store);
    let store = loop {
        // The engine of the dropped store ends in the background.
        match Store::open(options(folder.path())).await {
            Ok(opened) => break opened.store,
            Err(OpenError::Data(_) | OpenError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    };
    assert_eq!(store.status().digest, before.digest);
    assert_eq!(store.status().commit, before.commit);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_directory_is_for_its_owner_alone() {
    let folder = TempDir::new().unwrap();
    let dir = folder.path().join("data");
    let store = open(&dir).await;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let mut files: Vec<_> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files, ["lock", "log.redb", "seal.json", "state.redb"]);
    for file in files {
        assert_eq!(mode(&dir.join(&file)), 0o600, "{file}");
    }
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_at_a_time() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let error = Store::open(options(folder.path())).await.err().unwrap();
    let text = error.to_string();
    let holder = format!("(process {})", std::process::id());
    assert!(matches!(error, OpenError::InUse { .. }));
    assert!(
        text.contains(&holder) && text.contains("stop it first"),
        "{text}"
    );
    store.close().await;
    open(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_twice_is_done_once() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    store.propose(create_enclave()).await.unwrap();
    let (done, refused) = (OperationId([1; 16]), OperationId([2; 16]));
    let exists = Err(ProposeError::Api(ApiError::KEY_EXISTS));
    assert_eq!(store.propose_as(done, create_key("a")).await, Ok(()));
    assert_eq!(store.propose_as(refused, create_key("a")).await, exists);
    let commit = store.state().commit();
    store.close().await;

    let store = open(folder.path()).await;
    assert_eq!(store.propose_as(done, create_key("a")).await, Ok(()));
    assert_eq!(store.propose_as(refused, create_key("b")).await, exists);
    assert_eq!(store.state().commit(), commit);
    assert!(!has_key(&store.state(), "b"));
}

#[tokio::test(flavor = "multi_thread")]
async fn creators_at_the_same_time_share_a_sync() {
    let folder = TempDir::new().unwrap();
    let disk = FaultyDisk::default();
    let store = open_on(&disk, folder.path()).await.unwrap();
    store.propose(create_enclave()).await.unwrap();
    let before = disk.syncs();
    let mut tasks = JoinSet::new();
    for task in 0..64 {
        let store = store.clone();
        tasks.spawn(async move {
            for number in 0..10 {
                let name = format!("key-{task}-{number}");
                store.propose(create_key(&name)).await.unwrap();
            }
        });
    }
    tasks.join_all().await;
    let syncs = disk.syncs() - before;
    println!("{syncs} syncs for 640 keys");
    assert!(syncs < 160, "{syncs} syncs for 640 keys");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lonely_node_may_change_its_host() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await.close().await;
    let mut moved = options(folder.path());
    moved.host = "elsewhere:7373".to_owned();
    let store = Store::open(moved).await.unwrap().store;
    let status = store.status();
    assert_eq!(status.host, "elsewhere:7373");
    assert_eq!(status.nodes[&0], "elsewhere:7373");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_with_a_hole_is_refused() {
    for file in ["seal.json", "log.redb", "state.redb"] {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path()).await;
        store.propose(create_enclave()).await.unwrap();
        store.close().await;
        fs::remove_file(folder.path().join(file)).unwrap();
        let error = Store::open(options(folder.path())).await.err().unwrap();
        let text = error.to_string();
        assert!(matches!(error, OpenError::Missing { .. }), "{text}");
        assert!(
            text.contains(file) && text.contains("restore a backup"),
            "{text}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_two_moments_are_refused() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    store.propose(create_enclave()).await.unwrap();
    store.close().await;
    let old = |file: &str| fs::read(folder.path().join(file)).unwrap();
    let (old_log, old_state) = (old("log.redb"), old("state.redb"));
    let store = open(folder.path()).await;
    for number in 0..1400 {
        let name = format!("key-{number}");
        store.propose(create_key(&name)).await.unwrap();
    }
    store.close().await;
    let (new_log, new_state) = (old("log.redb"), old("state.redb"));

    for (log, state) in [(&old_log, &new_state), (&new_log, &old_state)] {
        fs::write(folder.path().join("log.redb"), log).unwrap();
        fs::write(folder.path().join("state.redb"), state).unwrap();
        let error = Store::open(options(folder.path())).await.err().unwrap();
        assert!(matches!(error, OpenError::Mismatch { .. }), "{error}");
    }
    fs::write(folder.path().join("state.redb"), new_state).unwrap();
    let store = open(folder.path()).await;
    assert!(has_key(&store.state(), "key-1399"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_format_is_refused() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await.close().await;
    let path = folder.path().join("seal.json");
    let text = fs::read_to_string(&path).unwrap();
    let newer = text.replace("\"version\": 1", "\"version\": 2");
    assert_ne!(newer, text);
    fs::write(&path, newer).unwrap();
    let error = Store::open(options(folder.path())).await.err().unwrap();
    let text = error.to_string();
    assert!(text.contains("seal.json has format 2"), "{text}");
    assert!(text.contains("start the release that wrote it"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_disk_tells_nothing() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    store.propose(create_enclave()).await.unwrap();
    let names = create_at_once(&store, "secret-key", 20).await;
    store.rotate_root().await.unwrap();
    let more = create_at_once(&store, "secret-again", 20).await;
    store.propose(create_identity()).await.unwrap();
    store.propose(create_policy()).await.unwrap();
    store.close().await;

    let mut secrets: Vec<Vec<u8>> = vec![
        ENCLAVE.as_bytes().to_vec(),
        b"secret-policy".to_vec(),
        b"secret-tag".to_vec(),
        identity().to_string().into_bytes(),
        identity().as_bytes().to_vec(),
    ];
    for name in names.iter().chain(&more) {
        secrets.push(name.as_bytes().to_vec());
        secrets.push(bytes(name).to_vec());
        secrets.push(keystead_crypto::hex(&bytes(name)).into_bytes());
        secrets.push(
            keystead_crypto::encode_base64(&bytes(name))
                .as_bytes()
                .to_vec(),
        );
    }
    let mut by_beginning: HashMap<&[u8], Vec<&[u8]>> = HashMap::new();
    for secret in &secrets {
        by_beginning.entry(&secret[..8]).or_default().push(secret);
    }
    for entry in fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = fs::read(&path).unwrap();
        for (place, beginning) in content.windows(8).enumerate() {
            for secret in by_beginning.get(beginning).into_iter().flatten() {
                let found = content[place..].starts_with(secret);
                assert!(!found, "{} has {}", path.display(), secret.escape_ascii());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_first_start_is_made_again() {
    let folder = TempDir::new().unwrap();
    let opened = Store::open(options(folder.path())).await.unwrap();
    let first = opened.root_api_key.unwrap().identity();
    opened.store.close().await;
    let path = folder.path().join("seal.json");
    let mut seal = crate::seal::Document::read(folder.path()).unwrap().unwrap();
    seal.initialised = false;
    fs::write(&path, seal.encode().unwrap()).unwrap();
    // Cut off while it was made.
    fs::write(folder.path().join("log.redb"), [0; 4096]).unwrap();

    let opened = Store::open(options(folder.path())).await.unwrap();
    assert!(opened.initialised);
    let second = opened.root_api_key.unwrap().identity();
    assert_ne!(first, second);
    assert_eq!(opened.store.root(), second);
}
