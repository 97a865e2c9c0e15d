//! Servers on a double of a Thales CipherTrust Manager, formerly Gemalto KeySecure.
#![cfg(test)]

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use keystead_client_kes::Client;
use keystead_doubles::{Authority, CipherTrust, CipherTrustSettings, Fault, Server, Tls};
use keystead_tests::drill::{
    metric, outage, race, silence, status, ten_thousand_polls, under_load,
};
use keystead_tests::{Process, Site};

/// An appliance, and a site whose servers are configured for it.
struct World {
    appliance: CipherTrust,
    server: Server,
    refresh_token: String,
    site: Site,
    // The file of the authority goes with it.
    _authority: Authority,
}

// === impl World ===

impl World {
    async fn new(settings: CipherTrustSettings) -> Result<Self> {
        let authority = Authority::new()?;
        let refresh_token = settings.refresh_tokens.first().context("no token")?.clone();
        let domain = settings.domain.clone().unwrap_or_default();
        let appliance = CipherTrust::new(settings);
        let answering = appliance.clone();
        let answer = move |request: &_| answering.answer(request);
        let server = Server::start(&authority, Tls::On, answer).await?;
        let site = Site::new("log: { error: DEBUG, audit: on }\n")?;
        site.folder
            .write("refresh-token", &format!("{refresh_token}\n"))?;
        site.keep_keys_in(&format!(
            "keystore:\n  gemalto:\n    keysecure:\n      endpoint: {}\n      credentials:\n        \
             token_file: refresh-token\n        domain: '{domain}'\n        retry: 1s\n      \
             tls: {{ ca: {} }}\n",
            server.url(),
            authority.file().display(),
        ))?;
        Ok(Self {
            appliance,
            server,
            refresh_token,
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
async fn a_key_from_its_creation_to_its_end() -> Result<()> {
    let mut world = World::new(CipherTrustSettings {
        domain: Some("storage".into()),
        ..CipherTrustSettings::default()
    })
    .await?;
    let line = "kes server --config config.yml";
    let (server, banner) = world.site.folder.serve(line)?;
    let kms = format!("\nKMS         Gemalto KeySecure: {}\n", world.server.url());
    assert!(banner.contains(&kms), "{banner}");
    let folder = &world.site.folder;
    let run = |line: &str| -> Result<String> {
        let done = folder.run(line)?;
        ensure!(done.code == 0, "{line}: {}", done.stderr);
        Ok(done.stdout)
    };
    run("kes key create my-key-1")?;
    let dek: serde_json::Value = serde_json::from_str(&run("kes key dek my-key-1")?)?;
    let ciphertext = dek["ciphertext"].as_str().context("no ciphertext")?;
    let decrypt = format!("kes key decrypt my-key-1 {ciphertext}");
    let opened = format!("{{\"plaintext\":{}}}", dek["plaintext"]);
    assert_eq!(run(&decrypt)?, opened);
    assert!(run("kes key ls")?.contains("my-key-1"));
    let (data_type, _) = world.appliance.secret("my-key-1").context("no secret")?;
    assert_eq!(data_type, "seed");
    server.stop()?;

    // Another server, which has nothing but the appliance, opens it.
    let (server, client) = world.start()?;
    assert_eq!(world.site.folder.run(&decrypt)?.stdout, opened);
    client.delete_key("my-key-1").await?;
    assert!(world.appliance.secret("my-key-1").is_none());
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_with_a_wrong_token() -> Result<()> {
    let world = World::new(CipherTrustSettings::default()).await?;
    world.site.folder.write("refresh-token", "wr0ng\n")?;
    let refused = world.site.folder.run("kes server --config config.yml")?;
    ensure!(refused.code == 1, "it started");
    let message = "login failed: 401 Unauthorized: NCERRUnauthorized: Unauthorized (check \
                   'credentials.token' and 'credentials.domain'; a refresh token may have \
                   expired or been revoked: issue a new one)\n";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
    assert!(!refused.stderr.contains("wr0ng"), "{}", refused.stderr);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creates_through_two_servers_one_succeeds() -> Result<()> {
    let mut world = World::new(CipherTrustSettings::default()).await?;
    let (_one, first) = world.start()?;
    let (_two, second) = world.start()?;
    for round in 0..5 {
        race(&first, &second, &format!("key-{round}")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_lives_of_a_token_pass_without_a_failed_request() -> Result<()> {
    let life = Duration::from_secs(2);
    let mut world = World::new(CipherTrustSettings {
        token_life: life,
        ..CipherTrustSettings::default()
    })
    .await?;
    world.cache_for("1ms")?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    let mut requests = under_load(&client, "key", life * 9).await?;
    world.appliance.revoke_tokens();
    requests += under_load(&client, "key", life).await?;
    let logins = metric(&client, "logins_total").await?;
    let reads = metric(&client, "request_seconds_count").await?;
    println!(
        "{requests} requests, none failed; {logins} logins, {reads} requests to the appliance"
    );
    ensure!(logins >= 11.0, "{logins} logins");
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
    let mut world = World::new(CipherTrustSettings::default()).await?;
    world.cache_for("1h")?;
    let (server, client) = world.start()?;
    outage(&server, &client, &mut world.server, || {
        world.appliance.revoke_tokens();
    })
    .await?;
    silence(&client, world.server.faults(), "", || (), "new").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_refresh_token_needs_no_restart() -> Result<()> {
    let mut world = World::new(CipherTrustSettings::default()).await?;
    world.cache_for("1ms")?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    world
        .appliance
        .set(|settings| settings.refresh_tokens = ["n3w".into()].into());
    world.appliance.revoke_tokens();
    let refused = client.generate("key", b"").await.err();
    assert_eq!(refused.as_ref().and_then(status), Some(502));
    server.complained("keysecure: failed to login")?;
    world.site.folder.write("refresh-token", "n3w\n")?;
    server.complained("keysecure: logged in again")?;
    client.generate("key", b"").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_printed() -> Result<()> {
    let mut world = World::new(CipherTrustSettings::default()).await?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    // What a careless proxy may say.
    let echo = format!("<html>token: {}</html>", world.refresh_token);
    for status in [400, 500, 503] {
        let page = Fault::Page(status.try_into()?, "text/html", echo.clone());
        world.server.faults().plan(3, "tokens", page);
        world.appliance.revoke_tokens();
        client.generate("key", b"").await.ok();
        client.status().await?;
    }
    for fault in [Fault::Drop, Fault::Cut, Fault::LoseAnswer] {
        world.server.faults().plan(1, "export", fault);
        client.describe_key("key").await.ok();
    }
    server.complained("failed to login")?;
    let proc = format!("/proc/{}/", server.id());
    let mut printed = fs::read_to_string(proc.clone() + "cmdline")?;
    printed += &fs::read_to_string(proc + "environ")?;
    printed += &server.stop()?;
    assert!(printed.contains("token: ***"), "{printed}");

    let (_, stored) = world.appliance.secret("key").context("no key")?;
    let mut secrets = vec![world.refresh_token.clone(), stored];
    for request in world.server.journal().take() {
        if let Some(header) = request.headers().get("authorization") {
            let token = header.to_str()?.strip_prefix("Bearer ");
            secrets.push(token.context("no token")?.to_owned());
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
    let mut world = World::new(CipherTrustSettings::default()).await?;
    let (server, client) = world.start()?;
    ten_thousand_polls(&server, &client).await?;
    assert!(world.server.accepted() <= 8);
    Ok(())
}
