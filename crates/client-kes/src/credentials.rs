use std::path::PathBuf;

use keystead_identity::ApiKey;

const API_KEY: [&str; 3] = ["MINIO_KES_API_KEY", "KES_API_KEY", "MINIO_KMS_KES_API_KEY"];
const KEY_FILE: [&str; 3] = [
    "MINIO_KES_KEY_FILE",
    "KES_CLIENT_KEY",
    "MINIO_KES_CLIENT_KEY",
];
const CERTIFICATE_FILE: [&str; 3] = [
    "MINIO_KES_CERT_FILE",
    "KES_CLIENT_CERT",
    "MINIO_KES_CLIENT_CERT",
];

/// Who a client is.
pub enum Credentials {
    /// Whoever holds this key.
    ApiKey(ApiKey),
    /// Whoever holds the key of a certificate; both are PEM files.
    Files {
        /// The private key, possibly encrypted with a password.
        key: PathBuf,
        /// The certificate.
        certificate: PathBuf,
    },
}

/// Why it is not clear who a client is.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// There is neither an API key nor a certificate.
    #[error("no API key specified. Consider setting MINIO_KES_API_KEY")]
    Missing,
    /// There are an API key and a private key file.
    #[error("API key and private key file cannot be used at the same time")]
    ApiKeyAndKeyFile,
    /// There are an API key and a certificate file.
    #[error("API key and certificate file cannot be used at the same time")]
    ApiKeyAndCertificate,
    /// There is a private key without certificate.
    #[error("no certificate file specified. Consider setting MINIO_KES_CERT_FILE")]
    NoCertificate,
    /// There is a certificate without private key.
    #[error("no private key file specified. Consider setting MINIO_KES_KEY_FILE")]
    NoKeyFile,
    /// The API key cannot be read.
    #[error("parsing API key: {0}")]
    ApiKey(#[source] keystead_identity::Error),
}

// === impl Credentials ===

impl Credentials {
    /// The credentials that the environment names (KES command line, section 1.5).
    ///
    /// `api_key` stands for the variables of the API key, if given; `var` looks up a
    /// variable. Of three variables for the same thing the first one that is set
    /// counts, also when it is empty.
    ///
    /// # Errors
    ///
    /// [`CredentialError`] unless there is exactly one kind of credentials.
    pub fn from_env(
        api_key: Option<String>,
        var: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, CredentialError> {
        let first = |names: [&str; 3]| names.into_iter().find_map(&var);
        let given = |text: &String| !text.is_empty();
        let api_key = api_key.or_else(|| first(API_KEY)).filter(given);
        let key = first(KEY_FILE).filter(given);
        let certificate = first(CERTIFICATE_FILE).filter(given);
        match (api_key, key, certificate) {
            (Some(_), Some(_), _) => Err(CredentialError::ApiKeyAndKeyFile),
            (Some(_), None, Some(_)) => Err(CredentialError::ApiKeyAndCertificate),
            (Some(text), None, None) => ApiKey::parse(&text)
                .map(Self::ApiKey)
                .map_err(CredentialError::ApiKey),
            (None, Some(key), Some(certificate)) => Ok(Self::Files {
                key: key.into(),
                certificate: certificate.into(),
            }),
            (None, Some(_), None) => Err(CredentialError::NoCertificate),
            (None, None, Some(_)) => Err(CredentialError::NoKeyFile),
            (None, None, None) => Err(CredentialError::Missing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "kes:v1:APvbt/zbiewXNB+EwciOT+I21peq0odFYCwkJX8mMCxM";
    const IDENTITY: &str = "1d1f89ad528a3bbb8fd64252d443c993f5a4d679b074d5bad49785e02ec38199";

    /// What the credentials are, or the text of the error.
    fn from_env(api_key: Option<&str>, set: &[(&str, &str)]) -> String {
        let credentials = Credentials::from_env(api_key.map(str::to_owned), |name| {
            let (_, value) = set.iter().find(|(key, _)| *key == name)?;
            Some((*value).to_owned())
        });
        match credentials {
            Ok(Credentials::ApiKey(key)) => key.identity().to_string(),
            Ok(Credentials::Files { key, certificate }) => {
                format!("{} {}", key.display(), certificate.display())
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn one_kind_is_enough() {
        for name in API_KEY {
            assert_eq!(from_env(None, &[(name, KEY)]), IDENTITY);
        }
        assert_eq!(from_env(Some(KEY), &[("KES_API_KEY", "other")]), IDENTITY);
        for (key, certificate) in KEY_FILE.into_iter().zip(CERTIFICATE_FILE) {
            assert_eq!(from_env(None, &[(key, "k"), (certificate, "c")]), "k c");
        }
    }

    #[test]
    fn anything_else_is_refused_with_advice() {
        let key = ("KES_API_KEY", KEY);
        let file = ("KES_CLIENT_KEY", "k");
        let certificate = ("KES_CLIENT_CERT", "c");
        for (set, text) in [
            (
                &[][..],
                "no API key specified. Consider setting MINIO_KES_API_KEY",
            ),
            (
                &[key, file, certificate],
                "API key and private key file cannot be used at the same time",
            ),
            (
                &[key, certificate],
                "API key and certificate file cannot be used at the same time",
            ),
            (
                &[file],
                "no certificate file specified. Consider setting MINIO_KES_CERT_FILE",
            ),
            (
                &[certificate],
                "no private key file specified. Consider setting MINIO_KES_KEY_FILE",
            ),
            (
                &[("KES_API_KEY", "kes:v1:AA==")],
                "parsing API key: invalid API key: wrong length",
            ),
            (
                &[("MINIO_KES_API_KEY", ""), key],
                "no API key specified. Consider setting MINIO_KES_API_KEY",
            ),
        ] {
            assert_eq!(from_env(None, set), text);
        }
    }
}
