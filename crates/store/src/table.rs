use zeroize::Zeroizing;

/// Where a record of the state belongs.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Table {
    /// One record: how many changes were applied, and the digest of all others.
    Head,
    /// One record: the identity of the root.
    Root,
    /// An enclave by its name.
    Enclave,
    /// A policy by enclave and name.
    Policy,
    /// An identity by enclave and fingerprint.
    Identity,
    /// A key with all its versions by enclave and name.
    Key,
    /// What became of the last operations, in a ring of slots.
    Recent,
}

/// What one record became. `None` removes it.
#[derive(Clone, Eq, PartialEq)]
pub struct Change {
    /// The table.
    pub table: Table,
    /// The key inside the table, with names in clear.
    pub key: Vec<u8>,
    /// The content, with key material in clear.
    pub value: Option<Zeroizing<Vec<u8>>>,
}

/// One record of a whole state, as [`State::records`](crate::State::records) gives and
/// [`State::load`](crate::State::load) takes them.
#[derive(Clone, Eq, PartialEq)]
pub struct Record {
    /// The table.
    pub table: Table,
    /// The key inside the table, with names in clear.
    pub key: Vec<u8>,
    /// The content, with key material in clear.
    pub value: Zeroizing<Vec<u8>>,
}

// === impl Table ===

impl Table {
    /// Every table, by ascending code.
    pub const ALL: [Self; 7] = [
        Self::Head,
        Self::Root,
        Self::Enclave,
        Self::Policy,
        Self::Identity,
        Self::Key,
        Self::Recent,
    ];

    /// The number that stands for the table on disk; never given to another one.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Head => 0,
            Self::Root => 1,
            Self::Enclave => 2,
            Self::Policy => 3,
            Self::Identity => 4,
            Self::Key => 5,
            Self::Recent => 6,
        }
    }

    /// The table of a number.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.code() == code)
    }
}

// === impl Record ===

impl From<Record> for Change {
    fn from(record: Record) -> Self {
        Self {
            table: record.table,
            key: record.key,
            value: Some(record.value),
        }
    }
}
