//! What MinIO KMS commands cost: against the floor, against a put of etcd, and with a
//! million keys.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use keystead_wire_kms::message::{
    CreateEnclaveRequest, CreateKeyRequest, DecryptRequest, EncryptRequest, GenerateKeyRequest,
    GenerateKeyResponse, KeyStatusRequest, ListRequest,
};
use keystead_wire_kms::{Command, FrameWriter, decode_answers};
use prost::Message;

use crate::Plan;
use crate::calls::{Call, Calls, FRAMES, GRPC, KEY, scattered, spread_name};
use crate::client::Protocol;
use crate::load::Load;
use crate::measure::{Line, Subject, cached, floors, full_speed, progress, rounds, row, sample};
use crate::report::{Report, Series, memory_cell, milliseconds_cell};
use crate::server::{Server, Site};

/// Clients of the measurement of writes.
const WRITERS: usize = 64;

/// What MinIO sends as associated data: the object's name.
const CONTEXT: &[u8] = br#"{"bucket":"bucket/photos/2026/image.jpg"}"#;

/// What to measure besides the plan.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The minkms binary [default: the one beside this program].
    #[arg(long)]
    minkms: Option<PathBuf>,
    /// The etcd binary, whose puts are measured in the same run if given.
    #[arg(long)]
    etcd: Option<PathBuf>,
    /// Enclaves of the large server.
    #[arg(long, default_value_t = 100)]
    enclaves: u64,
    /// Keys in each of them.
    #[arg(long, default_value_t = 10_000)]
    keys_per_enclave: u64,
}

