use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;

use super::*;
use crate::contract;

async fn store_in(folder: &Path) -> FileStore {
    FileStore::open(folder).await.unwrap()
}

fn file_names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn cause<T>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::Failed(cause) | Error::Unreachable(cause)) => cause.to_string(),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("success"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn meets_the_contract() {
    let folder = TempDir::new().unwrap();
    let stores = AtomicUsize::new(0);
    contract::check(async || {
        let number = stores.fetch_add(1, Ordering::Relaxed);
        store_in(&folder.path().join(number.to_string())).await
    })
    .await;
}

#[tokio::test]
async fn status_calls_leave_nothing_behind() {
    let folder = TempDir::new().unwrap();
    contract::stays_flat(&store_in(folder.path()).await).await;
}

#[tokio::test]
async fn creates_the_folder_with_its_parents() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a/b");
    let store = store_in(&path).await;
    assert_eq!(mode(&path), 0o755);
    assert_eq!(mode(&folder.path().join("a")), 0o755);
    assert_eq!(
        store.description(),
        format!("Filesystem: {}", path.display())
    );
    store_in(&path).await;
}

#[tokio::test]
async fn refuses_a_path_that_is_no_folder() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("file");
    File::create(&path).unwrap();
    for path in [path.clone(), path.join("below")] {
        let message = cause(FileStore::open(&path).await);
        assert!(message.contains(path.to_str().unwrap()), "{message}");
    }
}

#[tokio::test]
async fn a_key_is_one_private_file_with_nothing_but_the_value() {
    let folder = TempDir::new().unwrap();
    let store = store_in(folder.path()).await;
    store.create("my-key", b"value").await.unwrap();
    assert_eq!(file_names(folder.path()), ["my-key"]);
    assert_eq!(fs::read(folder.path().join("my-key")).unwrap(), b"value");
    assert_eq!(mode(&folder.path().join("my-key")), 0o600);
    store.delete("my-key").await.unwrap();
    assert_eq!(file_names(folder.path()), [""; 0]);
}

#[tokio::test]
async fn refuses_names_that_are_paths() {
    let folder = TempDir::new().unwrap();
    let store = store_in(&folder.path().join("keys")).await;
    fs::write(folder.path().join("outside"), "x").unwrap();
    for name in [
        "",
        ".",
        "..",
        "../outside",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "a.b",
        ".keystead-1",
    ] {
        let expected = "key name contains invalid character";
        assert_eq!(cause(store.create(name, b"value").await), expected);
        assert_eq!(cause(store.get(name).await), expected);
        assert_eq!(cause(store.delete(name).await), expected);
    }
    assert_eq!(fs::read(folder.path().join("outside")).unwrap(), b"x");
    cause(store.create("nul\0byte", b"value").await);
    assert_eq!(file_names(&folder.path().join("keys")), [""; 0]);
}

#[tokio::test]
async fn lists_only_what_can_be_a_key() {
    let folder = TempDir::new().unwrap();
    let store = store_in(folder.path()).await;
    store.create("key", b"value").await.unwrap();
    let path = |name: &str| folder.path().join(name);
    for foreign in [
        "README.md",
        "-dash",
        "dash-",
        "_",
        "blank name",
        "ü",
        ".hidden",
    ] {
        fs::write(path(foreign), "x").unwrap();
    }
    fs::create_dir(path("folder")).unwrap();
    fs::write(path(".target"), "linked").unwrap();
    symlink(path(".target"), path("linked")).unwrap();
    symlink(path("nowhere"), path("dangling")).unwrap();
    symlink(path("folder"), path("linked-folder")).unwrap();
    assert_eq!(
        store.list("", "", usize::MAX).await.unwrap(),
        ["key", "linked"]
    );
}

