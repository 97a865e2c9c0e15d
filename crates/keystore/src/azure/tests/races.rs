//! Several servers and one name, with the waits of the field.

use tokio::task::JoinSet;

use super::*;

/// Creates one key through each of the stores at once; how many succeeded, how many
/// were told that it exists, and the value of the one that succeeded.
async fn race(stores: &[Arc<AzureKeyVaultStore>], name: &'static str) -> (usize, usize, String) {
    let mut creates = JoinSet::new();
    for (number, store) in stores.iter().enumerate() {
        let store = Arc::clone(store);
        let value = format!("value {number}");
        creates.spawn(async move { (store.create(name, value.as_bytes()).await, value) });
    }
    let mut counts = (0, 0, String::new());
    for (outcome, value) in creates.join_all().await {
        match outcome {
            Ok(()) => {
                counts.0 += 1;
                counts.2 = value;
            }
            Err(Error::KeyExists) => counts.1 += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    counts
}

fn servers(world: &World, number: usize) -> Vec<Arc<AzureKeyVaultStore>> {
    (0..number).map(|_| Arc::new(world.store())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_servers_one_creates_the_key() {
    let world = World::patient().await;
    // So that they do not see each other's versions before they write their own.
    world
        .azure
        .set(|settings| settings.lag = Duration::from_millis(1_500));
    let stores = servers(&world, 50);
    for store in &stores {
        let absent = store.get("key").await.map(drop);
        assert!(matches!(absent, Err(Error::KeyNotFound)));
    }
    let (created, refused, winner) = race(&stores, "key").await;
    assert_eq!((created, refused), (1, 49));
    let versions = world.azure.versions("key").len();
    println!("{versions} versions");
    assert!(versions > 1, "there was no race");
    for store in &stores {
        assert!(*store.get("key").await.unwrap() == winner.as_bytes());
    }
}

/// A write may be seen later than it was dated, as long as that is less than two seconds.
#[tokio::test(flavor = "multi_thread")]
async fn versions_that_are_seen_late_make_no_second_winner() {
    let world = World::patient().await;
    world
        .azure
        .set(|settings| settings.lag = Duration::from_millis(1_900));
    let stores = servers(&world, 10);
    let (created, refused, winner) = race(&stores, "key").await;
    assert_eq!((created, refused), (1, 9));
    for store in &stores {
        assert!(*store.get("key").await.unwrap() == winner.as_bytes());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_creates_through_two_servers_leave_two_versions() {
    let world = World::patient().await;
    let two = servers(&world, 2);
    let stores: Vec<_> = two.iter().cycle().take(50).cloned().collect();
    let (created, refused, winner) = race(&stores, "key").await;
    assert_eq!((created, refused), (1, 49));
    assert!(world.azure.versions("key").len() <= 2);
    assert!(*two[1].get("key").await.unwrap() == winner.as_bytes());
}

/// A key that is read while it is being created is the one that it will be.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_waits_until_it_is_settled_which_version_counts() {
    let world = World::patient().await;
    let store = Arc::new(world.store());
    world.azure.put_secret("key", "second");
    let reader = Arc::clone(&store);
    let start = Instant::now();
    let read = tokio::spawn(async move { reader.get("key").await });
    while world.vault.journal().count("/secrets/key/versions") == 0 {
        tokio::task::yield_now().await;
    }
    world.azure.put_secret("key", "first");
    world.azure.change("key", |versions| {
        versions[1].created = versions[0].created;
        versions[1].id = "0".repeat(32);
    });
    assert!(*read.await.unwrap().unwrap() == b"first");
    assert!(start.elapsed() < SETTLE + Duration::from_secs(2));
    // From now on nobody waits.
    let start = Instant::now();
    assert!(*store.get("key").await.unwrap() == b"first");
    assert!(start.elapsed() < Duration::from_secs(1));
}

/// A create that was confirmed is settled for everybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_is_read_without_a_wait() {
    let world = World::patient().await;
    let store = world.store();
    store.create("key", b"value").await.unwrap();
    let start = Instant::now();
    assert!(*world.store().get("key").await.unwrap() == b"value");
    assert!(start.elapsed() < Duration::from_secs(1));
}
