//! Servers on a double of Entrust KeyControl.
#![cfg(test)]

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use keystead_client_kes::Client;
use keystead_doubles::{Authority, Fault, KeyControl, KeyControlSettings, Server, Tls};
use keystead_tests::drill::{metric, outage, race, silence, ten_thousand_polls, under_load};
use keystead_tests::{Folder, Process, Site, guide};

/// An appliance, and a site whose servers are configured for it.
struct World {
    appliance: KeyControl,
    node: Server,
    site: Site,
    // The file of the authority goes with it.
    _authority: Authority,
}

// === impl World ===

impl World {
    async fn new(settings: KeyControlSettings) -> Result<Self> {
        let authority = Authority::new()?;
        let appliance = KeyControl::new(settings.clone());
        let node = appliance.node(1, &authority, Tls::On).await?;
        let site = Site::new("log: { error: DEBUG, audit: on }\n")?;
        site.keep_keys_in(&format!(
            "keystore:\n  entrust:\n    keycontrol:\n      endpoint: {}\n      vault_id: {}\n      \
             box_id: {}\n      credentials: {{ username: {}, password: '{}' }}\n      \
             tls: {{ ca: {} }}\n",
            node.url(),
            settings.vault_id,
            settings.box_name,
            settings.username,
            settings.password,
            authority.file().display(),
        ))?;
        Ok(Self {
            appliance,
            node,
            site,
            _authority: authority,
        })
    }

    /// Empties the caches of servers so often.
    fn cache_for(&self, time: &str) -> Result<()> {
        let cache = format!("cache: {{ expiry: {{ any: {time}, unused: {time} }} }}\n");
        let configuration = self.site.folder.read("config.yml")? + &cache;
        self.site.folder.write("config.yml", &configuration)
    }

