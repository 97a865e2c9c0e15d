//! Every method writes the request of the golden vectors and reads their answers.

use std::collections::BTreeMap;

use keystead_wire_kms::message::{
    CreateIdentityRequest, CreateKeyRequest, CreatePolicyRequest, DecryptRequest, DeleteKeyRequest,
    EncryptRequest, GenerateKeyRequest, ImportKeyRequest, KeyStatusRequest, ListRequest,
    MacRequest, RuleSet,
};

use super::server::{Server, ok};
use super::{client_of, enclave_of, hex, section};
use crate::{Client, Enclave, Error};

const ID_A: &str = "h1:oFCDfYUHBYLM9zlLCYiEfMMSy4glm4lImfbyOc8XkaU";

/// Makes the call of a vector, whatever comes back.
async fn call(vector: &str, client: &Client, enclave: &Enclave) -> bool {
    let name = |text: &str| text.to_owned();
    let none = |_: Error| ();
    let key = name("my-key");
    let rules = |command: &str, pattern: &str| -> BTreeMap<String, RuleSet> {
        [(command.to_owned(), RuleSet::from_iter([pattern]))].into()
    };
    let result = match vector {
        "CLUSTER:STATUS" => client.cluster_status().await.map(drop),
        "CLUSTER:ADDNODE" => client.add_node("h:7373").await,
        "CLUSTER:REMOVENODE" => client.remove_node("h:7373", true).await,
        "CLUSTER:ADDHSM" => client.add_hsm("hsm1", true).await,
        "CLUSTER:REMOVEHSM" => client.remove_hsm("hsm1", false).await,
        "ENCLAVE:CREATE" => client.create_enclave("tenant-a").await,
        "ENCLAVE:DELETE" => client.delete_enclave("tenant-a").await,
        "ENCLAVE:STATUS x2 (batch)" => client.enclave_status(&["a", "b"]).await.map(drop),
        "ENCLAVE:LIST, all defaults" => {
            let page = ListRequest::default();
            client.list_enclaves(page).await.map(drop)
        }
        "KEY:CREATE, server picks type" => {
            let request = CreateKeyRequest {
                name: key,
                ..Default::default()
            };
            enclave.create_key(&request).await
        }
        "KEY:CREATE, new ChaCha20 version" => {
            let request = CreateKeyRequest {
                name: key,
                r#type: name("ChaCha20"),
                add_version: true,
            };
            enclave.create_key(&request).await
        }
        "KEY:DELETE all versions" => {
            let request = DeleteKeyRequest {
                name: key,
                version: 0,
                all_versions: true,
            };
            enclave.delete_key(&request).await
        }
        "KEY import (203)" => {
            let request = ImportKeyRequest {
                name: key,
                r#type: name("AES256"),
                key: vec![7; 32],
            };
            enclave.import_key(&request).await
        }
        "KEY:STATUS version 2" => {
            let request = KeyStatusRequest {
                name: key,
                version: 2,
            };
            enclave.key_status(&[request]).await.map(drop)
        }
        "KEY:ENCRYPT" => {
            let request = EncryptRequest {
                name: name("k"),
                version: 3,
                plaintext: b"x".into(),
                associated_data: b"y".into(),
            };
            enclave.encrypt(&[request]).await.map(drop)
        }
        "KEY:DECRYPT as sent by MinIO (no version)" => {
            let request = DecryptRequest {
                name: key,
                version: 0,
                ciphertext: b"ct".into(),
                associated_data: b"{}".into(),
            };
            enclave.decrypt(&[request]).await.map(drop)
        }
        "KEY:GENERATE as sent by MinIO" => {
            let request = GenerateKeyRequest {
                name: key,
                version: 0,
                associated_data: b"{}".into(),
                length: 32,
            };
            enclave.generate_keys(&[request]).await.map(drop)
        }
        "KEY:LIST" => {
            let page = ListRequest {
                prefix: name("a"),
                continue_at: name("a1"),
                limit: 10,
            };
            enclave.list_keys(page).await.map(drop)
        }
        "KEY:MAC" => {
            let request = MacRequest {
                name: key,
                version: 0,
                message: b"hello".into(),
            };
            enclave.mac(&[request]).await.map(drop)
        }
        "POLICY:CREATE" => {
            let request = CreatePolicyRequest {
                name: name("p"),
                allow: rules("KEY:CREATE", "my-key*"),
                deny: rules("KEY:DELETE", "*"),
            };
            enclave.create_policy(&request).await
        }
        "POLICY:DELETE" => enclave.delete_policy("p").await,
        "POLICY:ASSIGN" => enclave.assign_policy("p", ID_A).await,
        "POLICY:GET" => enclave.get_policies(&["p"]).await.map(drop),
        "POLICY:STATUS" => enclave.policy_status(&["p"]).await.map(drop),
        "IDENTITY:CREATE" => {
            let request = CreateIdentityRequest {
                identity: name(ID_A),
                privilege: name("Admin"),
                is_service_account: true,
                tags: [(name("k"), name("v"))].into(),
            };
            enclave.create_identity(&request).await
        }
        "IDENTITY:STATUS (code 403)" => enclave.get_identities(&[ID_A]).await.map(drop),
        "IDENTITY:DELETE" => enclave.delete_identity(ID_A).await,
        "IDENTITY:LIST" => {
            let page = ListRequest {
                prefix: name("h1:"),
                ..Default::default()
            };
            enclave.list_identities(page).await.map(drop)
        }
        _ => return false,
    };
    result.unwrap_or_else(none);
    true
}