/// A put of etcd (`etcdserverpb.PutRequest`).
#[derive(Clone, PartialEq, prost::Message)]
struct Put {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// Takes the measurements, prints the tables and writes them if asked to.
pub(crate) async fn all(plan: &Plan, options: &Options) -> Result<()> {
    let binary = match &options.minkms {
        Some(path) => path.canonicalize()?,
        None => std::env::current_exe()?.with_file_name("minkms"),
    };
    let site = Site::new(&plan.kes()?)?;
    let mut report = Report::new(plan)?;
    let subject = start(&site, binary).await?;
    let subjects = [subject];
    let floors = floors(&site, &subjects).await?;
    cached(plan, &subjects, &floors, &mut report).await?;
    drop(floors);
    let [subject] = &subjects;
    writes(plan, options, &site, subject, &mut report).await?;
    large(plan, options, &site, subject, &mut report).await?;
    match &plan.write {
        Some(path) => report.write(path, "minkms measured"),
        None => Ok(()),
    }
}

/// A server with one enclave and one key, and the calls that change nothing.
async fn start(site: &Site, binary: PathBuf) -> Result<Subject> {
    let store = site.store("minkms");
    let server = site.minkms("keystead", &binary, &store).await?;
    server.call(&create_enclave("bench")).await?;
    server.call(&create_key("bench", KEY)).await?;
    let generate = generate("bench", KEY);
    let answer = server.call(&generate).await?;
    let answer = decode_answers::<GenerateKeyResponse>(Command::GenerateKey, &answer)?;
    let data_key = answer.into_iter().next().context("no data key")?;
    let decrypt = in_enclave(
        "bench",
        Command::Decrypt,
        &DecryptRequest {
            name: KEY.to_owned(),
            ciphertext: data_key.ciphertext.clone(),
            associated_data: CONTEXT.to_vec(),
            ..DecryptRequest::default()
        },
    );
    let encrypt = in_enclave(
        "bench",
        Command::Encrypt,
        &EncryptRequest {
            name: KEY.to_owned(),
            plaintext: data_key.plaintext.clone(),
            associated_data: CONTEXT.to_vec(),
            ..EncryptRequest::default()
        },
    );
    let status = in_enclave(
        "bench",
        Command::KeyStatus,
        &KeyStatusRequest {
            name: KEY.to_owned(),
            ..KeyStatusRequest::default()
        },
    );
    Ok(Subject {
        server,
        binary,
        store,
        calls: vec![
            ("generate", Calls::Same(generate)),
            ("decrypt", Calls::Same(decrypt)),
            ("encrypt", Calls::Same(encrypt)),
            ("status", Calls::Same(status)),
        ],
    })
}

/// Keys created by many clients at once, and puts of etcd of the same size.
async fn writes(
    plan: &Plan,
    options: &Options,
    site: &Site,
    subject: &Subject,
    report: &mut Report,
) -> Result<()> {
    let etcd = match &options.etcd {
        Some(binary) => Some(
            site.etcd(&binary.canonicalize()?, &site.store("etcd"))
                .await?,
        ),
        None => None,
    };
    let load = Load {
        in_flight: WRITERS,
        ..full_speed(plan)
    };
    let mut ours = Series::default();
    let mut theirs = Series::default();
    for round in 0..plan.rounds {
        if let Some(etcd) = &etcd {
            progress(&format!("put, etcd, round {round}"));
            let puts = Calls::made(move |number| put(&format!("{round}-{number:07}")));
            theirs.push(sample(etcd, Protocol::Http2, &load, &puts).await?);
        }
        progress(&format!("create, keystead, round {round}"));
        let creates =
            Calls::made(move |number| create_key("bench", &format!("new-{round}-{number:07}")));
        ours.push(sample(&subject.server, Protocol::Http2, &load, &creates).await?);
    }
    let base = etcd.as_ref().map(|_| &theirs);
    let mut rows = Vec::new();
    for (what, series) in [("etcd: put", base), ("keystead: create a key", Some(&ours))] {
        if let Some(series) = series {
            rows.push(row(
                vec![what.to_owned()],
                &[
                    &series.rate_cells(base),
                    &series.latency_cells(),
                    &series.cpu_cells(base),
                ],
            ));
        }
    }
    let header = [
        "write",
        "writes/s",
        "of etcd",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "CPU µs/write",
        "of etcd",
    ];
    let title = format!("Durable writes by {WRITERS} clients");
    report.table(&title, &header, &rows)
}

/// A server with very many keys: how much memory, how soon ready, how fast.
async fn large(
    plan: &Plan,
    options: &Options,
    site: &Site,
    small: &Subject,
    report: &mut Report,
) -> Result<()> {
    let (enclaves, each) = (options.enclaves, options.keys_per_enclave);
    let count = enclaves * each;
    progress(&format!("{count} keys in {enclaves} enclaves"));
    let store = site.store("large");
    let server = site.minkms("keystead", &small.binary, &store).await?;
    let empty = server.usage()?.memory;
    for enclave in 0..enclaves {
        server.call(&create_enclave(&enclave_name(enclave))).await?;
    }
    let fill = Load {
        in_flight: WRITERS,
        requests: count,
        time: Duration::from_secs(3600),
        ..full_speed(plan)
    };
    let creates = Calls::made(move |number| {
        let enclave = number.checked_rem(enclaves).unwrap_or(0);
        let key = number.checked_div(enclaves).unwrap_or(0);
        create_key(&enclave_name(enclave), &spread_name(key))
    });
    sample(&server, Protocol::Http2, &fill, &creates).await?;
    drop(server);

    let mut ready = Vec::new();
    for _ in 1..plan.rounds {
        ready.push(site.minkms("keystead", &small.binary, &store).await?.ready);
    }
    let server = site.minkms("keystead", &small.binary, &store).await?;
    ready.push(server.ready);
    let memory = server.usage()?.memory;
    let one = Calls::Same(generate(&enclave_name(0), &spread_name(0)));
    let every = Calls::made(move |number| {
        let number = scattered(number, count);
        let enclave = number.checked_rem(enclaves).unwrap_or(0);
        let key = number.checked_div(enclaves).unwrap_or(0);
        generate(&enclave_name(enclave), &spread_name(key))
    });
    let pages = Calls::made(move |number| {
        let enclave = number.checked_rem(enclaves).unwrap_or(0);
        list_keys(&enclave_name(enclave))
    });
    let base = small.calls.first().context("no calls")?.1.clone();
    let mut lines = [
        ("generate, the only key", &small.server, base),
        ("generate, one key", &server, one),
        ("generate, all keys in turn", &server, every),
    ]
    .map(|(what, server, calls)| line(what, server, calls));
    if let Some(first) = lines.first_mut() {
        first.is_base = true;
    }
    let mut rows = rounds(plan, &full_speed(plan), &mut lines).await?;
    let page = Load {
        in_flight: 1,
        ..full_speed(plan)
    };
    let mut list = [line("list, a page of 10,000 keys", &server, pages)];
    rows.extend(rounds(plan, &page, &mut list).await?);

    let header = [
        "call",
        "requests/s",
        "of the only key",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "CPU µs/request",
        "of the only key",
    ];
    let title = format!("{enclaves} enclaves with {each} keys each");
    report.table(&title, &header, &rows)?;
    let size = folder_size(&store)?;
    let per_key = memory.saturating_sub(empty).checked_div(count).unwrap_or(0);
    report.table(
        "Start and size with these keys",
        &[
            "ms to the first answer",
            "memory then, MiB",
            "bytes of memory per key",
            "MiB on disk",
        ],
        &[vec![
            milliseconds_cell(ready),
            memory_cell(memory),
            per_key.to_string(),
            memory_cell(size),
        ]],
    )
}

fn line<'a>(what: &str, server: &'a Server, calls: Calls) -> Line<'a> {
    Line {
        label: vec![what.to_owned()],
        server,
        protocol: Protocol::Http1,
        calls,
        is_base: false,
        series: Series::default(),
    }
}

