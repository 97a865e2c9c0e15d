use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::slice;
use std::time::Duration;

use tempfile::tempdir;
use tokio::time::timeout;

use crate::FileWatch;

async fn next(watch: &mut FileWatch) -> Vec<PathBuf> {
    let changed = timeout(Duration::from_secs(10), watch.changed()).await;
    changed.expect("no change was noticed").unwrap()
}

#[tokio::test]
async fn files_are_rewritten_replaced_removed_and_made() {
    let folder = tempdir().unwrap();
    let [file, other] = ["file", "other"].map(|name| folder.path().join(name));
    fs::write(&file, "1").unwrap();
    let mut watch = FileWatch::new([file.clone(), other.clone()]).unwrap();

    fs::write(&file, "2").unwrap();
    assert_eq!(next(&mut watch).await, slice::from_ref(&file));

    let new = folder.path().join("new");
    fs::write(&new, "3").unwrap();
    fs::rename(&new, &file).unwrap();
    assert_eq!(next(&mut watch).await, slice::from_ref(&file));

    fs::remove_file(&file).unwrap();
    fs::write(&other, "1").unwrap();
    assert_eq!(next(&mut watch).await, [file.clone(), other]);

    fs::write(&file, "4").unwrap();
    assert_eq!(next(&mut watch).await, [file]);
}

#[tokio::test]
async fn the_same_content_again_is_no_change() {
    let folder = tempdir().unwrap();
    let [file, other] = ["file", "other"].map(|name| folder.path().join(name));
    fs::write(&file, "1").unwrap();
    let mut watch = FileWatch::new([file.clone(), other.clone()]).unwrap();
    fs::write(&file, "1").unwrap();
    fs::write(&other, "1").unwrap();
    assert_eq!(next(&mut watch).await, [other]);
}

/// Kubernetes: `file -> ..data/file`, `..data -> ..1`, and `..data` is replaced.
#[tokio::test]
async fn links_are_followed() {
    let folder = tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for version in ["..1", "..2"] {
        fs::create_dir(at(version)).unwrap();
        fs::write(at(version).join("file"), version).unwrap();
    }
    symlink("..1", at("..data")).unwrap();
    symlink("..data/file", at("file")).unwrap();
    let mut watch = FileWatch::new([at("file")]).unwrap();

    symlink("..2", at("..new")).unwrap();
    fs::rename(at("..new"), at("..data")).unwrap();
    fs::remove_dir_all(at("..1")).unwrap();
    assert_eq!(next(&mut watch).await, [at("file")]);

    // The file behind the link is watched where it is now.
    fs::write(at("..2").join("file"), "3").unwrap();
    assert_eq!(next(&mut watch).await, [at("file")]);
}

#[tokio::test]
async fn folders_and_files_in_folders_to_come() {
    let folder = tempdir().unwrap();
    let authorities = folder.path().join("CAs");
    fs::create_dir(&authorities).unwrap();
    let later = folder.path().join("later/still/file");
    let mut watch = FileWatch::new([authorities.clone(), later.clone()]).unwrap();

    fs::write(authorities.join("a.crt"), "a").unwrap();
    assert_eq!(next(&mut watch).await, slice::from_ref(&authorities));
    fs::rename(authorities.join("a.crt"), authorities.join("b.crt")).unwrap();
    assert_eq!(next(&mut watch).await, [authorities]);

    fs::create_dir_all(later.parent().unwrap()).unwrap();
    fs::write(&later, "1").unwrap();
    assert_eq!(next(&mut watch).await, [later]);
}

#[tokio::test]
async fn a_cancelled_wait_loses_nothing() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("file");
    let mut watch = FileWatch::new([file.clone()]).unwrap();
    fs::write(&file, "1").unwrap();
    // Long enough to hear of the event, too short to hear that it is quiet again.
    let cancelled = timeout(Duration::from_millis(50), watch.changed()).await;
    assert!(cancelled.is_err());
    assert_eq!(next(&mut watch).await, [file]);
}

#[tokio::test]
async fn other_files_may_be_watched_instead() {
    let folder = tempdir().unwrap();
    let [file, other] = ["file", "other"].map(|name| folder.path().join(name));
    let mut watch = FileWatch::new([file.clone()]).unwrap();
    watch.watch([other.clone()]).unwrap();
    fs::write(&file, "1").unwrap();
    fs::write(&other, "1").unwrap();
    assert_eq!(next(&mut watch).await, [other]);
}

#[tokio::test]
async fn a_folder_may_be_replaced() {
    let folder = tempdir().unwrap();
    let inner = folder.path().join("inner");
    let file = inner.join("file");
    fs::create_dir(&inner).unwrap();
    fs::write(&file, "1").unwrap();
    let mut watch = FileWatch::new([file.clone()]).unwrap();
    fs::remove_dir_all(&inner).unwrap();
    assert_eq!(next(&mut watch).await, slice::from_ref(&file));
    for content in ["2", "3"] {
        fs::create_dir_all(&inner).unwrap();
        fs::write(&file, content).unwrap();
        assert_eq!(next(&mut watch).await, slice::from_ref(&file));
    }
}

#[tokio::test]
async fn noise_in_the_folder_hides_nothing() {
    let folder = tempdir().unwrap();
    let [file, noise] = ["file", "noise"].map(|name| folder.path().join(name));
    let mut watch = FileWatch::new([file.clone()]).unwrap();
    fs::write(&file, "1").unwrap();
    let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
    let noise = tokio::task::spawn_blocking(move || {
        while stopped.try_recv().is_err() {
            fs::write(&noise, "noise").unwrap();
        }
    });
    assert_eq!(next(&mut watch).await, [file]);
    stop.send(()).unwrap();
    noise.await.unwrap();
}
