//! Servers on a double of Entrust KeyControl.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use keystead_client_kes::{Client, Error};
use keystead_doubles::{Authority, Fault, KeyControl, KeyControlSettings, Server, Tls};
use keystead_tests::{Folder, Process, Signal, Site};
use keystead_wire_kes::ApiError;

/// An appliance, and a site whose server is configured for it.
struct World {
    appliance: KeyControl,
    node: Server,
    site: Site,
    // The file of the authority goes with it.
    _authority: Authority,
}

/// The configuration of the published guide: its keys and its structure.
fn guide(identity: &str, endpoint: &str, filled: [&str; 4]) -> String {
    let [vault_id, box_id, username, password] = filled;
    format!(
        "address: 0.0.0.0:7373 # All interfaces

admin:
  identity: disabled  # No administrator
   
tls:
  key: private.key    # Made by `kes identity new`
  cert: public.crt
   
policy:
  my-app: 
    allow:
    - /v1/key/create/my-key*
    - /v1/key/generate/my-key*
    - /v1/key/decrypt/my-key*
    identities:
    - {identity} # The application
   
keystore:
     entrust:
       keycontrol:
         endpoint: \"{endpoint}\"    # The appliance
         vault_id: \"{vault_id}\"    # The vault
         box_id:   \"{box_id}\"      # The box, by name or ID
         credentials:
           username: \"{username}\"  # The account
           password: \"{password}\"  # Its password
"
    )
}

// === impl World ===

impl World {
    async fn new(settings: KeyControlSettings) -> Result<Self> {
        let authority = Authority::new()?;
        let appliance = KeyControl::new(settings.clone());
        let node = appliance.node(1, &authority, Tls::On).await?;
        let site = Site::new("")?;
        let configuration = site.folder.read("config.yml")?;
        let keycontrol = format!(
            "keystore:\n  entrust:\n    keycontrol:\n      endpoint: {}\n      vault_id: {}\n      \
             box_id: {}\n      credentials: {{ username: {}, password: '{}' }}\n      \
             tls: {{ ca: {} }}\n\
             cache: {{ expiry: {{ any: 1h, unused: 1h }} }}\n\
             log: {{ error: DEBUG, audit: on }}\n",
            node.url(),
            settings.vault_id,
            settings.box_name,
            settings.username,
            settings.password,
            authority.file().display(),
        );
        let fs = "keystore: { fs: { path: keys } }\n";
        ensure!(configuration.contains(fs), "{configuration}");
        site.folder
            .write("config.yml", &configuration.replace(fs, &keycontrol))?;
        Ok(Self {
            appliance,
            node,
            site,
            _authority: authority,
        })
    }

    fn start(&mut self) -> Result<(Process, Client)> {
        self.site.start()
    }
}

fn stop(server: Process) -> Result<String> {
    server.send(Signal::TERM)?;
    let end = server.finish()?;
    ensure!(end.code == 0, "{}", end.stderr);
    Ok(end.stdout + &end.stderr)
}

