use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use keystead_config::kes::VaultTransit;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::api::path;
use crate::login::encode;
use crate::{Client, Error};

/// A key of a transit engine, which never leaves the server
/// (key stores, section 4.6).
pub struct Transit {
    encrypt: String,
    decrypt: String,
}

#[derive(Serialize)]
struct EncryptRequest<'r> {
    plaintext: &'r str,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Serialize)]
struct DecryptRequest<'r> {
    ciphertext: &'r str,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: String,
}

// === impl Transit ===

impl Transit {
    /// The key of a configuration.
    #[must_use]
    pub fn new(config: &VaultTransit) -> Self {
        Self {
            encrypt: path(&[&config.engine, "encrypt", &config.key]),
            decrypt: path(&[&config.engine, "decrypt", &config.key]),
        }
    }

    /// Whether a text is a ciphertext, of whichever version of the key.
    #[must_use]
    pub fn is_ciphertext(text: &str) -> bool {
        text.strip_prefix("vault:v")
            .and_then(|rest| rest.split_once(':'))
            .is_some_and(|(version, _)| {
                !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())
            })
    }

    /// Encrypts with the newest version of the key.
    ///
    /// # Errors
    ///
    /// [`Error::Ciphertext`] besides those of every request.
    pub async fn encrypt(&self, client: &Client, plaintext: &[u8]) -> Result<String, Error> {
        let plaintext = Zeroizing::new(STANDARD.encode(plaintext));
        let body = encode(&EncryptRequest {
            plaintext: &plaintext,
        })?;
        let reply = client
            .call(Method::POST, &self.encrypt, Some(&body))
            .await?;
        let data: Option<Encrypted> = reply.success()?.envelope()?.data;
        data.map(|data| data.ciphertext)
            .filter(|ciphertext| Self::is_ciphertext(ciphertext))
            .ok_or(Error::Ciphertext)
    }

    /// Decrypts what any version of the key has encrypted.
    ///
    /// # Errors
    ///
    /// [`Error::Unexpected`] besides those of every request.
    pub async fn decrypt(
        &self,
        client: &Client,
        ciphertext: &str,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let body = encode(&DecryptRequest { ciphertext })?;
        let reply = client
            .call(Method::POST, &self.decrypt, Some(&body))
            .await?;
        let data: Option<Decrypted> = reply.success()?.envelope()?.data;
        data.map(|data| Zeroizing::new(data.plaintext))
            .and_then(|plaintext| STANDARD.decode(plaintext.as_bytes()).ok())
            .map(Zeroizing::new)
            .ok_or_else(|| Error::Unexpected("the transit engine sent no plaintext".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertexts_of_every_version_are_recognised() {
        for text in ["vault:v1:AA==", "vault:v2:", "vault:v4294967296:x:y"] {
            assert!(Transit::is_ciphertext(text), "{text}");
        }
        for text in [
            "",
            "vault:v:AA",
            "vault:v1",
            "vault:v1a:",
            "VAULT:v1:",
            "vault:1:",
            "CiYKIA==",
        ] {
            assert!(!Transit::is_ciphertext(text), "{text}");
        }
    }
}
