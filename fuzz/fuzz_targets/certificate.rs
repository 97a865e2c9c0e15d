//! Certificates as peers send them: whoever is known to be a CA has an identity.
#![no_main]

use keystead_identity::{Identity, is_ca};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|der: &[u8]| {
    let identity = Identity::of_certificate(der);
    assert!(identity.is_ok() || is_ca(der).is_err());
    assert!(identity.is_err() || identity.is_ok_and(|identity| identity.is_fingerprint()));
});
