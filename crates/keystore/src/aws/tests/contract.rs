use std::sync::Arc;

use keystead_doubles::{AwsKeys, Moto};
use tokio::task::JoinSet;

use super::{World, config, open};
use crate::{AwsStore, Error, KeyStore, contract};

#[tokio::test]
async fn the_double_meets_the_contract() {
    let world = World::new().await;
    contract::check(async || {
        world.aws.clear();
        world.store().await
    })
    .await;
}

#[tokio::test]
async fn moto_meets_the_contract() {
    let Some(moto) = Moto::start().await.unwrap() else {
        return;
    };
    let config = config(moto.url().to_owned(), Moto::REGION, &AwsKeys::default());
    contract::check(async || {
        moto.reset().await.unwrap();
        open(&config).await.unwrap()
    })
    .await;
}

#[tokio::test]
async fn of_fifty_creates_through_two_stores_one_succeeds() {
    let world = World::new().await;
    let stores = [Arc::new(world.store().await), Arc::new(world.store().await)];
    let create = |store: Arc<AwsStore>, value: String| async move {
        (store.create("key", value.as_bytes()).await, value)
    };
    let mut creates = JoinSet::new();
    for (number, store) in stores.iter().cycle().take(50).enumerate() {
        creates.spawn(create(Arc::clone(store), number.to_string()));
    }
    let mut winners = Vec::new();
    for (outcome, value) in creates.join_all().await {
        match outcome {
            Ok(()) => winners.push(value),
            Err(error) => assert!(matches!(error, Error::KeyExists), "{error:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(world.aws.secret("key"), winners.pop());
}

#[tokio::test]
async fn status_leaves_nothing_behind() {
    let world = World::new().await;
    contract::stays_flat(&world.store().await).await;
}

#[tokio::test]
async fn status_needs_no_credentials() {
    let world = World::new().await;
    let store = world.store().await;
    world.aws.set(|settings| settings.is_expired = true);
    world.endpoint.journal().take();
    store.status().await.unwrap();
    let requests = world.endpoint.journal().take();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].method(), "GET");
    assert!(!requests[0].headers().contains_key("authorization"));
}

#[tokio::test]
async fn is_described_by_its_endpoint() {
    let world = World::new().await;
    let description = world.store().await.description();
    let url = world.endpoint.url();
    assert_eq!(description, format!("AWS SecretsManager: {url}"));
}
