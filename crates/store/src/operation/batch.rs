use prost::Message;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{Operation, OperationId, codec};
use crate::Error;

/// What one entry of the log holds: operations that were proposed at about the same
/// time, applied in this order.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// The operations with their ids.
    pub operations: Vec<(OperationId, Operation)>,
}

#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
struct BatchRecord {
    #[prost(message, repeated, tag = "1")]
    items: Vec<ItemRecord>,
}

#[derive(Clone, PartialEq, Message, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct ItemRecord {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(uint32, tag = "2")]
    number: u32,
    #[prost(bytes = "vec", tag = "3")]
    operation: Vec<u8>,
}

// === impl Batch ===

impl Batch {
    /// The bytes of a log entry, in clear.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let items = self.operations.iter().map(|(id, operation)| {
            let (number, mut bytes) = codec::encode(operation);
            ItemRecord {
                id: id.0.to_vec(),
                number,
                operation: std::mem::take(&mut *bytes),
            }
        });
        let record = BatchRecord {
            items: items.collect(),
        };
        Zeroizing::new(record.encode_to_vec())
    }

    /// The inverse of [`encode`](Self::encode).
    ///
    /// # Errors
    ///
    /// [`Error::UnknownOperation`] and [`Error::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let record = BatchRecord::decode(bytes).map_err(|_| Error::malformed("log entry"))?;
        let operations = record.items.iter().map(|item| {
            let id = item.id.as_slice().try_into();
            let id = id.map_err(|_| Error::malformed("operation id"))?;
            let operation = codec::decode(item.number, &item.operation)?;
            Ok((OperationId(id), operation))
        });
        Ok(Self {
            operations: operations.collect::<Result<_, Error>>()?,
        })
    }
}
