//! Values of key store entries: whatever is accepted survives its own encoding.
#![no_main]

use keystead_crypto::StoredKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|value: &[u8]| {
    if let Ok(key) = StoredKey::decode(value) {
        let again = StoredKey::decode(key.encode().as_bytes()).expect("own encoding");
        assert_eq!(again.id(), key.id());
        assert_eq!(again.cipher(), key.cipher());
        assert_eq!(again.hmac(b"message"), key.hmac(b"message"));
        assert_eq!(again.created_at(), key.created_at());
        assert_eq!(again.created_by(), key.created_by());
    }
});
