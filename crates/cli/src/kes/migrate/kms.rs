//! A MinIO KMS server as the target of a migration.

mod store;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keystead_client_kms::Enclave;
use keystead_crypto::{Random, StoredKey, SystemRandom, constant_time_eq};
use keystead_keystore::{Error, KeyStore};
use keystead_wire_kms::ApiError;
use keystead_wire_kms::message::{DecryptRequest, GenerateKeyRequest};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use self::store::{KmsStore, failure};
use super::ciphertexts::Evidence;
use super::copy::Outcome;
use super::failure::Failure;
use super::patience::{Notes, Patient};
use super::proof::{PLAINTEXT_LEN, Verdict};

/// The keys of an enclave. They cannot be read, only used.
pub(super) struct KmsTarget {
    pub(super) patient: Patient,
    store: Arc<KmsStore>,
    /// Keys that came without the HMAC key they had.
    without_hmac: AtomicUsize,
}

/// What became of a ciphertext.
enum Opened {
    Plaintext(Zeroizing<Vec<u8>>),
    /// It is none of the key's.
    Invalid,
    /// There is no such key.
    NoKey,
}

// === impl KmsTarget ===

impl KmsTarget {
    pub(super) fn new(enclave: Enclave, halt: CancellationToken, notes: Arc<Notes>) -> Self {
        let store = Arc::new(KmsStore::new(enclave));
        let patient: Arc<dyn KeyStore> = Arc::<KmsStore>::clone(&store);
        Self {
            patient: Patient::new("target", patient, halt, notes),
            store,
            without_hmac: AtomicUsize::new(0),
        }
    }

    /// Tells of the keys that came without the HMAC key they had.
    pub(super) fn tell_what_stays_behind(&self, note: &Notes) {
        let keys = self.without_hmac.load(Ordering::Relaxed);
        if keys > 0 {
            note(&format!(
                "{keys} of the keys migrated have an HMAC key, which MinIO KMS does not take: \
                 HMACs that KES computed with them cannot be computed there. Encryption and \
                 decryption do not need it.\n"
            ));
        }
    }

    /// Whether the server opens what the source's key seals, which only the same key does.
    pub(super) async fn holds(&self, name: &str, value: &[u8]) -> Result<Option<bool>, Failure> {
        let key = StoredKey::decode(value).map_err(Failure::Unusable)?;
        let context = name.as_bytes();
        let sealed = key.seal(&SystemRandom, context, context);
        let sealed = sealed.map_err(Failure::Unusable)?;
        Ok(match self.decrypt(name, &sealed, context).await? {
            Opened::Plaintext(_) => Some(true),
            Opened::Invalid => Some(false),
            Opened::NoKey => None,
        })
    }

    /// Imports a key as the first version of a new one.
    pub(super) async fn create(&self, name: &str, value: &[u8]) -> Result<(), Failure> {
        let key = StoredKey::decode(value).map_err(Failure::Unusable)?;
        let created = self.patient.create(name, value).await;
        created.map_err(Failure::Target)?;
        self.count(&key);
        Ok(())
    }

    /// Deletes all versions of a key, and imports another one. Nobody can put the old one
    /// back.
    pub(super) async fn replace(&self, name: &str, value: &[u8]) -> Result<Outcome, Failure> {
        let key = StoredKey::decode(value).map_err(Failure::Unusable)?;
        self.patient.delete(name).await.map_err(Failure::Target)?;
        let created = self.patient.insist(|| self.store.create(name, value));
        match created.await {
            Ok(()) => {}
            // The attempt whose answer got lost, or somebody who was faster.
            Err(Error::KeyExists) => {
                return Ok(match self.holds(name, value).await? {
                    Some(true) => Outcome::Replaced,
                    _ => Outcome::Conflict,
                });
            }
            Err(error) => return Err(Failure::Deleted(error)),
        }
        self.count(&key);
        Ok(Outcome::Replaced)
    }

