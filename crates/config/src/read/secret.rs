//! Secrets in files of their own.

use std::path::PathBuf;

use keystead_crypto::Secret;

use super::Field;
use crate::{Error, Origin, secret_source, text_file};

/// Reads a secret's file, without one line break at its end.
pub(super) fn read(file: &Field<PathBuf>) -> Result<Field<Secret>, Error> {
    let text = secret_source::read_file(&file.value).map_err(|cause| {
        let cause = text_file::cause(&cause);
        let message = format!("open {}: {cause}", file.value.display());
        let advice = "name a readable text file that holds nothing but the secret";
        Error::SecretFile(file.place.diagnostic(message, advice))
    })?;
    let mut secret = file.clone().map(|_| text);
    if let Some(position) = file.place.origin.position() {
        secret.place.origin = Origin::SecretFile {
            path: file.value.clone(),
            position: position.clone(),
        };
    }
    Ok(secret)
}
