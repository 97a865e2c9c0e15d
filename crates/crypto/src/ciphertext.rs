//! The three forms of a ciphertext, KES protocol, sections 5.2 to 5.5.

use std::borrow::Cow;

use serde::Deserialize;

use crate::cipher::{Cipher, NONCE_LEN, TAG_LEN};
use crate::encoding::decode_base64;
use crate::key::IV_LEN;

/// First byte of a MessagePack array of five.
const MESSAGE_PACK: u8 = 0x95;

/// First byte of a JSON object.
const JSON: u8 = b'{';

/// A ciphertext taken apart, nothing of it verified.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ciphertext<'a> {
    /// The cipher named by a ciphertext of an old release.
    pub(crate) tag: Option<Cipher>,
    pub(crate) iv: [u8; IV_LEN],
    pub(crate) nonce: [u8; NONCE_LEN],
    /// Encrypted bytes followed by the authentication tag.
    pub(crate) sealed: Cow<'a, [u8]>,
}

impl<'a> Ciphertext<'a> {
    /// Recognises the form by the first byte.
    ///
    /// One raw ciphertext in 128 starts like one of the old forms, so whatever
    /// is not exactly an old form is raw. `None` means too short for raw.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        Self::parse_old(bytes).or_else(|| Self::parse_raw(bytes))
    }

    /// The forms that name their cipher.
    pub(crate) fn parse_old(bytes: &'a [u8]) -> Option<Self> {
        match bytes.first() {
            Some(&MESSAGE_PACK) => Self::parse_message_pack(bytes),
            Some(&JSON) => Self::parse_json(bytes),
            _ => None,
        }
    }

    /// The present form; every 28 bytes and more are one.
    pub(crate) fn parse_raw(bytes: &'a [u8]) -> Option<Self> {
        let (rest, nonce) = bytes.split_last_chunk()?;
        let (sealed, iv) = rest.split_last_chunk()?;
        Some(Self {
            tag: None,
            iv: *iv,
            nonce: *nonce,
            sealed: Cow::Borrowed(sealed),
        })
    }

    /// Whether there are enough sealed bytes for an authentication tag.
    pub(crate) fn has_tag(&self) -> bool {
        self.sealed.len() >= TAG_LEN
    }

    /// Releases of 2022-04 to 2024-01: `[algorithm, key id, iv, nonce, sealed]`.
    fn parse_message_pack(bytes: &'a [u8]) -> Option<Self> {
        let (&MESSAGE_PACK, rest) = bytes.split_first()? else {
            return None;
        };
        let (algorithm, rest) = rmp::decode::read_str_from_slice(rest).ok()?;
        let (_key_id, rest) = rmp::decode::read_str_from_slice(rest).ok()?;
        let (iv, rest) = read_bin(rest)?;
        let (nonce, rest) = read_bin(rest)?;
        let (sealed, rest) = read_bin(rest)?;
        if !rest.is_empty() {
            return None;
        }
        Some(Self {
            tag: Some(algorithm.parse().ok()?),
            iv: iv.try_into().ok()?,
            nonce: nonce.try_into().ok()?,
            sealed: Cow::Borrowed(sealed),
        })
    }

    /// Releases of 2020-03 to 2022-03.
    fn parse_json(bytes: &'a [u8]) -> Option<Self> {
        let json: JsonCiphertext<'a> = serde_json::from_slice(bytes).ok()?;
        let tag = match &*json.aead {
            "AES-256-GCM-HMAC-SHA-256" => Cipher::Aes256,
            "ChaCha20Poly1305" => Cipher::ChaCha20,
            _ => return None,
        };
        let decode = |text: &str| decode_base64(text.as_bytes()).ok();
        Some(Self {
            tag: Some(tag),
            iv: decode(&json.iv)?.as_slice().try_into().ok()?,
            nonce: decode(&json.nonce)?.as_slice().try_into().ok()?,
            sealed: Cow::Owned(decode(&json.bytes)?.to_vec()),
        })
    }
}

/// The fields that matter; a key id may stand beside them.
#[derive(Deserialize)]
struct JsonCiphertext<'a> {
    #[serde(borrow)]
    aead: Cow<'a, str>,
    #[serde(borrow)]
    iv: Cow<'a, str>,
    #[serde(borrow)]
    nonce: Cow<'a, str>,
    #[serde(borrow)]
    bytes: Cow<'a, str>,
}

/// A MessagePack byte string and what follows it.
fn read_bin(mut bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = rmp::decode::read_bin_len(&mut bytes).ok()?;
    bytes.split_at_checked(usize::try_from(len).ok()?)
}