#[tokio::test]
async fn requests_are_those_of_the_vectors() {
    let server = Server::start([]).await;
    let (client, enclave) = (client_of(&server), enclave_of(&server));
    let mut left = Vec::new();
    let vectors = section("requests");
    for vector in vectors.as_array().unwrap() {
        let name = vector["name"].as_str().unwrap();
        if !call(name, &client, &enclave).await {
            left.push(name);
            continue;
        }
        let seen = server.take();
        let body = hex(&vector["body"]);
        let length = body.len();
        let binary = "application/octet-stream";
        assert_eq!(seen.len(), 1, "{name}");
        assert_eq!(
            seen[0].call,
            format!("POST {}", vector["path"].as_str().unwrap())
        );
        assert_eq!(seen[0].body, body, "{name}");
        assert_eq!(
            seen[0].headers,
            format!("application/*|{binary}|{length}"),
            "{name}"
        );
    }
    // Its message names the server that it is sent to.
    assert_eq!(left, ["CLUSTER:EDIT"]);
    client
        .edit_cluster(&server.host(), vec![1, 300])
        .await
        .unwrap();
    let host = server.host();
    let length = u8::try_from(host.len()).unwrap();
    let message = [&[0x0a, length], host.as_bytes(), &[0x12, 3, 1, 0xac, 2]].concat();
    let body = [&[0, 4, 0, 0, 0, length + 7], &*message].concat();
    assert_eq!(server.take()[0].body, body);
}

#[tokio::test]
async fn answers_are_those_of_the_vectors() {
    let vectors = section("responses");
    let body = |name: &str| {
        let vectors = vectors.as_array().unwrap();
        let vector = vectors.iter().find(|it| it["name"] == name).unwrap();
        ok(hex(&vector["body"]))
    };
    let server = Server::start([
        body("ENCLAVE:STATUS"),
        body("KEY:STATUS"),
        body("KEY:ENCRYPT x2 (batch)"),
        body("KEY:DECRYPT"),
        body("KEY:GENERATE"),
        body("KEY:LIST page"),
        body("KEY:LIST empty"),
        body("KEY:MAC"),
        body("POLICY:GET"),
        body("IDENTITY:STATUS"),
        body("CLUSTER:STATUS, one node, no leader"),
    ])
    .await;
    let (client, enclave) = (client_of(&server), enclave_of(&server));
    let status = client.enclave_status(&["a"]).await.unwrap();
    assert_eq!((&*status[0].name, &*status[0].created_by), ("a", ID_A));
    let keys = enclave.key_status(&[KeyStatusRequest::default()]).await;
    assert_eq!(keys.unwrap()[0].version, 2);
    let two = [EncryptRequest::default(), EncryptRequest::default()];
    let sealed = enclave.encrypt(&two).await.unwrap();
    assert_eq!((sealed[0].version, sealed[1].version), (1, 2));
    let opened = enclave.decrypt(&[DecryptRequest::default()]).await;
    assert_eq!(opened.unwrap()[0].plaintext, b"pt");
    let made = enclave
        .generate_keys(&[GenerateKeyRequest::default()])
        .await;
    assert_eq!(made.unwrap()[0].plaintext, [1; 32]);
    let page = enclave.list_keys(ListRequest::default()).await.unwrap();
    assert_eq!((&*page.keys[0].name, &*page.continue_at), ("a", "b"));
    let page = enclave.list_keys(ListRequest::default()).await.unwrap();
    assert!(page.keys.is_empty() && page.continue_at.is_empty());
    let mac = enclave.mac(&[MacRequest::default()]).await.unwrap();
    assert_eq!(mac[0].mac, [3; 32]);
    let policy = enclave.get_policies(&["p"]).await.unwrap();
    assert_eq!(policy[0].allow["KEY:CREATE"].patterns(), ["my-key*"]);
    let identity = enclave.get_identities(&[ID_A]).await.unwrap();
    assert_eq!((identity[0].privilege, &*identity[0].policy), (3, "p"));
    let cluster = client.cluster_status().await.unwrap();
    assert_eq!(cluster.nodes_up[&0].leader_id, -1);
    assert_eq!(cluster.nodes_down[&1], "10.0.0.2:7373");
}

#[tokio::test]
async fn nothing_is_sent_for_nothing() {
    let server = Server::start([]).await;
    let enclave = enclave_of(&server);
    assert!(enclave.decrypt(&[]).await.unwrap().is_empty());
    let none: [&str; 0] = [];
    assert!(enclave.get_policies(&none).await.unwrap().is_empty());
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn versions_are_asked_of_both_protocols() {
    for (alpn, version) in [
        (&b"h2"[..], http::Version::HTTP_2),
        (b"http/1.1", http::Version::HTTP_11),
    ] {
        let server = Server::with_protocols(&[alpn], []).await;
        client_of(&server).create_enclave("a").await.unwrap();
        assert_eq!(server.take()[0].version, version);
    }
}
