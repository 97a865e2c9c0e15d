use std::fmt;
use std::str::FromStr;

use keystead_crypto::{Random, SecretKey, hex, hkdf_sha256};
use keystead_identity::KmsApiKey;
use zeroize::Zeroizing;

use crate::{ClusterId, Error, Hsm, SealedEntry};

/// What the sealed bytes start with, so that an HSM that gives back anything else is
/// noticed.
const MAGIC: &[u8; 8] = b"KSTDREK1";

const UUID_LEN: usize = 16;
const REK_LEN: usize = 32;

/// Bytes that an HSM seals.
const PLAIN_LEN: usize = MAGIC.len() + UUID_LEN + REK_LEN;

const ID: &[u8] = b"keystead/minkms/v1/rek/id";

/// Domain of an entry in the associated data of an HSM.
const ENTRY: &str = "keystead/minkms/v1/rek-entry:";

/// The root encryption key of a cluster, REK for short, with the keys made of it (D4).
pub struct RootKey {
    cluster: ClusterId,
    rek: SecretKey,
    id: RootKeyId,
    sub_keys: [SecretKey; Use::ALL.len()],
}

/// What a key made of the root encryption key is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Use {
    /// Seals what a node keeps on its disk.
    Database,
    /// The Ed25519 seed of the identity that all nodes share.
    NodeIdentity,
    /// The key that the keys of backups are made of.
    Backup,
}

/// Tells root encryption keys apart; it says nothing about the key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RootKeyId([u8; 8]);

// === impl RootKey ===

impl RootKey {
    /// Draws the key of a new cluster, and its name.
    ///
    /// # Errors
    /// [`Error::Crypto`] if there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self, Error> {
        Self::new(ClusterId::generate(random)?, SecretKey::generate(random)?)
    }

    /// Draws another key for the same cluster.
    ///
    /// # Errors
    /// [`Error::Crypto`] if there is no randomness.
    pub fn successor(&self, random: &dyn Random) -> Result<Self, Error> {
        Self::new(self.cluster, SecretKey::generate(random)?)
    }

    /// The key of a cluster from its bytes.
    ///
    /// # Errors
    /// [`Error::Crypto`] if the key derivation fails, which it does for no key.
    pub fn new(cluster: ClusterId, rek: SecretKey) -> Result<Self, Error> {
        let derive = |label: &[u8], out: &mut [u8]| {
            hkdf_sha256(rek.expose(), cluster.as_bytes(), label, out)
        };
        let sub_key = |usage: Use| {
            let mut bytes = Zeroizing::new([0; REK_LEN]);
            derive(usage.label(), &mut *bytes).map(|()| SecretKey::from_bytes(*bytes))
        };
        let mut id = [0; 8];
        derive(ID, &mut id)?;
        let [database, node, backup] = Use::ALL;
        let sub_keys = [sub_key(database)?, sub_key(node)?, sub_key(backup)?];
        Ok(Self {
            cluster,
            id: RootKeyId(id),
            sub_keys,
            rek,
        })
    }

    /// Reads what an HSM opened.
    ///
    /// # Errors
    /// [`Error::NotRootKey`].
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let parts = bytes
            .split_first_chunk()
            .filter(|(magic, _)| *magic == MAGIC)
            .and_then(|(_, rest)| rest.split_first_chunk::<UUID_LEN>());
        let (cluster, rek) = parts.ok_or(Error::NotRootKey)?;
        let rek = SecretKey::try_from(rek).map_err(|_| Error::NotRootKey)?;
        Self::new(ClusterId::from_bytes(*cluster), rek)
    }

    /// The 56 bytes that an HSM seals: `KSTDREK1`, cluster, key.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(PLAIN_LEN));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(self.cluster.as_bytes());
        bytes.extend_from_slice(self.rek.expose());
        bytes
    }

    /// Has an HSM seal the key. The entry is bound to the name of the HSM, where the HSM
    /// can do that.
    ///
    /// # Errors
    /// Those of [`Hsm::seal`].
    pub async fn seal_with(&self, hsm: &dyn Hsm) -> Result<SealedEntry, Error> {
        let sealed = hsm.seal(&self.encode(), &context(hsm)).await?;
        Ok(SealedEntry {
            hsm: hsm.name().to_owned(),
            rek_id: self.id,
            sealed,
        })
    }

    /// Has an HSM open an entry.
    ///
    /// # Errors
    /// Those of [`Hsm::unseal`]; [`Error::NotRootKey`] and [`Error::OtherRootKey`] if
    /// what it opens is not what the entry says.
    pub async fn unseal_with(hsm: &dyn Hsm, entry: &SealedEntry) -> Result<Self, Error> {
        let bytes = hsm.unseal(&entry.sealed, &context(hsm)).await?;
        let key = Self::decode(&bytes)?;
        (key.id == entry.rek_id)
            .then_some(key)
            .ok_or(Error::OtherRootKey)
    }

    /// The cluster that it belongs to.
    #[must_use]
    pub fn cluster(&self) -> ClusterId {
        self.cluster
    }

    /// What tells it from other root encryption keys.
    #[must_use]
    pub fn id(&self) -> RootKeyId {
        self.id
    }

    /// The key for one use.
    #[must_use]
    pub fn sub_key(&self, usage: Use) -> &SecretKey {
        let [database, node, backup] = &self.sub_keys;
        match usage {
            Use::Database => database,
            Use::NodeIdentity => node,
            Use::Backup => backup,
        }
    }

    /// The API key by which the nodes of the cluster know each other.
    ///
    /// # Errors
    /// [`Error::Identity`] if the signature library refuses the seed, which it does for
    /// none.
    pub fn node_api_key(&self) -> Result<KmsApiKey, Error> {
        let seed = self.sub_key(Use::NodeIdentity);
        Ok(KmsApiKey::from_seed(seed.expose())?)
    }
}

/// The associated data of the entry of an HSM (D5).
fn context(hsm: &dyn Hsm) -> Vec<u8> {
    [ENTRY, hsm.name()].concat().into_bytes()
}

// === impl Use ===

impl Use {
    const ALL: [Self; 3] = [Self::Database, Self::NodeIdentity, Self::Backup];

    fn label(self) -> &'static [u8] {
        match self {
            Self::Database => b"keystead/minkms/v1/rek/database",
            Self::NodeIdentity => b"keystead/minkms/v1/rek/node-identity",
            Self::Backup => b"keystead/minkms/v1/rek/backup",
        }
    }
}

// === impl RootKeyId ===

impl RootKeyId {
    /// An identifier as it is stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

/// 16 lower-case hexadecimal digits.
impl fmt::Display for RootKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for RootKeyId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let shaped = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        u64::from_str_radix(text, 16)
            .ok()
            .filter(|_| shaped)
            .map(|number| Self(number.to_be_bytes()))
            .ok_or(Error::Identifier)
    }
}
