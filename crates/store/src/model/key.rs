use keystead_crypto::{KeyRing, KeyVersion};
use keystead_wire_kms::ApiError;
use keystead_wire_kms::message::{KeyStatusResponse, ListKeysResponse, ListRequest};

use super::Created;
use super::page::page_size;

/// A key: its versions, and when and by whom each was made.
#[derive(Clone)]
pub struct KeyEntry {
    ring: KeyRing,
    /// One for each version of the ring but the latest, in its order: empty and without
    /// heap for most keys, as in the ring.
    older: Box<[Created]>,
    latest: Created,
}

// === impl KeyEntry ===

impl KeyEntry {
    /// None if there is not one `created` for each version.
    pub(crate) fn new(ring: KeyRing, mut created: Vec<Created>) -> Option<Self> {
        if ring.count() != created.len() {
            return None;
        }
        let latest = created.pop()?;
        Some(Self {
            ring,
            older: created.into(),
            latest,
        })
    }

    /// What encrypts and decrypts.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        &self.ring
    }

    /// Versions, ascending, with when and by whom they were made.
    pub fn versions(&self) -> impl Iterator<Item = (&KeyVersion, Created)> {
        let created = self.older.iter().chain([&self.latest]);
        self.ring.versions().zip(created.copied())
    }

    /// What `KEY:STATUS` says of a version; 0 is the latest.
    ///
    /// # Errors
    ///
    /// [`ApiError::KEY_NOT_FOUND`] if the version is not there.
    pub fn status(&self, name: &str, version: u32) -> Result<KeyStatusResponse, ApiError> {
        if version == 0 {
            return Ok(key_status(name, self.ring.latest(), self.latest));
        }
        let mut versions = self.versions();
        versions
            .find(|(it, _)| it.version == version)
            .map(|(it, created)| key_status(name, it, created))
            .ok_or(ApiError::KEY_NOT_FOUND)
    }

    /// A page of versions: `continue_at` is a number (decision D17).
    ///
    /// # Errors
    ///
    /// 400 if `continue_at` is no number.
    pub fn list_versions(
        &self,
        name: &str,
        request: &ListRequest,
    ) -> Result<ListKeysResponse, ApiError> {
        let first = match request.continue_at.as_str() {
            "" => 0,
            text => version_number(text)?,
        };
        let mut versions = self.versions().skip_while(|(it, _)| it.version < first);
        let page = versions.by_ref().take(page_size(request.limit));
        let keys = page.map(|(it, created)| key_status(name, it, created));
        Ok(ListKeysResponse {
            keys: keys.collect(),
            continue_at: versions
                .next()
                .map_or_else(String::new, |(it, _)| it.version.to_string()),
        })
    }

    /// The entry with another version.
    pub(crate) fn with_version(
        &self,
        version: KeyVersion,
        created: Created,
    ) -> Result<Self, keystead_crypto::Error> {
        // A new version has the highest number, so both stay in the same order.
        let ring = self.ring.with_version(version)?;
        Ok(Self {
            ring,
            older: [&self.older, [self.latest].as_slice()].concat().into(),
            latest: created,
        })
    }

    /// The entry without a version; none if that was the last one.
    pub(crate) fn without(&self, version: u32) -> Result<Option<Self>, keystead_crypto::Error> {
        let gone = self.ring.version(version)?.version;
        let ring = self.ring.without(gone)?;
        let rest = self.versions().filter(|(it, _)| it.version != gone);
        let created = rest.map(|(_, created)| created).collect();
        Ok(ring.and_then(|ring| Self::new(ring, created)))
    }
}

/// What answers and backups say of a version.
pub(crate) fn key_status(name: &str, version: &KeyVersion, created: Created) -> KeyStatusResponse {
    let (created_at, created_by) = created.to_message();
    KeyStatusResponse {
        name: name.to_owned(),
        version: version.version,
        r#type: version.cipher.name().to_owned(),
        created_at,
        created_by,
    }
}

fn version_number(text: &str) -> Result<u32, ApiError> {
    let invalid = || ApiError::new(http::StatusCode::BAD_REQUEST, "invalid key version");
    // `+1` parses as a number, but is none of ours.
    match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => text.parse().map_err(|_| invalid()),
        false => Err(invalid()),
    }
}
