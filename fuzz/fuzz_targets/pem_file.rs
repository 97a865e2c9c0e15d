//! PEM files: the identity of a file of certificates is that of its first one.
#![no_main]

use keystead_identity::{Credential, Identity, certificates_from_pem};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    if let Ok(certificates) = certificates_from_pem(file) {
        let first = Identity::of_certificate(&certificates[0]);
        assert_eq!(Identity::of_pem(file), first);
        if let Ok(Credential::Certificate(identity)) = Credential::from_pem(file) {
            assert_eq!(Ok(identity), first);
        }
    } else {
        let _ = Credential::from_pem(file);
    }
});
