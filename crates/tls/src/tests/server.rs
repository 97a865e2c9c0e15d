//! What servers accept from clients.

use std::slice;

use rcgen::{
    ExtendedKeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PKCS_ECDSA_P521_SHA512, PKCS_ED25519, PKCS_RSA_SHA256, SanType, date_time_ymd,
};
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ServerConnection, SupportedProtocolVersion};
use tempfile::tempdir;

use super::certificates::{Authority, Made};
use super::handshake::{client_of, presented, shake};
use crate::{ClientAuth, Error, KeyPair, ServerTls, peer_identity, server, server_by_name};

const VERSIONS: [&SupportedProtocolVersion; 2] = [&TLS12, &TLS13];

fn serve(client_auth: ClientAuth, authority: Option<&Authority>) -> ServerTls {
    let folder = tempdir().unwrap();
    let mut settings = Made::p256().server(folder.path());
    settings.client_auth = client_auth;
    settings.ca = authority.map(|authority| authority.write(folder.path()));
    server(&settings).unwrap()
}

fn mode(required: bool, verified: bool) -> ClientAuth {
    ClientAuth { required, verified }
}

fn show(
    made: &Made,
    to: &ServerTls,
    version: &'static SupportedProtocolVersion,
) -> Option<ServerConnection> {
    shake(&client_of(version, Some(made.credential())), &to.config).ok()
}

#[test]
fn unverified_servers_take_every_key_kind_and_x509_version() {
    let kinds = [
        ("v3 P-256", Made::with(&PKCS_ECDSA_P256_SHA256, |_| {})),
        ("v3 P-384", Made::with(&PKCS_ECDSA_P384_SHA384, |_| {})),
        ("v3 P-521", Made::with(&PKCS_ECDSA_P521_SHA512, |_| {})),
        ("v3 Ed25519", Made::with(&PKCS_ED25519, |_| {})),
        ("v3 RSA-2048", Made::with(&PKCS_RSA_SHA256, |_| {})),
        ("v1 P-256", Made::v1(&PKCS_ECDSA_P256_SHA256)),
        ("v1 Ed25519", Made::v1(&PKCS_ED25519)),
        ("v1 RSA-2048", Made::v1(&PKCS_RSA_SHA256)),
    ];
    let tls = serve(ClientAuth::default(), None);
    for (kind, made) in &kinds {
        for version in VERSIONS {
            let shaken = show(made, &tls, version).unwrap_or_else(|| panic!("{kind} {version:?}"));
            assert_eq!(
                presented(&shaken),
                slice::from_ref(&made.certificate),
                "{kind}"
            );
            peer_identity(presented(&shaken)).unwrap();
        }
    }
}

#[test]
fn unverified_servers_look_at_neither_dates_nor_usage_nor_ca_flag() {
    let tls = serve(ClientAuth::default(), None);
    let strange = [
        Made::with(&PKCS_ED25519, |params| {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2001, 4, 1);
        }),
        Made::with(&PKCS_ED25519, |params| {
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        }),
        Made::marked_as_ca(),
    ];
    for made in &strange {
        for version in VERSIONS {
            assert!(show(made, &tls, version).is_some());
        }
    }
}

#[test]
fn a_certificate_of_somebody_else_proves_nothing() {
    let tls = serve(ClientAuth::default(), None);
    let kinds: [fn() -> Made; 2] = [Made::p256, || Made::v1(&PKCS_ED25519)];
    for kind in kinds {
        for version in VERSIONS {
            let (mine, theirs) = (kind(), kind());
            let mut stolen = mine.credential();
            stolen.0.cert = vec![theirs.certificate];
            assert!(shake(&client_of(version, Some(stolen)), &tls.config).is_err());
        }
    }
}

#[test]
fn the_four_modes() {
    let authority = Authority::new();
    let trusted = authority.sign(|_| {});
    let stranger = Made::p256();
    for version in VERSIONS {
        for (required, verified) in [(true, false), (false, false), (true, true), (false, true)] {
            let tls = serve(mode(required, verified), Some(&authority));
            let anonymous = shake(&client_of(version, None), &tls.config);
            assert_eq!(anonymous.is_ok(), !required);
            assert_eq!(show(&stranger, &tls, version).is_some(), !verified);
            assert!(show(&trusted, &tls, version).is_some());
        }
    }
}

