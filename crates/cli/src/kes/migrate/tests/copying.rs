use super::fake::Kind;
use super::*;

#[tokio::test(start_paused = true)]
async fn keys_are_copied_byte_for_byte_in_the_order_of_their_names() {
    let world = World::with_keys(10);
    world.source.put("legacy", LEGACY);
    world.source.put("no-key", b"\xff not even text\n");
    let told = world.migrate().await;
    told.result.unwrap();
    assert_eq!(world.target.values(), world.source.values());
    let names: Vec<_> = told
        .lines
        .iter()
        .filter_map(|line| line["name"].as_str())
        .collect();
    let sorted: Vec<_> = world.source.values().into_keys().collect();
    assert_eq!(names, sorted);
}

#[tokio::test(start_paused = true)]
async fn the_pattern_chooses_and_the_last_line_counts() {
    let mut world = World::with_keys(12);
    world.pattern = "key-00[1-3]";
    world
        .target
        .put("key-002", &world.source.value("key-002").unwrap());
    world.target.put("mine", b"alone");
    let told = world.migrate().await;
    assert!(told.result.is_ok());
    let statuses = [
        ("key-001", "migrated"),
        ("key-002", "present"),
        ("key-003", "migrated"),
    ];
    assert_eq!(told.statuses(), statuses);
    let figures = ["keys", "migrated", "present", "failed", "left"].map(|name| told.total(name));
    assert_eq!(figures, [3, 2, 1, 0, 0]);
    assert_eq!(world.target.values().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn equal_values_are_no_conflict_under_any_rule() {
    for conflict in [Conflict::Fail, Conflict::Keep, Conflict::Replace] {
        let mut world = World::with_keys(7);
        world.conflict = conflict;
        assert!(world.migrate().await.result.is_ok());
        let told = world.migrate_again().await;
        assert!(told.result.is_ok(), "{conflict:?}");
        assert_eq!((told.total("present"), told.total("migrated")), (7, 0));
        assert_eq!(world.target.called("delete"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn conflicts_end_a_migration_before_anything_is_written() {
    let world = World::with_keys(40);
    for number in 20..35 {
        world.target.put(&format!("key-{number:03}"), &a_key());
    }
    let told = world.migrate().await;
    let error = told.error();
    let first = "failed to migrate 'key-020': key already exists with another value\n";
    assert!(error.starts_with(first), "{error}");
    let last = "and 5 more\nNothing was written. \
                Use '--merge' to keep the target's values, '--force' to replace them.";
    assert!(error.ends_with(last), "{error}");
    assert_eq!(told.statuses().len(), 15);
    assert_eq!((told.total("conflicts"), told.total("left")), (15, 25));
    assert_eq!(world.target.called("create"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_arises_meanwhile_is_one() {
    let world = World::with_keys(1);
    let target = Arc::clone(&world.target);
    let rival = Kind::After(Arc::new(move || target.put("key-000", b"other")));
    world.target.plan("create key-000", 1, rival);
    let told = world.migrate().await;
    assert_eq!(told.statuses(), [("key-000", "conflict")]);
    assert!(told.error().contains("--merge"), "{}", told.error());
    assert_eq!(world.target.value("key-000").unwrap(), b"other");
}

#[tokio::test(start_paused = true)]
async fn merging_keeps_and_forcing_replaces_what_differs() {
    for (conflict, status) in [(Conflict::Keep, "skipped"), (Conflict::Replace, "replaced")] {
        let mut world = World::with_keys(3);
        world.conflict = conflict;
        world.target.put("key-001", b"other");
        let told = world.migrate().await;
        assert!(told.result.is_ok());
        let statuses = [
            ("key-000", "migrated"),
            ("key-001", status),
            ("key-002", "migrated"),
        ];
        assert_eq!(told.statuses(), statuses);
        let kept = world.target.value("key-001").unwrap() == b"other";
        assert_eq!(kept, conflict == Conflict::Keep);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dry_run_writes_nothing_and_tells_every_conflict() {
    let mut world = World::with_keys(40);
    world.dry_run = true;
    world.source.plan("get key-039", 1, Kind::Fails);
    for number in 10..30 {
        world.target.put(&format!("key-{number:03}"), &a_key());
    }
    let before = world.target.values();
    let told = world.migrate().await;
    assert_eq!((told.total("conflicts"), told.total("migrated")), (20, 19));
    assert_eq!((told.total("failed"), told.total("left")), (1, 0));
    assert!(
        told.error().contains("Nothing was written."),
        "{}",
        told.error()
    );
    assert_eq!(world.target.values(), before);
    let writes = world.target.called("create") + world.target.called("delete");
    assert_eq!(writes, 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_only_listed_is_gone() {
    let world = World::with_keys(2);
    world.source.plan("get key-000", 1, Kind::NotFound);
    let told = world.migrate().await;
    assert!(told.result.is_ok());
    assert_eq!(
        told.statuses(),
        [("key-000", "gone"), ("key-001", "migrated")]
    );
}

#[tokio::test(start_paused = true)]
async fn sixteen_keys_are_under_way_at_once() {
    let world = World::with_keys(100);
    assert!(world.migrate().await.result.is_ok());
    assert_eq!(world.source.busiest(), 16);
}

#[tokio::test(start_paused = true)]
async fn nobody_needs_to_read_what_is_printed() {
    let mut world = World::with_keys(60);
    world.conflict = Conflict::Replace;
    for number in 0..60 {
        world.target.put(&format!("key-{number:03}"), b"other");
    }
    world.readable = 3;
    let told = world.migrate().await;
    let error = told.result.unwrap_err();
    let error = error.downcast::<io::Error>().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    // No key is left deleted.
    assert_eq!(world.target.values().len(), 60);
    assert!(world.migrate_again().await.result.is_ok());
    assert_eq!(world.target.values(), world.source.values());
}
