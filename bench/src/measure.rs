//! The measurements, one function per table.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::Plan;
use crate::calls::{Call, Calls, KEY};
use crate::client::Protocol;
use crate::load::Load;
use crate::many_keys;
use crate::report::{Report, Sample, Series, memory_cell, milliseconds_cell};
use crate::server::{FLOOR, Server, Site};

/// The heads of the tables of cached calls.
const CACHED: [&str; 10] = [
    "call",
    "protocol",
    "server",
    "requests/s",
    "of floor",
    "p50 µs",
    "p99 µs",
    "p99.9 µs",
    "CPU µs/request",
    "of floor",
];

/// A key server, its binary, and the cached calls that fit its store.
pub(crate) struct Subject {
    pub(crate) server: Server,
    pub(crate) binary: PathBuf,
    pub(crate) store: PathBuf,
    pub(crate) calls: Vec<(&'static str, Calls)>,
}

/// One line of a table while it is measured.
pub(crate) struct Line<'a> {
    pub(crate) label: Vec<String>,
    pub(crate) server: &'a Server,
    pub(crate) protocol: Protocol,
    pub(crate) calls: Calls,
    /// Whether the lines after this one are compared to it.
    pub(crate) is_base: bool,
    pub(crate) series: Series,
}

/// Takes all measurements, prints the tables and writes them if asked to.
pub(crate) async fn all(plan: &Plan) -> Result<()> {
    let kes = plan.kes()?;
    let site = Site::new(&kes)?;
    let mut report = Report::new(plan)?;
    let mut subjects = vec![Subject::start(&site, "keystead", kes).await?];
    if let Some(reference) = &plan.reference {
        subjects.push(Subject::start(&site, "reference", reference.canonicalize()?).await?);
    }
    let floors = floors(&site, &subjects).await?;

    start(&site, &subjects, &mut report).await?;
    cached(plan, &subjects, &floors, &mut report).await?;
    created(plan, &subjects, &mut report).await?;
    connections(plan, &subjects, &floors, &mut report).await?;
    drop(floors);
    many_keys::measure(plan, &site, &subjects, &mut report).await?;
    match &plan.write {
        Some(path) => report.write(path, "measured"),
        None => Ok(()),
    }
}

/// One floor server per kind of call, with answers as long as ours.
pub(crate) async fn floors(site: &Site, subjects: &[Subject]) -> Result<Vec<Server>> {
    let ours = subjects.first().context("no server")?;
    let mut floors = Vec::new();
    for (_, calls) in &ours.calls {
        floors.push(
            site.floor(ours.server.call(&calls.at(0)).await?.len())
                .await?,
        );
    }
    Ok(floors)
}

async fn start(site: &Site, subjects: &[Subject], report: &mut Report) -> Result<()> {
    progress("start");
    let mut rows = Vec::new();
    for subject in subjects {
        let mut ready = Vec::new();
        let mut memory = 0;
        for _ in 0..5 {
            let server = site
                .kes(subject.server.name, &subject.binary, &subject.store)
                .await?;
            ready.push(server.ready);
            memory = server.usage()?.memory;
        }
        rows.push(vec![
            subject.server.name.to_owned(),
            milliseconds_cell(ready),
            memory_cell(memory),
        ]);
    }
    report.table(
        "Start",
        &["server", "ms to the first answer", "memory then, MiB"],
        &rows,
    )
}

/// All cached calls as fast as it goes, then one kind at a fixed rate.
pub(crate) async fn cached(
    plan: &Plan,
    subjects: &[Subject],
    floors: &[Server],
    report: &mut Report,
) -> Result<()> {
    let mut fast = cached_lines(subjects, floors);
    let rows = rounds(plan, &full_speed(plan), &mut fast).await?;
    report.table("Cached calls at full speed", &CACHED, &rows)?;

    let mut steady = cached_lines(subjects, floors);
    steady.retain(|line| line.label.first().is_some_and(|call| call == "generate"));
    let load = Load {
        rate: Some(plan.rate),
        ..full_speed(plan)
    };
    let rows = rounds(plan, &load, &mut steady).await?;
    let title = format!("Cached calls at {} requests/s", plan.rate);
    report.table(&title, &CACHED, &rows)
}

