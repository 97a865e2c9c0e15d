//! Servers on AWS Secrets Manager: on moto, and on a double that knows signatures.
#![cfg(test)]

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use jiff::SignedDuration;
use keystead_client_kes::Client;
use keystead_doubles::{
    Authority, Aws, AwsCredentialService, AwsKeys, AwsSettings, Fault, Moto, Server, Tls,
};
use keystead_tests::drill::{exists, metric, outage, race, silence, status, ten_thousand_polls};
use keystead_tests::{Process, Site};
use serde_json::json;

/// A double of the service, and a site whose servers are configured for it.
struct World {
    aws: Aws,
    endpoint: Server,
    authority: Authority,
    site: Site,
}

// === impl World ===

impl World {
    /// With the credentials in the configuration.
    async fn new() -> Result<Self> {
        let keys = AwsKeys::session(1);
        let credentials = format!(
            "credentials: {{ accesskey: {}, secretkey: {}, token: {} }}",
            keys.access_key,
            keys.secret_key,
            keys.token.as_deref().unwrap_or_default(),
        );
        let world = Self::with(&credentials).await?;
        world.aws.set(|settings| settings.keys = keys);
        Ok(world)
    }

    /// With the credentials in the surroundings, where there are none yet.
    async fn bare() -> Result<Self> {
        let mut world = Self::with("").await?;
        // Nobody listens there.
        let nowhere = "http://127.0.0.1:9";
        let folder = &mut world.site.folder;
        folder.export("AWS_EC2_METADATA_SERVICE_ENDPOINT", nowhere);
        Ok(world)
    }

    async fn with(credentials: &str) -> Result<Self> {
        let aws = Aws::new(AwsSettings::default());
        let authority = Authority::new()?;
        let endpoint = aws.endpoint(&authority, Tls::On).await?;
        let mut site = site(&endpoint.url(), credentials)?;
        // The machine trusts the service and this server.
        let both = fs::read_to_string(authority.file())? + &site.folder.read("public.crt")?;
        site.folder.write("both.crt", &both)?;
        site.folder.export("SSL_CERT_FILE", "both.crt");
        Ok(Self {
            aws,
            endpoint,
            authority,
            site,
        })
    }

    fn start(&mut self) -> Result<(Process, Client)> {
        self.site.start()
    }
}

fn site(endpoint: &str, credentials: &str) -> Result<Site> {
    let site = Site::new("log: { error: DEBUG, audit: on }\n")?;
    site.keep_keys_in(&format!(
        "keystore:\n  aws:\n    secretsmanager:\n      endpoint: {endpoint}\n      \
         region: {}\n      {credentials}\ncache: {{ expiry: {{ any: 1ms, unused: 1ms }} }}\n",
        Moto::REGION,
    ))?;
    Ok(site)
}

