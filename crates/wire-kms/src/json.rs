//! JSON forms of types that JSON has none for (decision 0.6).

use data_encoding::BASE64;
use keystead_duration::GoDuration;
use serde::{Serialize, Serializer};

use crate::{Privilege, from_timestamp};

#[expect(clippy::ref_option, reason = "the signature that serde wants")]
pub(crate) fn timestamp<S: Serializer>(
    time: &Option<prost_types::Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.as_ref()
        .and_then(from_timestamp)
        .unwrap_or_default()
        .serialize(serializer)
}

#[expect(clippy::ref_option, reason = "the signature that serde wants")]
pub(crate) fn duration<S: Serializer>(
    duration: &Option<prost_types::Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let nanos = duration.as_ref().map_or(0, |duration| {
        let seconds = duration.seconds.saturating_mul(1_000_000_000);
        seconds.saturating_add(duration.nanos.into())
    });
    serializer.collect_str(&GoDuration::from_nanos(nanos))
}

pub(crate) fn base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&BASE64.encode_display(bytes))
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde wants"
)]
pub(crate) fn privilege<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    let privilege = Privilege::from_number(*number);
    serializer.serialize_str(privilege.map_or("", Privilege::as_str))
}
