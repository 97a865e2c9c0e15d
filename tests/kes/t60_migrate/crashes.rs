use std::collections::BTreeMap;

use anyhow::{Context, Result};
use keystead_doubles::Tls;
use keystead_tests::Signal;

use super::{Site, a_key, lines, total};

const KEYS: usize = 2_000;

#[test]
fn interrupting_ends_it_between_keys_and_the_next_run_completes_it() -> Result<()> {
    for signal in [Signal::INT, Signal::TERM] {
        let site = Site::new()?;
        for name in ["old", "new"] {
            site.configure_folder(name)?;
        }
        site.fill("old", KEYS)?;
        let run = site
            .folder
            .start("kes migrate --from old.yml --to new.yml")?;
        run.printed("key-00100")?;
        run.send(signal)?;
        let end = run.finish()?;
        assert_eq!(end.code, 1);
        let done = site.files("new")?;
        let stderr = format!(
            "Stopping after the keys that are under way; interrupt again to stop at once.\n\
             Error: interrupted\n{} of {KEYS} keys are on the target. \
             Run the same command again to continue.\n",
            done.len()
        );
        assert_eq!(end.stderr, stderr);
        let told = lines(&end.stdout)?;
        let left = u64::try_from(KEYS - done.len())?;
        assert_eq!(total(&told, "left")?, left);
        assert!(left > 0);
        let again = site.migrate("old", "new", "")?;
        assert_eq!(total(&again, "migrated")?, left);
        assert!(site.files("new")? == site.files("old")?);
    }
    Ok(())
}

/// Whatever it does when it is killed, a key of the target has its old value, its new one,
/// or is missing until the next run.
#[test]
fn replacing_can_be_killed_at_any_time() -> Result<()> {
    let site = Site::new()?;
    for name in ["old", "new"] {
        site.configure_folder(name)?;
    }
    site.fill("old", 300)?;
    let source = site.files("old")?;
    let line = "kes migrate --force --from old.yml --to new.yml";
    for kill in (0..250).step_by(25) {
        let mut other = BTreeMap::new();
        for name in source.keys() {
            let value = a_key()?;
            site.folder.write(&format!("new/{name}"), &value)?;
            other.insert(name.clone(), value.into_bytes());
        }
        let run = site.folder.start(line)?;
        run.printed(&format!("key-{kill:05}"))?;
        run.send(Signal::KILL)?;
        run.finish()?;
        let target = site.files("new")?;
        let target: BTreeMap<_, _> = target
            .into_iter()
            .filter(|(name, _)| !name.starts_with(".keystead-"))
            .collect();
        let missing = source.len() - target.len();
        assert!(missing <= 16, "{missing} keys are missing");
        for (name, value) in &target {
            assert!(source.get(name) == Some(value) || other.get(name) == Some(value));
        }
        site.migrate("old", "new", "--force")?;
        assert!(site.files("new")? == source);
        assert!(site.files("old")? == source);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_goes_away_and_returns_is_waited_for() -> Result<()> {
    let site = Site::new()?;
    let mut keycontrol = site.keycontrol(Tls::On).await?;
    site.configure_folder("old")?;
    site.fill("old", KEYS)?;
    let run = site
        .folder
        .start("kes migrate --from old.yml --to box.yml")?;
    run.printed("key-00200")?;
    keycontrol.node.kill().await;
    run.complained("The target is away: key store is not reachable: ")?;
    keycontrol.appliance.revoke_tokens();
    keycontrol.node.restart().await?;
    let end = run.finish()?;
    assert_eq!(end.code, 0, "{}", end.stderr);
    let told = end.stdout.lines().last().context("no totals")?;
    assert!(told.contains("\"left\":0,\"proven\":16,"), "{told}");
    Ok(())
}
