use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use keystead_client_kes::Client;
use keystead_tests::drill::{exists, metric, status};
use serde_json::json;

use super::World;

/// How long a server may take to be well again.
const RECOVERY: Duration = Duration::from_secs(10);

/// The longest time a request may take: the limit of the API.
const DEADLINE: Duration = Duration::from_secs(15);

/// Keys that are not in the cache, each good for one look.
struct Fresh<'c> {
    client: &'c Client,
    used: usize,
}

// === impl Fresh ===

impl<'c> Fresh<'c> {
    const KEYS: usize = 12;

    async fn new(client: &'c Client) -> Result<Self> {
        for number in 0..Self::KEYS {
            client.create_key(&format!("fresh-{number}")).await?;
        }
        Ok(Self { client, used: 0 })
    }

    fn name(&mut self) -> String {
        self.used += 1;
        format!("fresh-{}", self.used % Self::KEYS)
    }

    /// Expects that nothing but what is cached can be used; gives the time that it took
    /// to find out.
    async fn fails(&mut self, what: &str) -> Result<Duration> {
        let asked = Instant::now();
        let name = self.name();
        let (read, create) = tokio::join!(
            self.client.generate(&name, b""),
            self.client.create_key("not-now")
        );
        let took = asked.elapsed();
        for error in [read.err(), create.err()] {
            let error = error.context("it works")?;
            ensure!(status(&error) == Some(502), "{what}: {error}");
        }
        ensure!(took < DEADLINE, "{what}: an answer after {took:?}");
        self.client.generate("cached", b"").await?;
        ensure!(exists(&self.client.create_key("cached").await));
        let unready = self.client.ready().await.err();
        ensure!(
            unready.as_ref().and_then(status) == Some(504),
            "{unready:?}"
        );
        ensure!(self.client.status().await?.keystore_unreachable);
        Ok(took)
    }

    /// Expects that everything works again soon; gives the time that it took.
    async fn recovers(&mut self, what: &str) -> Result<Duration> {
        let asked = Instant::now();
        let name = self.name();
        while let Err(error) = self.client.generate(&name, b"").await {
            ensure!(asked.elapsed() < RECOVERY, "{what}: {error}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(asked.elapsed())
    }
}

/// One after the other, because OpenBao takes time to start.
#[tokio::test(flavor = "multi_thread")]
async fn outages_are_survived() -> Result<()> {
    let Some(mut world) = World::durable(300).await? else {
        return Ok(());
    };
    world.configure("cache: { expiry: { any: 5m, unused: 5m } }\n")?;
    let (server, client) = world.start()?;
    client.create_key("cached").await?;
    client.generate("cached", b"").await?;
    let mut fresh = Fresh::new(&client).await?;
    let proc = format!("/proc/{}/", server.id());
    let mut printed = String::new();
    for file in ["cmdline", "environ"] {
        printed += &std::fs::read_to_string(proc.clone() + file)?;
    }

    world.revoke_tokens().await?;
    client
        .generate(&fresh.name(), b"")
        .await
        .context("after a token was revoked")?;

    world.bao.seal().await?;
    let took = fresh.fails("sealed").await?;
    println!("sealed: an answer after {took:?}");
    world.bao.unseal().await?;
    let took = fresh.recovers("unsealed").await?;
    println!("unsealed: works after {took:?}");

    world.bao.kill()?;
    let took = fresh.fails("killed").await?;
    println!("killed: an answer after {took:?}");
    world.bao.start().await?;
    fresh.fails("started and still sealed").await?;
    world.bao.unseal().await?;
    let took = fresh.recovers("restarted").await?;
    println!("restarted and unsealed: works after {took:?}");

    world.bao.freeze()?;
    let took = fresh.fails("stopped").await?;
    println!("stopped: an answer after {took:?}");
    world.bao.thaw()?;
    let took = fresh.recovers("continued").await?;
    println!("continued: works after {took:?}");

    // A new secret takes the place of the old one, and then the token is lost.
    let secret_id = world.bao.secret("", "kes-role").await?;
    let old = json!({ "secret_id": world.secret_id });
    let destroy = "auth/approle/role/kes-role/secret-id/destroy";
    world.bao.request("POST", "", destroy, Some(old)).await?;
    world
        .site
        .folder
        .write("secret", &format!("{secret_id}\n"))?;
    world.revoke_tokens().await?;
    client
        .generate(&fresh.name(), b"")
        .await
        .context("after the secret was changed")?;

    printed += &server.complained("key store is sealed")?;
    printed += &server.stop()?;
    for secret in [&world.secret_id, &secret_id] {
        ensure!(!printed.contains(secret.as_str()), "a secret was printed");
    }
    // The tokens of OpenBao.
    ensure!(
        !printed.contains("\"s.") && !printed.contains(" s."),
        "{printed}"
    );
    ensure!(!world.role_id.is_empty());
    Ok(())
}

/// It can be seen for as long as it lasts, and has two lines in the log.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_visible() -> Result<()> {
    let Some(mut world) = World::development(300, "kv", "v2").await? else {
        return Ok(());
    };
    world.configure("cache: { expiry: { any: 5m, unused: 5m, offline: 1h } }\n")?;
    let (server, client) = world.start()?;
    client.create_key("cached").await?;
    client.generate("cached", b"").await?;
    ensure!(client.status().await?.serving_from_cache_since.is_none());
    ensure!(metric(&client, "offline_since_timestamp_seconds").await? == 0.0);

    world.bao.kill()?;
    let killed = Instant::now();
    let told = server.complained("serving from cache")?;
    println!("noticed after {:?}", killed.elapsed());
    let line = told.lines().last().unwrap_or_default();
    ensure!(
        line.contains("level=ERROR") && line.contains("err="),
        line.to_owned()
    );
    let status = client.status().await?;
    ensure!(status.keystore_unreachable);
    let since = status.serving_from_cache_since.context("no time")?;
    let since_line = since
        .strftime("serving from cache since %FT%TZ")
        .to_string();
    ensure!(
        line.contains(&since.strftime("since=%FT%TZ ").to_string()),
        "{line}"
    );
    let shown = world.site.folder.run("kes status")?;
    ensure!(
        shown.code == 0 && shown.stdout.contains(&since_line),
        "{shown:?}"
    );
    let seconds = since.strftime("%s").to_string().parse::<f64>()?;
    ensure!(metric(&client, "offline_since_timestamp_seconds").await? == seconds);
    ensure!(metric(&client, "up").await? == 0.0);

    for _ in 0..20 {
        client.generate("cached", b"").await?;
    }
    ensure!(exists(&client.create_key("cached").await));
    world.bao.start().await?;
    let told = server.complained("online again")?;
    ensure!(
        told.contains(" offline=") && told.contains(" served_from_cache=20\n"),
        told
    );
    ensure!(client.status().await?.serving_from_cache_since.is_none());
    ensure!(metric(&client, "offline_since_timestamp_seconds").await? == 0.0);
    let told = told + &server.stop()?;
    ensure!(!told.contains("serving from cache"), told);
    ensure!(
        !told.contains("/v1/key/generate/cached") || !told.contains("level=ERROR"),
        told
    );
    Ok(())
}
