use jiff::Timestamp;
use keystead_identity::KmsIdentity;
use keystead_wire_kms::to_timestamp;

/// When something was made, and by whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Created {
    /// When.
    pub at: Timestamp,
    /// By whom; [`KmsIdentity::NOBODY`] if that is not known.
    pub by: KmsIdentity,
}

// === impl Created ===

impl Created {
    /// As messages carry it: time and text of the identity.
    #[must_use]
    pub fn to_message(self) -> (Option<prost_types::Timestamp>, String) {
        (Some(to_timestamp(self.at)), self.by.to_string())
    }
}
