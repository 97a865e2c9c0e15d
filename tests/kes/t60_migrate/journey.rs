use std::time::Instant;

use anyhow::{Context, Result, ensure};
use keystead_doubles::Tls;
use keystead_tests::Signal;

use super::{Site, total};

const KEYS: usize = 10_000;

/// What a killed run has printed before it is killed, in keys.
const KILLED_AT: u64 = 2_500;

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_keys_go_round_and_are_the_same_though_every_hop_is_killed() -> Result<()> {
    let site = Site::new()?;
    let Some(bao) = site.openbao().await? else {
        return Ok(());
    };
    let keycontrol = site.keycontrol(Tls::Off).await?;
    site.configure_folder("first")?;
    site.configure_folder("last")?;
    site.fill("first", KEYS)?;
    let original = site.files("first")?;

    let start = Instant::now();
    println!("{}", hop(&site, "first", "bao")?);
    let entry = bao
        .request("GET", "", "kv/data/keys/key-01234", None)
        .await?;
    let stored = entry["data"]["data"]["key-01234"].as_str();
    let value = original.get("key-01234").context("no such key")?;
    assert_eq!(stored.map(str::as_bytes), Some(value.as_slice()));

    println!("{}", hop(&site, "bao", "box")?);
    assert!(keycontrol.appliance.secret_data("key-09999").is_some());

    println!("{}", hop(&site, "box", "last")?);
    assert!(site.files("last")? == original);
    println!("{KEYS} keys, three hops: {:?}", start.elapsed());
    Ok(())
}

/// Migrates everything; the first run is killed. Gives figures.
fn hop(site: &Site, from: &str, to: &str) -> Result<String> {
    let start = Instant::now();
    let run = site
        .folder
        .start(&format!("kes migrate --from {from}.yml --to {to}.yml"))?;
    run.printed(&format!("{{\"name\":\"key-{KILLED_AT:05}\","))?;
    run.send(Signal::KILL)?;
    let end = run.finish()?;
    ensure!(end.code == -1, "it ended before it was killed");
    let killed = start.elapsed();
    let lines = site.migrate(from, to, "--proof 100")?;
    let (migrated, present) = (total(&lines, "migrated")?, total(&lines, "present")?);
    ensure!(
        present >= KILLED_AT && migrated > 1_000 && migrated + present == 10_000,
        "{migrated} migrated, {present} present"
    );
    ensure!(total(&lines, "proven")? == 100, "some are not proven");
    Ok(format!(
        "{from} -> {to}: killed after {killed:?}; {present} keys were there then, \
         {migrated} more and the proof took {:?}",
        start.elapsed() - killed
    ))
}
