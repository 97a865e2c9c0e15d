//! What the commands print, for people and for programs, and how they fail.

use anyhow::{Context, Result};
use keystead_tests::KmsSite;

#[test]
fn json_is_one_object_per_line() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    site.folder.export("MINIO_KMS_ENCLAVE", "demo");
    assert_eq!(site.run("minkms ls-enclave --json")?, "");
    for line in [
        "minkms add-enclave demo --json",
        "minkms add-key b --type ChaCha20 --json",
        "minkms add-key a --json",
        "minkms add-key a --version --json",
    ] {
        assert_eq!(site.run(line)?, "", "{line}");
    }
    let keys = site.run("minkms ls-key --json")?;
    let keys: Vec<serde_json::Value> = keys
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let shown = keys
        .iter()
        .map(|key| (&key["name"], &key["version"], &key["type"]));
    let shown: Vec<_> = shown.map(|key| format!("{key:?}")).collect();
    assert_eq!(shown.len(), 2);
    assert!(
        shown[0].contains("\"a\"") && shown[0].contains("Number(2)"),
        "{shown:?}"
    );
    assert!(
        shown[1].contains("\"b\"") && shown[1].contains("ChaCha20"),
        "{shown:?}"
    );
    let stat: serde_json::Value = serde_json::from_str(&site.run("minkms stat --json")?)?;
    let node = &stat["nodes_up"]["0"];
    assert_eq!(node["role"], "Leader");
    assert_eq!(node["hsm"][0], "hsm:minio:soft");
    assert_eq!(node["state_digest"].as_str().map(str::len), Some(64));
    let me: serde_json::Value = serde_json::from_str(&site.run("minkms get-identity --json")?)?;
    assert_eq!(me["privilege"], "SysAdmin");
    server.stop()?;
    Ok(())
}

#[test]
fn failures_have_a_text_a_status_and_an_exit_code() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    site.run("minkms add-enclave demo")?;
    assert_eq!(
        site.refused("minkms add-enclave demo")?,
        "Error: enclave already exists\n"
    );
    let error = site.refused("minkms stat-key -e demo none --json")?;
    let error: serde_json::Value = serde_json::from_str(&error)?;
    assert_eq!(error["error"]["status"], 404);
    assert_eq!(error["error"]["message"], "key does not exist");
    let host = error["error"]["host"].as_str().context("a host")?;
    assert!(host.starts_with("127.0.0.1:"), "{host}");
    let wrong = site.folder.run("minkms add-key --foo")?;
    assert_eq!(wrong.code, 2);
    assert_eq!(
        wrong.stderr,
        "Error: unknown flag: --foo. See 'minkms add-key --help'\n"
    );
    // Without '-k' nobody trusts a certificate that the server has signed itself.
    let untrusted = site.folder.run("minkms stat --json")?;
    assert_eq!(untrusted.code, 1);
    let error: serde_json::Value = serde_json::from_str(&untrusted.stderr)?;
    assert_eq!(error["error"]["status"], 0);
    server.stop()?;
    let gone = site.refused("minkms stat")?;
    assert!(gone.contains("Connection refused"), "{gone}");
    Ok(())
}

#[test]
fn a_user_may_do_what_the_policy_says() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    site.folder.export("MINIO_KMS_ENCLAVE", "demo");
    site.folder.write(
        "app.json",
        r#"{"allow":{"KEY:GENERATE":["my-*","other"],"key:list":"my-*"},"deny":{"KEY:GENERATE":"my-secret"}}"#,
    )?;
    let user = site.folder.run("minkms identity --json")?.stdout;
    let user: serde_json::Value = serde_json::from_str(&user)?;
    let (key, identity) = (user["key"].as_str(), user["identity"].as_str());
    let (key, identity) = (key.context("a key")?, identity.context("an identity")?);
    for line in [
        "minkms add enclave demo".to_owned(),
        "minkms add-key my-key".to_owned(),
        "minkms add-key my-secret".to_owned(),
        "minkms add-key foreign".to_owned(),
        "minkms policy add app app.json".to_owned(),
        format!("minkms add-identity --tag team=app {identity}"),
        format!("minkms set-policy app {identity}"),
    ] {
        site.run(&line)?;
    }
    assert_eq!(
        site.run("minkms get-policy app")?,
        "{\n  \"allow\": {\n    \"KEY:GENERATE\": [\n      \"my-*\",\n      \"other\"\n    ],\n    \
         \"KEY:LIST\": \"my-*\"\n  },\n  \"deny\": {\n    \"KEY:GENERATE\": \"my-secret\"\n  }\n}\n"
    );
    let described = site.run(&format!("minkms get-identity {identity}"))?;
    assert!(described.contains("Policy       app\n"), "{described}");
    assert!(described.contains("Tags         team=app\n"), "{described}");
    site.folder.export("MINIO_KMS_API_KEY", key);
    site.run("minkms keygen my-key")?;
    let keys = site.run("minkms ls-keys")?;
    assert!(
        keys.contains("my-key") && !keys.contains("foreign"),
        "{keys}"
    );
    for line in [
        "minkms keygen my-secret",
        "minkms keygen foreign",
        "minkms rm-key my-key",
    ] {
        assert_eq!(
            site.refused(line)?,
            "Error: access denied: insufficient permissions\n"
        );
    }
    server.stop()?;
    Ok(())
}

