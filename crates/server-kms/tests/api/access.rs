//! Who may do what in principle (MinIO KMS protocol, section 6.1), and certificates.

use http::Method;
use jiff::{SignedDuration, Timestamp};
use keystead_crypto::SystemRandom;
use keystead_identity::{ApiKey, CertificateTemplate, certificate_to_pem};
use keystead_tls::{ClientCredential, Pem};
use keystead_wire_kms::message::{
    ClusterStatusRequest, CreateEnclaveRequest, CreateKeyRequest, ListRequest,
};
use keystead_wire_kms::{ApiError, Command};

use crate::support::world::member;
use crate::support::{Payload, VERSIONS, World};

/// A certificate of an API key that says something else than usual.
fn credential(
    world: &World,
    key: &ApiKey,
    change: impl FnOnce(&mut CertificateTemplate),
) -> ClientCredential {
    let now = Timestamp::now();
    let mut template = CertificateTemplate {
        subject: Some("somebody else".to_owned()),
        dns: Vec::new(),
        ips: Vec::new(),
        server: false,
        not_before: now,
        not_after: now + SignedDuration::from_hours(1),
    };
    change(&mut template);
    let certificate = key.certificate(&template, &SystemRandom).unwrap();
    let (path, key_path) = (
        world.folder.path().join("client.crt"),
        world.folder.path().join("client.key"),
    );
    std::fs::write(&path, certificate_to_pem(&certificate)).unwrap();
    std::fs::write(&key_path, key.to_pem().as_bytes()).unwrap();
    let no_password = || Err(std::io::ErrorKind::Unsupported.into());
    ClientCredential::from_pem(&Pem::File(path), &Pem::File(key_path), &no_password).unwrap()
}

#[tokio::test]
async fn the_key_of_a_certificate_counts_and_nothing_else() {
    let world = World::new().await;
    let now = Timestamp::now();
    let year = SignedDuration::from_hours(365 * 24);
    let expired = credential(&world, &member(0), |template| {
        template.not_before = now - year - year;
        template.not_after = now - year;
    });
    let not_yet = credential(&world, &member(0), |template| {
        template.not_before = now + year;
        template.not_after = now + year + year;
    });
    for credential in [expired, not_yet] {
        for version in VERSIONS {
            let mut root = world
                .connect(Some(credential.clone()), version)
                .await
                .unwrap();
            let answer = root
                .ask("", Command::ListEnclaves, &ListRequest::default())
                .await;
            assert_eq!(answer.status, 200);
        }
    }
    // The name of the root is not the root.
    let impostor = credential(&world, &member(5), |template| {
        template.subject = Some(crate::support::id(0).to_string());
    });
    let mut impostor = world.connect(Some(impostor), VERSIONS[1]).await.unwrap();
    let answer = impostor
        .ask("", Command::ListEnclaves, &ListRequest::default())
        .await;
    answer.is(&ApiError::NOT_ALLOWED);
}

#[tokio::test]
async fn the_cluster_is_the_roots_alone() {
    let world = World::new().await;
    world.enclave("e").await;
    world.register("e", 1, "Admin").await;
    world.user("e", 2, &[("KEY:LIST", &["*"])], &[]).await;
    for number in [1, 2, 3] {
        let mut client = world.member(number).await;
        for enclave in ["", "e"] {
            let answer = client
                .ask(enclave, Command::ClusterStatus, &ClusterStatusRequest {})
                .await;
            answer.is(&ApiError::NOT_ALLOWED);
            let create = CreateEnclaveRequest { name: "f".into() };
            let answer = client.ask(enclave, Command::CreateEnclave, &create).await;
            answer.is(&ApiError::NOT_ALLOWED);
        }
        for (method, path) in [
            (Method::GET, "/v1/db"),
            (Method::PUT, "/v1/db"),
            (Method::POST, "/v1/db/rotate"),
            (Method::POST, "/v1/debug/log"),
            (Method::POST, "/v1/debug/restart?self"),
            (Method::GET, "/v1/debug/pprof"),
            (Method::GET, "/v1/health/metrics"),
        ] {
            let answer = client.call(method, path, Payload::default()).await;
            answer.is(&ApiError::NOT_ALLOWED);
        }
    }
    assert!(world.store.state().enclave("f").is_none());
}

#[tokio::test]
async fn an_admin_does_everything_in_its_enclave_and_nothing_elsewhere() {
    let world = World::new().await;
    for enclave in ["e", "f"] {
        world.enclave(enclave).await;
        world.key(enclave, "k").await;
    }
    world.register("e", 1, "Admin").await;
    let mut admin = world.member(1).await;
    let create = CreateKeyRequest {
        name: "new".into(),
        ..Default::default()
    };
    admin.change("e", Command::CreateKey, &create).await;
    let answer = admin.ask("f", Command::CreateKey, &create).await;
    answer.is(&ApiError::NOT_ALLOWED);
    let state = world.store.state();
    assert!(state.enclave("e").unwrap().key("new").is_some());
    assert!(state.enclave("f").unwrap().key("new").is_none());
}

#[tokio::test]
async fn an_enclave_goes_with_all_it_holds() {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "k").await;
    world.register("e", 1, "Admin").await;
    let mut root = world.root().await;
    let create = CreateEnclaveRequest { name: "e".into() };
    let answer = root.ask("", Command::CreateEnclave, &create).await;
    answer.is(&ApiError::ENCLAVE_EXISTS);
    let delete = keystead_wire_kms::message::DeleteEnclaveRequest { name: "e".into() };
    root.change("", Command::DeleteEnclave, &delete).await;
    let answer = root.ask("", Command::DeleteEnclave, &delete).await;
    answer.is(&ApiError::ENCLAVE_NOT_FOUND);
    // Its admin is nobody now.
    let mut admin = world.member(1).await;
    let answer = admin
        .ask("e", Command::ListKeys, &ListRequest::default())
        .await;
    answer.is(&ApiError::NOT_ALLOWED);
    world.enclave("e").await;
    let answer = admin
        .ask("e", Command::ListKeys, &ListRequest::default())
        .await;
    answer.is(&ApiError::NOT_ALLOWED);
    assert_eq!(world.store.state().enclave("e").unwrap().key_count(), 0);
}
