use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use keystead_hsm::{ClusterId, RootKeyId};
use openraft::ServerState;

use super::{Stopped, Store};
use crate::raft::NodeId;

/// What a node tells about itself.
#[derive(Clone, Debug)]
pub struct Status {
    /// The cluster.
    pub cluster: ClusterId,
    /// The number of the node, never used twice in its cluster.
    pub node: u32,
    /// `host:port` of the node.
    pub host: String,
    /// Its part in the cluster.
    pub role: Role,
    /// The number of the leader, if one is known.
    pub leader: Option<u32>,
    /// State changes applied so far.
    pub commit: u64,
    /// SHA-256 over the state at `commit`.
    pub digest: [u8; 32],
    /// Entries of the log that are not applied yet.
    pub lag: u64,
    /// Hosts of all members by their numbers.
    pub nodes: BTreeMap<u32, String>,
    /// Time since a majority was last heard of; zero on a single node.
    pub last_heartbeat: Duration,
    /// Time between two heartbeats.
    pub heartbeat_interval: Duration,
    /// Time without a heartbeat after which a new leader is elected, at least.
    pub election_timeout: Duration,
    /// HSMs that hold an entry of the root key.
    pub sealed_hsms: Vec<String>,
    /// HSMs that are configured.
    pub configured_hsms: Vec<String>,
    /// The root key for new records.
    pub root_key: RootKeyId,
    /// Root keys that records are sealed under: more than one while a rotation moves
    /// records.
    pub root_keys: usize,
    /// Why the node stopped by itself, if it did.
    pub stopped: Option<Stopped>,
}

/// The part of a node in its cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Changes go through it.
    Leader,
    /// It follows the leader.
    Follower,
    /// It looks for a leader.
    Candidate,
}

// === impl Store ===

impl Store {
    /// What the node tells about itself.
    #[must_use]
    pub fn status(&self) -> Status {
        let inner = &self.inner;
        let state = self.state();
        let metrics = inner.engine.metrics().borrow().clone();
        let config = inner.engine.config();
        let last = metrics.last_log_index.unwrap_or(0);
        let applied = metrics.last_applied.map_or(0, |id| id.index);
        let members = metrics.membership_config.nodes();
        let sealed = self.sealed_entries().into_iter().map(|it| it.hsm);
        let configured = self.hsms().iter().map(|it| it.name().to_owned());
        Status {
            cluster: inner.seal.cluster(),
            node: number(inner.seal.node()),
            host: inner.seal.host(),
            role: Role::from(metrics.state),
            leader: metrics.current_leader.map(number),
            commit: state.commit(),
            digest: state.digest().to_bytes(),
            lag: last.saturating_sub(applied),
            nodes: members
                .map(|(id, peer)| (number(*id), peer.host.clone()))
                .collect(),
            last_heartbeat: Duration::from_millis(metrics.millis_since_quorum_ack.unwrap_or(0)),
            heartbeat_interval: Duration::from_millis(config.heartbeat_interval),
            election_timeout: Duration::from_millis(config.election_timeout_min),
            sealed_hsms: sealed.collect(),
            configured_hsms: configured.collect(),
            root_key: inner.seal.root_key().id(),
            root_keys: inner.seal.root_count(),
            stopped: self.check().err(),
        }
    }
}

/// Numbers of nodes have 32 bits on the wire; a cluster never makes that many.
fn number(node: NodeId) -> u32 {
    u32::try_from(node).unwrap_or(u32::MAX)
}

// === impl Role ===

impl From<ServerState> for Role {
    fn from(state: ServerState) -> Self {
        match state {
            ServerState::Leader => Self::Leader,
            ServerState::Candidate => Self::Candidate,
            ServerState::Follower | ServerState::Learner | ServerState::Shutdown => Self::Follower,
        }
    }
}

/// As the protocol writes it.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Leader => "Leader",
            Self::Follower => "Follower",
            Self::Candidate => "Candidate",
        })
    }
}
