//! What nodes say to each other, as bytes. Additive protobuf.
//!
//! Entries are in clear: the connection between nodes has to be authenticated and
//! encrypted. Pieces of a snapshot are sealed besides.

use openraft::Vote;
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use prost::Message;
use zeroize::{Zeroize, Zeroizing};

use super::codec::{
    LogIdRecord, MembershipRecord, VoteRecord, decode_payload, encode_payload, malformed,
};
use super::snapshot::Meta;
use super::{NodeId, Types};
use crate::Error;

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct AppendMessage {
    #[prost(message, optional, tag = "1")]
    vote: Option<VoteRecord>,
    #[prost(message, optional, tag = "2")]
    previous: Option<LogIdRecord>,
    #[prost(message, optional, tag = "3")]
    committed: Option<LogIdRecord>,
    #[prost(message, repeated, tag = "4")]
    entries: Vec<EntryMessage>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct EntryMessage {
    #[prost(message, optional, tag = "1")]
    log_id: Option<LogIdRecord>,
    #[prost(bytes = "vec", tag = "2")]
    payload: Vec<u8>,
}

impl Drop for EntryMessage {
    fn drop(&mut self) {
        self.payload.zeroize();
    }
}

/// One of: success (no field), partial success, conflict, a higher vote.
#[derive(Clone, PartialEq, Message)]
struct AppendedMessage {
    #[prost(bool, tag = "1")]
    partial: bool,
    /// Up to where, if `partial`.
    #[prost(message, optional, tag = "2")]
    upto: Option<LogIdRecord>,
    #[prost(bool, tag = "3")]
    conflict: bool,
    #[prost(message, optional, tag = "4")]
    higher: Option<VoteRecord>,
}

#[derive(Clone, PartialEq, Message)]
struct VoteMessage {
    #[prost(message, optional, tag = "1")]
    vote: Option<VoteRecord>,
    #[prost(message, optional, tag = "2")]
    last: Option<LogIdRecord>,
    /// In an answer.
    #[prost(bool, tag = "3")]
    granted: bool,
}

#[derive(Clone, PartialEq, Message)]
struct PieceMessage {
    #[prost(message, optional, tag = "1")]
    vote: Option<VoteRecord>,
    #[prost(message, optional, tag = "2")]
    last: Option<LogIdRecord>,
    #[prost(message, optional, tag = "3")]
    membership: Option<MembershipRecord>,
    #[prost(string, tag = "4")]
    snapshot: String,
    #[prost(uint64, tag = "5")]
    number: u64,
    #[prost(bool, tag = "6")]
    is_last: bool,
    #[prost(bytes = "vec", tag = "7")]
    sealed: Vec<u8>,
}

/// A part of a snapshot on its way.
pub(super) struct Piece {
    pub(super) vote: Vote<NodeId>,
    pub(super) meta: Meta,
    /// From 0.
    pub(super) number: u64,
    pub(super) is_last: bool,
    pub(super) sealed: Vec<u8>,
}

pub(super) fn encode_append(request: &AppendEntriesRequest<Types>) -> Zeroizing<Vec<u8>> {
    let entries = request.entries.iter().map(|entry| EntryMessage {
        log_id: Some(entry.log_id.into()),
        payload: std::mem::take(&mut *encode_payload(entry)),
    });
    encode(&AppendMessage {
        vote: Some((&request.vote).into()),
        previous: request.prev_log_id.map(Into::into),
        committed: request.leader_commit.map(Into::into),
        entries: entries.collect(),
    })
}

pub(super) fn decode_append(bytes: &[u8]) -> Result<AppendEntriesRequest<Types>, Error> {
    let message: AppendMessage = decode(bytes)?;
    let entries = message.entries.iter().map(|entry| {
        let log_id = entry.log_id.clone().ok_or(malformed(WHAT))?;
        decode_payload(log_id.into(), &entry.payload)
    });
    Ok(AppendEntriesRequest {
        vote: vote(message.vote)?,
        prev_log_id: message.previous.map(Into::into),
        entries: entries.collect::<Result<_, Error>>()?,
        leader_commit: message.committed.map(Into::into),
    })
}

pub(super) fn encode_appended(answer: &AppendEntriesResponse<NodeId>) -> Zeroizing<Vec<u8>> {
    let mut message = AppendedMessage::default();
    match answer {
        AppendEntriesResponse::Success => {}
        AppendEntriesResponse::PartialSuccess(upto) => {
            message.partial = true;
            message.upto = upto.map(Into::into);
        }
        AppendEntriesResponse::Conflict => message.conflict = true,
        AppendEntriesResponse::HigherVote(vote) => message.higher = Some(vote.into()),
    }
    encode(&message)
}

pub(super) fn decode_appended(bytes: &[u8]) -> Result<AppendEntriesResponse<NodeId>, Error> {
    let message: AppendedMessage = decode(bytes)?;
    match (message.partial, message.conflict, message.higher) {
        (false, false, None) => Ok(AppendEntriesResponse::Success),
        (true, false, None) => {
            let upto = message.upto.map(Into::into);
            Ok(AppendEntriesResponse::PartialSuccess(upto))
        }
        (false, true, None) => Ok(AppendEntriesResponse::Conflict),
        (false, false, Some(vote)) => Ok(AppendEntriesResponse::HigherVote(vote.into())),
        _ => Err(malformed(WHAT)),
    }
}

pub(super) fn encode_ballot(request: &VoteRequest<NodeId>) -> Zeroizing<Vec<u8>> {
    encode(&VoteMessage {
        vote: Some((&request.vote).into()),
        last: request.last_log_id.map(Into::into),
        granted: false,
    })
}

pub(super) fn decode_ballot(bytes: &[u8]) -> Result<VoteRequest<NodeId>, Error> {
    let message: VoteMessage = decode(bytes)?;
    Ok(VoteRequest {
        vote: vote(message.vote)?,
        last_log_id: message.last.map(Into::into),
    })
}

pub(super) fn encode_voted(answer: &VoteResponse<NodeId>) -> Zeroizing<Vec<u8>> {
    encode(&VoteMessage {
        vote: Some((&answer.vote).into()),
        last: answer.last_log_id.map(Into::into),
        granted: answer.vote_granted,
    })
}

pub(super) fn decode_voted(bytes: &[u8]) -> Result<VoteResponse<NodeId>, Error> {
    let message: VoteMessage = decode(bytes)?;
    Ok(VoteResponse {
        vote: vote(message.vote)?,
        vote_granted: message.granted,
        last_log_id: message.last.map(Into::into),
    })
}

pub(super) fn encode_piece(piece: Piece) -> Zeroizing<Vec<u8>> {
    encode(&PieceMessage {
        vote: Some((&piece.vote).into()),
        last: piece.meta.last_log_id.map(Into::into),
        membership: Some((&piece.meta.last_membership).into()),
        snapshot: piece.meta.snapshot_id,
        number: piece.number,
        is_last: piece.is_last,
        sealed: piece.sealed,
    })
}

pub(super) fn decode_piece(bytes: &[u8]) -> Result<Piece, Error> {
    let message: PieceMessage = decode(bytes)?;
    let membership = message.membership.ok_or(malformed(WHAT))?;
    Ok(Piece {
        vote: vote(message.vote)?,
        meta: Meta {
            last_log_id: message.last.map(Into::into),
            last_membership: membership.into(),
            snapshot_id: message.snapshot,
        },
        number: message.number,
        is_last: message.is_last,
        sealed: message.sealed,
    })
}

pub(super) fn encode_installed(answer: &SnapshotResponse<NodeId>) -> Zeroizing<Vec<u8>> {
    encode(&VoteMessage {
        vote: Some((&answer.vote).into()),
        ..VoteMessage::default()
    })
}

pub(super) fn decode_installed(bytes: &[u8]) -> Result<SnapshotResponse<NodeId>, Error> {
    let message: VoteMessage = decode(bytes)?;
    Ok(SnapshotResponse {
        vote: vote(message.vote)?,
    })
}

const WHAT: &str = "message of a node";

fn vote(record: Option<VoteRecord>) -> Result<Vote<NodeId>, Error> {
    record.map(Into::into).ok_or(malformed(WHAT))
}

fn encode(message: &impl Message) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(message.encode_to_vec())
}

fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, Error> {
    M::decode(bytes).map_err(|_| malformed(WHAT))
}
