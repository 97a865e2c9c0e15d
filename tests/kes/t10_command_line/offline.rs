//! Commands that need no server.

use std::fs;

use anyhow::{Context, Result};
use keystead_tests::Folder;
use serde_json::{Value, json};

use crate::{assert_error, document, output};

#[test]
fn identities_are_converted() -> Result<()> {
    let folder = Folder::new()?;
    let api_key = output(&folder, "kes identity")?;
    assert!(
        api_key.starts_with("kes:v1:") && !api_key.ends_with('\n'),
        "{api_key}"
    );

    let new = document(
        &folder,
        "kes identity new --json --key k.key --cert k.crt --expiry 1h me",
    )?;
    let (api_key, identity) = (&new["api_key"], &new["identity"]);
    for line in [
        "kes identity of k.crt",
        "kes identity k.crt",
        "kes tool identity of k.crt",
    ] {
        assert_eq!(json!(output(&folder, line)?), *identity, "{line}");
    }
    assert_eq!(json!(output(&folder, "kes identity k.key")?), *api_key);
    let of = format!(
        "kes identity of --json {}",
        api_key.as_str().context("no API key")?
    );
    assert_eq!(document(&folder, &of)?["identity"], *identity);

    let again = "kes identity new --key k.key --cert k.crt";
    assert_error(
        &folder,
        again,
        "private key already exists. Use --force to overwrite it",
    )?;
    fs::remove_file(folder.path().join("k.key"))?;
    assert_error(
        &folder,
        again,
        "certificate already exists. Use --force to overwrite it",
    )?;
    assert_eq!(folder.run(&format!("{again} --force"))?.code, 0);
    let of = folder.run("kes identity of k.key")?;
    let message = "Error: failed to parse certificate in 'k.key': ";
    assert!(of.stderr.starts_with(message), "{}", of.stderr);
    Ok(())
}

#[test]
fn a_failed_certificate_leaves_no_private_key() -> Result<()> {
    let folder = Folder::new()?;
    let new = folder.run("kes identity new --key k.key --cert missing/k.crt")?;
    assert_eq!(new.code, 1);
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

#[test]
fn decisions_are_explained_offline() -> Result<()> {
    let folder = Folder::new()?;
    folder.write(
        "config.yml",
        "admin: { identity: root }\n\
         tls: { key: private.key, cert: public.crt }\n\
         policy:\n  app:\n    allow: [ '/v1/key/*' ]\n    deny: [ '/v1/key/delete/*' ]\n    \
         identities: [ alice ]\n\
         keystore: { fs: { path: keys } }\n",
    )?;
    let check = "kes policy check --config config.yml";
    let allowed = output(
        &folder,
        &format!("{check} --identity alice /v1/key/create/k"),
    )?;
    assert_eq!(
        allowed,
        "allowed  /v1/key/create/k  rule '/v1/key/*' of policy 'app' matches\n"
    );
    let denied = folder.run(&format!(
        "{check} --policy app /v1/key/list /v1/key/delete/k"
    ))?;
    assert_eq!((denied.code, denied.stderr.as_str()), (1, ""));
    assert_eq!(
        denied.stdout,
        "allowed  /v1/key/list  rule '/v1/key/*' of policy 'app' matches\n\
         denied   /v1/key/delete/k  rule '/v1/key/delete/*' of policy 'app' matches\n"
    );
    let nobody = folder.run(&format!(
        "{check} --identity bob --json /v1/status /version"
    ))?;
    assert_eq!(nobody.code, 1);
    let answers: Value = serde_json::from_str(&nobody.stdout)?;
    assert_eq!(
        answers[0],
        json!({"path": "/v1/status", "allowed": false, "reason": "the identity has no policy"})
    );
    assert_eq!(answers[1]["allowed"], true);
    assert_error(
        &folder,
        &format!("{check} --policy none /v1/status"),
        "policy 'none' does not exist",
    )
}

#[test]
fn keys_move_between_stores_as_they_are() -> Result<()> {
    let folder = Folder::new()?;
    for (file, keys) in [("a.yml", "a"), ("b.yml", "b")] {
        fs::create_dir(folder.path().join(keys))?;
        folder.write(
            file,
            &format!(
                "admin: {{ identity: disabled }}\n\
                 tls: {{ key: private.key, cert: public.crt }}\n\
                 keystore: {{ fs: {{ path: {keys} }} }}\n"
            ),
        )?;
    }
    folder.write("a/one", "not even a key")?;
    folder.write("a/two", "second")?;
    folder.write("b/two", "kept")?;

    let migrate = "kes migrate --from a.yml --to b.yml";
    let plan = output(&folder, &format!("{migrate} --dry-run --merge"))?;
    assert_eq!(
        plan,
        "{\"name\":\"one\",\"status\":\"migrated\"}\n\
         {\"name\":\"two\",\"status\":\"skipped\"}\n\
         {\"keys\":2,\"migrated\":1,\"replaced\":0,\"present\":0,\"skipped\":1,\"gone\":0,\
         \"conflicts\":0,\"failed\":0,\"left\":0,\
         \"proven\":0,\"unprovable\":0,\"unproven\":0,\"dry_run\":true}\n"
    );
    assert!(folder.read("b/one").is_err());

    let conflict = folder.run(migrate)?;
    assert_eq!(conflict.code, 1);
    assert_eq!(
        conflict.stderr,
        "Error: failed to migrate 'two': key already exists with another value\n\
         Nothing was written. \
         Use '--merge' to keep the target's values, '--force' to replace them.\n"
    );
    assert!(folder.read("b/one").is_err());

    output(&folder, &format!("{migrate} --merge"))?;
    assert_eq!(folder.read("b/one")?, "not even a key");
    assert_eq!(folder.read("b/two")?, "kept");
    let forced = output(&folder, &format!("{migrate} --force tw?"))?;
    let replaced = "{\"name\":\"two\",\"status\":\"replaced\"}\n\
                    {\"name\":\"two\",\"proof\":\"unprovable\",";
    assert!(forced.starts_with(replaced), "{forced}");
    assert_eq!(folder.read("b/two")?, "second");
    Ok(())
}
