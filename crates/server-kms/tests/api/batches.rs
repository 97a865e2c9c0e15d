//! Requests with several commands: all or nothing (MinIO KMS protocol, section 3.2).

use keystead_wire_kms::message::{
    CreateKeyRequest, EnclaveStatusRequest, EnclaveStatusResponse, EncryptRequest,
    KeyStatusRequest, KeyStatusResponse,
};
use keystead_wire_kms::{ApiError, Command, decode_answers, split_frames};

use crate::support::{VERSIONS, World, frame};

fn status(name: &str) -> Vec<u8> {
    let request = KeyStatusRequest {
        name: name.into(),
        ..Default::default()
    };
    frame(Command::KeyStatus, &request)
}

#[tokio::test]
async fn answers_come_in_the_order_of_the_commands() {
    let world = World::new().await;
    for enclave in ["a", "b"] {
        world.enclave(enclave).await;
    }
    let names: Vec<_> = (0..300).map(|n| format!("k{n:03}")).collect();
    for name in &names {
        world.key("a", name).await;
    }
    for version in VERSIONS {
        let mut root = world.client(0, version).await;
        let body: Vec<_> = names.iter().rev().flat_map(|name| status(name)).collect();
        let answers: Vec<KeyStatusResponse> =
            root.commands("a", body).await.messages(Command::KeyStatus);
        let answered = answers.iter().map(|answer| &answer.name);
        assert!(answered.eq(names.iter().rev()));

        let of = |name: &str| {
            let request = EnclaveStatusRequest { name: name.into() };
            frame(Command::EnclaveStatus, &request)
        };
        let answer = root.commands("", [of("b"), of("a")].concat()).await;
        let answers: Vec<EnclaveStatusResponse> = answer.messages(Command::EnclaveStatus);
        assert_eq!((&*answers[0].name, &*answers[1].name), ("b", "a"));
    }
}

#[tokio::test]
async fn reads_of_several_kinds_may_stand_together() {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "k").await;
    let mut root = world.root().await;
    let encrypt = EncryptRequest {
        name: "k".into(),
        plaintext: b"text".to_vec(),
        version: 0,
        associated_data: Vec::new(),
    };
    let body = [status("k"), frame(Command::Encrypt, &encrypt), status("k")].concat();
    let answer = root.commands("e", body).await;
    assert_eq!(answer.status, 200);
    let frames = split_frames(&answer.body).unwrap();
    let codes: Vec<_> = frames.iter().map(|frame| frame.code).collect();
    assert_eq!(codes, [204, 205, 204]);
}

#[tokio::test]
async fn one_command_that_fails_fails_all() {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "k").await;
    let mut root = world.root().await;
    let answer = root
        .commands("e", [status("k"), status("none"), status("k")].concat())
        .await;
    answer.is(&ApiError::KEY_NOT_FOUND);
}

#[tokio::test]
async fn one_frame_without_permission_executes_none() {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "mine").await;
    world.key("e", "other").await;
    world.user("e", 1, &[("KEY:STATUS", &["mine"])], &[]).await;
    let mut user = world.member(1).await;
    let mine = user
        .commands("e", [status("mine"), status("mine")].concat())
        .await;
    assert_eq!(mine.status, 200);
    for other in ["other", "none"] {
        let both = user
            .commands("e", [status("mine"), status(other)].concat())
            .await;
        both.is(&ApiError::NOT_ALLOWED);
    }
}

#[tokio::test]
async fn a_change_stands_alone() {
    let world = World::new().await;
    world.enclave("e").await;
    let mut root = world.root().await;
    let create = |name: &str| {
        let request = CreateKeyRequest {
            name: name.into(),
            ..Default::default()
        };
        frame(Command::CreateKey, &request)
    };
    for body in [
        [create("a"), create("b")].concat(),
        [create("a"), status("a")].concat(),
        [status("a"), create("a")].concat(),
    ] {
        let answer = root.commands("e", body).await;
        answer.is(&ApiError::MIXED_COMMANDS);
    }
    assert_eq!(world.store.state().enclave("e").unwrap().key_count(), 0);
}

#[tokio::test]
async fn a_batch_sees_one_state() {
    let world = World::new().await;
    world.enclave("e").await;
    world.key("e", "k").await;
    let mut reader = world.root().await;
    let rotating = async {
        let mut root = world.root().await;
        let rotate = CreateKeyRequest {
            name: "k".into(),
            add_version: true,
            ..Default::default()
        };
        for _ in 0..20 {
            root.change("e", Command::CreateKey, &rotate).await;
        }
    };
    let reading = async {
        for _ in 0..20 {
            let answer = reader.commands("e", status("k").repeat(1000)).await;
            let answers: Vec<KeyStatusResponse> =
                decode_answers(Command::KeyStatus, &answer.body).unwrap();
            assert_eq!(answers.len(), 1000);
            let first = answers[0].version;
            assert!(answers.iter().all(|answer| answer.version == first));
        }
    };
    tokio::join!(rotating, reading);
}
