//! Secrets in files of their own.

use std::path::PathBuf;

use keystead_crypto::Secret;

use super::Field;
use crate::{Error, Origin, text_file};

/// Reads a secret's file, without one line break at its end.
pub(super) fn read(file: &Field<PathBuf>) -> Result<Field<Secret>, Error> {
    let content = text_file::read(&file.value).map_err(|cause| {
        let cause = text_file::cause(&cause);
        let message = format!("open {}: {cause}", file.value.display());
        let advice = "name a readable text file that holds nothing but the secret";
        Error::SecretFile(file.place.diagnostic(message, advice))
    })?;
    let text = content.strip_suffix('\n').unwrap_or(&content);
    let text = text.strip_suffix('\r').unwrap_or(text);
    let mut secret = file.clone().map(|_| Secret::new(text.to_owned()));
    if let Some(position) = file.place.origin.position() {
        secret.place.origin = Origin::SecretFile {
            path: file.value.clone(),
            position: position.clone(),
        };
    }
    Ok(secret)
}