    fn start(&mut self) -> Result<(Process, Client)> {
        self.site.start()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_from_its_configuration_to_the_first_data_key() -> Result<()> {
    let settings = KeyControlSettings {
        password: "pa[ss]*$word".into(),
        ..KeyControlSettings::default()
    };
    let appliance = KeyControl::new(settings.clone());
    let authority = Authority::new()?;
    let node = appliance.node(1, &authority, Tls::On).await?;

    let mut folder = Folder::new()?;
    for line in [
        "kes identity new --key private.key --cert public.crt --ip 127.0.0.1 --dns localhost",
        "kes identity new --key client.key --cert client.crt",
    ] {
        folder.run(line)?;
    }
    let identity = folder.run("kes identity of client.crt")?.stdout;
    let filled = [
        settings.vault_id.as_str(),
        settings.box_name.as_str(),
        settings.username.as_str(),
        settings.password.as_str(),
    ];
    let keystore = guide::keycontrol(&node.url(), filled);
    folder.write("config.yml", &guide::configuration(&identity, &keystore))?;
    // The guide trusts the machine's authorities, of which the appliance's is one.
    let authority_file = authority.file().display().to_string();
    folder.export("SSL_CERT_FILE", &authority_file);
    let line = "kes server --config config.yml --auth off --addr 127.0.0.1:0";
    let (server, banner) = folder.serve(line)?;
    let kms = format!("\nKMS         Entrust KeyControl: {}\n", node.url());
    assert!(banner.contains(&kms), "{banner}");
    assert!(banner.contains("\nAdmin       <disabled>\n"), "{banner}");

    folder.export("KES_CLIENT_CERT", "client.crt");
    folder.export("KES_CLIENT_KEY", "client.key");
    folder.export("SSL_CERT_FILE", "public.crt");
    let created = folder.run("kes key create my-key-1")?;
    assert_eq!((created.code, created.stderr.as_str()), (0, ""));
    let dek = folder.run("kes key dek my-key-1")?;
    assert_eq!((dek.code, dek.stderr.as_str()), (0, ""));
    let dek: serde_json::Value = serde_json::from_str(&dek.stdout)?;
    let ciphertext = dek["ciphertext"].as_str().context("no ciphertext")?;
    let decrypt = format!("kes key decrypt my-key-1 {ciphertext}");
    let opened = format!("{{\"plaintext\":{}}}", dek["plaintext"]);
    assert_eq!(folder.run(&decrypt)?.stdout, opened);
    assert!(appliance.secret_data("my-key-1").is_some());
    server.stop()?;

    // Another server, which has nothing but the box, opens it.
    folder.export("SSL_CERT_FILE", &authority_file);
    let (_server, _) = folder.serve(line)?;
    folder.export("SSL_CERT_FILE", "public.crt");
    assert_eq!(folder.run(&decrypt)?.stdout, opened);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_without_its_box() -> Result<()> {
    let world = World::new(KeyControlSettings::default()).await?;
    let refusal = || -> Result<String> {
        let refused = world.site.folder.run("kes server --config config.yml")?;
        ensure!(refused.code == 1, "it started");
        Ok(refused.stderr)
    };
    world
        .appliance
        .set(|settings| settings.box_name = "tenant-2".into());
    let error = refusal()?;
    assert!(error.contains("keycontrol: Box not found\n"), "{error}");
    world
        .appliance
        .set(|settings| settings.password = "another".into());
    let error = refusal()?;
    let message = "keycontrol: login failed: Invalid username or password\n";
    assert!(error.contains(message), "{error}");
    world
        .appliance
        .set(|settings| settings.vault_id = "other".into());
    let error = refusal()?;
    assert!(
        error.contains("keycontrol: login failed: Vault not found\n"),
        "{error}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creates_through_two_servers_one_succeeds() -> Result<()> {
    let mut world = World::new(KeyControlSettings::default()).await?;
    let (_one, first) = world.start()?;
    let (_two, second) = world.start()?;
    for round in 0..5 {
        race(&first, &second, &format!("key-{round}")).await?;
    }
    Ok(())
}

/// Whether a renewed token lives on is not known.
#[tokio::test(flavor = "multi_thread")]
async fn ten_lives_of_a_token_pass_without_a_failed_request() -> Result<()> {
    tokio::try_join!(ten_lives(false), ten_lives(true))?;
    Ok(())
}

async fn ten_lives(revokes_renewed: bool) -> Result<()> {
    let life = Duration::from_secs(2);
    let mut world = World::new(KeyControlSettings {
        token_life: life,
        revokes_renewed,
        ..KeyControlSettings::default()
    })
    .await?;
    world.cache_for("1ms")?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    let mut requests = under_load(&client, "key", life * 9).await?;
    world.appliance.revoke_tokens();
    requests += under_load(&client, "key", life).await?;
    let logins = metric(&client, "logins_total").await?;
    let renewals = metric(&client, "renewals_total").await?;
    let reads = metric(&client, "request_seconds_count").await?;
    println!(
        "{requests} requests, none failed; {logins} logins, {renewals} renewals, \
         {reads} requests to the appliance"
    );
    ensure!(logins == 2.0, "{logins} logins");
    ensure!(renewals >= 10.0, "{renewals} renewals");
    ensure!(reads > 1_000.0, "the key came out of the cache");
    ensure!(
        metric(&client, "login_failures_total").await? == 0.0,
        "a login failed"
    );
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_survived() -> Result<()> {
    let mut world = World::new(KeyControlSettings::default()).await?;
    world.cache_for("1h")?;
    let (server, client) = world.start()?;
    outage(&server, &client, &mut world.node, || {
        world.appliance.revoke_tokens();
    })
    .await?;
    // Silent at first to all requests, then to logins alone, without any token left.
    let faults = world.node.faults();
    silence(&client, faults, "", || (), "new").await?;
    let forget = || world.appliance.revoke_tokens();
    silence(&client, faults, "Login", forget, "newer").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_printed() -> Result<()> {
    let mut world = World::new(KeyControlSettings::default()).await?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    let password = world.appliance.settings().password;
    // What a careless proxy may say.
    let echo = format!("<html>password: {password}</html>");
    for status in [400, 500, 503] {
        let page = Fault::Page(status.try_into()?, "text/html", echo.clone());
        world.node.faults().plan(3, "Login", page);
        world.appliance.revoke_tokens();
        client.generate("key", b"").await.ok();
        client.status().await?;
    }
    for fault in [Fault::Drop, Fault::Cut, Fault::LoseAnswer] {
        world.node.faults().plan(1, "CheckoutSecret", fault);
        client.describe_key("key").await.ok();
    }
    server.complained("failed to login")?;
    let proc = format!("/proc/{}/", server.id());
    let mut printed = fs::read_to_string(proc.clone() + "cmdline")?;
    printed += &fs::read_to_string(proc + "environ")?;
    printed += &server.stop()?;
    assert!(printed.contains("password: ***"), "{printed}");

    let stored = world.appliance.secret_data("key").context("no key")?;
    let mut secrets = vec![password, stored];
    for request in world.node.journal().take() {
        if let Some(token) = request.headers().get("X-Vault-Auth") {
            secrets.push(token.to_str()?.to_owned());
        }
    }
    secrets.dedup();
    for secret in &secrets {
        assert!(!printed.contains(secret), "{printed}");
    }
    println!(
        "{} bytes searched for {} secrets",
        printed.len(),
        secrets.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_status_polls_leave_nothing_behind() -> Result<()> {
    let mut world = World::new(KeyControlSettings::default()).await?;
    let (server, client) = world.start()?;
    ten_thousand_polls(&server, &client).await?;
    assert!(world.node.accepted() <= 8);
    Ok(())
}
