use std::fmt;
use std::path::{Path, PathBuf};

use keystead_config::{Environment, SecretSource};
use keystead_crypto::{Mode, Secret};

use crate::{Error, HsmKey};

const VARIABLE: &str = "MINIO_KMS_HSM_KEY";
const FILE_VARIABLE: &str = "MINIO_KMS_HSM_KEY_FILE";

/// How one page of the product's documentation spells [`VARIABLE`].
const MISSPELLED: &str = "MINIO_HSM_KMS_KEY";

/// Set by systemd for units with credentials.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The name of the systemd credential.
const CREDENTIAL: &str = "minkms-hsm-key";

/// Where the key of the software HSM was found.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeySource {
    /// An environment variable.
    Variable(&'static str),
    /// The file that an environment variable names.
    File(PathBuf),
    /// A credential of the systemd unit.
    Credential(PathBuf),
}

/// The key of the software HSM, as it was set.
pub struct FoundKey {
    /// The key.
    pub key: HsmKey,
    /// Where it was found.
    pub source: KeySource,
    /// What the operator should mend.
    pub warning: Option<KeyWarning>,
}

/// What works but should be mended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum KeyWarning {
    /// The variable has a name that one page of documentation gives it.
    MisspelledVariable,
}

// === impl HsmKey ===

impl HsmKey {
    /// Looks for the key of the software HSM (D1): in `MINIO_KMS_HSM_KEY`, in the file
    /// that `MINIO_KMS_HSM_KEY_FILE` names, in the systemd credential `minkms-hsm-key`.
    /// Empty variables count as not set; blanks around the key do not matter. `None` if
    /// there is no key at all.
    ///
    /// # Errors
    /// [`Error::TwoKeys`], [`Error::KeyFile`], [`Error::FoundKey`].
    pub fn find(environment: &dyn Environment, mode: Mode) -> Result<Option<FoundKey>, Error> {
        let variable = |name| environment.var(name).filter(|text| !text.is_empty());
        let right = variable(VARIABLE).map(Secret::new);
        let misspelled = right.is_none();
        let spelled = if misspelled { MISSPELLED } else { VARIABLE };
        let text = right.or_else(|| variable(MISSPELLED).map(Secret::new));

        let mut found = Vec::new();
        if let Some(text) = text {
            found.push((KeySource::Variable(spelled), SecretSource::Value(text)));
        }
        if let Some(path) = variable(FILE_VARIABLE) {
            let path = PathBuf::from(path);
            found.push((KeySource::File(path.clone()), SecretSource::File(path)));
        }
        let credential = variable(CREDENTIALS).map(|folder| Path::new(&folder).join(CREDENTIAL));
        if let Some(path) = credential.filter(|path| path.try_exists().unwrap_or(true)) {
            found.push((
                KeySource::Credential(path.clone()),
                SecretSource::File(path),
            ));
        }

        let mut found = found.into_iter();
        let Some((source, secret)) = found.next() else {
            return Ok(None);
        };
        if let Some((other, _)) = found.next() {
            return Err(Error::TwoKeys(source, other));
        }
        let text = secret.read().map_err(|error| Error::KeyFile {
            from: source.clone(),
            source: error,
        })?;
        let key = match Self::parse(text.expose().trim_ascii()) {
            Err(Error::Key(why)) => Err(Error::FoundKey {
                from: source.clone(),
                why,
            }),
            Ok(key) if !mode.allows(key.cipher()) => Err(Error::FoundKey {
                from: source.clone(),
                why: "ChaCha20 is not approved by FIPS 140-3, use 'hsm:aes256:'",
            }),
            other => other,
        }?;
        let warning =
            (source == KeySource::Variable(MISSPELLED)).then_some(KeyWarning::MisspelledVariable);
        Ok(Some(FoundKey {
            key,
            source,
            warning,
        }))
    }
}

// === impl KeySource ===

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::File(path) => write!(f, "file {} ({FILE_VARIABLE})", path.display()),
            Self::Credential(path) => write!(f, "systemd credential {}", path.display()),
        }
    }
}

// === impl KeyWarning ===

impl fmt::Display for KeyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MisspelledVariable => write!(
                f,
                "the HSM key is read from {MISSPELLED}: rename the variable to {VARIABLE}"
            ),
        }
    }
}
