//! What the number of keys does to the cost of a cached call.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::Plan;
use crate::calls::{Calls, KEY, spread_name};
use crate::client::Protocol;
use crate::load::Load;
use crate::measure::{Line, Subject, full_speed, progress, rounds, sample};
use crate::report::{Report, Series, memory_cell};
use crate::server::{Server, Site};

/// Keys that are called again and again while there are more and more others.
const FEW: u64 = 10;

/// Hard links a file system surely allows to one file.
const LINKS: u64 = 60_000;

/// Two servers on one store.
struct Pair {
    stored: u64,
    /// Has [`FEW`] keys in its cache.
    few: Server,
    /// Has all keys in its cache.
    all: Server,
}

/// Measures data keys from a few and from all keys of stores of every size.
pub(crate) async fn measure(
    plan: &Plan,
    site: &Site,
    subjects: &[Subject],
    report: &mut Report,
) -> Result<()> {
    let mut pairs = Vec::new();
    for subject in subjects {
        let mut sizes = Vec::new();
        for &stored in &plan.keys {
            sizes.push(Pair::start(plan, site, subject, u64::try_from(stored)?).await?);
        }
        pairs.push(sizes);
    }
    let mut lines = Vec::new();
    for sizes in &pairs {
        lines.extend(lines_of(sizes, "the same 10", |pair| (&pair.few, FEW)));
        lines.extend(lines_of(sizes, "the same 10, all cached", |pair| {
            (&pair.all, FEW)
        }));
        lines.extend(lines_of(sizes, "all in turn", |pair| {
            (&pair.all, pair.stored)
        }));
    }
    let mut rows = rounds(plan, &full_speed(plan), &mut lines).await?;
    for (row, line) in rows.iter_mut().zip(&lines) {
        row.push(memory_cell(line.server.usage()?.memory));
    }
    let header = [
        "server",
        "keys called",
        "keys stored",
        "requests/s",
        "of fewest",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "CPU µs/request",
        "of fewest",
        "memory, MiB",
    ];
    report.table("Cached data keys, by the number of keys", &header, &rows)
}

/// One line per store size; they are compared to the first.
fn lines_of<'a>(
    pairs: &'a [Pair],
    called: &'a str,
    choice: fn(&Pair) -> (&Server, u64),
) -> impl Iterator<Item = Line<'a>> {
    pairs.iter().enumerate().map(move |(index, pair)| {
        let (server, count) = choice(pair);
        Line {
            label: vec![
                server.name.to_owned(),
                called.to_owned(),
                pair.stored.to_string(),
            ],
            server,
            protocol: Protocol::Http1,
            calls: Calls::spread(count, pair.stored),
            is_base: index == 0,
            series: Series::default(),
        }
    })
}

// === impl Pair ===

impl Pair {
    async fn start(plan: &Plan, site: &Site, subject: &Subject, stored: u64) -> Result<Self> {
        let name = subject.server.name;
        progress(&format!("{stored} keys in the store, {name}"));
        let store = site.store(&format!("{name}-{stored}"));
        fill(&store, &subject.store.join(KEY), stored)?;
        let few = site.kes(name, &subject.binary, &store).await?;
        cache(plan, &few, FEW, stored).await?;
        let all = site.kes(name, &subject.binary, &store).await?;
        cache(plan, &all, stored, stored).await?;
        Ok(Self { stored, few, all })
    }
}

/// Calls each of `called` keys once.
async fn cache(plan: &Plan, server: &Server, called: u64, stored: u64) -> Result<()> {
    let load = Load {
        requests: called,
        time: Duration::from_secs(600),
        ..full_speed(plan)
    };
    let calls = Calls::spread(called, stored);
    sample(server, Protocol::Http1, &load, &calls).await?;
    Ok(())
}

/// Makes a file store of `count` keys out of one stored key.
fn fill(store: &Path, key: &Path, count: u64) -> Result<()> {
    fs::create_dir(store)?;
    let mut original = store.to_owned();
    for number in 0..count {
        let path = store.join(spread_name(number));
        if number.is_multiple_of(LINKS) {
            fs::copy(key, &path)?;
            original = path;
        } else {
            fs::hard_link(&original, &path)?;
        }
    }
    Ok(())
}
