use keystead_crypto::{Error, Random, Sealer, hmac_sha256};
use keystead_hsm::{ClusterId, RootKey, RootKeyId, Use};
use zeroize::Zeroizing;

/// Bytes of the id of a root key, which every record begins with.
const ID_LEN: usize = 8;

/// Bytes of the name of a record in the state tables.
pub(crate) const NAME_LEN: usize = 16;

/// The number that no node has.
const ANY_NODE: u64 = u64::MAX;

/// What a record is: part of what its seal binds, with its position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An entry of the log; position: index, term, node of the term's leader.
    LogEntry,
    /// A fact about the log; position: its name.
    LogMeta,
    /// A record of the state; position: its table and name.
    State,
    /// A fact about the state; position: its name.
    StateMeta,
    /// A piece of a snapshot, which any node of the cluster opens; position: number,
    /// whether it is the last, snapshot.
    Snapshot,
    /// The key of record names.
    Names,
}

/// Seals and opens records under the database keys of all root keys that are in
/// use (decision D4), the newest for what is new.
///
/// A record is the id of its root key, then the ciphertext. Its seal binds the
/// cluster, the node, the kind and the position, so that no record can stand in
/// for another.
pub(crate) struct RecordKeys {
    cluster: ClusterId,
    node: u64,
    names: Zeroizing<[u8; 32]>,
    current: (RootKeyId, Sealer),
    older: Vec<(RootKeyId, Sealer)>,
}

/// Why a record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    #[error("a record is sealed under a root key that seal.json does not have")]
    UnknownRoot,
    #[error("a record is not what was written at its place")]
    NotAuthentic,
}

// === impl RecordKeys ===

impl RecordKeys {
    pub(crate) fn new(
        node: u64,
        names: Zeroizing<[u8; 32]>,
        current: &RootKey,
        older: &[&RootKey],
    ) -> Self {
        Self {
            cluster: current.cluster(),
            node,
            names,
            current: sealer(current),
            older: older.iter().map(|root| sealer(root)).collect(),
        }
    }

    pub(crate) fn seal(
        &self,
        random: &dyn Random,
        kind: Kind,
        position: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let (id, sealer) = &self.current;
        let sealed = sealer.seal(random, plaintext, &self.context(kind, position))?;
        Ok([id.as_bytes().as_slice(), &sealed].concat())
    }

    pub(crate) fn open(
        &self,
        kind: Kind,
        position: &[u8],
        record: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, RecordError> {
        let (id, sealed) = record
            .split_first_chunk::<ID_LEN>()
            .ok_or(RecordError::NotAuthentic)?;
        let (_, sealer) = [&self.current]
            .into_iter()
            .chain(&self.older)
            .find(|(known, _)| known.as_bytes() == id)
            .ok_or(RecordError::UnknownRoot)?;
        sealer
            .open(sealed, &self.context(kind, position))
            .map_err(|_| RecordError::NotAuthentic)
    }

    /// Whether a record is sealed under the newest root key.
    pub(crate) fn is_current(&self, record: &[u8]) -> bool {
        record.starts_with(self.current.0.as_bytes())
    }

    /// `HMAC[name key](table || key)`: what a record of the state is called on the
    /// disk, where no name stands in clear.
    pub(crate) fn name(&self, table: u8, key: &[u8]) -> [u8; NAME_LEN] {
        let message = Zeroizing::new([&[table], key].concat());
        let tag = hmac_sha256(&*self.names, &message);
        let mut name = [0; NAME_LEN];
        name.copy_from_slice(tag.first_chunk::<NAME_LEN>().unwrap_or(&[0; NAME_LEN]));
        name
    }

    /// The key of record names, sealed to be kept in `seal.json`.
    pub(crate) fn seal_names(&self, random: &dyn Random) -> Result<Vec<u8>, Error> {
        self.seal(random, Kind::Names, &[], &*self.names)
    }

    /// The key of record names out of `seal.json`.
    pub(crate) fn open_names(
        node: u64,
        sealed: &[u8],
        roots: &[&RootKey],
    ) -> Result<Zeroizing<[u8; 32]>, RecordError> {
        let (current, older) = roots.split_first().ok_or(RecordError::UnknownRoot)?;
        let keys = Self::new(node, Zeroizing::new([0; 32]), current, older);
        let plaintext = keys.open(Kind::Names, &[], sealed)?;
        let names: [u8; 32] = plaintext
            .as_slice()
            .try_into()
            .map_err(|_| RecordError::NotAuthentic)?;
        Ok(Zeroizing::new(names))
    }

    pub(crate) fn names(&self) -> Zeroizing<[u8; 32]> {
        self.names.clone()
    }

    fn context(&self, kind: Kind, position: &[u8]) -> Vec<u8> {
        let node = match kind {
            Kind::Snapshot => ANY_NODE,
            _ => self.node,
        };
        [
            b"keystead/minkms/v1/record/",
            kind.label().as_bytes(),
            &[0],
            self.cluster.as_bytes(),
            &node.to_be_bytes(),
            position,
        ]
        .concat()
    }
}

// === impl Kind ===

impl Kind {
    fn label(self) -> &'static str {
        match self {
            Self::LogEntry => "log-entry",
            Self::LogMeta => "log-meta",
            Self::State => "state",
            Self::StateMeta => "state-meta",
            Self::Snapshot => "snapshot",
            Self::Names => "names",
        }
    }
}

fn sealer(root: &RootKey) -> (RootKeyId, Sealer) {
    let key = root.sub_key(Use::Database).clone();
    (root.id(), Sealer::new(key))
}
