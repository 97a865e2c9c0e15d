use anyhow::Result;
use keystead_tests::drill::{race, status};
use serde_json::json;

use super::World;

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creates_through_two_servers_one_succeeds() -> Result<()> {
    let Some(mut world) = World::development(300, "kv", "v2").await? else {
        return Ok(());
    };
    let (_one, first) = world.start()?;
    let (_two, second) = world.start()?;
    for round in 0..5 {
        race(&first, &second, &format!("key-{round}")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_was_written_by_hand_is_a_key() -> Result<()> {
    let Some(mut world) = World::development(300, "kv1", "v1").await? else {
        return Ok(());
    };
    let legacy = json!({"bytes": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}).to_string();
    let entry = json!({ "old": legacy });
    world
        .bao
        .request("PUT", "", "kv1/keys/old", Some(entry))
        .await?;
    let (server, client) = world.start()?;
    let made = client.generate("old", b"context").await?;
    let opened = client.decrypt("old", &made.ciphertext, b"context").await?;
    assert_eq!(*opened.plaintext, *made.plaintext);
    let refused = client.hmac("old", b"message").await.err();
    assert_eq!(refused.as_ref().and_then(status), Some(409));
    assert_eq!(client.list_keys("").await?, ["old"]);
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_on_an_engine_of_another_version() -> Result<()> {
    for (engine, version, remedy) in [("kv", "v1", "v2"), ("kv1", "v2", "v1")] {
        let Some(world) = World::development(300, engine, version).await? else {
            return Ok(());
        };
        let refused = world.site.folder.run("kes server --config config.yml")?;
        assert_eq!(refused.code, 1);
        let message = format!(
            "the K/V engine '{engine}' does not have version {version}: \
             write 'version: {remedy}'"
        );
        assert!(refused.stderr.contains(&message), "{}", refused.stderr);
    }
    Ok(())
}
