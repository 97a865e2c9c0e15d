mod listing;
mod rules;

/// The golden vectors of MinIO KMS.
pub(crate) fn vectors() -> serde_json::Value {
    let text = include_str!("../../../../tests/vectors/minkms.json");
    serde_json::from_str(text).expect("JSON")
}
