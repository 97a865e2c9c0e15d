//! Arguments, exit codes, error texts and output of every command.

use std::fs;

use anyhow::{Context, Result};
use keystead_tests::{Folder, Process};
use serde_json::{Value, json};

const API_KEY: &str = "kes:v1:APvbt/zbiewXNB+EwciOT+I21peq0odFYCwkJX8mMCxM";

/// A development server, and a folder whose commands talk to it as its admin.
fn server() -> Result<(Folder, Process)> {
    let mut folder = Folder::new()?;
    let (server, banner) = folder.serve("kes server --dev --addr 127.0.0.1:0")?;
    let (_, rest) = banner.split_once("API Key     ").context("no API key")?;
    folder.export("KES_API_KEY", rest.lines().next().context("no API key")?);
    Ok((folder, server))
}

/// What `line` prints, given that it succeeds.
fn output(folder: &Folder, line: &str) -> Result<String> {
    let done = folder.run(line)?;
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "{line}");
    Ok(done.stdout)
}

fn document(folder: &Folder, line: &str) -> Result<Value> {
    Ok(serde_json::from_str(&output(folder, line)?)?)
}

/// Asserts that `line` fails with `message` and prints nothing else.
fn assert_error(folder: &Folder, line: &str, message: &str) -> Result<()> {
    let done = folder.run(line)?;
    assert_eq!(done.stderr, format!("Error: {message}\n"), "{line}");
    assert_eq!((done.code, done.stdout.as_str()), (1, ""), "{line}");
    Ok(())
}

#[test]
fn help_goes_to_standard_error_with_code_2() -> Result<()> {
    let folder = Folder::new()?;
    for line in [
        "kes",
        "kes --help",
        "kes key",
        "kes policy",
        "kes key create -h",
        "kes ls --help",
        "kes identity new --help",
        "kes log --audit=false",
    ] {
        let done = folder.run(line)?;
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{line}");
        assert!(
            done.stderr.contains("Usage: kes"),
            "{line}: {}",
            done.stderr
        );
    }
    Ok(())
}

#[test]
fn wrong_arguments_are_refused_with_the_published_texts() -> Result<()> {
    let folder = Folder::new()?;
    for (line, message) in [
        ("kes foo", "\"foo\" is not a kes command. See 'kes --help'"),
        (
            "kes key foo",
            "\"foo\" is not a key command. See 'kes key --help'",
        ),
        (
            "kes policy foo",
            "\"foo\" is not a policy command. See 'kes policy --help'",
        ),
        (
            "kes key create --foo",
            "unknown flag: --foo. See 'kes key create --help'",
        ),
        (
            "kes ls -x",
            "unknown shorthand flag: 'x' in -x. See 'kes ls --help'",
        ),
        (
            "kes identity new --key",
            "flag needs an argument: --key. See 'kes identity new --help'",
        ),
        (
            "kes ls --color x",
            "invalid argument \"x\" for \"--color\" flag: invalid color option. See 'kes ls --help'",
        ),
        (
            "kes key create",
            "no key name specified. See 'kes key create --help'",
        ),
        (
            "kes key info a b",
            "too many arguments. See 'kes key info --help'",
        ),
        (
            "kes key import",
            "no key name specified. See 'kes key import --help'",
        ),
        (
            "kes key import a",
            "no crypto key specified. See 'kes key import --help'",
        ),
        (
            "kes policy show",
            "no policy name specified. See 'kes policy show --help'",
        ),
        (
            "kes ls -i -p",
            "'-p / --policy' and '-i / --identity' must not be used at the same time",
        ),
        (
            "kes log --audit --error",
            "cannot display audit and error logs at the same time",
        ),
        (
            "kes update --os linux v1",
            "self-update is not available in this build",
        ),
        (
            "kes identity a b",
            "too many arguments. See 'kes identity --help'",
        ),
        (
            "kes identity of",
            "no API key or certificate specified. See 'kes identity of --help'",
        ),
        (
            "kes identity new --key k",
            "private key file specified but no certificate file. Set the '--cert' flag",
        ),
        (
            "kes identity new --cert c",
            "certificate file specified but no private key file. Set the '--key' flag",
        ),
        (
            "kes identity new --ip 10.0.0.1",
            "'--ip' requires a private key and certificate file. Set the '--cert' and '--key' flag",
        ),
        (
            "kes identity new -f",
            "'--force' requires a private key and certificate file. Set the '--cert' and '--key' flag",
        ),
        ("kes migrate", "no source specified. Use '--from' flag"),
        (
            "kes migrate --from a",
            "missing migration target. Use '--to' or '--server'",
        ),
        (
            "kes migrate --from a --to b -f --merge",
            "'--force' and '--merge' flags are mutually exclusive",
        ),
        (
            "kes migrate --from a --to b -s host",
            "cannot use '-s / --server' and '--to' flag",
        ),
        (
            "kes migrate --from a -s host",
            "no KMS enclave specified. Use '--enclave'",
        ),
    ] {
        assert_error(&folder, line, message)?;
    }
    Ok(())
}

