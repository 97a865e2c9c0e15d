use keystead_identity::Identity;

use super::certificates::{Authority, Made};
use crate::{PeerError, peer_identity, public_key_hash};

#[test]
fn the_first_certificate_counts() {
    let authority = Made::marked_as_ca();
    let made = Made::p256();
    let own = Identity::of_certificate(&made.certificate).unwrap();
    let chain = [made.certificate.clone(), authority.certificate.clone()];
    assert_eq!(peer_identity(&chain), Ok(own));
    let marked = Identity::of_certificate(&authority.certificate).unwrap();
    assert_eq!(peer_identity(&[authority.certificate]), Ok(marked));
}

#[test]
fn a_foreign_certificate_behind_ones_own_is_refused() {
    let own = Made::marked_as_ca();
    let foreign = Authority::new().sign(|_| {});
    for behind in [foreign.certificate, b"junk".as_slice().into()] {
        let chain = [own.certificate.clone(), behind];
        assert_eq!(peer_identity(&chain), Err(PeerError::TooManyCertificates));
    }
    assert_eq!(peer_identity(&[]), Err(PeerError::NoCertificate));
}

#[test]
fn the_hash_of_the_key_is_the_identity_whatever_follows() {
    let (made, foreign) = (Made::p256(), Made::p256());
    let own = Identity::of_certificate(&made.certificate).unwrap();
    let chain = [made.certificate, foreign.certificate];
    let hash = public_key_hash(&chain).unwrap();
    assert_eq!(keystead_crypto::hex(&hash), own.as_str());
    assert_eq!(public_key_hash(&[]), None);
}

#[test]
fn texts_are_the_protocols() {
    let texts = [
        (
            PeerError::NoCertificate,
            "tls: client certificate is required",
        ),
        (
            PeerError::TooManyCertificates,
            "tls: received more than one client certificate",
        ),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
    }
}
