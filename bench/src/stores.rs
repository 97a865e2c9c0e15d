//! What a remote key store costs: nothing while a key is cached, and little more than
//! the store's own answer when it is not.

use std::io;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use keystead_doubles::{OpenBao, Role};
use keystead_tls::{ClientCredential, ClientSettings, Trust};
use rustls::ClientConfig;
use serde_json::json;

use crate::Plan;
use crate::calls::{Call, Calls, KEY, spread_name};
use crate::client::{Client, Protocol};
use crate::load::Load;
use crate::measure::{full_speed, progress, row, sample};
use crate::report::{Report, Sample, Series};
use crate::server::{Server, Site};

/// Where the keys are, as a path of the API.
const FOLDER: &str = "kv/data/keys";

/// The least-privilege policy of the documentation.
const POLICY: &str = r#"
path "kv/data/keys/*" { capabilities = ["create", "read"] }
path "kv/metadata/keys/*" { capabilities = ["list", "delete"] }
"#;

/// An OpenBao with files and mutual TLS, and what a key server needs to use it.
struct Store {
    bao: OpenBao,
    /// The line of the configuration.
    keystore: String,
    tls: ClientConfig,
    token: String,
}

/// Takes the measurements, prints the tables and writes them if asked to.
pub(crate) async fn all(plan: &Plan) -> Result<()> {
    let kes = plan.kes()?;
    let site = Site::new(&kes)?;
    let store = Store::start(&site).await?;
    let mut report = Report::new(plan)?;
    misses(plan, &site, &kes, &store, &mut report).await?;
    hits(plan, &site, &kes, &store, &mut report).await?;
    match &plan.write {
        Some(path) => report.write(path, "stores measured"),
        None => Ok(()),
    }
}

/// Reads all keys one after the other, straight from the store and through a server that
/// has none of them in its cache.
async fn misses(
    plan: &Plan,
    site: &Site,
    kes: &Path,
    store: &Store,
    report: &mut Report,
) -> Result<()> {
    let count = plan.misses;
    progress(&format!("{count} keys for OpenBao"));
    let server = site.kes_on("OpenBao", kes, &store.keystore).await?;
    fill(&server, plan, count).await?;
    drop(server);

    let load = Load {
        in_flight: 1,
        requests: count,
        time: Duration::from_secs(600),
        ..full_speed(plan)
    };
    let reads = Calls::Read {
        count,
        folder: FOLDER,
    };
    let mut direct = Protocol::ALL.map(|protocol| (protocol, Series::default()));
    let mut through = Protocol::ALL.map(|protocol| (protocol, Series::default()));
    for round in 0..plan.rounds {
        for (protocol, series) in &mut direct {
            progress(&format!("read, {}, round {round}", protocol.name()));
            let client = store.client(*protocol)?;
            let senders = load.connect(&client).await?;
            let outcome = load.run(&client, senders, &reads).await?;
            series.push(Sample::new(&outcome, Duration::ZERO)?);
        }
        for (protocol, series) in &mut through {
            progress(&format!("generate, {}, round {round}", protocol.name()));
            // A new server has an empty cache.
            let server = site.kes_on("OpenBao", kes, &store.keystore).await?;
            series.push(sample(&server, *protocol, &load, &Calls::spread(count, count)).await?);
        }
    }
    let mut rows = Vec::new();
    for (what, series) in [
        ("read of the secret from OpenBao", &direct),
        ("generate, key not cached, through kes", &through),
    ] {
        for (protocol, series) in series {
            let base = direct.iter().find(|(other, _)| other == protocol);
            let (_, base) = base.context("no read")?;
            rows.push(row(
                vec![what.to_owned(), protocol.name().to_owned()],
                &[&series.latency_ratio_cells(base)],
            ));
        }
    }
    let header = [
        "request",
        "protocol of the client",
        "p50 µs",
        "of the read",
        "p99 µs",
        "of the read",
    ];
    let title = format!("Keys that are not cached, {count} of them, one request at a time");
    report.table(&title, &header, &rows)
}

