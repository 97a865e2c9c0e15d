//! A snapshot on its way: pieces of sealed records.

use std::sync::Arc;

use keystead_crypto::{Error as CryptoError, Random};
use openraft::Vote;
use prost::Message;
use zeroize::{Zeroize, Zeroizing};

use super::rpc::Piece;
use super::snapshot::{Meta, SnapshotData};
use super::{NodeId, codec::malformed};
use crate::seal::{Kind, RecordKeys};
use crate::{Error, Record, State, Table};

/// Bytes of records in a piece, about.
const PIECE_BYTES: usize = 1024 * 1024;

/// Takes a snapshot apart. What is sealed binds the snapshot, the number of the piece,
/// and whether it is the last, so that none is missing and none belongs elsewhere.
pub(super) struct Pieces<'a> {
    vote: Vote<NodeId>,
    meta: Meta,
    records: Box<dyn Iterator<Item = Record> + Send + 'a>,
    number: u64,
    at_end: bool,
}

/// Puts a snapshot together.
#[derive(Default)]
pub(super) struct Receiving {
    snapshot: String,
    next: u64,
    records: Vec<Record>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct RecordsMessage {
    #[prost(message, repeated, tag = "1")]
    records: Vec<RecordMessage>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct RecordMessage {
    #[prost(uint32, tag = "1")]
    table: u32,
    #[prost(bytes = "vec", tag = "2")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    value: Vec<u8>,
}

impl Drop for RecordMessage {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

// === impl Pieces ===

impl<'a> Pieces<'a> {
    pub(super) fn new(vote: Vote<NodeId>, meta: Meta, data: &'a SnapshotData) -> Self {
        Self {
            vote,
            meta,
            records: Box::new(data.0.records()),
            number: 0,
            at_end: false,
        }
    }

    /// The next piece, `None` after the last.
    pub(super) fn next(
        &mut self,
        keys: &RecordKeys,
        random: &dyn Random,
    ) -> Option<Result<Piece, CryptoError>> {
        if self.at_end {
            return None;
        }
        let mut records = Vec::new();
        let mut bytes = 0_usize;
        self.at_end = true;
        for Record {
            table,
            key,
            mut value,
        } in self.records.by_ref()
        {
            bytes = bytes.saturating_add(key.len()).saturating_add(value.len());
            records.push(RecordMessage {
                table: table.code().into(),
                key,
                value: std::mem::take(&mut *value),
            });
            if bytes >= PIECE_BYTES {
                self.at_end = false;
                break;
            }
        }
        let content = Zeroizing::new(RecordsMessage { records }.encode_to_vec());
        let position = position(&self.meta, self.number, self.at_end);
        let sealed = keys.seal(random, Kind::Snapshot, &position, &content);
        let number = self.number;
        self.number = number.saturating_add(1);
        Some(sealed.map(|sealed| Piece {
            vote: self.vote,
            meta: self.meta.clone(),
            number,
            is_last: self.at_end,
            sealed,
        }))
    }
}

// === impl Receiving ===

impl Receiving {
    /// Takes the next piece; the snapshot, if it was the last.
    pub(super) fn take(
        &mut self,
        keys: &RecordKeys,
        piece: &Piece,
    ) -> Result<Option<SnapshotData>, Error> {
        let Piece { meta, number, .. } = piece;
        if *number == 0 {
            *self = Self {
                snapshot: meta.snapshot_id.clone(),
                ..Self::default()
            };
        }
        let expected = self.snapshot == meta.snapshot_id && self.next == *number;
        if !expected {
            return Err(malformed("order of a snapshot"));
        }
        let position = position(meta, *number, piece.is_last);
        let content = keys
            .open(Kind::Snapshot, &position, &piece.sealed)
            .map_err(|_| malformed("piece of a snapshot"))?;
        let message = RecordsMessage::decode(content.as_slice())
            .map_err(|_| malformed("piece of a snapshot"))?;
        for mut record in message.records {
            let table = u8::try_from(record.table).ok().and_then(Table::from_code);
            self.records.push(Record {
                table: table.ok_or(malformed("record of a snapshot"))?,
                key: std::mem::take(&mut record.key),
                value: Zeroizing::new(std::mem::take(&mut record.value)),
            });
        }
        self.next = number.saturating_add(1);
        if !piece.is_last {
            return Ok(None);
        }
        let state = State::load(std::mem::take(&mut self.records))?;
        *self = Self::default();
        Ok(Some(SnapshotData(Arc::new(state))))
    }
}

fn position(meta: &Meta, number: u64, is_last: bool) -> Vec<u8> {
    let number = number.to_be_bytes();
    let id = meta.snapshot_id.as_bytes();
    [&number[..], &[u8::from(is_last)], id].concat()
}