#[test]
fn audit_records_form_a_chain_that_can_be_checked() -> Result<()> {
    let mut site = KmsSite::new()?;
    let made = site
        .folder
        .run("kes identity new --key a.key --cert a.crt --ip 127.0.0.1")?;
    assert_eq!(made.code, 0);
    site.folder.write(
        "config.yaml",
        "version: v1\n\
         tls: { certs: [ { key: a.key, cert: a.crt } ] }\n\
         log: { audit: audit.log }\n",
    )?;
    for _ in 0..2 {
        let server = site.start_with("data --config config.yaml")?;
        site.run("minkms ls-enclave")?;
        site.run("minkms stat")?;
        server.stop()?;
    }
    let verified = site.folder.run("minkms audit verify audit.log --json")?;
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    let summary: serde_json::Value = serde_json::from_str(&verified.stdout)?;
    assert_eq!(
        (&summary["records"], &summary["chains"]),
        (&4.into(), &1.into())
    );
    let log = site.folder.read("audit.log")?;
    assert!(log.contains("\"command\":\"ENCLAVE:LIST\""), "{log}");
    let without: Vec<_> = log.lines().enumerate().filter(|(at, _)| *at != 1).collect();
    let without: Vec<_> = without.into_iter().map(|(_, line)| line).collect();
    site.folder.write("cut.log", &(without.join("\n") + "\n"))?;
    let broken = site.folder.run("minkms audit verify cut.log")?;
    assert_eq!(broken.code, 1);
    assert!(broken.stderr.contains("line 2"), "{}", broken.stderr);
    Ok(())
}

#[test]
fn the_log_can_be_followed_from_the_past() -> Result<()> {
    let mut site = KmsSite::new()?;
    let server = site.start()?;
    let log = site.run("minkms logs --json --since today --level debug --records 1")?;
    let record: serde_json::Value = serde_json::from_str(&log)?;
    assert!(
        record["level"].is_i64() && record["time"].is_string(),
        "{log}"
    );
    server.stop()?;
    Ok(())
}

#[test]
fn helpers_need_no_server() -> Result<()> {
    let site = KmsSite::new()?;
    for (line, text) in [
        ("minkms help", "Usage: minkms"),
        ("minkms help add-key", "Usage: minkms add-key"),
        ("minkms help all", "Usage: minkms rotate-root"),
        ("minkms add-key --help", "--import"),
        ("minkms --version", "Version"),
        ("minkms env --share", "MINIO_KMS_HSM_KEY=***"),
        ("minkms completion bash", "minkms"),
    ] {
        let finished = site.folder.run(line)?;
        assert_eq!((finished.code, &*finished.stderr), (0, ""), "{line}");
        assert!(
            finished.stdout.contains(text),
            "{line}: {}",
            finished.stdout
        );
    }
    assert_eq!(site.folder.run("minkms man .")?.code, 0);
    assert!(site.folder.read("minkms-add-key.1")?.contains("ChaCha20"));
    assert_eq!(site.folder.run("minkms")?.code, 2);
    let pair = site
        .folder
        .run("minkms identity --key k.pem --cert c.pem")?;
    let identity = pair
        .stdout
        .lines()
        .find(|line| line.trim().starts_with("h1:"));
    let identity = identity.context("an identity")?.trim().to_owned();
    for file in ["c.pem", "k.pem"] {
        let shown = site.folder.run(&format!("minkms identity {file}"))?.stdout;
        assert!(shown.contains(&identity), "{file}: {shown}");
    }
    Ok(())
}
