//! Keys of elliptic curves: their vectors, their forms, what is refused.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, UnparsedPublicKey,
    VerificationAlgorithm,
};
use proptest::array::uniform32;
use proptest::prelude::*;

use super::{Replay, hex, kms_section, list, text};
use crate::p256_scalar::p256_scalar;
use crate::{Curve, EcdsaKey, Ed25519Key, Error, SystemRandom};

const CURVES: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

/// The order of P-256 less 1.
const ORDER_LESS_1: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";

fn verification(curve: Curve) -> &'static dyn VerificationAlgorithm {
    match curve {
        Curve::P256 => &ECDSA_P256_SHA256_ASN1,
        Curve::P384 => &ECDSA_P384_SHA384_ASN1,
        Curve::P521 => &ECDSA_P521_SHA512_ASN1,
    }
}

fn bytes(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

#[test]
fn points_of_the_vectors() {
    let keys = kms_section(&["api_keys"]);
    let mut seen = Vec::new();
    for entry in keys.as_array().unwrap() {
        if text(entry, "kind") == "ed25519" {
            continue;
        }
        let key = EcdsaKey::from_scalar(&hex(entry, "scalar")).unwrap();
        assert_eq!(
            format!("{:?}", key.curve()).to_lowercase(),
            text(entry, "kind")
        );
        assert_eq!(key.scalar(), hex(entry, "scalar"));
        assert!(
            hex(entry, "spki_der").ends_with(key.public_key()),
            "{entry}"
        );
        seen.push(key.curve());
    }
    assert!(CURVES.iter().all(|curve| seen.contains(curve)));
}

#[test]
fn p256_keys_of_key_material() {
    for case in list(&kms_section(&["decisions", "root_key"]), "cases") {
        let okm = hex(case, "fips_okm").try_into().unwrap();
        let key = EcdsaKey::p256_from_key_material(&okm).unwrap();
        assert_eq!(key.scalar(), hex(case, "fips_scalar"));
    }
}

#[test]
fn key_material_at_the_edges() {
    let scalar = |okm: &str| crate::hex(&*p256_scalar(&bytes(okm).try_into().unwrap()));
    let zeros = "0".repeat(32);
    let one = format!("{:0>64}", "1");
    assert_eq!(scalar(&"0".repeat(96)), one);
    assert_eq!(scalar(&format!("{zeros}{ORDER_LESS_1}")), one);
    let below = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f";
    assert_eq!(scalar(&format!("{zeros}{below}")), ORDER_LESS_1);
    // (2^384 - 1) mod (n - 1) + 1
    assert_eq!(
        scalar(&"f".repeat(96)),
        "431905529c0166ce652e96b7ccca0a9a679b73e29ad16947f01cf012fc632550"
    );
}

#[test]
fn scalars_out_of_range_are_refused() {
    let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    assert!(EcdsaKey::from_scalar(&bytes(ORDER_LESS_1)).is_ok());
    let mut refused = vec![bytes(order), vec![0xff; 32], vec![0xff; 48], vec![0xff; 66]];
    refused.extend([0, 31, 33, 41, 47, 49, 65, 67].map(|length| vec![1; length]));
    refused.extend(CURVES.map(|curve| vec![0; curve.scalar_len()]));
    for scalar in refused {
        let error = EcdsaKey::from_scalar(&scalar).err();
        assert_eq!(error, Some(Error::EcKey), "{scalar:02x?}");
    }
}

#[test]
fn keys_survive_their_forms_and_sign() {
    for curve in CURVES {
        let key = EcdsaKey::generate(curve, &SystemRandom).unwrap();
        assert_eq!(key.curve(), curve);
        let der = key.to_pkcs8().unwrap();
        let again = EcdsaKey::from_der(&der).unwrap();
        assert_eq!(again.curve(), curve);
        assert_eq!(again.scalar(), key.scalar());
        assert_eq!(again.public_key(), key.public_key());
        let signature = key.sign(b"message").unwrap();
        let public = UnparsedPublicKey::new(verification(curve), key.public_key());
        public.verify(b"message", &signature).unwrap();
        assert!(public.verify(b"another", &signature).is_err());
        assert_eq!(Ed25519Key::from_pkcs8(&der).err(), Some(Error::Pkcs8));
    }
    let other = Ed25519Key::generate(&SystemRandom).unwrap().to_pkcs8();
    assert_eq!(EcdsaKey::from_der(&other).err(), Some(Error::EcKey));
}

#[test]
fn bad_randomness_ends() {
    for curve in CURVES {
        let error = EcdsaKey::generate(curve, &Replay(vec![0])).err();
        assert_eq!(error, Some(Error::NoRandomness));
    }
    // The unused bits of P-521 are not drawn.
    assert!(EcdsaKey::generate(Curve::P521, &Replay(vec![0xfe, 1])).is_ok());
}

proptest! {
    #[test]
    fn short_key_material_is_the_scalar_less_1(low in uniform32(any::<u8>())) {
        // Below the modulus nothing is reduced.
        let mut low = low;
        low[0] = 0;
        let okm = [&[0; 16][..], &low].concat().try_into().unwrap();
        let scalar = p256_scalar(&okm);
        let mut expected = low;
        for byte in expected.iter_mut().rev() {
            let (sum, carry) = byte.overflowing_add(1);
            *byte = sum;
            if !carry {
                break;
            }
        }
        prop_assert_eq!(*scalar, expected);
    }

    #[test]
    fn any_key_material_makes_a_key(okm in prop::collection::vec(any::<u8>(), 48)) {
        let okm = okm.try_into().unwrap();
        prop_assert!(EcdsaKey::p256_from_key_material(&okm).is_ok());
    }

    #[test]
    fn any_der_is_read_without_panic(der in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(EcdsaKey::from_der(&der).err(), Some(Error::EcKey));
    }
}
