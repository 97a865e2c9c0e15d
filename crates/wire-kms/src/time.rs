use jiff::Timestamp;

/// `0001-01-01T00:00:00Z`, the zero time of the official client's language: not set.
const UNSET_SECONDS: i64 = -62_135_596_800;

/// A point in time as messages carry it.
#[must_use]
pub fn to_timestamp(time: Timestamp) -> prost_types::Timestamp {
    // Before 1970 the message counts nanoseconds forwards from the second before.
    let nanos = time.as_nanosecond();
    let second = nanos.div_euclid(1_000_000_000);
    prost_types::Timestamp {
        seconds: i64::try_from(second).unwrap_or_default(),
        nanos: i32::try_from(nanos.rem_euclid(1_000_000_000)).unwrap_or_default(),
    }
}

/// The point in time of a message, none if it is out of range.
#[must_use]
pub fn from_timestamp(time: &prost_types::Timestamp) -> Option<Timestamp> {
    let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    Timestamp::from_nanosecond(nanos).ok()
}

/// Whether a time says that none is meant.
#[must_use]
pub fn is_unset(time: Option<&prost_types::Timestamp>) -> bool {
    time.is_none_or(|time| time.seconds == UNSET_SECONDS && time.nanos == 0)
}
