//! The headers of a trusted TLS proxy: the certificate of the client and, in the
//! second line, its address.
#![no_main]

use std::sync::LazyLock;

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use keystead_identity::Identity;
use keystead_tls::{ProxyRules, self_signed_dev};
use libfuzzer_sys::fuzz_target;

const HEADER: &str = "x-tls-client-cert";

static RULES: LazyLock<ProxyRules> = LazyLock::new(|| {
    let tls = self_signed_dev(&[], Timestamp::UNIX_EPOCH).expect("a certificate");
    ProxyRules::new([Identity::from("proxy")], HEADER, &tls)
});

fuzz_target!(|data: &[u8]| {
    let mut headers = HeaderMap::new();
    for (name, line) in [HEADER, "x-forwarded-for"]
        .into_iter()
        .zip(data.split(|byte| *byte == b'\n'))
    {
        if let Ok(value) = HeaderValue::from_bytes(line) {
            headers.insert(name, value);
        }
    }
    let peer = Identity::from("proxy");
    if let Ok(forwarded) = RULES.apply(&peer, &headers, Timestamp::UNIX_EPOCH) {
        let forwarded = forwarded.expect("the peer is a proxy");
        assert!(forwarded.identity.is_fingerprint());
    }
    let peer = Identity::from("client");
    assert_eq!(
        RULES.apply(&peer, &headers, Timestamp::UNIX_EPOCH),
        Ok(None)
    );
});