fn exists(outcome: &Result<(), Error>) -> bool {
    matches!(outcome, Err(error) if error.api() == Some(&ApiError::KEY_EXISTS))
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
    folder.run(
        "kes identity new --key private.key --cert public.crt --ip 127.0.0.1 --dns localhost",
    )?;
    folder.run("kes identity new --key client.key --cert client.crt")?;
    let identity = folder.run("kes identity of client.crt")?.stdout;

    // As the guide leaves it.
    let template = guide(&identity, "https://keycontrol.my-org.com", [""; 4]);
    folder.write("config.yml", &template)?;
    let refused = folder.run("kes server --config config.yml --auth off")?;
    assert_eq!(refused.code, 1);
    let message = "Error: invalid Entrust KeyControl keystore: no vault ID specified\n";
    assert!(refused.stderr.contains(message), "{}", refused.stderr);

    // Filled in; the appliance has a certificate that the machine trusts.
    let filled = [
        settings.vault_id.as_str(),
        settings.box_name.as_str(),
        settings.username.as_str(),
        settings.password.as_str(),
    ];
    folder.write("config.yml", &guide(&identity, &node.url(), filled))?;
    folder.export("SSL_CERT_FILE", authority.file().display().to_string());
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
    let opened = folder.run(&format!("kes key decrypt my-key-1 {ciphertext}"))?;
    assert_eq!(
        opened.stdout,
        format!("{{\"plaintext\":{}}}", dek["plaintext"])
    );
    assert!(appliance.secret_data("my-key-1").is_some());
    stop(server)?;

    // Another server, which has nothing but the box, opens it.
    folder.export("SSL_CERT_FILE", authority.file().display().to_string());
    let (_server, _) = folder.serve(line)?;
    folder.export("SSL_CERT_FILE", "public.crt");
    let opened = folder.run(&format!("kes key decrypt my-key-1 {ciphertext}"))?;
    assert_eq!(
        opened.stdout,
        format!("{{\"plaintext\":{}}}", dek["plaintext"])
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_without_its_box() -> Result<()> {
    let world = World::new(KeyControlSettings::default()).await?;
    let start = |what: &str| -> Result<String> {
        let refused = world.site.folder.run("kes server --config config.yml")?;
        ensure!(refused.code == 1, "it started {what}");
        Ok(refused.stderr)
    };
    world
        .appliance
        .set(|settings| settings.box_name = "tenant-2".into());
    let error = start("without a box")?;
    assert!(error.contains("keycontrol: Box not found\n"), "{error}");
    world
        .appliance
        .set(|settings| settings.password = "another".into());
    let error = start("with a wrong password")?;
    let message = "keycontrol: login failed: Invalid username or password\n";
    assert!(error.contains(message), "{error}");
    world
        .appliance
        .set(|settings| settings.vault_id = "other".into());
    let error = start("without a vault")?;
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
        let name = format!("key-{round}");
        let mut creates = tokio::task::JoinSet::new();
        for number in 0..50 {
            let client = if number % 2 == 0 { &first } else { &second }.clone();
            let name = name.clone();
            creates.spawn(async move { client.create_key(&name).await });
        }
        let outcomes = creates.join_all().await;
        let created = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        let refused = outcomes.iter().filter(|outcome| exists(outcome)).count();
        assert_eq!((created, refused), (1, 49), "{outcomes:?}");
        let made = first.generate(&name, b"context").await?;
        let opened = second.decrypt(&name, &made.ciphertext, b"context").await?;
        assert_eq!(*opened.plaintext, *made.plaintext);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_fails_while_tokens_come_and_go() -> Result<()> {
    const LIVES: u32 = 10;
    for revokes_renewed in [false, true] {
        let life = Duration::from_secs(2);
        let mut world = World::new(KeyControlSettings {
            token_life: life,
            revokes_renewed,
            ..KeyControlSettings::default()
        })
        .await?;
        let (server, client) = world.start()?;
        let end = Instant::now() + life * LIVES / 2;
        let mut requests = 0;
        while Instant::now() < end {
            let name = format!("key-{requests}");
            client.create_key(&name).await?;
            client.generate(&name, b"").await?;
            if requests % 100 == 50 {
                world.appliance.revoke_tokens();
            }
            requests += 1;
        }
        let metrics = client.metrics().await?;
        let metric = |family: &str| {
            let name = format!("keystead_keystore_{family} ");
            let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
            line.unwrap_or_default().to_owned()
        };
        println!(
            "{requests} creates and reads, none failed; {} logins, {} renewals",
            metric("logins_total"),
            metric("renewals_total"),
        );
        assert_eq!(metric("login_failures_total"), "0");
        assert_ne!(metric("logins_total"), "1");
        stop(server)?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_survived() -> Result<()> {
    let mut world = World::new(KeyControlSettings::default()).await?;
    let (server, client) = world.start()?;
    client.create_key("cached").await?;
    client.create_key("uncached").await?;
    client.generate("cached", b"").await?;
    let status = |error: Error| error.api().map(|error| error.status.as_u16());

    world.node.kill().await;
    world.appliance.revoke_tokens();
    let down = Instant::now();
    let uncached = client.generate("uncached", b"").await.err();
    assert_eq!(uncached.and_then(status), Some(502));
    client.generate("cached", b"").await?;
    assert!(exists(&client.create_key("cached").await));
    let ready = client.ready().await.err();
    assert_eq!(ready.and_then(status), Some(504));
    assert!(client.status().await?.keystore_unreachable);
    server.complained("key store is offline")?;
    println!(
        "noticed {:?} after the end of the appliance",
        down.elapsed()
    );

    world.node.restart().await?;
    let up = Instant::now();
    client.generate("uncached", b"").await?;
    println!("keys are read again after {:?}", up.elapsed());
    assert!(up.elapsed() < Duration::from_secs(5));
    server.complained("key store is online again")?;
    println!("online again after {:?}", up.elapsed());
    assert!(up.elapsed() < Duration::from_secs(15));
    client.ready().await?;

    // It takes connections and requests, and is silent.
    world.node.faults().plan(usize::MAX, "", Fault::Hang);
    client.create_key("other").await.err().context("created")?;
    let start = Instant::now();
    client
        .create_key("another")
        .await
        .err()
        .context("created")?;
    println!("a create at a silent appliance took {:?}", start.elapsed());
    client.generate("cached", b"").await?;
    world.node.faults().clear();
    let well = Instant::now();
    client.create_key("third").await?;
    println!("created again after {:?}", well.elapsed());
    stop(server)?;
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
        let status = status.try_into()?;
        world
            .node
            .faults()
            .plan(3, "Login", Fault::Page(status, "text/html", echo.clone()));
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
    printed += &stop(server)?;

    let mut secrets = vec![
        password,
        world.appliance.secret_data("key").context("no key")?,
    ];
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

/// Open descriptors and resident memory in KiB.
fn figures(server: &Process) -> Result<(usize, u64)> {
    let proc = format!("/proc/{}/", server.id());
    let descriptors = fs::read_dir(proc.clone() + "fd")?.count();
    let status = fs::read_to_string(proc + "status")?;
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let memory = memory.and_then(|line| line.split_whitespace().next());
    Ok((descriptors, memory.context("no VmRSS")?.parse()?))
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_status_polls_leave_nothing_behind() -> Result<()> {
    const POLLS: usize = 10_000;
    let mut world = World::new(KeyControlSettings::default()).await?;
    let (server, client) = world.start()?;
    let mut before = None;
    let start = Instant::now();
    for poll in 0..POLLS {
        client.ready().await?;
        if poll == POLLS / 10 {
            before = Some(figures(&server)?);
        }
        if poll % 100 == 0 {
            // The double would remember all of them.
            world.node.journal().take();
        }
    }
    let took = start.elapsed();
    let before = before.context("no figures")?;
    let after = figures(&server)?;
    println!(
        "{POLLS} polls in {took:?}; descriptors {} -> {}, memory {} -> {} KiB; \
         {} connections to the appliance, {} open",
        before.0,
        after.0,
        before.1,
        after.1,
        world.node.accepted(),
        world.node.open(),
    );
    assert!(after.0 <= before.0 + 2);
    assert!(after.1 <= before.1 + 4096);
    assert!(world.node.accepted() <= 4);
    Ok(())
}