    /// Lets either side open what the other one sealed.
    pub(super) async fn prove(
        &self,
        name: &str,
        value: &[u8],
        random: &dyn Random,
    ) -> Result<Verdict, Failure> {
        let key = match StoredKey::decode(value) {
            Ok(key) => key,
            Err(error) => return Ok(Verdict::Unprovable(error.to_string())),
        };
        let mut plaintext = Zeroizing::new([0; PLAINTEXT_LEN]);
        random.fill(&mut *plaintext).map_err(Failure::Unusable)?;
        let context = name.as_bytes();
        let sealed = key.seal(random, &*plaintext, context);
        let sealed = sealed.map_err(Failure::Unusable)?;
        match self.decrypt(name, &sealed, context).await? {
            Opened::Plaintext(opened) if constant_time_eq(&opened, &*plaintext) => {}
            Opened::NoKey => return Err(Failure::Target(Error::KeyNotFound)),
            Opened::Plaintext(_) | Opened::Invalid => {
                let problem = "the target does not open what the source's key sealed";
                return Ok(Verdict::Failed(problem.to_owned()));
            }
        }
        let request = GenerateKeyRequest {
            name: name.to_owned(),
            associated_data: context.to_vec(),
            ..GenerateKeyRequest::default()
        };
        let made = self.patient.try_again(async || {
            let requests = std::slice::from_ref(&request);
            let made = self.store.enclave.generate_keys(requests).await;
            let made = made.map_err(failure)?.into_iter().next();
            made.ok_or_else(|| Error::failed("the server sent no data key"))
        });
        let made = made.await.map_err(Failure::Target)?;
        let opened = key.open(&made.ciphertext, context);
        Ok(match opened {
            Ok(opened) if constant_time_eq(&opened, &made.plaintext) => Verdict::Proven,
            _ => {
                let problem = "the source's key does not open what the target sealed";
                Verdict::Failed(problem.to_owned())
            }
        })
    }

    /// Opens a ciphertext with the target's key.
    pub(super) async fn open(&self, evidence: &Evidence) -> Result<Verdict, Failure> {
        let Evidence {
            name,
            ciphertext,
            context,
            ..
        } = evidence;
        Ok(match self.decrypt(name, ciphertext, context).await? {
            Opened::Plaintext(_) => Verdict::Proven,
            Opened::Invalid => Verdict::Failed(ApiError::INVALID_CIPHERTEXT.to_string()),
            Opened::NoKey => return Err(Failure::Target(Error::KeyNotFound)),
        })
    }

    fn count(&self, key: &StoredKey) {
        if key.has_hmac_key() {
            self.without_hmac.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn decrypt(
        &self,
        name: &str,
        ciphertext: &[u8],
        context: &[u8],
    ) -> Result<Opened, Failure> {
        let request = DecryptRequest {
            name: name.to_owned(),
            // Ciphertexts of KES name no version.
            version: 0,
            ciphertext: ciphertext.to_vec(),
            associated_data: context.to_vec(),
        };
        let opened = self.patient.try_again(async || {
            let requests = std::slice::from_ref(&request);
            match self.store.enclave.decrypt(requests).await {
                Ok(answers) => {
                    let answer = answers.into_iter().next();
                    let mut answer =
                        answer.ok_or_else(|| Error::failed("the server sent no plaintext"))?;
                    let plaintext = std::mem::take(&mut answer.plaintext);
                    Ok(Opened::Plaintext(Zeroizing::new(plaintext)))
                }
                Err(error) if error.api() == Some(&ApiError::INVALID_CIPHERTEXT) => {
                    Ok(Opened::Invalid)
                }
                Err(error) if error.api() == Some(&ApiError::KEY_NOT_FOUND) => Ok(Opened::NoKey),
                Err(error) => Err(failure(error)),
            }
        });
        opened.await.map_err(Failure::Target)
    }
}
