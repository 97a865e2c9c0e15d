//! Starting, stopping, killing and reloading a server.

use anyhow::{Context, Result};
use keystead_tests::{KmsSite, Signal};

#[test]
fn what_was_acknowledged_is_there_after_a_kill() -> Result<()> {
    let mut site = KmsSite::new()?;
    let mut sealed = Vec::new();
    for round in 0..3 {
        let server = site.start()?;
        if round == 0 {
            site.run("minkms add-enclave demo")?;
        }
        for (key, ciphertext) in &sealed {
            site.run(&format!("minkms decrypt -e demo {key} {ciphertext}"))?;
        }
        let key = format!("key-{round}");
        site.run(&format!("minkms add-key -e demo {key}"))?;
        let made = site.run(&format!("minkms keygen --json -e demo {key}"))?;
        let ciphertext = made.split('"').rev().nth(1).context("a ciphertext")?;
        sealed.push((key, ciphertext.to_owned()));
        server.send(Signal::KILL)?;
        assert_eq!(server.finish()?.code, -1);
    }
    let server = site.start()?;
    let keys = site.run("minkms ls-key -e demo")?;
    assert_eq!(keys.lines().count(), 4, "{keys}");
    server.stop()?;
    Ok(())
}

#[test]
fn one_folder_has_one_server() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    let complaint = site.does_not_start("data")?;
    assert!(
        complaint.starts_with("Error: failed to open 'data'"),
        "{complaint}"
    );
    assert!(complaint.contains("another process"), "{complaint}");
    // The first one does not notice.
    site.run("minkms add-enclave demo")?;
    server.stop()?;
    Ok(())
}

#[test]
fn a_restart_keeps_process_and_state() -> Result<()> {
    let mut site = KmsSite::new()?;
    let line = "minkms server data --address 127.0.0.1:0 --json";
    let server = site.folder.start(line)?;
    let banner = server.printed("\"addresses\"")?;
    let address = |banner: &str| {
        let (_, rest) = banner
            .split_once("\"addresses\":[\"")
            .context("an address")?;
        anyhow::Ok(rest.split('"').next().context("an address")?.to_owned())
    };
    site.folder.export("MINIO_KMS_SERVER", address(&banner)?);
    site.run("minkms add-enclave demo")?;
    site.run("minkms restart")?;
    let banner = server.printed("\"addresses\"")?;
    site.folder.export("MINIO_KMS_SERVER", address(&banner)?);
    assert!(site.run("minkms ls-enclave")?.contains("demo"));
    server.stop()?;
    Ok(())
}

#[test]
fn a_new_configuration_counts_without_a_restart() -> Result<()> {
    let mut site = KmsSite::new()?;
    for name in ["a", "b"] {
        let line = format!("kes identity new --key {name}.key --cert {name}.crt --ip 127.0.0.1");
        assert_eq!(site.folder.run(&line)?.code, 0);
    }
    let configuration = |name: &str, more: &str| {
        format!(
            "version: v1\ntls: {{ certs: [ {{ key: {name}.key, cert: {name}.crt }} ] }}\n{more}"
        )
    };
    site.folder.write("config.yaml", &configuration("a", ""))?;
    let server = site.start_with("data --config config.yaml")?;
    site.folder.export("SSL_CERT_FILE", "b.crt");
    let refused = site.folder.run("minkms ls")?;
    assert!(refused.stderr.contains("certificate"), "{}", refused.stderr);
    site.folder
        .write("config.yaml", &configuration("b", "log: { audit: on }\n"))?;
    server.complained("the new 'log' section counts from the next start on")?;
    let trusted = site.folder.run("minkms ls")?;
    assert_eq!((trusted.code, &*trusted.stderr), (0, ""));
    // What is wrong changes nothing.
    site.folder
        .write("config.yaml", &configuration("b", "lgo: {}\n"))?;
    server.complained("unknown key 'lgo'")?;
    assert_eq!(site.folder.run("minkms ls")?.code, 0);
    server.stop()?;
    Ok(())
}

#[test]
fn nothing_starts_without_certificate_or_hsm() -> Result<()> {
    let mut site = KmsSite::new()?;
    site.folder.write("config.yaml", "version: v1\n")?;
    let complaint = site.does_not_start("data --config config.yaml")?;
    assert!(
        complaint.starts_with("Error: kms: no TLS configuration provided\n"),
        "{complaint}"
    );
    site.folder.write(
        "config.yaml",
        "version: v1\ntls: { certs: [ { key: no.key, cert: no.crt } ] }\n",
    )?;
    let complaint = site.does_not_start("data --config config.yaml")?;
    assert!(complaint.contains("no.crt"), "{complaint}");
    assert!(!site.folder.path().join("data").exists());
    site.folder.export("MINIO_KMS_HSM_KEY", "");
    let complaint = site.does_not_start("data")?;
    assert!(
        complaint.starts_with("Error: kms: no HSM provided\n"),
        "{complaint}"
    );
    Ok(())
}
