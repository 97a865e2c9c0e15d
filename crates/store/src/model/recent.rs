use prost::Message;
use zeroize::Zeroizing;

use super::Map;
use crate::{Change, Error, OperationId, Outcome, Table};

/// How many outcomes are kept.
const CAPACITY: u64 = 10_000;

/// What became of the last operations, so that one that is proposed again is not
/// applied again.
#[derive(Clone, Default)]
pub(crate) struct Recent {
    slots: Map<OperationId, u64>,
    /// By slot, which is the number of the operation modulo the capacity.
    outcomes: Map<u64, (OperationId, Outcome)>,
    /// The number of the next operation.
    next: u64,
}

#[derive(Clone, PartialEq, Message)]
struct RecentRecord {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(uint64, tag = "2")]
    number: u64,
    #[prost(bytes = "vec", tag = "3")]
    outcome: Vec<u8>,
}

// === impl Recent ===

impl Recent {
    /// The outcome of an operation that was applied already.
    pub(crate) fn outcome(&self, id: &OperationId) -> Option<&Outcome> {
        let (_, outcome) = self.outcomes.get(self.slots.get(id)?)?;
        Some(outcome)
    }

    /// Keeps an outcome in the place of the oldest one.
    pub(crate) fn remember(&mut self, id: OperationId, outcome: &Outcome) -> Change {
        let number = self.next;
        self.set(number, id, outcome.clone());
        change(number, id, outcome)
    }

    fn set(&mut self, number: u64, id: OperationId, outcome: Outcome) {
        let slot = number % CAPACITY;
        if let Some((old, _)) = self.outcomes.insert(slot, (id, outcome)) {
            self.slots.remove(&old);
        }
        self.slots.insert(id, slot);
        self.next = self.next.max(number.saturating_add(1));
    }

    /// One record for each outcome.
    pub(crate) fn records(&self) -> impl Iterator<Item = Change> {
        self.outcomes.iter().map(|(slot, (id, outcome))| {
            // The newest number with this slot.
            let last = self.next.saturating_sub(1);
            let back = (last % CAPACITY + CAPACITY - slot) % CAPACITY;
            change(last.saturating_sub(back), *id, outcome)
        })
    }

    pub(crate) fn load(&mut self, value: &[u8]) -> Result<(), Error> {
        let malformed = || Error::malformed("record of an outcome");
        let record = RecentRecord::decode(value).map_err(|_| malformed())?;
        let id = record.id.as_slice().try_into().map_err(|_| malformed())?;
        let outcome = Outcome::decode(&record.outcome)?;
        self.set(record.number, OperationId(id), outcome);
        Ok(())
    }
}

fn change(number: u64, id: OperationId, outcome: &Outcome) -> Change {
    let record = RecentRecord {
        id: id.0.to_vec(),
        number,
        outcome: outcome.encode(),
    };
    Change {
        table: Table::Recent,
        key: (number % CAPACITY).to_be_bytes().to_vec(),
        value: Some(Zeroizing::new(record.encode_to_vec())),
    }
}
