use std::fs;

use anyhow::Result;

use super::{Site, a_key, lines, total};

#[test]
fn a_dry_run_changes_nothing() -> Result<()> {
    let site = Site::new()?;
    site.configure_folder("old")?;
    site.fill("old", 30)?;
    site.configure("new", "  fs: { path: new }\n")?;
    let told = site.migrate("old", "new", "--dry-run")?;
    assert_eq!((total(&told, "migrated")?, told.len()), (30, 31));
    assert!(told.last().is_some_and(|totals| totals["dry_run"] == true));
    assert!(!site.folder.path().join("new").exists());

    fs::create_dir(site.folder.path().join("new"))?;
    for number in 5..8 {
        site.folder
            .write(&format!("new/key-0000{number}"), &a_key()?)?;
    }
    let before = site.files("new")?;
    for (options, figure) in [("--merge", "skipped"), ("--force", "replaced")] {
        let told = site.migrate("old", "new", &format!("--dry-run {options}"))?;
        assert_eq!(total(&told, figure)?, 3);
        assert!(site.files("new")? == before);
    }
    let refused = site
        .folder
        .run("kes migrate --from old.yml --to new.yml --dry-run")?;
    assert_eq!(refused.code, 1);
    assert_eq!(total(&lines(&refused.stdout)?, "conflicts")?, 3);
    let stderr = "Error: failed to migrate 'key-00005': key already exists with another value\n\
                  failed to migrate 'key-00006': key already exists with another value\n\
                  failed to migrate 'key-00007': key already exists with another value\n\
                  Nothing was written. \
                  Use '--merge' to keep the target's values, '--force' to replace them.\n";
    assert_eq!(refused.stderr, stderr);
    assert!(site.files("new")? == before);
    Ok(())
}

#[test]
fn one_store_under_two_names_is_refused_or_does_no_harm() -> Result<()> {
    let site = Site::new()?;
    site.configure_folder("old")?;
    site.fill("old", 3)?;
    let before = site.files("old")?;
    site.configure("same", "  fs: { path: ./old/../old }\n")?;
    std::os::unix::fs::symlink("old", site.folder.path().join("link"))?;
    site.configure("link", "  fs: { path: link }\n")?;
    for to in ["old", "same", "link"] {
        let refused = site
            .folder
            .run(&format!("kes migrate --force --from old.yml --to {to}.yml"))?;
        let expected = format!("Error: 'old.yml' and '{to}.yml' have the same key store\n");
        assert_eq!((refused.code, refused.stderr), (1, expected));
    }
    assert!(site.files("old")? == before);
    Ok(())
}

#[test]
fn a_source_that_is_not_there_is_an_error() -> Result<()> {
    let site = Site::new()?;
    site.configure("old", "  fs: { path: tpyo }\n")?;
    site.configure_folder("new")?;
    let refused = site.folder.run("kes migrate --from old.yml --to new.yml")?;
    let expected = "Error: the folder 'tpyo' of the source does not exist: \
                    see keystore.fs.path in 'old.yml'\n";
    assert_eq!((refused.code, refused.stderr.as_str()), (1, expected));
    assert!(!site.folder.path().join("tpyo").exists());

    let dead = "  vault: { endpoint: 'http://127.0.0.1:9', approle: { id: a, secret: b } }\n";
    site.configure("dead", dead)?;
    let refused = site
        .folder
        .run("kes migrate --from dead.yml --to new.yml")?;
    assert_eq!(refused.code, 1);
    let expected = "Error: failed to open the source (dead.yml): key store is not reachable: ";
    assert!(refused.stderr.starts_with(expected), "{}", refused.stderr);
    Ok(())
}

#[test]
fn wrong_options_are_refused_before_anything_is_opened() -> Result<()> {
    let site = Site::new()?;
    site.configure_folder("old")?;
    site.configure("new", "  fs: { path: new }\n")?;
    site.folder.write("proof", "key aGk\n")?;
    for (options, error) in [
        (
            "--proof some",
            "invalid argument \"some\" for \"--proof\" flag: neither a number nor 'all'. \
             See 'kes migrate --help'",
        ),
        (
            "--proof-ciphertext proof",
            "proof:1: invalid ciphertext: invalid base64. Write 'NAME CIPHERTEXT [CONTEXT]'",
        ),
        (
            "[",
            "invalid pattern '[': Pattern syntax error near position 0: invalid range pattern",
        ),
    ] {
        let line = format!("kes migrate --from old.yml --to new.yml {options}");
        let refused = site.folder.run(&line)?;
        assert_eq!(refused.stderr, format!("Error: {error}\n"));
        assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    }
    assert!(!site.folder.path().join("new").exists());
    Ok(())
}
