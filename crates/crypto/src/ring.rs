use std::iter;

use zeroize::Zeroizing;

use crate::ciphertext::Ciphertext;
use crate::sealed::{self, Drawn};
use crate::{Error, KeyVersion, Mode, Random, hkdf_sha256, hmac_sha256};

/// What separates the MAC key of a version from everything else made of its bytes
/// (MinIO KMS protocol, D10).
const MAC_LABEL: &[u8] = b"keystead/minkms/v1/mac";

/// One named key of MinIO KMS: its present versions, at least one, and the highest
/// number that was ever used (MinIO KMS protocol, sections 5.3 and 5.4).
///
/// A ring is never changed: a new version or one less makes another ring. Wherever a
/// version is asked for, 0 means the latest.
#[derive(Clone)]
pub struct KeyRing {
    /// Ascending. Most keys have one version only, and an empty list takes no heap: a
    /// million small allocations would cost more than the larger struct.
    older: Box<[KeyVersion]>,
    latest: KeyVersion,
    highest: u32,
}

/// A data key: in clear, and sealed by the key that it was asked of.
pub struct DataKey {
    /// The version that sealed.
    pub version: u32,
    /// The data key.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The data key, sealed.
    pub ciphertext: Vec<u8>,
}

// === impl KeyRing ===

impl KeyRing {
    /// The most versions that a ring holds (D12).
    pub const MAX_VERSIONS: usize = 1000;

    /// Bytes that a ciphertext is longer than its plaintext.
    pub const OVERHEAD: usize = sealed::OVERHEAD;

    /// A ring whose first version is `first`.
    ///
    /// # Errors
    /// [`Error::KeyVersion`] if its number is 0.
    pub fn new(first: KeyVersion) -> Result<Self, Error> {
        let highest = first.version;
        Self::restore([first], highest)
    }

    /// A ring as it was stored: versions in any order, and the highest number that
    /// was ever used.
    ///
    /// # Errors
    /// [`Error::KeyVersion`] if there is none, two have one number, one has the number
    /// 0 or a number above `highest`; [`Error::TooManyKeyVersions`].
    pub fn restore(
        versions: impl IntoIterator<Item = KeyVersion>,
        highest: u32,
    ) -> Result<Self, Error> {
        let mut versions: Vec<_> = versions.into_iter().collect();
        versions.sort_unstable_by_key(|version| version.version);
        let latest = versions.pop().ok_or(Error::KeyVersion)?;
        let numbers = versions.iter().chain([&latest]).map(KeyVersion::number);
        let ascending = iter::once(0).chain(numbers).is_sorted_by(|a, b| a < b);
        if !ascending || latest.version > highest {
            return Err(Error::KeyVersion);
        }
        if versions.len() >= Self::MAX_VERSIONS {
            return Err(Error::TooManyKeyVersions);
        }
        Ok(Self {
            older: versions.into(),
            latest,
            highest,
        })
    }

    /// The ring with another version.
    ///
    /// # Errors
    /// [`Error::KeyVersion`] if its number was used before, which is so for every
    /// number below [`next_version`](Self::next_version);
    /// [`Error::TooManyKeyVersions`].
    pub fn with_version(&self, version: KeyVersion) -> Result<Self, Error> {
        if version.version <= self.highest {
            return Err(Error::KeyVersion);
        }
        let highest = version.version;
        Self::restore(self.versions().cloned().chain([version]), highest)
    }

    /// The ring without a version, or `None` if that was its last one.
    ///
    /// # Errors
    /// [`Error::NoKeyVersion`] if it is not there.
    pub fn without(&self, version: u32) -> Result<Option<Self>, Error> {
        let gone = self.version(version)?.version;
        let rest: Vec<_> = self
            .versions()
            .filter(|version| version.version != gone)
            .cloned()
            .collect();
        if rest.is_empty() {
            return Ok(None);
        }
        Self::restore(rest, self.highest).map(Some)
    }

    /// The number that the next version gets; `None` after 2^32 - 1 versions.
    #[must_use]
    pub fn next_version(&self) -> Option<u32> {
        self.highest.checked_add(1)
    }

    /// The highest number that was ever used.
    #[must_use]
    pub fn highest(&self) -> u32 {
        self.highest
    }

    /// The present versions, ascending; at least one.
    pub fn versions(&self) -> impl DoubleEndedIterator<Item = &KeyVersion> + Clone {
        self.older.iter().chain([&self.latest])
    }

    /// How many versions are present, from 1 to [`MAX_VERSIONS`](Self::MAX_VERSIONS).
    #[must_use]
    pub fn count(&self) -> usize {
        self.older.len().saturating_add(1)
    }

    /// The newest version present.
    #[must_use]
    pub fn latest(&self) -> &KeyVersion {
        &self.latest
    }

