//! How a server starts, changes and ends.

use std::net::TcpListener;

use anyhow::{Context, Result, ensure};
use keystead_tests::{Folder, Process, Signal};

const GOODBYE: &str = "\n=> Stopping server... Goodbye.\n";
const RELOADED: &str = "=> Reloading configuration after SIGHUP signal completed.";

/// A folder with a server's certificate, and a client's that commands use.
fn folder() -> Result<(Folder, String)> {
    let mut folder = Folder::new()?;
    new_certificate(&folder, "")?;
    folder.run("kes identity new --key client.key --cert client.crt")?;
    let identity = folder.run("kes identity of client.crt")?.stdout;
    folder.export("KES_CLIENT_CERT", "client.crt");
    folder.export("KES_CLIENT_KEY", "client.key");
    folder.export("SSL_CERT_FILE", "public.crt");
    Ok((folder, identity))
}

fn new_certificate(folder: &Folder, flags: &str) -> Result<()> {
    let new = folder.run(&format!(
        "kes identity new --key private.key --cert public.crt --ip 127.0.0.1 {flags}"
    ))?;
    ensure!(new.code == 0, "{}", new.stderr);
    Ok(())
}

fn configuration(identity: &str, path: &str) -> String {
    format!(
        "address: 127.0.0.1:0\n\
         admin: {{ identity: disabled }}\n\
         tls: {{ key: private.key, cert: public.crt }}\n\
         policy: {{ app: {{ allow: [ {path} ], identities: [ {identity} ] }} }}\n\
         keystore: {{ fs: {{ path: keys }} }}\n"
    )
}

fn stop(server: Process, signal: Signal) -> Result<()> {
    server.send(signal)?;
    let end = server.finish()?;
    assert_eq!(end.code, 0, "{}", end.stderr);
    assert!(end.stdout.ends_with(GOODBYE), "{}", end.stdout);
    Ok(())
}

#[test]
fn development_mode_needs_no_file() -> Result<()> {
    let mut folder = Folder::new()?;
    let (server, banner) = folder.serve("kes server --dev --addr 127.0.0.1:0")?;
    for label in [
        "Version     ",
        "KMS         In Memory",
        "API         · https://127.0.0.1:",
    ] {
        assert!(
            banner.contains(&format!("\n{label}")) || banner.starts_with(label),
            "{banner}"
        );
    }
    assert!(
        banner.contains("\n            audit=stdout level=INFO\n"),
        "{banner}"
    );
    let value = |label: &str| {
        let (_, rest) = banner.split_once(label).context("no such label")?;
        rest.lines().next().context("no value")
    };
    let (api_key, admin) = (value("API Key     ")?, value("Admin       ")?);
    assert_eq!(
        folder.run(&format!("kes identity of {api_key}"))?.stdout,
        admin
    );

    folder.export("KES_API_KEY", api_key);
    assert_eq!(folder.run("kes key create -k my-key")?.code, 0);
    let audit = server.printed("secret key 'my-key' created")?;
    assert!(audit.contains(admin), "{audit}");
    stop(server, Signal::TERM)
}

#[test]
fn a_hang_up_ends_development_mode() -> Result<()> {
    let mut folder = Folder::new()?;
    let (server, _) = folder.serve("kes server --dev --addr 127.0.0.1:0")?;
    server.send(Signal::HUP)?;
    assert_eq!(server.finish()?.code, -1);
    Ok(())
}

#[test]
fn an_interrupt_ends_a_server() -> Result<()> {
    let (mut folder, identity) = folder()?;
    folder.write("config.yml", &configuration(&identity, "/v1/status"))?;
    let (server, _) = folder.serve("kes server --config config.yml")?;
    stop(server, Signal::INT)
}

#[test]
fn a_quiet_server_prints_nothing() -> Result<()> {
    let (folder, identity) = folder()?;
    folder.write("config.yml", &configuration(&identity, "/v1/status"))?;
    let server = folder.start("kes server --config config.yml --quiet --auth off")?;
    // After this the server starts up and gets the signal, in either order.
    server.complained("--auth")?;
    server.send(Signal::TERM)?;
    assert_eq!(server.finish()?.stdout, "");
    Ok(())
}

#[test]
fn a_supervisor_gets_json() -> Result<()> {
    let folder = Folder::new()?;
    let server = folder.start("kes server --dev --addr 127.0.0.1:0 --json")?;
    let banner: serde_json::Value = serde_json::from_str(&server.printed("{")?)?;
    let address = banner["addresses"][0].as_str().context("no address")?;
    assert!(address.starts_with("127.0.0.1:"), "{banner}");
    assert_eq!(banner["keystore"], "In Memory");
    let api_key = banner["api_key"].as_str().context("no API key")?;
    let identity = folder.run(&format!("kes identity of {api_key}"))?.stdout;
    assert_eq!(banner["admin"], identity);
    server.send(Signal::TERM)?;
    assert_eq!(server.finish()?.code, 0);
    Ok(())
}

