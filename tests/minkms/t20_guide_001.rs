//! The commands of the guide "Store HSM on MinIO KMS", as they stand there: a server with
//! a certificate that clients trust, so that `-k` may be left out where the guide does.

use std::fs;

use anyhow::{Context, Result, ensure};
use keystead_tests::Folder;

const ENCLAVE: &str = "aistor-key-manager";

fn run(folder: &Folder, line: &str) -> Result<String> {
    let finished = folder.run(line)?;
    ensure!(finished.code == 0, "{line}: {}", finished.stderr);
    Ok(finished.stdout)
}

#[test]
fn an_enclave_with_an_admin_and_a_key_for_another_server() -> Result<()> {
    let mut folder = Folder::new()?;
    run(
        &folder,
        "kes identity new --key private.key --cert public.crt --ip 127.0.0.1 --dns localhost",
    )?;
    let authorities = folder.path().join(".minkms/certs/CAs");
    fs::create_dir_all(&authorities)?;
    fs::copy(
        folder.path().join("public.crt"),
        authorities.join("hsm.crt"),
    )?;
    let root = run(&folder, "minkms identity --json")?;
    let member = |name: &str| {
        let (_, rest) = root
            .split_once(&format!("\"{name}\":\""))
            .context("a member")?;
        rest.split('"').next().context("a value")
    };
    let (key, identity) = (member("key")?, member("identity")?);
    folder.write(
        "config.yaml",
        &format!(
            "version: v1\n\
             admin:\n  identity: {identity}\n\
             tls:\n  certs:\n  - key: private.key\n    cert: public.crt\n"
        ),
    )?;
    folder.export(
        "MINIO_KMS_HSM_KEY",
        run(&folder, "minkms --soft-hsm")?.trim(),
    );
    let (server, banner) =
        folder.serve("minkms server data --config config.yaml --address 127.0.0.1:0")?;
    assert!(banner.contains("that of 'admin.identity'"), "{banner}");
    assert!(banner.contains(identity), "{banner}");

    run(
        &folder,
        &format!("minkms add-enclave -k -a {key} {ENCLAVE}"),
    )?;
    let shown = run(
        &folder,
        &format!("minkms add-identity -k -a {key} --enclave {ENCLAVE} --admin"),
    )?;
    let admin = shown.lines().find(|line| line.trim().starts_with("k1:"));
    folder.export("MINIO_KMS_API_KEY", admin.context("an API key")?.trim());
    run(
        &folder,
        &format!("minkms add-key --enclave {ENCLAVE} {ENCLAVE}-hsm"),
    )?;
    let keys = run(
        &folder,
        &format!("minkms ls-key --enclave {ENCLAVE} --json"),
    )?;
    assert!(
        keys.contains(&format!("\"name\":\"{ENCLAVE}-hsm\"")),
        "{keys}"
    );

    // The admin of an enclave sees no more than that.
    let refused = folder.run("minkms stat")?;
    assert_eq!(refused.code, 1);
    assert_eq!(
        refused.stderr,
        "Error: access denied: insufficient permissions\n"
    );
    folder.export("MINIO_KMS_API_KEY", key);
    let stat = run(&folder, "minkms stat")?;
    assert!(stat.starts_with("● 0: 127.0.0.1:"), "{stat}");
    server.stop()?;
    Ok(())
}
