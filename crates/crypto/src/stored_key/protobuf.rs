//! The value written since 2024-02-29: a protobuf message in base64.

use jiff::Timestamp;
use prost::Message;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::encoding::{decode_base64, encode_base64};
use crate::key::HmacKey;
use crate::{Cipher, Error, SecretKey, StoredKey};

#[derive(Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct KeyVersion {
    #[prost(message, optional, tag = "1")]
    key: Option<KeyMessage>,
    #[prost(message, optional, tag = "2")]
    hmac_key: Option<KeyMessage>,
    #[prost(message, optional, tag = "3")]
    created_at: Option<Time>,
    #[prost(string, tag = "4")]
    created_by: String,
}

/// `SecretKey` and `HMACKey`, which look alike on the wire.
#[derive(Message, Zeroize, ZeroizeOnDrop)]
#[prost(skip_debug)]
struct KeyMessage {
    #[prost(bytes = "vec", tag = "1")]
    bytes: Vec<u8>,
    /// Cipher of a secret key, hash function of an HMAC key.
    #[prost(uint32, tag = "2")]
    kind: u32,
}

/// `google.protobuf.Timestamp`: `nanos` is never negative.
#[derive(Message, Zeroize)]
#[prost(skip_debug)]
struct Time {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

const AES256: u32 = 1;
const CHACHA20: u32 = 2;
const SHA256: u32 = 1;

pub(super) fn decode(value: &[u8]) -> Result<StoredKey, Error> {
    let bytes = decode_base64(value).map_err(|_| Error::MalformedKey("neither JSON nor base64"))?;
    let message = KeyVersion::decode(bytes.as_slice())
        .map_err(|_| Error::MalformedKey("invalid protobuf message"))?;

    let key = message
        .key
        .as_ref()
        .ok_or(Error::MalformedKey("no secret key"))?;
    let cipher = match key.kind {
        AES256 => Cipher::Aes256,
        CHACHA20 => Cipher::ChaCha20,
        _ => return Err(Error::MalformedKey("unknown type of secret key")),
    };
    Ok(StoredKey {
        key: SecretKey::try_from(key.bytes.as_slice())?,
        cipher: Some(cipher),
        hmac_key: message.hmac_key.as_ref().map(hmac_key).transpose()?,
        created_at: message
            .created_at
            .as_ref()
            .map_or(Ok(Timestamp::UNIX_EPOCH), timestamp)?,
        created_by: message.created_by.as_str().into(),
    })
}

pub(super) fn encode(key: &StoredKey) -> Zeroizing<String> {
    let kind = match key.cipher() {
        Cipher::Aes256 => AES256,
        Cipher::ChaCha20 => CHACHA20,
    };
    let message = KeyVersion {
        key: Some(KeyMessage {
            bytes: key.key.expose().to_vec(),
            kind,
        }),
        hmac_key: key.hmac_key.as_ref().map(|key| KeyMessage {
            bytes: key.bytes().to_vec(),
            kind: SHA256,
        }),
        created_at: Some(time(key.created_at)),
        created_by: key.created_by.to_string(),
    };
    let bytes = Zeroizing::new(message.encode_to_vec());
    encode_base64(&bytes)
}

fn hmac_key(message: &KeyMessage) -> Result<HmacKey, Error> {
    match message.kind {
        SHA256 => HmacKey::try_from(message.bytes.as_slice()),
        _ => Err(Error::MalformedKey("unknown hash of HMAC key")),
    }
}

fn timestamp(time: &Time) -> Result<Timestamp, Error> {
    Timestamp::new(time.seconds, time.nanos)
        .map_err(|_| Error::MalformedKey("creation time out of range"))
}

fn time(timestamp: Timestamp) -> Time {
    let (seconds, nanos) = (timestamp.as_second(), timestamp.subsec_nanosecond());
    if nanos < 0 {
        Time {
            seconds: seconds - 1,
            nanos: nanos + 1_000_000_000,
        }
    } else {
        Time { seconds, nanos }
    }
}