#[test]
fn a_reload_puts_the_file_in_force() -> Result<()> {
    let (mut folder, identity) = folder()?;
    folder.write("config.yml", &configuration(&identity, "/v1/status"))?;
    let (server, _) = folder.serve("kes server --config config.yml")?;
    assert_eq!(folder.run("kes status")?.code, 0);
    assert_eq!(folder.run("kes key create my-key")?.code, 1);

    folder.write("config.yml", &configuration(&identity, "/v1/key/create/*"))?;
    server.send(Signal::HUP)?;
    server.complained("SIGHUP signal received. Reloading configuration...")?;
    let banner = server.printed(RELOADED)?;
    assert!(
        banner.contains("\nKMS         Filesystem: keys\n"),
        "{banner}"
    );
    assert_eq!(folder.run("kes key create my-key")?.code, 0);
    assert_eq!(folder.run("kes status")?.code, 1);
    stop(server, Signal::TERM)
}

#[test]
fn a_failed_reload_changes_nothing() -> Result<()> {
    let (mut folder, identity) = folder()?;
    folder.write("config.yml", &configuration(&identity, "/v1/status"))?;
    let (server, _) = folder.serve("kes server --config config.yml")?;
    for (content, message) in [
        ("address: [", "Failed to reload server config: "),
        (
            &*configuration(&identity, "/v1/status").replace("private.key", "missing.key"),
            "Failed to reload server config: ",
        ),
    ] {
        folder.write("config.yml", content)?;
        server.send(Signal::HUP)?;
        server.complained(message)?;
        assert_eq!(folder.run("kes status")?.code, 0);
    }
    stop(server, Signal::TERM)
}

#[test]
fn a_new_certificate_is_used_as_soon_as_it_is_there() -> Result<()> {
    let (mut folder, identity) = folder()?;
    folder.write("config.yml", &configuration(&identity, "/v1/status"))?;
    let (server, _) = folder.serve("kes server --config config.yml")?;
    new_certificate(&folder, "--force")?;
    // Commands trust the new certificate only.
    let mut attempts = 0;
    while folder.run("kes status")?.code != 0 {
        attempts += 1;
        assert!(attempts < 200, "the old certificate is still in use");
    }
    stop(server, Signal::TERM)
}

#[test]
fn a_wrong_configuration_is_explained() -> Result<()> {
    let (folder, identity) = folder()?;
    let good = configuration(&identity, "/v1/status");
    for (content, message, place) in [
        (
            good.replace("private.key", "''"),
            "Error: invalid tls config: no private key",
            "config.yml:3:",
        ),
        (
            good.replace("disabled", "'${NOBODY}'"),
            "Error: referenced env. variable 'NOBODY' in line '2' not found",
            "config.yml:2:",
        ),
        (
            good.replace("private.key", "missing.key"),
            "Error: open missing.key: ",
            "",
        ),
    ] {
        folder.write("config.yml", &content)?;
        let server = folder.run("kes server --config config.yml")?;
        assert_eq!((server.code, server.stdout.as_str()), (1, ""));
        assert!(server.stderr.starts_with(message), "{}", server.stderr);
        assert!(server.stderr.contains(place), "{}", server.stderr);
    }
    let missing = folder.run("kes server --config missing.yml")?;
    assert_eq!(missing.code, 1);
    assert!(
        missing.stderr.starts_with("Error: open missing.yml: "),
        "{}",
        missing.stderr
    );
    Ok(())
}

#[test]
fn a_taken_port_yields_no_banner() -> Result<()> {
    let (folder, identity) = folder()?;
    folder.write("config.yml", &configuration(&identity, "/v1/status"))?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?;
    let server = folder.run(&format!("kes server --config config.yml --addr {address}"))?;
    assert_eq!((server.code, server.stdout.as_str()), (1, ""));
    let message = format!("Error: listen tcp {address}: ");
    assert!(server.stderr.starts_with(&message), "{}", server.stderr);
    Ok(())
}

#[test]
fn contradicting_flags_are_refused() -> Result<()> {
    let folder = Folder::new()?;
    for (line, message) in [
        (
            "kes server --dev --config config.yml",
            "Error: '--config' flag is not supported in development mode\n",
        ),
        (
            "kes server --dev --auth maybe",
            "Error: invalid option for --auth: \"maybe\"\n",
        ),
        (
            "kes server extra",
            "Error: too many arguments. See 'kes server --help'\n",
        ),
    ] {
        let server = folder.run(line)?;
        assert_eq!(server.code, 1, "{line}");
        assert!(server.stderr.ends_with(message), "{}", server.stderr);
    }
    let nothing = folder.run("kes server")?;
    assert_eq!(nothing.code, 1);
    let message = "Error: open : no such file or directory";
    assert!(nothing.stderr.starts_with(message), "{}", nothing.stderr);
    Ok(())
}