/// For each protocol and kind of call the floor first, then the servers.
fn cached_lines<'a>(subjects: &'a [Subject], floors: &'a [Server]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    for protocol in Protocol::ALL {
        for (index, floor) in floors.iter().enumerate() {
            let mut servers = subjects
                .iter()
                .filter_map(|subject| Some((&subject.server, subject.calls.get(index)?)))
                .peekable();
            // The floor gets the first server's calls.
            let first = servers.peek().map(|&(_, calls)| (floor, calls));
            for (server, (call, calls)) in first.into_iter().chain(servers) {
                lines.push(Line {
                    label: [*call, protocol.name(), server.name]
                        .map(str::to_owned)
                        .to_vec(),
                    server,
                    protocol,
                    calls: calls.clone(),
                    is_base: server.name == FLOOR,
                    series: Series::default(),
                });
            }
        }
    }
    lines
}

async fn created(plan: &Plan, subjects: &[Subject], report: &mut Report) -> Result<()> {
    let mut rows = Vec::new();
    for subject in subjects {
        let mut series = Series::default();
        for round in 0..plan.rounds {
            progress(&format!("create, {}, round {round}", subject.server.name));
            let load = Load {
                requests: 5000,
                ..full_speed(plan)
            };
            let calls = Calls::Create {
                prefix: format!("new-{round}"),
            };
            series.push(sample(&subject.server, Protocol::Http1, &load, &calls).await?);
        }
        rows.push(row(
            vec![subject.server.name.to_owned()],
            &[
                &series.rate_cells(None)[..1],
                &series.latency_cells(),
                &series.cpu_cells(None)[..1],
            ],
        ));
    }
    let header = [
        "server",
        "keys/s",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "CPU µs/key",
    ];
    report.table("Keys created, each one synced to disk", &header, &rows)
}

async fn connections(
    plan: &Plan,
    subjects: &[Subject],
    floors: &[Server],
    report: &mut Report,
) -> Result<()> {
    let load = Load {
        reconnect: true,
        ..full_speed(plan)
    };
    let servers = floors
        .first()
        .into_iter()
        .chain(subjects.iter().map(|subject| &subject.server));
    let mut lines: Vec<_> = servers
        .map(|server| Line {
            label: vec![server.name.to_owned()],
            server,
            protocol: Protocol::Http1,
            calls: Calls::Same(Call::get("/version")),
            is_base: server.name == FLOOR,
            series: Series::default(),
        })
        .collect();
    let header = [
        "server",
        "connections/s",
        "of floor",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "CPU µs/connection",
        "of floor",
    ];
    let rows = rounds(plan, &load, &mut lines).await?;
    report.table(
        "New connections, mutual TLS 1.3 without resumption, one request each",
        &header,
        &rows,
    )
}

/// Measures all lines round by round.
pub(crate) async fn rounds(
    plan: &Plan,
    load: &Load,
    lines: &mut [Line<'_>],
) -> Result<Vec<Vec<String>>> {
    for round in 0..plan.rounds {
        for line in lines.iter_mut() {
            progress(&format!("{}, round {round}", line.label.join(", ")));
            let sample = sample(line.server, line.protocol, load, &line.calls).await?;
            line.series.push(sample);
        }
    }
    let mut base = None;
    let mut rows = Vec::new();
    for line in &*lines {
        let series = &line.series;
        if line.is_base {
            base = Some(series);
        }
        rows.push(row(
            line.label.clone(),
            &[
                &series.rate_cells(base),
                &series.latency_cells(),
                &series.cpu_cells(base),
            ],
        ));
    }
    Ok(rows)
}

pub(crate) async fn sample(
    server: &Server,
    protocol: Protocol,
    load: &Load,
    calls: &Calls,
) -> Result<Sample> {
    let client = server.client(protocol)?;
    let senders = load.connect(&client).await?;
    let before = server.usage()?.cpu;
    let outcome = load.run(&client, senders, calls).await?;
    Sample::new(&outcome, server.usage()?.cpu.saturating_sub(before))
}

pub(crate) fn full_speed(plan: &Plan) -> Load {
    Load {
        in_flight: plan.in_flight,
        time: plan.time(),
        requests: u64::MAX,
        rate: None,
        reconnect: false,
    }
}

pub(crate) fn row(mut label: Vec<String>, cells: &[&[String]]) -> Vec<String> {
    label.extend(cells.concat());
    label
}

pub(crate) fn progress(what: &str) {
    eprintln!("{what}");
}

// === impl Subject ===

impl Subject {
    async fn start(site: &Site, name: &'static str, binary: PathBuf) -> Result<Self> {
        let store = site.store(name);
        let server = site.kes(name, &binary, &store).await?;
        server.call(&Call::create(KEY)).await?;
        let calls = Calls::cached(&server.client(Protocol::Http1)?).await?;
        Ok(Self {
            server,
            binary,
            store,
            calls,
        })
    }
}
