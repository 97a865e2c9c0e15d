//! Servers on a double of Azure Key Vault.
#![cfg(test)]

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use keystead_client_kes::Client;
use keystead_doubles::{Authority, Azure, AzureSettings, Fault, Server};
use keystead_tests::drill::{exists, metric, outage, race, silence, status, ten_thousand_polls};
use keystead_tests::{Process, Site};

/// A vault, and a site whose servers are configured for it.
struct World {
    azure: Azure,
    vault: Server,
    login: Server,
    metadata: Server,
    site: Site,
    // The file of the authority goes with it.
    _authority: Authority,
}

// === impl World ===

impl World {
    async fn new() -> Result<Self> {
        let authority = Authority::new()?;
        let azure = Azure::new(AzureSettings::default());
        let vault = azure.vault(&authority).await?;
        let login = azure.login(&authority).await?;
        let metadata = azure.metadata(&authority).await?;
        let mut site = Site::new("log: { error: DEBUG, audit: on }\n")?;
        // The machine trusts the authorities of Azure, and those of the site.
        let trusted = site.folder.read("public.crt")? + &fs::read_to_string(authority.file())?;
        site.folder.write("trusted.crt", &trusted)?;
        site.folder.export("SSL_CERT_FILE", "trusted.crt");
        site.folder.export("AZURE_AUTHORITY_HOST", login.url());
        site.folder
            .export("AZURE_POD_IDENTITY_AUTHORITY_HOST", metadata.url());
        Ok(Self {
            azure,
            vault,
            login,
            metadata,
            site,
            _authority: authority,
        })
    }

    /// A world whose servers log in with the client secret in a file.
    async fn with_client_secret() -> Result<Self> {
        let world = Self::new().await?;
        let settings = world.azure.settings();
        world.keep_keys(&format!(
            "credentials: {{ tenant_id: {}, client_id: {}, client_secret_file: client-secret }}",
            settings.tenant_id, settings.client_id
        ))?;
        let folder = &world.site.folder;
        folder.write("client-secret", &settings.client_secret)?;
        Ok(world)
    }

    fn keep_keys(&self, credentials: &str) -> Result<()> {
        let separator = if credentials.is_empty() { "" } else { ", " };
        self.site.keep_keys_in(&format!(
            "keystore: {{ azure: {{ keyvault: {{ endpoint: \"{}\"{separator}{credentials} }} }} }}\n",
            self.vault.url(),
        ))
    }

    fn start(&mut self) -> Result<(Process, Client)> {
        self.site.start()
    }
}

