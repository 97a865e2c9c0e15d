//! The commands of the published guides, as they stand there.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use anyhow::{Context, Result};
use keystead_tests::Folder;
use keystead_tests::guide::{configuration, keycontrol};

/// The two API keys that the guides print, with their identities.
const GOLDEN: [(&str, &str); 2] = [
    (
        "kes:v1:APvbt/zbiewXNB+EwciOT+I21peq0odFYCwkJX8mMCxM",
        "1d1f89ad528a3bbb8fd64252d443c993f5a4d679b074d5bad49785e02ec38199",
    ),
    (
        "kes:v1:AOlQZJRMYZeOioGk0ubYBMSFt1w6Hh1QZl3zG4PQxK/g",
        "eb559798a2fbcc3efbf036bed11108116e63f293324abdfe7574249ef5e56b36",
    ),
];

const NEW_SERVER_IDENTITY: &str =
    "kes identity new --key private.key --cert public.crt --ip 127.0.0.1 --dns localhost";

/// The first line after `heading` and the blank line below it, without its indentation.
fn below<'a>(text: &'a str, heading: &str) -> Result<&'a str> {
    let (_, rest) = text
        .split_once(&format!("{heading}\n\n   "))
        .context("no heading")?;
    rest.lines().next().context("nothing below the heading")
}

const FILES: &str = "     fs:\n       path: ./keys\n";

#[test]
fn a_server_identity_is_written_to_files() -> Result<()> {
    let folder = Folder::new()?;
    let new = folder.run(NEW_SERVER_IDENTITY)?;
    assert_eq!((new.code, new.stderr.as_str()), (0, ""));
    let api_key = below(&new.stdout, "Your API key:")?;
    let identity = below(&new.stdout, "Your Identity:")?;
    assert_eq!(
        new.stdout,
        format!(
            "Your API key:\n\n   {api_key}\n\n\
             This is the only time it is shown. Keep it secret and secure!\n\n\
             Your Identity:\n\n   {identity}\n\n\
             The identity is not a secret. It can be shared. Any peer\n\
             needs this identity in order to verify your API key.\n\n\
             The generated TLS private key is stored at: private.key\n\
             The generated TLS certificate is stored at: public.crt\n\n\
             The identity can be computed again via:\n\n    \
             kes identity of {api_key}\n    \
             kes identity of public.crt\n"
        )
    );

    let mode = |name: &str| Ok(fs::metadata(folder.path().join(name))?.permissions().mode());
    assert_eq!(
        mode("private.key").map(|mode| mode & 0o777).ok(),
        Some(0o600)
    );
    let mode: Result<u32> = mode("public.crt");
    assert_eq!(mode? & 0o777, 0o644);
    assert!(
        folder
            .read("private.key")?
            .starts_with("-----BEGIN PRIVATE KEY-----\n")
    );
    assert!(
        folder
            .read("public.crt")?
            .starts_with("-----BEGIN CERTIFICATE-----\n")
    );

    for source in [api_key, "public.crt"] {
        let of = folder.run(&format!("kes identity of {source}"))?;
        assert_eq!((of.code, of.stdout.as_str()), (0, identity), "{source}");
    }
    Ok(())
}