fn folder_size(folder: &std::path::Path) -> Result<u64> {
    let mut size = 0;
    for entry in folder.read_dir()? {
        size += entry?.metadata()?.len();
    }
    Ok(size)
}

fn enclave_name(number: u64) -> String {
    format!("enclave-{number:03}")
}

fn create_enclave(name: &str) -> Call {
    let name = name.to_owned();
    command(
        "/v1/kms".to_owned(),
        Command::CreateEnclave,
        &CreateEnclaveRequest { name },
    )
}

fn create_key(enclave: &str, name: &str) -> Call {
    let request = CreateKeyRequest {
        name: name.to_owned(),
        ..CreateKeyRequest::default()
    };
    in_enclave(enclave, Command::CreateKey, &request)
}

fn generate(enclave: &str, name: &str) -> Call {
    let request = GenerateKeyRequest {
        name: name.to_owned(),
        associated_data: CONTEXT.to_vec(),
        ..GenerateKeyRequest::default()
    };
    in_enclave(enclave, Command::GenerateKey, &request)
}

fn list_keys(enclave: &str) -> Call {
    in_enclave(enclave, Command::ListKeys, &ListRequest::default())
}

fn in_enclave(enclave: &str, code: Command, request: &impl Message) -> Call {
    command(format!("/v1/kms/{enclave}"), code, request)
}

fn command(path: String, code: Command, request: &impl Message) -> Call {
    let mut body = FrameWriter::new();
    body.write(code, request);
    Call::posting(path, FRAMES, body.into_body().to_vec())
}

/// A put, as long as what our log keeps of a key.
fn put(name: &str) -> Call {
    let message = Put {
        key: name.as_bytes().to_vec(),
        value: vec![7; 128],
    }
    .encode_to_vec();
    // No compression, then the length (gRPC over HTTP/2).
    let mut body = vec![0];
    body.extend_from_slice(
        &u32::try_from(message.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    body.extend_from_slice(&message);
    Call::posting("/etcdserverpb.KV/Put".to_owned(), GRPC, body)
}