#[tokio::test]
async fn links_are_followed_and_everything_but_files_is_an_error() {
    let folder = TempDir::new().unwrap();
    let store = store_in(folder.path()).await;
    let path = |name: &str| folder.path().join(name);
    fs::write(path(".target"), "linked").unwrap();
    symlink(path(".target"), path("linked")).unwrap();
    symlink(path("nowhere"), path("dangling")).unwrap();
    fs::create_dir(path("folder")).unwrap();
    let pipe = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mknodat(
        rustix::fs::CWD,
        path("pipe"),
        rustix::fs::FileType::Fifo,
        pipe,
        0,
    )
    .unwrap();

    assert_eq!(*store.get("linked").await.unwrap(), b"linked");
    assert!(matches!(
        store.get("dangling").await,
        Err(Error::KeyNotFound)
    ));
    for name in ["folder", "pipe"] {
        assert!(cause(store.get(name).await).ends_with("not a regular file"));
    }
    for name in ["linked", "dangling", "folder", "pipe"] {
        assert!(matches!(
            store.create(name, b"value").await,
            Err(Error::KeyExists)
        ));
    }
    cause(store.delete("folder").await);
    store.delete("linked").await.unwrap();
    assert_eq!(fs::read(path(".target")).unwrap(), b"linked");
}

#[tokio::test]
async fn reads_at_most_one_mebibyte() {
    let folder = TempDir::new().unwrap();
    let store = store_in(folder.path()).await;
    fs::write(folder.path().join("large"), vec![b'x'; 1024 * 1024]).unwrap();
    assert_eq!(store.get("large").await.unwrap().len(), 1024 * 1024);
    fs::write(folder.path().join("larger"), vec![b'x'; 1024 * 1024 + 1]).unwrap();
    assert!(cause(store.get("larger").await).ends_with("larger than 1 MiB"));
}

#[tokio::test]
async fn reads_what_an_editor_or_another_server_wrote() {
    let folder = TempDir::new().unwrap();
    let store = store_in(folder.path()).await;
    let path = folder.path().join("edited");
    fs::write(&path, "value\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    assert_eq!(*store.get("edited").await.unwrap(), b"value\n");
}

#[tokio::test]
async fn is_unreachable_without_its_folder_and_recovers() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("keys");
    let store = store_in(&path).await;
    fs::rename(&path, folder.path().join("moved")).unwrap();
    assert!(matches!(store.status().await, Err(Error::Unreachable(_))));
    cause(store.list("", "", 1).await);
    cause(store.create("key", b"value").await);
    fs::write(&path, "a file").unwrap();
    assert!(matches!(store.status().await, Err(Error::Unreachable(_))));
    fs::remove_file(&path).unwrap();
    fs::rename(folder.path().join("moved"), &path).unwrap();
    store.status().await.unwrap();
    store.create("key", b"value").await.unwrap();
}

#[tokio::test]
async fn opening_removes_leftovers_but_nothing_in_use() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path(".keystead-dead"), "half a val").unwrap();
    fs::create_dir(path(".keystead-folder")).unwrap();
    symlink(path("key"), path(".keystead-link")).unwrap();
    for kept in ["key", "notes.txt", ".hidden"] {
        fs::write(path(kept), "x").unwrap();
    }
    let in_use = File::create(path(".keystead-live")).unwrap();
    in_use.lock().unwrap();

    store_in(folder.path()).await;
    assert_eq!(
        file_names(folder.path()),
        [
            ".hidden",
            ".keystead-folder",
            ".keystead-link",
            ".keystead-live",
            "key",
            "notes.txt"
        ]
    );
    drop(in_use);
    store_in(folder.path()).await;
    assert!(!path(".keystead-live").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_share_a_folder_let_one_create_win() {
    let folder = TempDir::new().unwrap();
    for round in 0..20 {
        let name = format!("key-{round}");
        let create = async |value: &'static [u8]| {
            // Opening removes leftovers while the others create.
            store_in(folder.path())
                .await
                .create(&name, value)
                .await
                .is_ok()
        };
        let (a, b, c) = tokio::join!(create(b"a"), create(b"b"), create(b"c"));
        assert_eq!(usize::from(a) + usize::from(b) + usize::from(c), 1);
        let value = fs::read(folder.path().join(&name)).unwrap();
        assert_eq!(
            value,
            if a {
                b"a"
            } else if b {
                b"b"
            } else {
                b"c"
            }
        );
    }
    assert_eq!(file_names(folder.path()).len(), 20);
}