/// Everything a server does with a key.
async fn lives(client: &Client) -> Result<()> {
    client.create_key("my-key").await?;
    ensure!(exists(&client.create_key("my-key").await), "made twice");
    let made = client.generate("my-key", b"context").await?;
    let opened = client
        .decrypt("my-key", &made.ciphertext, b"context")
        .await?;
    ensure!(*opened.plaintext == *made.plaintext, "another plaintext");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_data_key_to_the_end_of_a_key_on_moto() -> Result<()> {
    let Some(moto) = Moto::start().await? else {
        return Ok(());
    };
    let mut site = site(moto.url(), "credentials: { accesskey: a, secretkey: b }")?;
    let (server, client) = site.start()?;
    lives(&client).await?;
    let made = client.generate("my-key", b"").await?;
    server.stop()?;

    // Another server, which has nothing but the service, opens it.
    let (_server, client) = site.start()?;
    let opened = client.decrypt("my-key", &made.ciphertext, b"").await?;
    assert!(*opened.plaintext == *made.plaintext);
    client.create_key("my-key-2").await?;
    assert_eq!(client.list_keys("").await?, ["my-key", "my-key-2"]);
    let secrets = moto.aws(&["secretsmanager", "list-secrets"])?;
    let secrets = secrets["SecretList"].as_array().context("no list")?;
    let names: Vec<_> = secrets.iter().map(|secret| &secret["Name"]).collect();
    assert_eq!(names, [&json!("my-key"), &json!("my-key-2")]);
    client.delete_key("my-key").await?;
    let gone = client.generate("my-key", b"").await.err();
    assert_eq!(gone.as_ref().and_then(status), Some(404));
    Ok(())
}

/// moto knows the actions of a policy, but not the resources of secrets.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_policy_is_enough() -> Result<()> {
    let Some(moto) = Moto::start().await? else {
        return Ok(());
    };
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/keystores/aws.md");
    let page = fs::read_to_string(page)?;
    let policy = page.split("kes-policy.json\n").nth(1);
    let policy = policy.and_then(|rest| rest.split("```").next());
    let policy = policy.context("no policy")?.replace(
        "\"arn:aws:secretsmanager:us-east-2:123456789012:secret:*\"",
        "\"*\"",
    );
    moto.aws(&["iam", "create-user", "--user-name", "kes"])?;
    let put = ["iam", "put-user-policy", "--user-name", "kes"];
    let document = ["--policy-name", "kes", "--policy-document", &policy];
    moto.aws(&[put, document].concat())?;
    let keys = moto.aws(&["iam", "create-access-key", "--user-name", "kes"])?;
    let text = |key: &str| keys["AccessKey"][key].as_str().context("no key");
    let (access_key, secret_key) = (text("AccessKeyId")?, text("SecretAccessKey")?);
    moto.enforce_rights().await?;

    let credentials =
        format!("credentials: {{ accesskey: {access_key}, secretkey: '{secret_key}' }}");
    let mut right = site(moto.url(), &credentials)?;
    let (server, client) = right.start()?;
    lives(&client).await?;
    assert_eq!(client.list_keys("").await?, ["my-key"]);
    client.delete_key("my-key").await?;
    server.stop()?;

    let wrong = credentials.replace(secret_key, "another");
    let mut wrong = site(moto.url(), &wrong)?;
    let (server, client) = wrong.start()?;
    ensure!(client.create_key("my-key").await.is_err(), "created");
    server.complained("SignatureDoesNotMatch")?;
    server.stop()?;
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
async fn credentials_come_from_the_environment() -> Result<()> {
    let mut world = World::bare().await?;
    let keys = AwsKeys::session(2);
    world.aws.set(|settings| settings.keys = keys.clone());
    let folder = &mut world.site.folder;
    folder.export("AWS_ACCESS_KEY_ID", keys.access_key);
    folder.export("AWS_SECRET_ACCESS_KEY", keys.secret_key);
    folder.export("AWS_SESSION_TOKEN", keys.token.unwrap_or_default());
    let (server, client) = world.start()?;
    lives(&client).await?;
    server.stop()?;
    Ok(())
}

/// Also when it changes while a server runs.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_the_shared_credentials_file() -> Result<()> {
    let mut world = World::bare().await?;
    let aws = world.site.folder.path().join(".aws");
    fs::create_dir(&aws)?;
    let write = |keys: &AwsKeys| {
        let AwsKeys {
            access_key,
            secret_key,
            ..
        } = keys;
        let content = format!(
            "[default]\naws_access_key_id = {access_key}\naws_secret_access_key = {secret_key}\n"
        );
        fs::write(aws.join("credentials"), content)
    };
    // The shared config file is not read.
    fs::write(
        aws.join("config"),
        "[default]\naws_access_key_id = wrong\naws_secret_access_key = wrong\n",
    )?;
    let (one, two) = (AwsKeys::default(), AwsKeys::session(2));
    let two = AwsKeys { token: None, ..two };
    write(&one)?;
    let (server, client) = world.start()?;
    lives(&client).await?;

    write(&two)?;
    world.aws.set(|settings| settings.keys = two);
    let start = Instant::now();
    while client.describe_key("my-key").await.is_err() {
        ensure!(start.elapsed() < Duration::from_secs(10), "still the old");
    }
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_a_container() -> Result<()> {
    let mut world = World::bare().await?;
    let [old, new] = [3, 4].map(AwsKeys::session);
    world.aws.set(|settings| settings.keys = old.clone());
    // The AWS crates look for others ten seconds before the end.
    let service = AwsCredentialService::new(old, SignedDuration::from_secs(12));
    let given = service.start(&world.authority).await?;
    let path = AwsCredentialService::CONTAINER_PATH;
    let folder = &mut world.site.folder;
    folder.export(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        format!("{}{path}", given.url()),
    );
    folder.export(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        AwsCredentialService::CONTAINER_TOKEN,
    );
    let (server, client) = world.start()?;
    lives(&client).await?;
    let ttl = metric(&client, "token_ttl_seconds").await?;
    ensure!((1.0..=12.0).contains(&ttl), "{ttl} s");

    // No request fails while the next ones are fetched.
    let asked = given.journal().count(path);
    while given.journal().count(path) == asked {
        client.describe_key("my-key").await?;
    }
    service.give(new.clone());
    world.aws.set(|settings| settings.keys = new);
    let start = Instant::now();
    while client.describe_key("my-key").await.is_err() {
        ensure!(start.elapsed() < Duration::from_secs(10), "still the old");
    }
    let logins = metric(&client, "logins_total").await?;
    ensure!(logins >= 3.0, "{logins} logins");
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_the_metadata_of_ec2() -> Result<()> {
    let mut world = World::bare().await?;
    let keys = AwsKeys::session(5);
    world.aws.set(|settings| settings.keys = keys.clone());
    let service = AwsCredentialService::new(keys, SignedDuration::from_hours(6));
    let metadata = service.start(&world.authority).await?;
    let folder = &mut world.site.folder;
    folder.export("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url());
    // No proxy leads to it.
    folder.export("HTTP_PROXY", "http://127.0.0.1:9");
    let (server, client) = world.start()?;
    lives(&client).await?;
    server.stop()?;
    Ok(())
}

/// As on EKS.
#[tokio::test(flavor = "multi_thread")]
async fn credentials_come_from_a_web_identity() -> Result<()> {
    let Some(moto) = Moto::start().await? else {
        return Ok(());
    };
    let mut site = site(moto.url(), "")?;
    site.folder.write("web-token", "eyJhbGciOiJub25lIn0.e30.")?;
    for (name, value) in [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "web-token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/kes"),
        ("AWS_ENDPOINT_URL_STS", moto.url()),
    ] {
        site.folder.export(name, value);
    }
    let (server, client) = site.start()?;
    lives(&client).await?;
    let ttl = metric(&client, "token_ttl_seconds").await?;
    ensure!(ttl > 600.0, "{ttl} s");
    server.stop()?;
    Ok(())
}

/// It starts, and says at once and with each request what to do.
#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_a_server_says_so() -> Result<()> {
    let mut world = World::bare().await?;
    let (server, client) = world.start()?;
    server.complained("aws: requests cannot be signed")?;
    let created = client.create_key("key").await.err();
    assert_eq!(created.as_ref().and_then(status), Some(502));
    server.complained("aws: no credentials: ")?;
    // The service itself is there.
    client.ready().await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_metadata_hold_up_no_start() -> Result<()> {
    let mut world = World::bare().await?;
    let service = AwsCredentialService::new(AwsKeys::default(), SignedDuration::from_hours(1));
    let metadata = service.start(&world.authority).await?;
    metadata.faults().plan(usize::MAX, "", Fault::Hang);
    let folder = &mut world.site.folder;
    folder.export("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url());
    let start = Instant::now();
    let (server, client) = world.start()?;
    let up = start.elapsed();
    let start = Instant::now();
    let created = client.create_key("key").await.err();
    assert_eq!(created.as_ref().and_then(status), Some(502));
    let failed = start.elapsed();
    println!("up after {up:?}, a create failed after {failed:?}");
    assert!(up < Duration::from_secs(5));
    assert!(failed < Duration::from_secs(6));
    server.complained("aws: no credentials: ")?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_to_do_about_credentials_and_rights_is_in_the_log() -> Result<()> {
    let mut world = World::new().await?;
    let (server, client) = world.start()?;
    let right = world.aws.settings();
    let refuse = async |change: fn(&mut AwsSettings), text: &str| -> Result<()> {
        world.aws.set(|settings| {
            settings.clone_from(&right);
            change(settings);
        });
        ensure!(client.create_key("key").await.is_err(), "created");
        server.complained(text).map(drop)
    };
    refuse(
        |settings| settings.keys.secret_key = "other".into(),
        "credentials are not accepted: InvalidSignatureException (look at secretkey and region",
    )
    .await?;
    refuse(
        |settings| settings.is_expired = true,
        "ExpiredTokenException (the session has ended: renew the token)",
    )
    .await?;
    refuse(
        |settings| settings.denied = vec!["CreateSecret".into()],
        "is not authorized to perform: secretsmanager:CreateSecret on resource: key",
    )
    .await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_does_not_start_without_the_service() -> Result<()> {
    let mut world = World::new().await?;
    let refusal = |world: &World| -> Result<String> {
        let refused = world.site.folder.run("kes server --config config.yml")?;
        ensure!(refused.code == 1, "it started");
        Ok(refused.stderr)
    };
    world.site.folder.export("SSL_CERT_FILE", "public.crt");
    let error = refusal(&world)?;
    assert!(error.contains("UnknownIssuer"), "{error}");
    world.endpoint.kill().await;
    let error = refusal(&world)?;
    assert!(error.contains("aws: https://127.0.0.1:"), "{error}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_survived() -> Result<()> {
    let mut world = World::new().await?;
    let configuration = world.site.folder.read("config.yml")?;
    let cached = configuration.replace("1ms", "1h");
    world.site.folder.write("config.yml", &cached)?;
    let (server, client) = world.start()?;
    outage(&server, &client, &mut world.endpoint, || ()).await?;
    silence(&client, world.endpoint.faults(), "", || (), "new").await?;
    server.stop()?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_credential_is_printed() -> Result<()> {
    let mut world = World::new().await?;
    let keys = world.aws.settings().keys;
    let (server, client) = world.start()?;
    client.create_key("key").await?;
    let stored = world.aws.secret("key").context("no key")?;
    let token = keys.token.clone().context("no token")?;
    // What a careless proxy may say.
    let echo = format!("<html>key: {}, token: {token}</html>", keys.secret_key);
    for status in [400, 403, 500] {
        let page = Fault::Page(status.try_into()?, "text/html", echo.clone());
        world.endpoint.faults().plan(4, "GetSecretValue", page);
        client.describe_key("key").await.ok();
        world.endpoint.faults().clear();
    }
    for fault in [Fault::Drop, Fault::Cut, Fault::LoseAnswer] {
        world.endpoint.faults().plan(1, "GetSecretValue", fault);
        client.describe_key("key").await.ok();
    }
    // What the service says of a wrong signature contains the session token.
    let wrong = |settings: &mut AwsSettings| settings.keys.secret_key = "other".into();
    world.aws.set(wrong);
    client.describe_key("key").await.ok();
    let mut printed = server.complained("InvalidSignatureException")?;
    assert!(printed.contains("key: ***, token: ***"), "{printed}");
    let proc = format!("/proc/{}/", server.id());
    printed += &fs::read_to_string(proc.clone() + "cmdline")?;
    printed += &fs::read_to_string(proc + "environ")?;
    printed += &server.stop()?;
    for secret in [&keys.secret_key, &token, &stored] {
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
    assert!(world.endpoint.accepted() <= 8);
    Ok(())
}
