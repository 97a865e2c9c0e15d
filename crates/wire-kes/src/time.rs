//! Times of documents, of which some are unknown: those are the zero time of the
//! original's language, never omitted and never `null` (KES protocol, section 3.4).

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// `0001-01-01T00:00:00Z`
const UNKNOWN: Timestamp = Timestamp::constant(-62_135_596_800, 0);

pub(crate) fn serialize<S: Serializer>(
    time: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.unwrap_or(UNKNOWN).serialize(serializer)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Timestamp>, D::Error> {
    let time = Option::<Timestamp>::deserialize(deserializer)?;
    Ok(time.filter(|time| *time != UNKNOWN))
}
