use super::fake::Kind;
use super::*;

fn one_conflict() -> World {
    let mut world = World::with_keys(1);
    world.conflict = Conflict::Replace;
    world.target.put("key-000", b"other");
    world
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_before_its_successor_was_read() {
    let world = one_conflict();
    // The first time it is compared.
    let read = Kind::After(Arc::new(|| {}));
    world.source.plan("get key-000", 1, read);
    world.source.plan("get key-000", 1, Kind::Fails);
    let told = world.migrate().await;
    let expected = "failed to migrate 'key-000': the source: key store failed: permission denied";
    assert!(told.error().starts_with(expected), "{}", told.error());
    assert_eq!(world.target.called("delete"), 0);
    assert_eq!(world.target.value("key-000").unwrap(), b"other");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_not_replaced_by_a_value_that_is_none() {
    let world = one_conflict();
    world.source.put("key-000", b"half a ke");
    let key = a_key();
    world.target.put("key-000", &key);
    let told = world.migrate().await;
    assert!(
        told.error().contains("a value that is none"),
        "{}",
        told.error()
    );
    assert_eq!(world.target.value("key-000").unwrap(), key);
    assert_eq!(world.target.called("delete"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_old_value_returns_if_the_new_one_is_refused() {
    let world = one_conflict();
    world.target.plan("create key-000", 1, Kind::Exists);
    world.target.plan("create key-000", 1, Kind::Fails);
    let told = world.migrate().await;
    assert!(
        told.error().contains("has the old one again"),
        "{}",
        told.error()
    );
    assert_eq!(world.target.value("key-000").unwrap(), b"other");
}

#[tokio::test(start_paused = true)]
async fn a_key_that_got_lost_is_named_and_comes_with_the_next_run() {
    let mut world = one_conflict();
    world.target.plan("create key-000", 1, Kind::Exists);
    world.target.plan("create key-000", usize::MAX, Kind::Away);
    let told = world.migrate().await;
    assert!(
        told.error().contains("was deleted on the target"),
        "{}",
        told.error()
    );
    assert_eq!(world.target.value("key-000"), None);
    assert!(world.migrate_again().await.result.is_ok());
    assert_eq!(world.target.values(), world.source.values());
}

#[tokio::test(start_paused = true)]
async fn a_crash_between_delete_and_create_is_made_good_by_the_next_run() {
    let mut world = one_conflict();
    world.target.plan("create key-000", 1, Kind::Exists);
    world.target.plan("create key-000", 1, Kind::Hangs);
    let crash = tokio::time::timeout(std::time::Duration::from_secs(9), world.migrate()).await;
    assert!(crash.is_err());
    assert_eq!(world.target.values().len(), 0);
    let told = world.migrate_again().await;
    assert_eq!(told.statuses(), [("key-000", "migrated")]);
    assert_eq!(world.target.values(), world.source.values());
}

#[tokio::test(start_paused = true)]
async fn a_store_may_take_its_time_to_give_a_name_away_again() {
    let world = one_conflict();
    world.target.plan("create key-000", 5, Kind::Exists);
    let told = world.migrate().await;
    assert_eq!(told.statuses(), [("key-000", "replaced")]);
    assert_eq!(world.target.values(), world.source.values());
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_replacement_comes_to_its_end() {
    let mut world = World::with_keys(50);
    world.conflict = Conflict::Replace;
    for number in 0..50 {
        world.target.put(&format!("key-{number:03}"), b"other");
    }
    let halt = world.halt.clone();
    world.target.plan(
        "delete key-020",
        1,
        Kind::After(Arc::new(move || halt.cancel())),
    );
    // A store that comes back later.
    world.target.plan("create key-020", 1, Kind::Exists);
    world.target.plan("create key-020", 3, Kind::Away);
    let told = world.migrate().await;
    assert!(
        told.error().starts_with("interrupted\n"),
        "{}",
        told.error()
    );
    assert_eq!(world.target.values().len(), 50);
    assert_ne!(world.target.value("key-020").unwrap(), b"other");
    assert!(told.total("left") > 0);
    assert!(world.migrate_again().await.result.is_ok());
    assert_eq!(world.target.values(), world.source.values());
}
