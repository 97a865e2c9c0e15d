//! API keys as people type them: whatever is accepted survives its own text.
#![no_main]

use keystead_identity::ApiKey;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(key) = ApiKey::parse(text) {
        let again = ApiKey::parse(&key.to_text()).expect("the text of a key is a key");
        assert_eq!(again.identity(), key.identity());
        assert!(key.identity().is_fingerprint());
    }
});
