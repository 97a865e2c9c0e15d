//! `kes config check`: what it finds, and what has to be granted.
#![cfg(test)]

mod appliances;
mod keycontrol;
mod openbao;

use std::fs;

use anyhow::{Context, Result};
use keystead_tests::{Finished, Folder, Site};
use serde_json::{Value, json};

const CHECK: &str = "kes config check config.yml";

/// The checks of a key store in their order.
const ALL: [&str; 7] = [
    "configuration",
    "connect",
    "status",
    "create",
    "read",
    "list",
    "delete",
];

/// What a check printed, an object per line.
fn outcomes(done: &Finished) -> Result<Vec<Value>> {
    let lines = done.stdout.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .with_context(|| format!("{done:?}"))
}

/// The checks with this status, without those of certificates.
fn with_status(outcomes: &[Value], status: &str) -> Vec<String> {
    let wanted = outcomes
        .iter()
        .filter(|outcome| outcome["status"] == status && outcome["check"] != "tls");
    wanted
        .filter_map(|outcome| outcome["check"].as_str().map(str::to_owned))
        .collect()
}

fn run(folder: &Folder, line: &str) -> Result<(i32, Vec<Value>)> {
    let done = folder.run(line)?;
    Ok((done.code, outcomes(&done)?))
}

fn keys(site: &Site) -> Result<usize> {
    Ok(fs::read_dir(site.folder.path().join("keys"))?.count())
}

#[test]
fn a_good_configuration_passes() -> Result<()> {
    let site = Site::new("cache: { expirey: 1m }\n")?;
    let (code, found) = run(&site.folder, CHECK)?;
    assert_eq!(
        (code, with_status(&found, "ok")),
        (0, ALL.map(str::to_owned).to_vec())
    );
    let warning = found[0]["message"].as_str().context("no message")?;
    assert!(
        warning.starts_with("config.yml:5:10: cache.expirey: "),
        "{warning}"
    );
    // Certificates of `kes identity new` are valid for 30 days.
    let tls: Vec<_> = found
        .iter()
        .filter(|found| found["check"] == "tls")
        .collect();
    assert_eq!(tls[0]["status"], "warning");
    let message = tls[1]["message"].as_str().context("no message")?;
    assert!(message.contains("is valid until 20"), "{message}");
    assert_eq!(keys(&site)?, 0, "the key is removed");

    let (code, found) = run(&site.folder, &format!("{CHECK} --read-only --json"))?;
    assert_eq!(code, 0);
    let expected = ["configuration", "connect", "status", "read", "list"];
    assert_eq!(with_status(&found, "ok"), expected);

    fs::remove_dir(site.folder.path().join("keys"))?;
    for flag in ["--offline", "--no-connect"] {
        let (code, found) = run(&site.folder, &format!("{CHECK} {flag}"))?;
        assert_eq!((code, with_status(&found, "ok").len()), (0, 1));
    }
    assert!(!site.folder.path().join("keys").exists());
    Ok(())
}

#[test]
fn faults_are_named_with_their_place() -> Result<()> {
    let site = Site::new("cache: { expiry: { any: -5s } }\n")?;
    let (code, found) = run(&site.folder, CHECK)?;
    assert_eq!((code, found.len()), (1, 1));
    let message = found[0]["message"].as_str().context("no message")?;
    assert_eq!(found[0]["status"], "failed");
    assert!(
        message.contains("\n  at config.yml:5:25, cache.expiry.any\n"),
        "{message}"
    );

    let site = Site::new("")?;
    fs::copy(
        site.folder.path().join("client.key"),
        site.folder.path().join("private.key"),
    )?;
    let (code, found) = run(&site.folder, &format!("{CHECK} --offline"))?;
    assert_eq!(code, 1);
    assert_eq!(
        found[1],
        json!({"check": "tls", "status": "failed",
               "message": "private key does not match the certificate"})
    );

    site.folder.write("file", "")?;
    let config = site.folder.read("config.yml")?;
    site.folder
        .write("config.yml", &config.replace("path: keys", "path: file"))?;
    let (code, found) = run(&site.folder, CHECK)?;
    assert_eq!(
        (code, with_status(&found, "failed")),
        (1, vec!["connect".to_owned()])
    );

    for (line, message) in [
        (
            "kes config check",
            "Error: no configuration file specified. See 'kes config check --help'\n",
        ),
        (
            "kes config check a b",
            "Error: too many arguments. See 'kes config check --help'\n",
        ),
    ] {
        let refused = site.folder.run(line)?;
        assert_eq!((refused.code, refused.stderr.as_str()), (1, message));
    }
    assert_eq!(site.folder.run("kes config")?.code, 2);
    Ok(())
}