/// Uses a cached key as fast as it goes, on a folder and on OpenBao.
async fn hits(
    plan: &Plan,
    site: &Site,
    kes: &Path,
    store: &Store,
    report: &mut Report,
) -> Result<()> {
    let files = site.kes("fs", kes, &site.store("fs")).await?;
    let bao = site.kes_on("OpenBao", kes, &store.keystore).await?;
    let servers = [&files, &bao];
    for server in servers {
        server.call(&Call::create(KEY)).await?;
    }
    let load = full_speed(plan);
    let mut rows = Vec::new();
    for protocol in Protocol::ALL {
        let mut lines = Vec::new();
        for server in servers {
            let calls = Calls::cached(&server.client(protocol)?).await?;
            let (_, generate) = calls.into_iter().next().context("no calls")?;
            lines.push((server, generate, Series::default()));
        }
        for round in 0..plan.rounds {
            for (server, generate, series) in &mut lines {
                let what = [protocol.name(), server.name].join(", ");
                progress(&format!("cached generate, {what}, round {round}"));
                series.push(sample(server, protocol, &load, generate).await?);
            }
        }
        let base = lines.first().map(|(_, _, series)| series);
        for (server, _, series) in &lines {
            rows.push(row(
                [protocol.name(), server.name].map(str::to_owned).to_vec(),
                &[
                    &series.rate_cells(base),
                    &series.latency_cells(),
                    &series.cpu_cells(base),
                ],
            ));
        }
    }
    let header = [
        "protocol",
        "key store",
        "requests/s",
        "of fs",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "CPU µs/request",
        "of fs",
    ];
    report.table(
        "Cached generate at full speed, by key store",
        &header,
        &rows,
    )
}

/// Creates the keys of [`Calls::spread`].
async fn fill(server: &Server, plan: &Plan, count: u64) -> Result<()> {
    let client = server.client(Protocol::Http1)?;
    let mut workers = tokio::task::JoinSet::new();
    let step = plan.in_flight.max(1);
    for first in 0..step {
        let client = client.clone();
        workers.spawn(async move {
            let mut sender = client.connect().await?;
            for number in (u64::try_from(first)?..count).step_by(step) {
                let create = Call::create(&spread_name(number));
                client.send(&mut sender, &create).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(worker) = workers.join_next().await {
        worker??;
    }
    Ok(())
}

// === impl Store ===

impl Store {
    async fn start(site: &Site) -> Result<Self> {
        progress("start of OpenBao");
        let bao = OpenBao::durable().await?.context("set KEYSTEAD_BAO")?;
        bao.mount("").await?;
        let role = Role {
            namespace: String::new(),
            life: ("token_period", 3600),
            policy: POLICY.to_owned(),
        };
        let id = bao.role("kes", &role).await?;
        let secret = bao.secret("", "kes").await?;
        let login = json!({ "role_id": id, "secret_id": secret });
        let login = bao.request("POST", "", "auth/approle/login", Some(login));
        let login = login.await?;
        let token = login.pointer("/auth/client_token");
        let token = token.and_then(|token| token.as_str()).context("no token")?;
        let file = site.store("secret");
        std::fs::write(&file, secret)?;
        let (cert, key) = bao.authority().client()?;
        let no_password = || Err(io::ErrorKind::InvalidInput.into());
        let tls = keystead_tls::client(ClientSettings {
            credential: Some(ClientCredential::from_files(&cert, &key, &no_password)?),
            trust: Trust::Only(bao.authority().file()),
        })?;
        Ok(Self {
            keystore: format!(
                "vault: {{ endpoint: \"{}\", engine: kv, version: v2, prefix: keys, \
                 approle: {{ id: {id}, secret_file: {} }}, tls: {{ key: {}, cert: {}, ca: {} }} }}",
                bao.url(),
                file.display(),
                key.display(),
                cert.display(),
                bao.authority().file().display()
            ),
            tls,
            token: token.to_owned(),
            bao,
        })
    }

    /// A client that shows the certificate and the token that a key server would.
    fn client(&self, protocol: Protocol) -> Result<Client> {
        let url = self.bao.url();
        let address = url.strip_prefix("https://").context("no HTTPS")?.parse()?;
        Ok(Client::over(address, protocol, self.tls.clone()).with_token(self.token.clone()))
    }
}
