use std::time::Duration;

use anyhow::Result;
use keystead_tests::drill::{metric, ten_thousand_polls, under_load};

use super::World;

/// With it, nearly every request goes to the key store.
const NO_CACHE: &str = "cache: { expiry: { any: 1ms, unused: 1ms } }\n";

#[tokio::test(flavor = "multi_thread")]
async fn ten_lives_of_the_shortest_token_pass_without_a_failed_request() -> Result<()> {
    let Some(mut world) = World::development(1, "kv", "v2").await? else {
        return Ok(());
    };
    world.configure(NO_CACHE)?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    let requests = under_load(&client, "key", Duration::from_secs(10)).await?;
    let logins = metric(&client, "logins_total").await?;
    let reads = metric(&client, "request_seconds_count").await?;
    println!("{requests} requests, none failed; {logins} logins, {reads} requests to OpenBao");
    assert!(logins >= 10.0);
    assert!(reads > 100.0, "the key came out of the cache");
    assert_eq!(metric(&client, "login_failures_total").await?, 0.0);
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_renewed_and_its_successor_unnoticed() -> Result<()> {
    let Some(mut world) = World::development(30, "kv", "v2").await? else {
        return Ok(());
    };
    world.configure(NO_CACHE)?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    let requests = under_load(&client, "key", Duration::from_secs(32)).await?;
    assert_eq!(metric(&client, "logins_total").await?, 1.0);
    assert_eq!(metric(&client, "renewals_total").await?, 1.0);
    let ttl = metric(&client, "token_ttl_seconds").await?;
    println!("{requests} requests, none failed; the renewed token lives for {ttl} seconds");
    assert!(ttl > 15.0);
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_status_polls_leave_nothing_behind() -> Result<()> {
    let Some(mut world) = World::development(300, "kv", "v2").await? else {
        return Ok(());
    };
    let (server, client) = world.start()?;
    ten_thousand_polls(&server, &client).await?;
    server.stop()?;
    Ok(())
}
