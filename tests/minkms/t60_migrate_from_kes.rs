//! Keys of KES move to MinIO KMS, and what was sealed before can be opened there.

use anyhow::{Context, Result, ensure};
use keystead_tests::KmsSite;

const CONTEXT: &str = "Y29udGV4dA==";

/// A MinIO KMS server with an enclave, and a KES key store with keys.
struct Both {
    site: KmsSite,
    _server: keystead_tests::Process,
}

impl Both {
    fn new() -> Result<Self> {
        let mut site = KmsSite::new()?;
        let server = site.start()?;
        site.run("minkms add-enclave demo")?;
        site.folder.export("MINIO_KMS_ENCLAVE", "demo");
        let made = site
            .folder
            .run("kes identity new --key a.key --cert a.crt --ip 127.0.0.1")?;
        ensure!(made.code == 0, "{}", made.stderr);
        site.folder.write(
            "kes.yml",
            "address: 127.0.0.1:0\n\
             admin: { identity: '${CLIENT}' }\n\
             tls: { key: a.key, cert: a.crt }\n\
             keystore: { fs: { path: keys } }\n",
        )?;
        let client = site.folder.run("kes identity of a.crt")?.stdout;
        site.folder.export("CLIENT", client);
        Ok(Self {
            site,
            _server: server,
        })
    }

    fn kes(&self, line: &str) -> Result<String> {
        let finished = self.site.folder.run(line)?;
        ensure!(finished.code == 0, "{line}: {}", finished.stderr);
        Ok(finished.stdout)
    }
}

#[test]
fn ciphertexts_of_kes_are_opened_without_a_version() -> Result<()> {
    let mut both = Both::new()?;
    // The server that the applications use today.
    let (kes, banner) = both.site.folder.serve("kes server --config kes.yml")?;
    assert!(banner.contains("KMS         Filesystem"), "{banner}");
    for (name, value) in [
        ("KES_CLIENT_KEY", "a.key"),
        ("KES_CLIENT_CERT", "a.crt"),
        ("SSL_CERT_FILE", "a.crt"),
    ] {
        both.site.folder.export(name, value);
    }
    both.kes("kes key create my-key-1 my-key-2")?;
    let made = both.kes(&format!("kes key dek my-key-1 {CONTEXT}"))?;
    let made: serde_json::Value = serde_json::from_str(&made)?;
    let ciphertext = made["ciphertext"].as_str().context("a ciphertext")?;
    kes.stop()?;

    both.site
        .folder
        .write("ciphertexts", &format!("my-key-1 {ciphertext} {CONTEXT}\n"))?;
    let migrate = "kes migrate --from kes.yml -k --proof all --proof-ciphertext ciphertexts";
    let finished = both.site.folder.run(migrate)?;
    ensure!(finished.code == 0, "{}", finished.stderr);
    // Whoever used HMACs learns that they stay behind.
    assert!(
        finished
            .stderr
            .starts_with("2 of the keys migrated have an HMAC key"),
        "{}",
        finished.stderr
    );
    for line in [
        r#"{"name":"my-key-1","status":"migrated"}"#,
        r#"{"name":"my-key-2","proof":"proven"}"#,
        r#"{"name":"my-key-1","proof":"proven","line":1}"#,
    ] {
        assert!(finished.stdout.contains(line), "{}", finished.stdout);
    }
    let opened = format!("minkms decrypt --json --context {CONTEXT} my-key-1 {ciphertext}");
    let opened: serde_json::Value = serde_json::from_str(&both.site.run(&opened)?)?;
    assert_eq!(opened["plaintext"], made["plaintext"]);
    // What is there with the same bytes is done.
    let again = both.kes("kes migrate --from kes.yml -k")?;
    assert!(
        again.contains(r#"{"name":"my-key-2","status":"present"}"#),
        "{again}"
    );
    Ok(())
}

#[test]
fn another_key_of_the_same_name_is_a_conflict() -> Result<()> {
    let both = Both::new()?;
    both.kes("kes key create --config kes.yml a b c")?;
    both.site.run("minkms add-key b")?;
    both.site.run("minkms add-key b --version")?;
    let stopped = both.site.folder.run("kes migrate --from kes.yml -k")?;
    assert_eq!(stopped.code, 1);
    assert!(
        stopped
            .stderr
            .contains("Use '--merge' to keep the target's values"),
        "{}",
        stopped.stderr
    );
    let keys = both.site.run("minkms ls-key")?;
    assert_eq!(keys.lines().count(), 2, "nothing was written: {keys}");
    let merged = both.kes("kes migrate --from kes.yml -k --merge")?;
    assert!(
        merged.contains(r#"{"name":"b","status":"skipped"}"#),
        "{merged}"
    );
    let forced = both.kes("kes migrate --from kes.yml -k --force --proof all")?;
    assert!(
        forced.contains(r#"{"name":"b","status":"replaced"}"#),
        "{forced}"
    );
    assert!(
        forced.contains(r#"{"name":"b","proof":"proven"}"#),
        "{forced}"
    );
    let key = both.site.run("minkms stat-key b")?;
    assert!(key.contains("Version      1\n"), "{key}");
    Ok(())
}

#[test]
fn a_dry_run_writes_nothing() -> Result<()> {
    let both = Both::new()?;
    both.kes("kes key create --config kes.yml a")?;
    let planned = both.kes("kes migrate --from kes.yml -k --dry-run")?;
    assert!(planned.contains(r#""migrated":1"#), "{planned}");
    assert_eq!(both.site.run("minkms ls-key")?, "");
    Ok(())
}

#[test]
fn an_enclave_that_is_missing_stops_the_migration() -> Result<()> {
    let both = Both::new()?;
    both.kes("kes key create --config kes.yml a")?;
    let stopped = both
        .site
        .folder
        .run("kes migrate --from kes.yml -k -e other")?;
    assert_eq!(stopped.code, 1);
    assert!(
        stopped.stderr.contains("enclave does not exist"),
        "{}",
        stopped.stderr
    );
    Ok(())
}