#[test]
fn verification_covers_dates_and_usage() {
    let authority = Authority::new();
    let tls = serve(mode(true, true), Some(&authority));
    let expired = authority.sign(|params| {
        params.not_before = date_time_ymd(2001, 1, 1);
        params.not_after = date_time_ymd(2001, 4, 1);
    });
    let for_servers = authority.sign(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    for version in VERSIONS {
        assert!(show(&expired, &tls, version).is_none());
        assert!(show(&for_servers, &tls, version).is_none());
    }
}

#[test]
fn a_self_signed_client_certificate_may_be_its_own_authority() {
    for made in [Made::p256(), Made::marked_as_ca()] {
        let folder = tempdir().unwrap();
        let mut settings = Made::p256().server(folder.path());
        settings.client_auth = mode(true, true);
        settings.ca = Some(made.write(folder.path(), "client").0);
        let tls = server(&settings).unwrap();
        for version in VERSIONS {
            assert!(show(&made, &tls, version).is_some());
            assert!(show(&Made::marked_as_ca(), &tls, version).is_none());
        }
    }
}

#[test]
fn authorities_are_named_only_if_they_are_configured() {
    use rustls::server::danger::ClientCertVerifier;

    use crate::client_verifier::{ClientChain, ClientVerifier};
    use crate::provider::provider;
    use crate::roots::Roots;
    use crate::signature::HandshakeSignatures;

    let folder = tempdir().unwrap();
    let ca = Authority::new().write(folder.path());
    let named = |chain| {
        let signatures = provider().signature_verification_algorithms;
        let verifier = ClientVerifier {
            required: true,
            chain,
            signatures: HandshakeSignatures(signatures),
        };
        verifier.root_hint_subjects().len()
    };
    let chain = ClientChain::new(Some(Roots::read(&ca).unwrap()), provider()).unwrap();
    assert_eq!(named(Some(chain)), 1);
    assert_eq!(named(None), 0);
}

#[test]
fn http2_is_preferred_and_key_exchange_is_post_quantum() {
    let tls = serve(ClientAuth::default(), None);
    let shaken = show(&Made::p256(), &tls, &TLS13).unwrap();
    assert_eq!(shaken.alpn_protocol(), Some(&b"h2"[..]));
    let group = shaken.negotiated_key_exchange_group().unwrap();
    assert_eq!(group.name(), rustls::NamedGroup::X25519MLKEM768);
}

#[test]
fn resumed_sessions_keep_the_identity() {
    let made = Made::p256();
    for version in VERSIONS {
        let tls = serve(ClientAuth::default(), None);
        let client = client_of(version, Some(made.credential()));
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed] {
            let shaken = shake(&client, &tls.config).unwrap();
            let seen = shaken.handshake_kind();
            assert!(
                seen == Some(kind)
                    || (kind == HandshakeKind::Full
                        && seen == Some(HandshakeKind::FullWithHelloRetryRequest)),
                "{version:?} {seen:?}",
            );
            assert_eq!(presented(&shaken), slice::from_ref(&made.certificate));
        }
        // A new set-up knows nothing of the tickets of the old one.
        let replaced = serve(ClientAuth::default(), None);
        let shaken = shake(&client, &replaced.config).unwrap();
        assert_ne!(shaken.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn a_server_certificate_names_a_host_or_an_address() {
    let folder = tempdir().unwrap();
    let nameless = Made::with(&PKCS_ED25519, |params| params.subject_alt_names.clear());
    let settings = nameless.server(folder.path());
    assert!(matches!(server(&settings), Err(Error::NoSubjectAltName)));
}

#[test]
fn files_of_a_server_are_those_it_reads() {
    let folder = tempdir().unwrap();
    let mut settings = Made::p256().server(folder.path());
    settings.ca = Some(folder.path().join("CAs"));
    let expected = ["server.crt", "server.key", "CAs"];
    assert!(
        settings
            .files()
            .eq(expected.map(|name| folder.path().join(name)))
    );
}

#[test]
fn a_client_gets_the_certificate_of_the_host_it_asks_for() {
    let folder = tempdir().unwrap();
    let named = |names: &[&str]| {
        let names = names.iter().map(|name| (*name).try_into().unwrap());
        let names: Vec<_> = names.map(SanType::DnsName).collect();
        Made::with(&PKCS_ECDSA_P256_SHA256, |params| {
            params.subject_alt_names = names;
        })
    };
    let [first, exact, wild] = [
        named(&["localhost"]),
        named(&["KMS.example.test", "kms0.other.test"]),
        named(&["*.example.test"]),
    ];
    let settings = |made: &Made, name| {
        let folder = folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        made.server(&folder)
    };
    let pair = |settings: crate::ServerSettings| KeyPair {
        certificate: settings.certificate,
        key: settings.key,
        password: None,
    };
    let further = [pair(settings(&wild, "b")), pair(settings(&exact, "c"))];
    let tls = server_by_name(&settings(&first, "a"), &further).unwrap();
    assert_eq!(tls.chain.len(), 3);

    let made = Made::p256();
    let client = client_of(&TLS13, Some(made.credential()));
    for (host, expected) in [
        ("localhost", &first),
        ("kms.example.test", &exact),
        ("kms0.other.test", &exact),
        ("kms1.example.test", &wild),
        ("a.b.example.test", &first),
        ("example.test", &first),
        ("127.0.0.1", &first),
    ] {
        let mut client =
            rustls::ClientConnection::new(client.clone(), host.try_into().unwrap()).unwrap();
        let mut server = ServerConnection::new(tls.config.clone()).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        server.read_tls(&mut bytes.as_slice()).unwrap();
        server.process_new_packets().unwrap();
        let mut bytes = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut bytes).unwrap();
        }
        client.read_tls(&mut bytes.as_slice()).unwrap();
        client.process_new_packets().unwrap();
        let shown = client.peer_certificates().unwrap();
        assert_eq!(shown, slice::from_ref(&expected.certificate), "{host}");
    }
}