async fn life_of_a_key(client: &Client) -> Result<()> {
    client.create_key("my-key").await?;
    assert!(exists(&client.create_key("my-key").await));
    let made = client.generate("my-key", b"context").await?;
    let opened = client
        .decrypt("my-key", &made.ciphertext, b"context")
        .await?;
    assert_eq!(*opened.plaintext, *made.plaintext);
    client.delete_key("my-key").await?;
    let gone = client.describe_key("my-key").await.err();
    assert_eq!(gone.as_ref().and_then(status), Some(404));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_lives_from_create_to_delete() -> Result<()> {
    let mut world = World::with_client_secret().await?;
    let (server, client) = world.start()?;
    life_of_a_key(&client).await?;
    client.create_key("key-1").await?;
    client.create_key("key-2").await?;
    let listed = world.site.folder.run("kes key ls")?;
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""));
    assert!(listed.stdout.contains("key-1") && listed.stdout.contains("key-2"));
    assert!(!listed.stdout.contains("my-key"));
    assert_eq!(metric(&client, "logins_total").await?, 1.0);
    assert!(metric(&client, "token_ttl_seconds").await? > 3_000.0);

    let refused = client.create_key("my_key").await.err();
    assert_eq!(refused.as_ref().and_then(status), Some(502));
    server.complained("choose a key name without '_'")?;

    // Another server, which has nothing but the vault, opens it.
    let made = client.generate("key-1", b"").await?;
    let (_other, other) = world.start()?;
    let opened = other.decrypt("key-1", &made.ciphertext, b"").await?;
    assert_eq!(*opened.plaintext, *made.plaintext);
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_managed_identity_and_the_default_chain_work() -> Result<()> {
    for configured in [true, false] {
        let mut world = World::new().await?;
        let client_id = world.azure.settings().client_id;
        world.keep_keys(&match configured {
            true => format!("managed_identity: {{ client_id: {client_id} }}"),
            false => String::new(),
        })?;
        let (server, client) = world.start()?;
        life_of_a_key(&client).await?;
        assert_eq!(world.metadata.journal().take().len(), 1);
        assert_eq!(world.login.accepted(), 0);
        server.stop()?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_are_told_at_the_first_use() -> Result<()> {
    let mut world = World::with_client_secret().await?;
    world.site.folder.write("client-secret", "wr0ng\n")?;
    let (server, client) = world.start()?;
    let refused = client.create_key("key").await.err();
    assert_eq!(refused.as_ref().and_then(status), Some(502));
    let log = server.complained("AADSTS7000215: Invalid client secret provided.")?;
    assert!(log.contains("azure: login failed: 401"), "{log}");
    assert!(!log.contains("wr0ng"), "{log}");
    // The file is read again.
    let secret = world.azure.settings().client_secret;
    world.site.folder.write("client-secret", &secret)?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    client.create_key("key").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creates_through_two_servers_one_succeeds() -> Result<()> {
    let mut world = World::with_client_secret().await?;
    let (_one, first) = world.start()?;
    let (_two, second) = world.start()?;
    for round in 0..3 {
        let start = Instant::now();
        let key = format!("key-{round}");
        race(&first, &second, &key).await?;
        let versions = world.azure.versions(&key).len();
        println!("{versions} versions, {:?}", start.elapsed());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_survived() -> Result<()> {
    let mut world = World::with_client_secret().await?;
    let cache = "cache: { expiry: { any: 1h, unused: 1h } }\n";
    let configuration = world.site.folder.read("config.yml")? + cache;
    world.site.folder.write("config.yml", &configuration)?;
    let (server, client) = world.start()?;
    outage(&server, &client, &mut world.vault, || {
        world.azure.revoke_tokens();
    })
    .await?;
    silence(&client, world.vault.faults(), "", || (), "new").await?;
    let forget = || world.azure.revoke_tokens();
    silence(&client, world.login.faults(), "", forget, "newer").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_printed() -> Result<()> {
    let mut world = World::with_client_secret().await?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    let client_secret = world.azure.settings().client_secret;
    for status in [400, 500, 503] {
        // What a careless proxy may say.
        let token = world.azure.tokens().pop().context("no token")?;
        let echo = format!("<html>token: {token}</html>");
        let page = Fault::Page(status.try_into()?, "text/html", echo);
        world.vault.faults().plan(8, "/secrets", page);
        client.describe_key("key").await.ok();
        world.vault.faults().clear();
        let echo = format!("<html>secret: {client_secret}</html>");
        let page = Fault::Page(status.try_into()?, "text/html", echo);
        world.login.faults().plan(8, "/token", page);
        world.azure.revoke_tokens();
        tokio::time::sleep(Duration::from_secs(3)).await;
        client.create_key("other").await.ok();
        world.login.faults().clear();
    }
    let proc = format!("/proc/{}/", server.id());
    let mut printed = fs::read_to_string(proc.clone() + "cmdline")?;
    printed += &fs::read_to_string(proc + "environ")?;
    printed += &server.stop()?;
    assert!(printed.contains("secret: ***"), "{printed}");
    assert!(printed.contains("token: ***"), "{printed}");

    let mut secrets = world.azure.tokens();
    secrets.push(client_secret);
    secrets.push(world.azure.versions("key").remove(0).value);
    for secret in &secrets {
        assert!(!printed.contains(secret), "{printed}");
    }
    let (bytes, secrets) = (printed.len(), secrets.len());
    println!("{bytes} bytes searched for {secrets} secrets");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_status_polls_leave_nothing_behind() -> Result<()> {
    let mut world = World::with_client_secret().await?;
    let (server, client) = world.start()?;
    ten_thousand_polls(&server, &client).await?;
    assert!(world.vault.accepted() <= 8);
    Ok(())
}
