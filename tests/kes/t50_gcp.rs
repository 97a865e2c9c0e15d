//! Servers on a double of Google Cloud Secret Manager.
#![cfg(test)]

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use keystead_client_kes::Client;
use keystead_doubles::{Authority, Fault, Gcp, GcpSettings, Server, Tls};
use keystead_tests::drill::{exists, metric, outage, race, silence, status, ten_thousand_polls};
use keystead_tests::{Process, Site};
use tokio::time::sleep;

/// A project, and a site whose servers are configured for it.
struct World {
    gcp: Gcp,
    server: Server,
    site: Site,
    // The file of the authority goes with it.
    _authority: Authority,
}

/// Who the servers are to Google Cloud.
enum Identity {
    /// The four parts of a service account's key.
    Account,
    /// Whatever the environment offers.
    Environment,
}

// === impl World ===

impl World {
    async fn new(identity: Identity) -> Result<Self> {
        let authority = Authority::new()?;
        let gcp = Gcp::new(GcpSettings::default())?;
        let server = gcp.serve(&authority, Tls::On).await?;
        let mut site = Site::new("log: { error: DEBUG, audit: on }\n")?;
        // The documented form, without scheme.
        let endpoint = server.url().replace("https://", "");
        let mut keystore = format!(
            "keystore:\n  gcp:\n    secretmanager:\n      project_id: my-project\n      \
             endpoint: {endpoint}\n"
        );
        if let Identity::Account = identity {
            let account = gcp.account();
            site.folder.write("private-key.pem", &account.private_key)?;
            keystore += &format!(
                "      credentials:\n        client_email: {}\n        client_id: '{}'\n        \
                 private_key_id: {}\n        private_key_file: private-key.pem\n",
                account.client_email, account.client_id, account.private_key_id
            );
        }
        site.keep_keys_in(&keystore)?;
        // There is no setting for authorities: the machine's count.
        let trusted = site.folder.read("public.crt")? + &fs::read_to_string(authority.file())?;
        site.folder.write("trusted.pem", &trusted)?;
        site.folder.export("SSL_CERT_FILE", "trusted.pem");
        Ok(Self {
            gcp,
            server,
            site,
            _authority: authority,
        })
    }

    fn start(&mut self) -> Result<(Process, Client)> {
        self.site.start()
    }

    /// A server that refuses to start; gives what it says.
    fn refusal(&self) -> Result<String> {
        let refused = self.site.folder.run("kes server --config config.yml")?;
        ensure!(refused.code == 1, "it started");
        Ok(refused.stderr)
    }

    fn configure(&self, change: impl Fn(String) -> String) -> Result<()> {
        let configuration = self.site.folder.read("config.yml")?;
        self.site.folder.write("config.yml", &change(configuration))
    }
}

