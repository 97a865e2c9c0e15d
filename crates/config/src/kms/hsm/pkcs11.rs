//! `hsm.pkcs11`

use std::path::PathBuf;

use keystead_crypto::Secret;

use crate::{
    Error,
    read::{Field, Section},
};

/// An AES key on a PKCS#11 token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pkcs11HsmConfig {
    /// The shared library of the vendor.
    pub library: PathBuf,
    /// Where the key is.
    pub slot: Pkcs11Slot,
    /// The user PIN.
    pub pin: Secret,
    /// The label of the key.
    pub key: String,
    /// The id of the key in hex, where labels are not unique.
    pub key_id: Option<String>,
    /// How the root key is sealed.
    pub mechanism: Pkcs11Mechanism,
}

/// A token, by its label or by the number of its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pkcs11Slot {
    /// `token`
    Token(String),
    /// `slot`
    Slot(u64),
}

/// How the root key is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pkcs11Mechanism {
    /// `aes-gcm`
    #[default]
    AesGcm,
    /// `aes-key-wrap-pad`
    AesKeyWrapPad,
}

impl Pkcs11HsmConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let library = section.required(
            "library",
            "invalid PKCS#11 HSM: no library specified",
            "write the path of the vendor's shared library, such as \
             /usr/lib/softhsm/libsofthsm2.so",
        );
        let slot = slot(section);
        let pin = section.require(
            "pin",
            section.secret("pin", "pin_file"),
            "invalid PKCS#11 HSM: no PIN specified",
            "write the user PIN, or name a file with it in pin_file",
        );
        let key = section.required(
            "key",
            "invalid PKCS#11 HSM: no key specified",
            "write the label of an AES key",
        );
        Ok(Self {
            library: PathBuf::from(library?),
            slot: slot?,
            pin: pin?.value,
            key: key?,
            key_id: key_id(section),
            mechanism: mechanism(section),
        })
    }
}

fn slot(section: &Section<'_>) -> Result<Pkcs11Slot, Error> {
    const ADVICE: &str = "write the label of the token, or the number of its slot";
    match (section.text("token"), section.text("slot")) {
        (Some(token), None) => Ok(Pkcs11Slot::Token(token.value)),
        (None, Some(Field { value, place })) => value.parse().map(Pkcs11Slot::Slot).map_err(|_| {
            let message = format!("invalid PKCS#11 HSM: invalid slot '{value}'");
            section.wrong(&place, message, ADVICE)
        }),
        (Some(_), Some(slot)) => {
            let message = "both 'token' and 'slot' are specified".to_owned();
            Err(section.wrong(&slot.place, message, "keep one of the two"))
        }
        (None, None) => {
            Err(section.wrong_here("invalid PKCS#11 HSM: no token or slot specified", ADVICE))
        }
    }
}

fn key_id(section: &Section<'_>) -> Option<String> {
    let Field { value, place } = section.text("key_id")?;
    if value.len() % 2 == 0 && value.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Some(value);
    }
    let message = "invalid PKCS#11 HSM: invalid key_id".to_owned();
    section.wrong(&place, message, "write the id as pairs of hex digits");
    None
}

fn mechanism(section: &Section<'_>) -> Pkcs11Mechanism {
    let Some(field) = section.text("mechanism") else {
        return Pkcs11Mechanism::default();
    };
    match field.value.as_str() {
        "aes-gcm" => Pkcs11Mechanism::AesGcm,
        "aes-key-wrap-pad" => Pkcs11Mechanism::AesKeyWrapPad,
        other => {
            let message = format!("invalid PKCS#11 HSM: invalid mechanism '{other}'");
            section.wrong(&field.place, message, "write aes-gcm or aes-key-wrap-pad");
            Pkcs11Mechanism::default()
        }
    }
}
