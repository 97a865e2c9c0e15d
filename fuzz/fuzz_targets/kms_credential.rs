//! Files with certificates and private keys for MinIO KMS, as PEM and as bare DER:
//! whatever private key is read survives its own forms.
#![no_main]

use keystead_identity::{KmsApiKey, KmsCredential, KmsIdentity};
use libfuzzer_sys::fuzz_target;

fn check(key: &KmsApiKey) {
    let pem = key.to_pem().expect("a private key has a PEM form");
    let again = KmsCredential::from_pem(pem.as_bytes()).expect("its PEM form is read");
    assert_eq!(again.identity(), key.identity());
    let again = KmsApiKey::parse(&key.to_text()).expect("the text of a key is a key");
    assert_eq!(again.identity(), key.identity());
}

fuzz_target!(|file: &[u8]| {
    if let Ok(KmsCredential::PrivateKey(key)) = KmsCredential::from_pem(file) {
        check(&key);
    }
    if let Ok(key) = KmsApiKey::from_der(file) {
        check(&key);
    }
    if let (Ok(first), Ok(credential)) = (KmsIdentity::of_pem(file), KmsCredential::from_pem(file))
    {
        assert_eq!(first, credential.identity());
    }
});
