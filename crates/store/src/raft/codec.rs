//! What the engine's types look like in records. Additive protobuf, no key bytes
//! but those inside a batch.

use std::collections::{BTreeMap, BTreeSet};

use openraft::{EntryPayload, LeaderId, Vote};
use prost::Message;
use zeroize::Zeroizing;

use super::{Entry, LogId, Membership, NodeId, Peer};
use crate::{Batch, Error};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct LogIdRecord {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    node: u64,
    #[prost(uint64, tag = "3")]
    index: u64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct VoteRecord {
    #[prost(uint64, tag = "1")]
    term: u64,
    #[prost(uint64, tag = "2")]
    node: u64,
    #[prost(bool, tag = "3")]
    committed: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct MembershipRecord {
    /// The entry that brought it; none before the first.
    #[prost(message, optional, tag = "1")]
    log_id: Option<LogIdRecord>,
    /// One set of voters, two while it changes.
    #[prost(message, repeated, tag = "2")]
    voters: Vec<VotersRecord>,
    #[prost(btree_map = "uint64, message", tag = "3")]
    nodes: BTreeMap<u64, PeerRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct VotersRecord {
    #[prost(uint64, repeated, tag = "1")]
    ids: Vec<u64>,
}

#[derive(Clone, PartialEq, Message)]
struct PeerRecord {
    #[prost(string, tag = "1")]
    host: String,
}

/// With neither field the entry is blank.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct PayloadRecord {
    #[prost(bytes = "vec", optional, tag = "1")]
    batch: Option<Vec<u8>>,
    #[prost(message, optional, tag = "2")]
    membership: Option<MembershipRecord>,
}

impl Drop for PayloadRecord {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.batch);
    }
}

// === impl LogIdRecord ===

impl From<LogId> for LogIdRecord {
    fn from(id: LogId) -> Self {
        Self {
            term: id.leader_id.term,
            node: id.leader_id.node_id,
            index: id.index,
        }
    }
}

impl From<LogIdRecord> for LogId {
    fn from(record: LogIdRecord) -> Self {
        Self::new(LeaderId::new(record.term, record.node), record.index)
    }
}

// === impl VoteRecord ===

impl From<&Vote<NodeId>> for VoteRecord {
    fn from(vote: &Vote<NodeId>) -> Self {
        Self {
            term: vote.leader_id.term,
            node: vote.leader_id.node_id,
            committed: vote.committed,
        }
    }
}

impl From<VoteRecord> for Vote<NodeId> {
    fn from(record: VoteRecord) -> Self {
        Self {
            leader_id: LeaderId::new(record.term, record.node),
            committed: record.committed,
        }
    }
}

// === impl MembershipRecord ===

impl From<&Membership> for MembershipRecord {
    fn from(membership: &Membership) -> Self {
        Self {
            log_id: membership.log_id().map(Into::into),
            ..Self::from(membership.membership())
        }
    }
}

impl From<&openraft::Membership<NodeId, Peer>> for MembershipRecord {
    fn from(membership: &openraft::Membership<NodeId, Peer>) -> Self {
        let voters = membership.get_joint_config().iter();
        let nodes = membership.nodes().map(|(id, peer)| {
            let host = peer.host.clone();
            (*id, PeerRecord { host })
        });
        Self {
            log_id: None,
            voters: voters
                .map(|ids| VotersRecord {
                    ids: ids.iter().copied().collect(),
                })
                .collect(),
            nodes: nodes.collect(),
        }
    }
}

impl From<MembershipRecord> for Membership {
    fn from(mut record: MembershipRecord) -> Self {
        let log_id = record.log_id.take().map(Into::into);
        Self::new(log_id, record.into())
    }
}

impl From<MembershipRecord> for openraft::Membership<NodeId, Peer> {
    fn from(record: MembershipRecord) -> Self {
        let voters = record.voters.into_iter();
        let voters = voters.map(|it| it.ids.into_iter().collect::<BTreeSet<_>>());
        let nodes = record.nodes.into_iter();
        let nodes = nodes.map(|(id, it)| (id, Peer { host: it.host }));
        Self::new(voters.collect(), nodes.collect::<BTreeMap<_, _>>())
    }
}

pub(crate) fn encode_log_id(id: LogId) -> Vec<u8> {
    LogIdRecord::from(id).encode_to_vec()
}

pub(crate) fn decode_log_id(bytes: &[u8]) -> Result<LogId, Error> {
    let record = LogIdRecord::decode(bytes).map_err(|_| malformed("log id"))?;
    Ok(record.into())
}

pub(crate) fn encode_vote(vote: &Vote<NodeId>) -> Vec<u8> {
    VoteRecord::from(vote).encode_to_vec()
}

pub(crate) fn decode_vote(bytes: &[u8]) -> Result<Vote<NodeId>, Error> {
    let record = VoteRecord::decode(bytes).map_err(|_| malformed("vote"))?;
    Ok(record.into())
}

/// The content of an entry; its id is its position.
pub(crate) fn encode_payload(entry: &Entry) -> Zeroizing<Vec<u8>> {
    let (mut batch, mut membership) = (None, None);
    match &entry.payload {
        EntryPayload::Blank => {}
        EntryPayload::Normal(operations) => batch = Some(operations.encode()),
        EntryPayload::Membership(it) => membership = Some(it.into()),
    }
    let record = PayloadRecord {
        batch: batch.as_deref_mut().map(std::mem::take),
        membership,
    };
    Zeroizing::new(record.encode_to_vec())
}

pub(crate) fn decode_payload(log_id: LogId, bytes: &[u8]) -> Result<Entry, Error> {
    let mut record = PayloadRecord::decode(bytes).map_err(|_| malformed("log entry"))?;
    let payload = match (&record.batch, record.membership.take()) {
        (None, None) => EntryPayload::Blank,
        (Some(batch), None) => EntryPayload::Normal(Batch::decode(batch)?),
        (None, Some(membership)) => EntryPayload::Membership(membership.into()),
        (Some(_), Some(_)) => return Err(malformed("log entry")),
    };
    Ok(Entry { log_id, payload })
}

pub(crate) fn malformed(what: &'static str) -> Error {
    Error::Malformed { what }
}
