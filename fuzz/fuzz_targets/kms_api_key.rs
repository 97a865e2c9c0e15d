//! API keys and identities of MinIO KMS as people type them: whatever is accepted
//! survives its own text.
#![no_main]

use keystead_identity::{KmsApiKey, KmsIdentity};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(key) = KmsApiKey::parse(text) {
        let again = KmsApiKey::parse(&key.to_text()).expect("the text of a key is a key");
        assert_eq!(again.identity(), key.identity());
        assert!(!key.identity().is_nobody());
    }
    if let Ok(identity) = text.parse::<KmsIdentity>() {
        let text = identity.to_string();
        assert_eq!(text.is_empty(), identity.is_nobody());
        assert_eq!(text.parse(), Ok(identity));
    }
});
