use std::time::Duration;

use tokio::time::Instant;

use super::super::patience::PATIENCE;
use super::fake::Kind;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_failure_ends_it_after_what_is_under_way() {
    let mut world = World::with_keys(100);
    world.target.plan("create key-030", 1, Kind::Fails);
    let told = world.migrate().await;
    let error = told.error();
    let first = "failed to migrate 'key-030': the target: key store failed: permission denied\n";
    assert!(error.starts_with(first), "{error}");
    let migrated = told.total("migrated");
    // Those behind the failed one that were under way.
    assert_eq!(migrated, 45);
    assert_eq!((told.total("failed"), told.total("left")), (1, 54));
    let last = "45 of 100 keys are on the target. Run the same command again to continue.";
    assert!(error.ends_with(last), "{error}");
    assert_eq!(world.target.values().len(), 45);
    assert_eq!(told.statuses()[30], ("key-030", "failed"));

    let told = world.migrate_again().await;
    assert!(told.result.is_ok());
    assert_eq!((told.total("present"), told.total("migrated")), (45, 55));
    assert_eq!(world.target.values(), world.source.values());
}

#[tokio::test(start_paused = true)]
async fn it_goes_on_after_failures_and_conflicts_if_told_to() {
    let mut world = World::with_keys(100);
    world.keep_going = true;
    world.sample = Sample::All;
    world.source.plan("get key-007", 1, Kind::Fails);
    world.target.put("key-008", b"other");
    let told = world.migrate().await;
    let error = told.error();
    assert!(error.contains("'key-007': the source: "), "{error}");
    assert!(
        error.contains("'key-008': key already exists with another value"),
        "{error}"
    );
    assert_eq!((told.total("migrated"), told.total("left")), (98, 0));
    assert_eq!(told.total("proven"), 98);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_is_waited_for() {
    let world = World::with_keys(50);
    world.source.plan("list", 2, Kind::Away);
    world.target.plan("create", 40, Kind::Away);
    let told = world.migrate().await;
    told.result.unwrap();
    assert_eq!(world.target.values(), world.source.values());
    let source = "The source is away: key store is not reachable: connection refused. \
                  Trying again for 120 seconds.\n";
    assert_eq!(world.notes().first().unwrap(), source);
    assert!(world.notes().len() < 6, "{:?}", world.notes());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_stays_away_ends_it_in_two_minutes() {
    let mut world = World::with_keys(100);
    world.keep_going = true;
    let target = Arc::clone(&world.target);
    let outage = move || target.plan("create", usize::MAX, Kind::Away);
    world
        .target
        .plan("create key-040", 1, Kind::After(Arc::new(outage)));
    let start = Instant::now();
    let told = world.migrate().await;
    assert!(start.elapsed() < PATIENCE + Duration::from_secs(5));
    assert!(start.elapsed() > PATIENCE / 2);
    assert!(
        told.error().contains("key store is not reachable"),
        "{}",
        told.error()
    );
    assert!(told.total("left") >= 30 && told.total("failed") <= 16);
    assert!(world.migrate_again().await.result.is_ok());
    assert_eq!(world.target.values(), world.source.values());
}

#[tokio::test(start_paused = true)]
async fn a_create_whose_answer_got_lost_is_no_conflict() {
    let world = World::with_keys(5);
    world.target.plan("create key-003", 1, Kind::LostAnswer);
    let told = world.migrate().await;
    assert!(told.result.is_ok());
    assert_eq!(told.statuses()[3], ("key-003", "present"));
    assert_eq!(world.target.values(), world.source.values());
}

#[tokio::test(start_paused = true)]
async fn interrupting_ends_the_wait_for_a_store() {
    let world = World::with_keys(5);
    world.target.plan("create", usize::MAX, Kind::Away);
    let halt = world.halt.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(10)).await;
        halt.cancel();
    });
    let start = Instant::now();
    let told = world.migrate().await;
    assert!(start.elapsed() < Duration::from_secs(11));
    assert_eq!(told.total("failed"), 5);
    assert!(
        told.error().contains("Nothing was written."),
        "{}",
        told.error()
    );
}

#[tokio::test(start_paused = true)]
async fn any_crash_is_followed_by_a_complete_run() {
    for crash in 1..60 {
        let mut world = World::with_keys(20);
        world.conflict = Conflict::Replace;
        for number in (0..20).step_by(3) {
            world.target.put(&format!("key-{number:03}"), b"other");
        }
        let time = Duration::from_millis(crash * 5);
        let crashed = tokio::time::timeout(time, world.migrate()).await.is_err();
        let told = world.migrate_again().await;
        told.result.unwrap();
        assert_eq!(
            world.target.values(),
            world.source.values(),
            "{crash} {crashed}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_listed_is_named() {
    let world = World::with_keys(5);
    world.target.plan("list", 1, Kind::Fails);
    let told = world.migrate().await;
    let expected = "failed to list the keys: the target: key store failed: permission denied";
    assert_eq!(told.error(), expected);
}