/// One key through its life, and through two servers.
async fn use_a_key(client: &Client) -> Result<()> {
    client.create_key("my-key").await?;
    assert!(exists(&client.create_key("my-key").await));
    let made = client.generate("my-key", b"context").await?;
    let opened = client
        .decrypt("my-key", &made.ciphertext, b"context")
        .await?;
    ensure!(*opened.plaintext == *made.plaintext);
    assert_eq!(client.list_keys("").await?, ["my-key"]);
    client.delete_key("my-key").await?;
    assert_eq!(client.list_keys("").await?, [""; 0]);
    let gone = client.delete_key("my-key").await.err();
    assert_eq!(gone.as_ref().and_then(status), Some(404));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_lives_and_another_server_opens_what_it_sealed() -> Result<()> {
    let mut world = World::new(Identity::Account).await?;
    let (server, client) = world.start()?;
    use_a_key(&client).await?;
    client.create_key("key").await?;
    let made = client.generate("key", b"").await?;
    assert_eq!(world.gcp.versions("key"), Some(1));
    assert_eq!(metric(&client, "logins_total").await?, 1.0);
    server.stop()?;
    let (server, client) = world.start()?;
    let opened = client.decrypt("key", &made.ciphertext, b"").await?;
    ensure!(*opened.plaintext == *made.plaintext);
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_creates_through_two_servers_one_succeeds() -> Result<()> {
    let mut world = World::new(Identity::Account).await?;
    let (_one, first) = world.start()?;
    let (_two, second) = world.start()?;
    for round in 0..5 {
        let name = format!("key-{round}");
        race(&first, &second, &name).await?;
        assert_eq!(world.gcp.versions(&name), Some(1));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_credentials_of_a_service_account_file() -> Result<()> {
    let mut world = World::new(Identity::Environment).await?;
    let file = world.gcp.account().file();
    world.site.folder.write("account.json", &file)?;
    let folder = &mut world.site.folder;
    folder.export("GOOGLE_APPLICATION_CREDENTIALS", "account.json");
    let (server, client) = world.start()?;
    use_a_key(&client).await?;
    server.stop()?;
    Ok(())
}

/// Their tokens come from a token endpoint, over TLS with the machine's authorities.
#[tokio::test(flavor = "multi_thread")]
async fn the_default_credentials_of_a_user_and_of_a_workload() -> Result<()> {
    for file in ["user", "workload"] {
        let mut world = World::new(Identity::Environment).await?;
        let folder = &mut world.site.folder;
        folder.write("subject-token", Gcp::SUBJECT_TOKEN)?;
        let url = world.server.url();
        let subject_token = folder.path().join("subject-token");
        let credentials = match file {
            "user" => Gcp::user_file(&url),
            _ => Gcp::workload_file(&url, &subject_token),
        };
        folder.write("credentials.json", &credentials)?;
        folder.export("GOOGLE_APPLICATION_CREDENTIALS", "credentials.json");
        let (server, client) = world.start()?;
        use_a_key(&client).await?;
        client.create_key("key").await?;

        // New tokens are asked for every few seconds at most.
        world.gcp.revoke_tokens();
        let revoked = Instant::now();
        while let Err(error) = client.list_keys("").await {
            ensure!(revoked.elapsed() < Duration::from_secs(10), "{error}");
            sleep(Duration::from_millis(100)).await;
        }
        println!(
            "{file}: served again {:?} after revocation",
            revoked.elapsed()
        );
        let printed = server.stop()?;
        ensure!(!printed.contains("ya29."), "{printed}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_default_credentials_of_a_virtual_machine() -> Result<()> {
    let mut world = World::new(Identity::Environment).await?;
    let authority = Authority::new()?;
    let metadata = world.gcp.serve(&authority, Tls::Off).await?;
    let host = metadata.url().replace("http://", "");
    world.site.folder.export("GCE_METADATA_HOST", host);
    let (server, client) = world.start()?;
    use_a_key(&client).await?;
    assert!(metadata.journal().count("/token") > 0);
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_cannot_work_end_the_start() -> Result<()> {
    let mut world = World::new(Identity::Account).await?;
    world.site.folder.write("private-key.pem", "no PEM\n")?;
    let error = world.refusal()?;
    assert!(error.contains("gcp: private_key: "), "{error}");
    assert!(error.contains("copy it from the JSON file"), "{error}");
    assert!(!error.contains("no PEM"), "{error}");

    world.configure(|text| text.replace("client_id:", "# client_id:"))?;
    let error = world.refusal()?;
    assert!(error.contains("no client ID provided"), "{error}");

    let credentials = |text: String| {
        let start = text.find("      credentials:").unwrap_or_default();
        let end = text.find("log:").unwrap_or_default();
        [&text[..start], &text[end..]].concat()
    };
    world.configure(credentials)?;
    let folder = &mut world.site.folder;
    folder.export("GOOGLE_APPLICATION_CREDENTIALS", "absent.json");
    let error = world.refusal()?;
    assert!(error.contains("application default credentials"), "{error}");
    assert!(error.contains("absent.json"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_google_knows_is_told_at_the_first_request() -> Result<()> {
    let mut world = World::new(Identity::Account).await?;
    world.gcp.set(|settings| settings.enabled = false);
    let (server, client) = world.start()?;
    let error = client.create_key("key").await.err();
    assert_eq!(error.as_ref().and_then(status), Some(502));
    let said = server.complained("UNAUTHENTICATED")?;
    assert!(said.contains("look whether the service account"), "{said}");

    world.gcp.set(|settings| {
        settings.enabled = true;
        settings.denied = vec!["secretmanager.secrets.create"];
    });
    let error = client.create_key("key").await.err();
    assert_eq!(error.as_ref().and_then(status), Some(502));
    server.complained("Permission 'secretmanager.secrets.create' denied")?;
    world.gcp.set(|settings| settings.denied.clear());
    client.create_key("key").await?;
    server.stop()?;
    Ok(())
}

/// Killed between the two steps of a create.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_a_crash_left_behind_is_explained_and_freed() -> Result<()> {
    let mut world = World::new(Identity::Account).await?;
    let (server, client) = world.start()?;
    world.server.faults().plan(1, ":addVersion", Fault::Hang);
    let create = tokio::spawn(async move { client.create_key("key").await });
    while world.server.journal().count(":addVersion") == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    drop(server);
    ensure!(create.await?.is_err(), "it was created");
    assert_eq!(world.gcp.versions("key"), Some(0));

    let (server, client) = world.start()?;
    assert!(exists(&client.create_key("key").await));
    let said = server.complained("has no first version")?;
    assert!(said.contains("kes key rm key"), "{said}");
    let missing = client.generate("key", b"").await.err();
    assert_eq!(missing.as_ref().and_then(status), Some(404));
    let removed = world.site.folder.run("kes key rm key")?;
    assert_eq!((removed.code, removed.stderr.as_str()), (0, ""));
    client.create_key("key").await?;
    client.generate("key", b"").await?;
    server.stop()?;
    Ok(())
}

/// A server that ends in an orderly way waits for the second step.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_stopped_completes_its_creates() -> Result<()> {
    let mut world = World::new(Identity::Account).await?;
    let (server, client) = world.start()?;
    let slow = Fault::Slow(Duration::from_millis(1));
    world.server.faults().plan(1, "/secrets", slow);
    let create = tokio::spawn(async move { client.create_key("key").await });
    while world.server.journal().count("/secrets") == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    // The client goes away as well.
    create.abort();
    server.stop()?;
    assert_eq!(world.gcp.versions("key"), Some(1));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_survived() -> Result<()> {
    let mut world = World::new(Identity::Account).await?;
    world.configure(|text| text + "cache: { expiry: { any: 1h, unused: 1h } }\n")?;
    let (server, client) = world.start()?;
    outage(&server, &client, &mut world.server, || ()).await?;
    silence(&client, world.server.faults(), "/", || (), "new").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_printed() -> Result<()> {
    let mut world = World::new(Identity::Account).await?;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    client.generate("key", b"").await?;
    client.create_key("unread").await?;
    let account = world.gcp.account();
    let stored = world.gcp.data("unread", 1).context("no key")?;
    let mut secrets = vec![account.private_key.clone(), String::from_utf8(stored)?];
    secrets.extend(account.private_key.lines().nth(1).map(str::to_owned));
    let mut tokens = Vec::new();
    for request in world.server.journal().take() {
        if let Some(token) = request.headers().get("authorization") {
            tokens.push(token.to_str()?.trim_start_matches("Bearer ").to_owned());
        }
    }
    tokens.dedup();
    // What a careless proxy may say.
    let echo = tokens.join(" ");
    for code in [400, 401, 403, 500, 503] {
        let error = serde_json::json!({"error": {"code": code, "status": "INTERNAL",
                                                 "message": echo}});
        for (kind, page) in [
            ("text/html", format!("<html>{echo}</html>")),
            ("application/json", error.to_string()),
        ] {
            let page = Fault::Page(code.try_into()?, kind, page);
            world.server.faults().plan(3, "/unread", page);
            client.describe_key("unread").await.err().context("read")?;
            world.server.faults().clear();
        }
    }
    secrets.append(&mut tokens);
    let proc = format!("/proc/{}/", server.id());
    let mut printed = fs::read_to_string(proc.clone() + "cmdline")?;
    printed += &fs::read_to_string(proc + "environ")?;
    printed += &server.stop()?;
    assert!(
        printed.contains("not an answer of Secret Manager"),
        "{printed}"
    );
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
    let mut world = World::new(Identity::Account).await?;
    let (server, client) = world.start()?;
    ten_thousand_polls(&server, &client).await?;
    assert!(world.server.accepted() <= 8);
    Ok(())
}
