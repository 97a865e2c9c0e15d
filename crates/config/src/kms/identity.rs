//! Identities in configuration files.

use keystead_identity::KmsIdentity;

use crate::read::{Field, Section};

const ADVICE: &str = "write what 'minkms identity KEY' prints: h1: and 43 characters";

/// The identity under a key.
pub(super) fn read(section: &Section<'_>, key: &'static str) -> Option<KmsIdentity> {
    parse(section, &section.text(key)?)
}

/// The identity in a text that is not empty.
pub(super) fn parse(section: &Section<'_>, field: &Field<String>) -> Option<KmsIdentity> {
    let reason = match field.value.parse::<KmsIdentity>() {
        Ok(identity) if !identity.is_nobody() => return Some(identity),
        Ok(_) => "it stands for nobody".to_owned(),
        Err(error) => error.to_string(),
    };
    // The text is not shown: it may be an API key that came to the wrong place.
    section.wrong(&field.place, format!("invalid identity: {reason}"), ADVICE);
    None
}
