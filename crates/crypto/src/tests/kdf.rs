//! The test cases of RFC 5869 and RFC 4231, and the limit.

use crate::{Error, hex, hkdf_sha256, hmac_sha256};

fn bytes(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

#[test]
fn hkdf_of_rfc_5869() {
    let cases = [
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
            "",
            "",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ];
    for (ikm, salt, info, okm) in cases {
        let mut out = vec![0; okm.len() / 2];
        hkdf_sha256(&bytes(ikm), &bytes(salt), &bytes(info), &mut out).unwrap();
        assert_eq!(hex(&out), okm);
        let mut explicit = vec![0; okm.len() / 2];
        let salt = if salt.is_empty() {
            vec![0; 32]
        } else {
            bytes(salt)
        };
        hkdf_sha256(&bytes(ikm), &salt, &bytes(info), &mut explicit).unwrap();
        assert_eq!(explicit, out, "an empty salt is 32 zero bytes");
    }
}

#[test]
fn hkdf_has_a_limit() {
    assert_eq!(hkdf_sha256(b"ikm", b"", b"", &mut [0; 8160]), Ok(()));
    let more = hkdf_sha256(b"ikm", b"", b"", &mut [0; 8161]);
    assert_eq!(more, Err(Error::TooMuchKeyMaterial));
    assert_eq!(hkdf_sha256(b"ikm", b"", b"", &mut []), Ok(()));
}

#[test]
fn hmac_of_rfc_4231() {
    assert_eq!(
        hex(&hmac_sha256(&[0x0b; 20], b"Hi There")),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );
    assert_eq!(
        hex(&hmac_sha256(b"Jefe", b"what do ya want for nothing?")),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}
