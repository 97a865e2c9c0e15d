use std::fs;
use std::os::unix::fs::symlink;

use anyhow::Result;
use keystead_doubles::Tls;
use serde_json::json;

use super::{Site, a_key, lines, total};

/// A key as releases before 2024-02-29 stored it.
fn legacy() -> String {
    json!({
        "bytes": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "algorithm": "AES256-GCM_SHA256",
        "created_at": "2022-02-22T22:22:22Z",
        "created_by": "me",
    })
    .to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_kind_arrive_as_they_are_and_foreign_files_stay() -> Result<()> {
    let site = Site::new()?;
    let keycontrol = site.keycontrol(Tls::On).await?;
    for name in ["old", "new"] {
        site.configure_folder(name)?;
    }
    let bytes: Vec<u8> = (0..=255).collect();
    let values = [
        ("b-key", a_key()?.into_bytes()),
        ("a-legacy", legacy().into_bytes()),
        // As an editor leaves it.
        ("c-newline", (a_key()? + "\n").into_bytes()),
        ("d-text", b"not a key".to_vec()),
        ("e-bytes", bytes),
        ("f-large", vec![b'x'; 500_000]),
    ];
    let old = site.folder.path().join("old");
    for (name, value) in &values {
        fs::write(old.join(name), value)?;
    }
    // As Kubernetes mounts secrets.
    symlink(old.join("b-key"), old.join("g-link"))?;
    for foreign in ["README.md", ".hidden", "-x", "_", "a b"] {
        fs::write(old.join(foreign), "foreign")?;
    }
    fs::create_dir(old.join("folder"))?;
    symlink("nowhere", old.join("dangling"))?;

    let lines = site.migrate("old", "box", "--proof all")?;
    assert_eq!((total(&lines, "keys")?, total(&lines, "migrated")?), (7, 7));
    assert_eq!(
        (total(&lines, "proven")?, total(&lines, "unprovable")?),
        (4, 3)
    );
    let proof = |name: &str| {
        let mut proofs = lines.iter().filter(|line| line["name"] == name);
        proofs.find_map(|line| line["proof"].as_str())
    };
    assert_eq!(proof("a-legacy"), Some("proven"));
    assert_eq!(proof("e-bytes"), Some("unprovable"));
    assert!(keycontrol.appliance.secret_data("g-link").is_some());

    site.migrate("box", "new", "")?;
    let files = site.files("new")?;
    for (name, value) in &values {
        assert!(files.get(*name) == Some(value), "{name}");
    }
    assert_eq!(files.len(), values.len() + 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_store_cannot_hold_is_named() -> Result<()> {
    let site = Site::new()?;
    let Some(bao) = site.openbao().await? else {
        return Ok(());
    };
    site.configure_folder("old")?;
    site.fill("old", 40)?;
    fs::write(site.folder.path().join("old/key-00020"), b"\xff\xfe")?;
    let line = "kes migrate --from old.yml --to bao.yml";
    let failed = site.folder.run(line)?;
    assert_eq!(failed.code, 1);
    let expected = "Error: failed to migrate 'key-00020': the target: key store failed: \
                    the value is not UTF-8 text\n";
    assert!(failed.stderr.starts_with(expected), "{}", failed.stderr);
    let advice = " of 40 keys are on the target. Run the same command again to continue.\n";
    assert!(failed.stderr.ends_with(advice), "{}", failed.stderr);

    let failed = site
        .folder
        .run(&format!("{line} --keep-going --proof all"))?;
    assert_eq!(failed.code, 1);
    let told = lines(&failed.stdout)?;
    assert_eq!((total(&told, "failed")?, total(&told, "left")?), (1, 0));
    assert_eq!(total(&told, "proven")?, 39);

    // A key that is only marked as deleted is listed by OpenBao; nobody misses it.
    fs::remove_file(site.folder.path().join("old/key-00020"))?;
    bao.request("DELETE", "", "kv/data/keys/key-00005", None)
        .await?;
    site.configure_folder("new")?;
    let told = site.migrate("bao", "new", "")?;
    assert_eq!((total(&told, "gone")?, total(&told, "migrated")?), (1, 38));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_printed() -> Result<()> {
    let site = Site::new()?;
    let keycontrol = site.keycontrol(Tls::On).await?;
    site.configure_folder("old")?;
    site.fill("old", 50)?;
    let password = keycontrol.appliance.settings().password;
    let mut printed = String::new();
    keycontrol.appliance.put_secret("key-00030", "b3RoZXI=");
    for options in ["--dry-run", "", "--merge", "--force --proof all"] {
        let line = format!("kes migrate --from old.yml --to box.yml {options}");
        let done = site.folder.run(&line)?;
        printed += &(done.stdout + &done.stderr);
    }
    keycontrol
        .appliance
        .set(|settings| settings.password = "x".into());
    let refused = site.folder.run("kes migrate --from old.yml --to box.yml")?;
    assert!(
        refused.stderr.contains("login failed"),
        "{}",
        refused.stderr
    );
    printed += &refused.stderr;
    assert!(!printed.contains(&password), "{printed}");
    for value in site.files("old")?.into_values() {
        let value = String::from_utf8(value)?;
        assert!(!printed.contains(&value));
    }
    Ok(())
}