#[test]
fn credentials_must_be_of_one_kind() -> Result<()> {
    for (variables, message) in [
        (
            &[][..],
            "no API key specified. Consider setting MINIO_KES_API_KEY",
        ),
        (
            &[("KES_API_KEY", API_KEY), ("KES_CLIENT_KEY", "k")],
            "API key and private key file cannot be used at the same time",
        ),
        (
            &[("KES_API_KEY", API_KEY), ("KES_CLIENT_CERT", "c")],
            "API key and certificate file cannot be used at the same time",
        ),
        (
            &[("KES_CLIENT_KEY", "k")],
            "no certificate file specified. Consider setting MINIO_KES_CERT_FILE",
        ),
        (
            &[("KES_CLIENT_CERT", "c")],
            "no private key file specified. Consider setting MINIO_KES_KEY_FILE",
        ),
    ] {
        let mut folder = Folder::new()?;
        for (name, value) in variables {
            folder.export(name, *value);
        }
        assert_error(&folder, "kes key ls", message)?;
    }
    let mut folder = Folder::new()?;
    folder.export("MINIO_KES_API_KEY", "");
    folder.export("KES_API_KEY", API_KEY);
    let hidden = "no API key specified. Consider setting MINIO_KES_API_KEY";
    assert_error(&folder, "kes key ls", hidden)?;
    folder.export("MINIO_KES_API_KEY", "kes:v1:x");
    let done = folder.run("kes key ls")?;
    assert!(
        done.stderr.starts_with("Error: parsing API key: "),
        "{}",
        done.stderr
    );
    Ok(())
}

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
    assert_eq!(
        document(&folder, "kes key derive -k a-1")?
            .as_object()
            .map(|dek| dek.len()),
        Some(2)
    );

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

#[test]
fn no_escape_sequence_gets_into_a_pipe() -> Result<()> {
    let (folder, _server) = server()?;
    output(&folder, "kes key create -k my-key")?;
    for line in [
        "kes --version",
        "kes key ls -k",
        "kes status -k",
        "kes identity new",
    ] {
        assert!(!output(&folder, line)?.contains('\x1b'), "{line}");
    }
    assert!(output(&folder, "kes key ls -k --color always")?.contains("\x1b[4mKey\x1b["));
    assert!(!output(&folder, "kes key ls -k --color NEVER")?.contains('\x1b'));
    Ok(())
}

#[test]
fn versions_have_four_lines() -> Result<()> {
    let folder = Folder::new()?;
    let version = output(&folder, "kes -v")?;
    let labels: Vec<_> = version
        .lines()
        .filter_map(|line| line.split_once(' '))
        .collect();
    let labels: Vec<_> = labels.into_iter().map(|(label, _)| label).collect();
    assert_eq!(labels, ["Version", "Runtime", "License", "Copyright"]);
    Ok(())
}

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
         {\"migrated\":1,\"dry_run\":true}\n"
    );
    assert!(folder.read("b/one").is_err());

    let conflict = folder.run(migrate)?;
    assert_eq!(conflict.code, 1);
    assert_eq!(
        conflict.stderr,
        "Error: failed to migrate 'two': key already exists\n"
    );
    assert_eq!(folder.read("b/one")?, "not even a key");

    output(&folder, &format!("{migrate} --merge"))?;
    assert_eq!(folder.read("b/two")?, "kept");
    let forced = output(&folder, &format!("{migrate} --force tw?"))?;
    assert_eq!(
        forced,
        "{\"name\":\"two\",\"status\":\"replaced\"}\n{\"migrated\":1,\"dry_run\":false}\n"
    );
    assert_eq!(folder.read("b/two")?, "second");
    Ok(())
}

#[test]
fn shells_are_served() -> Result<()> {
    let mut folder = Folder::new()?;
    assert!(output(&folder, "kes completion bash")?.contains("complete -F _kes"));
    fs::create_dir(folder.path().join("man"))?;
    assert_eq!(output(&folder, "kes man man")?, "");
    assert!(
        folder
            .read("man/kes-key-create.1")?
            .contains("kes-key-create")
    );

    folder.export("SHELL", "/bin/bash");
    output(&folder, "kes --auto-completion")?;
    let line = folder.read(".bashrc")?;
    assert!(
        line.starts_with("complete -o default -C /") && line.ends_with("/kes kes\n"),
        "{line}"
    );
    assert_eq!(
        output(&folder, "kes --auto-completion")?,
        "Completion is already installed.\n"
    );
    folder.export("COMP_LINE", "kes key c");
    assert_eq!(output(&folder, "kes kes c key")?, "create\n");
    Ok(())
}
