//! Backup files of MinIO KMS, plain and inside gzip: headers have a meaning or a fault
//! with a text, and nothing but the one good stream opens.
#![no_main]

use keystead_crypto::SecretKey;
use keystead_store::backup::Reader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let reader = match Reader::new(file) {
        Ok(reader) => reader,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    assert!(!reader.header().origin.cluster.to_string().is_empty());
    if let Err(error) = reader.read(&SecretKey::from_bytes([7; 32])) {
        assert!(!error.to_string().is_empty());
    }
});