    /// A present version; 0 is the latest.
    ///
    /// # Errors
    /// [`Error::NoKeyVersion`].
    pub fn version(&self, version: u32) -> Result<&KeyVersion, Error> {
        match version {
            0 => Ok(self.latest()),
            _ => self.find(version).ok_or(Error::NoKeyVersion),
        }
    }

    /// `seal[version](plaintext, context)`, and the version that sealed.
    ///
    /// The result is [`OVERHEAD`](Self::OVERHEAD) bytes longer than the plaintext:
    /// encrypted bytes, 16 bytes tag, 16 bytes iv, 12 bytes nonce (section 5.5). It
    /// says nothing about version or cipher.
    ///
    /// # Errors
    /// [`Error::NoKeyVersion`], [`Error::NoRandomness`], [`Error::PlaintextTooLong`].
    pub fn encrypt(
        &self,
        random: &dyn Random,
        version: u32,
        plaintext: &[u8],
        context: &[u8],
    ) -> Result<(u32, Vec<u8>), Error> {
        let version = self.version(version)?;
        let drawn = Drawn::draw(random)?;
        let sealed = sealed::seal(&version.key, version.cipher, drawn, plaintext, context)?;
        Ok((version.version, sealed))
    }

    /// Draws a data key of `length` bytes and seals it as
    /// [`encrypt`](Self::encrypt) does.
    ///
    /// # Errors
    /// Those of [`encrypt`](Self::encrypt).
    pub fn generate(
        &self,
        random: &dyn Random,
        version: u32,
        length: usize,
        context: &[u8],
    ) -> Result<DataKey, Error> {
        let version = self.version(version)?;
        // One draw for all, because a draw costs more than its bytes: the generator
        // takes prediction resistance from the processor each time.
        let mut plaintext = Zeroizing::new(vec![0; length.saturating_add(Drawn::LEN)]);
        random.fill(&mut plaintext)?;
        let drawn = Drawn::take(&mut plaintext.iter().skip(length).copied());
        plaintext.truncate(length);
        let ciphertext = sealed::seal(&version.key, version.cipher, drawn, &plaintext, context)?;
        Ok(DataKey {
            version: version.version,
            plaintext,
            ciphertext,
        })
    }

    /// The inverse of [`encrypt`](Self::encrypt), and more: opens ciphertexts of every
    /// version and of every format that KES and MinIO ever wrote (D8, D9).
    ///
    /// `version` 0 tries all versions, newest first; 1 tries version 1 and then all,
    /// because clients send 1 for data whose version they never recorded; any other
    /// number means that version and no other.
    ///
    /// # Errors
    /// [`Error::NotAuthentic`] if nothing opens; [`Error::NoKeyVersion`] instead, if
    /// `version` is not 0 and not present.
    pub fn decrypt(
        &self,
        version: u32,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.decrypt_in(Mode::Standard, version, ciphertext, context)
    }

    /// [`decrypt`](Self::decrypt) with the ciphers of a mode only.
    ///
    /// # Errors
    /// Those of [`decrypt`](Self::decrypt).
    pub fn decrypt_in(
        &self,
        mode: Mode,
        version: u32,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let asked = self.find(version);
        let failure = match asked {
            None if version != 0 => Error::NoKeyVersion,
            _ => Error::NotAuthentic,
        };
        let Some(raw) = Ciphertext::parse_raw(ciphertext).filter(Ciphertext::has_tag) else {
            return Err(failure);
        };
        let old = Ciphertext::parse_old(ciphertext)
            .filter(|_| !ciphertext.starts_with(b"{") || ciphertext.ends_with(b"}"));
        let others = self
            .versions()
            .rev()
            .filter(|other| version <= 1 && Some(other.version) != asked.map(KeyVersion::number));
        asked
            .into_iter()
            .chain(others)
            .find_map(|version| version.open(mode, old.as_ref(), &raw, context))
            .ok_or(failure)
    }

    /// The MAC of a message, 32 bytes, and the version that made it (D10).
    ///
    /// Its key is `HKDF-SHA-256[version]("", "keystead/minkms/v1/mac")` and never the
    /// version itself, whose HMAC of 16 bytes is the key of a ciphertext.
    ///
    /// # Errors
    /// [`Error::NoKeyVersion`].
    pub fn mac(&self, version: u32, message: &[u8]) -> Result<(u32, [u8; 32]), Error> {
        let version = self.version(version)?;
        let mut key = Zeroizing::new([0; 32]);
        hkdf_sha256(version.key.expose(), &[], MAC_LABEL, &mut *key)?;
        Ok((version.version, hmac_sha256(&*key, message)))
    }

    fn find(&self, version: u32) -> Option<&KeyVersion> {
        if version == self.latest.version {
            return Some(&self.latest);
        }
        let at = self
            .older
            .binary_search_by_key(&version, KeyVersion::number)
            .ok()?;
        self.older.get(at)
    }
}
