use crate::RootKeyId;

/// A root encryption key as one HSM sealed it. It can be shown to anybody.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SealedEntry {
    /// The name of the HSM.
    pub hsm: String,
    /// Which root encryption key it is.
    pub rek_id: RootKeyId,
    /// What the HSM gave, in a form that only it reads.
    pub sealed: Vec<u8>,
}
