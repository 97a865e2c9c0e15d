//! Texts and bytes around the root encryption key: HSM keys, what an HSM opened,
//! identifiers. Whatever is accepted survives its own form.
#![no_main]

use keystead_crypto::Mode;
use keystead_hsm::{ClusterId, HsmKey, RootKey, RootKeyId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(key) = RootKey::decode(input) {
        assert_eq!(key.encode().as_slice(), input);
    }
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(key) = HsmKey::parse(text) {
        let again = HsmKey::parse(&key.to_text()).expect("the text of a key is a key");
        let root = |key: &HsmKey| {
            key.root_api_key(Mode::Standard)
                .expect("any key")
                .identity()
        };
        assert_eq!(root(&again), root(&key));
    }
    if let Ok(id) = text.parse::<ClusterId>() {
        assert_eq!(id.to_string(), text.to_lowercase());
    }
    if let Ok(id) = text.parse::<RootKeyId>() {
        assert_eq!(id.to_string(), text.to_lowercase());
    }
});
