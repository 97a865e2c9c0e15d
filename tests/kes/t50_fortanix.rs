//! Servers on a double of Fortanix SDKMS.
#![cfg(test)]

use std::fs;

use anyhow::{Context, Result, ensure};
use keystead_client_kes::Client;
use keystead_doubles::{Authority, Fault, Fortanix, FortanixSettings, Server, Tls};
use keystead_tests::drill::{outage, race, silence, status, ten_thousand_polls};
use keystead_tests::{Process, Site};

/// The service, and a site whose servers are configured for it.
struct World {
    service: Fortanix,
    server: Server,
    key: String,
    site: Site,
    // The file of the authority goes with it.
    _authority: Authority,
}

// === impl World ===

impl World {
    async fn new() -> Result<Self> {
        let settings = FortanixSettings::default();
        let authority = Authority::new()?;
        let key = settings.keys.first().context("no API key")?.clone();
        let group = settings.groups.first().context("no group")?.clone();
        let service = Fortanix::new(settings);
        let answering = service.clone();
        let answer = move |request: &_| answering.answer(request);
        let server = Server::start(&authority, Tls::On, answer).await?;
        let site = Site::new("log: { error: DEBUG, audit: on }\n")?;
        site.folder.write("api-key", &format!("{key}\n"))?;
        site.keep_keys_in(&format!(
            "keystore:\n  fortanix:\n    sdkms:\n      endpoint: {}\n      group_id: {group}\n      \
             credentials: {{ key_file: api-key }}\n      tls: {{ ca: {} }}\n",
            server.url(),
            authority.file().display(),
        ))?;
        Ok(Self {
            service,
            server,
            key,
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
    let mut world = World::new().await?;
    let line = "kes server --config config.yml";
    let (server, banner) = world.site.folder.serve(line)?;
    let kms = format!("\nKMS         Fortanix SDKMS: {}\n", world.server.url());
    assert!(banner.contains(&kms), "{banner}");
    assert_eq!(world.service.open_sessions(), 0);
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
    assert!(world.service.object("my-key-1").is_some());
    server.stop()?;

    // Another server, which has nothing but the service, opens it.
    let (server, client) = world.start()?;
    assert_eq!(world.site.folder.run(&decrypt)?.stdout, opened);
    client.delete_key("my-key-1").await?;
    assert!(world.service.object("my-key-1").is_none());
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_with_a_wrong_key() -> Result<()> {
    let world = World::new().await?;
    world.site.folder.write("api-key", "d3Jvbmc=\n")?;
    let refused = world.site.folder.run("kes server --config config.yml")?;
    ensure!(refused.code == 1, "it started");
    let message = "401 Unauthorized: invalid credentials (check 'credentials.key': the API key \
                   of the app, as the console shows it)\n";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);
    assert!(!refused.stderr.contains("d3Jvbmc="), "{}", refused.stderr);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creates_through_two_servers_one_succeeds() -> Result<()> {
    let mut world = World::new().await?;
    let (_one, first) = world.start()?;
    let (_two, second) = world.start()?;
    for round in 0..5 {
        race(&first, &second, &format!("key-{round}")).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_needs_no_restart() -> Result<()> {
    let mut world = World::new().await?;
    world.cache_for("1ms")?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    world
        .service
        .set(|settings| settings.keys = ["bmV3".into()].into());
    let refused = client.generate("key", b"").await.err();
    assert_eq!(refused.as_ref().and_then(status), Some(502));
    server.complained("check 'credentials.key'")?;
    world.site.folder.write("api-key", "bmV3\n")?;
    client.generate("key", b"").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_survived() -> Result<()> {
    let mut world = World::new().await?;
    world.cache_for("1h")?;
    let (server, client) = world.start()?;
    outage(&server, &client, &mut world.server, || ()).await?;
    silence(&client, world.server.faults(), "", || (), "new").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_printed() -> Result<()> {
    let mut world = World::new().await?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    // What a careless proxy may say.
    let echo = format!("<html>Authorization: Basic {}</html>", world.key);
    for (status, name) in [(400, "a"), (401, "b"), (503, "c")] {
        let page = Fault::Page(status.try_into()?, "text/html", echo.clone());
        world.server.faults().plan(3, "export", page);
        client.describe_key(name).await.err().context("described")?;
        world.server.faults().clear();
    }
    for fault in [Fault::Drop, Fault::Cut, Fault::LoseAnswer] {
        world.server.faults().plan(1, "export", fault);
        client.describe_key("key").await.ok();
    }
    let proc = format!("/proc/{}/", server.id());
    let mut printed = fs::read_to_string(proc.clone() + "cmdline")?;
    printed += &fs::read_to_string(proc + "environ")?;
    printed += &server.stop()?;
    assert!(printed.contains("Authorization: Basic ***"), "{printed}");

    let (_, stored) = world.service.object("key").context("no key")?;
    for secret in [&world.key, &stored] {
        assert!(!printed.contains(secret.as_str()), "{printed}");
    }
    println!("{} bytes searched", printed.len());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_status_polls_leave_nothing_behind() -> Result<()> {
    let mut world = World::new().await?;
    let (server, client) = world.start()?;
    ten_thousand_polls(&server, &client).await?;
    assert!(world.server.accepted() <= 8);
    Ok(())
}
