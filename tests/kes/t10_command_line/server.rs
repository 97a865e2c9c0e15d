//! Commands that talk to a server.

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{assert_error, document, output, server};

#[test]
fn keys_are_created_described_used_and_deleted() -> Result<()> {
    let (folder, _server) = server()?;
    assert_eq!(output(&folder, "kes key ls -k")?, "");
    assert_eq!(output(&folder, "kes key ls -k --json")?, "[]\n");
    assert_eq!(
        output(&folder, "kes key create -k -e ignored b-1 a-1 b-2")?,
        ""
    );
    assert_eq!(output(&folder, "kes key ls -k")?, "Key\na-1\nb-1\nb-2\n");
    assert_eq!(output(&folder, "kes ls -k")?, "Key\na-1\nb-1\nb-2\n");
    assert_eq!(output(&folder, "kes key list -k b-*")?, "Key\nb-1\nb-2\n");
    assert_eq!(
        output(&folder, "kes ls -k --json b")?,
        "[\"b-1\",\"b-2\"]\n"
    );

    let info = output(&folder, "kes key info -k a-1")?;
    let labels: Vec<_> = info
        .lines()
        .filter_map(|line| line.split_at_checked(12))
        .collect();
    assert_eq!(labels[0], ("Name        ", "a-1"));
    assert_eq!(labels[1].0, "Algorithm   ");
    assert_eq!(labels[2].0, "Date        ");
    assert_eq!(labels[3].0, "Owner       ");
    assert_eq!(labels.len(), 4);
    let info = document(&folder, "kes key info -k --json a-1")?;
    assert_eq!(
        (&info["name"], &info["created_by"]),
        (&json!("a-1"), &json!(labels[3].1))
    );

    let dek = output(&folder, "kes key dek -k a-1 Y29udGV4dA==")?;
    assert!(
        dek.starts_with("{\"plaintext\":\"") && dek.ends_with("\"}"),
        "{dek}"
    );
    let dek: Value = serde_json::from_str(&dek)?;
    let sealed = dek["ciphertext"].as_str().context("no ciphertext")?;
    let opened = document(
        &folder,
        &format!("kes key decrypt -k a-1 {sealed} Y29udGV4dA=="),
    )?;
    assert_eq!(opened["plaintext"], dek["plaintext"]);
    assert_error(
        &folder,
        &format!("kes key decrypt -k a-1 {sealed}"),
        "failed to decrypt ciphertext: decryption failed: ciphertext is not authentic",
    )?;
    let dek = document(&folder, "kes key derive -k a-1")?;
    assert!(dek["plaintext"].is_string() && dek["ciphertext"].is_string());

    assert_error(
        &folder,
        "kes key create -k c-1 a-1 d-1",
        "failed to create key \"a-1\": key already exists",
    )?;
    assert_eq!(
        output(&folder, "kes key rm -k --json c-1")?,
        "{\"name\":\"c-1\",\"status\":\"deleted\"}\n"
    );
    assert_eq!(output(&folder, "kes key delete -k b-1 b-2")?, "");
    assert_error(
        &folder,
        "kes key rm -k b-1",
        "failed to remove key \"b-1\": key does not exist",
    )?;
    assert_error(
        &folder,
        "kes key info -k b-1",
        "failed to describe keys: key does not exist",
    )?;
    assert_error(
        &folder,
        "kes key dek -k b-1",
        "failed to derive key: key does not exist",
    )
}

#[test]
fn imports_check_the_key() -> Result<()> {
    let (folder, _server) = server()?;
    let done = folder.run("kes key import -k a no-base64!")?;
    assert!(
        done.stderr.starts_with("Error: invalid key: "),
        "{}",
        done.stderr
    );
    assert_error(
        &folder,
        "kes key import -k a c2hvcnQ=",
        "failed to import \"a\": invalid key size for 'AES256'",
    )
}

#[test]
fn the_server_is_looked_at() -> Result<()> {
    let (folder, _server) = server()?;
    let status = output(&folder, "kes status -k")?;
    assert!(status.starts_with("● 127.0.0.1:"), "{status}");
    for label in [
        "Version  ",
        "Uptime   ",
        "Latency  ",
        "OS       ",
        "CPUs     ",
        "· Heap   ",
    ] {
        assert!(status.contains(&format!("\n  {label}")), "{status}");
    }
    assert_eq!(output(&folder, "kes status -k -s")?.lines().count(), 1);
    assert_eq!(document(&folder, "kes status -k --json")?["os"], "linux");
    let apis = output(&folder, "kes status -k --api")?;
    assert!(
        apis.contains("\n  PUT     /v1/key/create/              15s\n"),
        "{apis}"
    );
    assert!(
        apis.contains("\n  GET     /v1/log/audit                Inf\n"),
        "{apis}"
    );

    let me = output(&folder, "kes identity info -k")?;
    assert!(
        me.starts_with("Identity    ") && me.contains("\nRole        Admin\n"),
        "{me}"
    );
    assert_eq!(
        document(&folder, "kes identity info -k --json")?["admin"],
        true
    );
    assert_eq!(output(&folder, "kes policy ls -k --json")?, "[]\n");
    let admin = me.lines().next().and_then(|line| line.split_once("    "));
    let (_, admin) = admin.context("no identity")?;
    assert_eq!(
        output(&folder, "kes identity ls -k")?,
        format!("Identity\n{admin}\n")
    );
    assert_error(
        &folder,
        "kes policy show -k none",
        "failed to show policy 'none': policy does not exist",
    )
}

#[test]
fn logs_and_metrics_are_followed() -> Result<()> {
    let (folder, _server) = server()?;
    let log = folder.start("kes log -k")?;
    // The header is printed once events are subscribed to.
    log.printed("Time        Status    Identity")?;
    output(&folder, "kes key create -k my-key")?;
    let event = log.printed("/v1/key/create/my-key")?;
    assert!(event.contains("    200       "), "{event}");

    let metrics = folder.start("kes metric -k --rate 1h")?;
    let sample: Value = serde_json::from_str(&metrics.printed("kes_http_request_success")?)?;
    assert_eq!(sample["kes_http_request_success"], 1);
    Ok(())
}