#[test]
fn an_api_key_leaves_no_file() -> Result<()> {
    let folder = Folder::new()?;
    let new = folder.run("kes identity new")?;
    let api_key = below(&new.stdout, "Your API key:")?;
    let again = format!("computed again via:\n\n    kes identity of {api_key}\n\n");
    assert!(new.stdout.ends_with(&again), "{}", new.stdout);
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

#[test]
fn identities_of_the_published_api_keys() -> Result<()> {
    let folder = Folder::new()?;
    for (api_key, identity) in GOLDEN {
        let of = folder.run(&format!("kes identity of {api_key}"))?;
        assert_eq!((of.code, of.stdout.as_str()), (0, identity));
    }
    Ok(())
}

#[test]
fn from_a_configuration_to_the_first_data_key() -> Result<()> {
    let mut folder = Folder::new()?;
    folder.run(NEW_SERVER_IDENTITY)?;
    let client = folder.run("kes identity new --key client.key --cert client.crt")?;
    let identity = below(&client.stdout, "Your Identity:")?;
    folder.write("config.yml", &configuration(identity, FILES))?;

    let (server, banner) =
        folder.serve("kes server --config config.yml --auth off --addr 127.0.0.1:0")?;
    let warning = server.complained("--auth")?;
    assert!(
        warning.starts_with("WARNING: '--auth' flag is deprecated"),
        "{warning}"
    );
    assert!(banner.contains("\nAdmin       <disabled>\n"), "{banner}");
    assert!(
        banner.contains("\nKMS         Filesystem: ./keys\n"),
        "{banner}"
    );

    folder.export("KES_CLIENT_CERT", "client.crt");
    folder.export("KES_CLIENT_KEY", "client.key");
    let untrusted = folder.run("kes key create my-key-1")?;
    assert_eq!(untrusted.code, 1);
    assert!(
        untrusted.stderr.starts_with("Error: "),
        "{}",
        untrusted.stderr
    );
    assert!(
        untrusted.stderr.contains("connection error: "),
        "{}",
        untrusted.stderr
    );

    folder.export("SSL_CERT_FILE", "public.crt");
    let created = folder.run("kes key create my-key-1")?;
    assert_eq!(
        (
            created.code,
            created.stdout.as_str(),
            created.stderr.as_str()
        ),
        (0, "", "")
    );
    let again = folder.run("kes key create my-key-1")?;
    assert_eq!(again.code, 1);
    assert_eq!(
        again.stderr,
        "Error: failed to create key \"my-key-1\": key already exists\n"
    );

    let dek = folder.run("kes key dek my-key-1")?;
    assert_eq!((dek.code, dek.stderr.as_str()), (0, ""));
    assert!(!dek.stdout.ends_with('\n'));
    let dek: serde_json::Value = serde_json::from_str(&dek.stdout)?;
    let (plaintext, ciphertext) = (&dek["plaintext"], &dek["ciphertext"]);
    assert_eq!(plaintext.as_str().map(str::len), Some(44));
    let opened = folder.run(&format!(
        "kes key decrypt my-key-1 {}",
        ciphertext.as_str().context("no ciphertext")?
    ))?;
    assert_eq!(opened.stdout, format!("{{\"plaintext\":{plaintext}}}"));

    // What the policy of the guide does not allow.
    let list = folder.run("kes key ls")?;
    assert_eq!(list.code, 1);
    assert_eq!(
        list.stderr,
        "Error: failed to list keys: not authorized: insufficient permissions\n"
    );
    Ok(())
}

#[test]
fn locked_memory_or_the_command_that_allows_it() -> Result<()> {
    let mut folder = Folder::new()?;
    folder.run(NEW_SERVER_IDENTITY)?;
    folder.write("config.yml", &configuration(GOLDEN[1].1, FILES))?;
    let line = "kes server --config config.yml --auth off --mlock --addr 127.0.0.1:0";
    match folder.serve(line) {
        Ok((_, banner)) => assert!(banner.contains("\nMLock       enabled\n"), "{banner}"),
        Err(error) => {
            let error = error.to_string();
            assert!(error.contains("Error: failed to lock memory: "), "{error}");
            assert!(error.contains("sudo setcap cap_ipc_lock=+ep /"), "{error}");
        }
    }
    Ok(())
}

#[test]
fn the_keycontrol_template_says_what_is_missing() -> Result<()> {
    let folder = Folder::new()?;
    folder.run(NEW_SERVER_IDENTITY)?;
    let template = keycontrol("https://keycontrol.example.net", [""; 4]);
    folder.write("config.yml", &configuration(GOLDEN[1].1, &template))?;
    let server = folder.run("kes server --config config.yml --auth off")?;
    assert_eq!(server.code, 1);
    let message = "Error: invalid Entrust KeyControl keystore: no vault ID specified\n";
    assert!(server.stderr.contains(message), "{}", server.stderr);
    Ok(())
}

#[test]
fn the_single_static_key_moves_in() -> Result<()> {
    const KEY: &str = "OSMM+vkKUTCvQs9YL/CVMIMt43HFhkUpqJxTmGl6rYw=";
    let mut folder = Folder::new()?;
    let (_server, banner) = folder.serve("kes server --dev --addr 127.0.0.1:0")?;
    let api_key = banner.split_once("API Key     ").context("no API key")?.1;
    folder.export("KES_API_KEY", api_key.lines().next().context("no API key")?);

    let imported = folder.run(&format!("kes key create -k my-minio-key {KEY}"))?;
    assert_eq!((imported.code, imported.stderr.as_str()), (0, ""));
    let keys = folder.run("kes key ls -k --json")?;
    assert_eq!(keys.stdout, "[\"my-minio-key\"]\n");

    // It is that key: under another name it opens what the first one sealed.
    assert_eq!(
        folder.run(&format!("kes key import -k copy {KEY}"))?.code,
        0
    );
    let sealed = folder.run("kes key encrypt -k my-minio-key hello")?;
    let sealed: serde_json::Value = serde_json::from_str(&sealed.stdout)?;
    let sealed = sealed["ciphertext"].as_str().context("no ciphertext")?;
    let opened = folder.run(&format!("kes key decrypt -k copy {sealed}"))?;
    assert_eq!(
        opened.stdout, "{\"plaintext\":\"aGVsbG8=\"}",
        "{}",
        opened.stderr
    );
    Ok(())
}
