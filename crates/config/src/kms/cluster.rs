//! `cluster`

use std::time::Duration;

use crate::read::Section;

const DEFAULT: Duration = Duration::from_millis(500);
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_millis(1500);

/// `cluster`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClusterConfig {
    /// How often the leader is heard of: 500 ms, or 50 ms to 1.5 s.
    pub heartbeat: Duration,
    /// What a node does that lost touch with the leader.
    pub stale_reads: StaleReads,
}

/// Whether a node that may have missed changes uses the keys it has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StaleReads {
    /// It does.
    #[default]
    Allow,
    /// It refuses.
    Deny,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            heartbeat: DEFAULT,
            stale_reads: StaleReads::default(),
        }
    }
}

impl ClusterConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self {
            heartbeat: heartbeat(section).unwrap_or(DEFAULT),
            stale_reads: stale_reads(section).unwrap_or_default(),
        }
    }
}

fn heartbeat(section: &Section<'_>) -> Option<Duration> {
    let refusal = |value| format!("invalid heartbeat '{value}'");
    let heartbeat = section.interval("heartbeat", refusal)?;
    if (SHORTEST..=LONGEST).contains(&heartbeat) {
        return Some(heartbeat);
    }
    section.wrong(
        &section.place_of("heartbeat"),
        "invalid heartbeat: out of range".to_owned(),
        "write a duration from 50ms to 1.5s, or 0 for the default of 500ms",
    );
    None
}

fn stale_reads(section: &Section<'_>) -> Option<StaleReads> {
    let field = section.text("stale_reads")?;
    match field.value.as_str() {
        "allow" => Some(StaleReads::Allow),
        "deny" => Some(StaleReads::Deny),
        other => {
            let message = format!("invalid stale_reads '{other}'");
            section.wrong(&field.place, message, "write allow or deny");
            None
        }
    }
}
