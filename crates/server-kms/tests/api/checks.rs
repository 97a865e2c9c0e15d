//! The order of checks (decision D20) as a table: each request breaks several rules, and
//! the first one is the answer.

use http::Method;
use keystead_wire_kms::message::{
    CreateEnclaveRequest, CreateIdentityRequest, CreateKeyRequest, DecryptRequest, EncryptRequest,
    IdentityRequest, KeyStatusRequest, ListRequest, PolicyRequest,
};
use keystead_wire_kms::{ApiError, Command};

use crate::support::{Payload, VERSIONS, World, frame, id, unhex, vectors};

const BROKEN: &[u8] = b"\x00";

fn status(name: &str) -> Vec<u8> {
    let request = KeyStatusRequest {
        name: name.into(),
        ..Default::default()
    };
    frame(Command::KeyStatus, &request)
}

/// A world with every kind of caller: 1 is an admin of `e`, 2 a user of `e` with a policy,
/// 3 a user of `e` without one, 4 an admin of `other`, 5 is registered nowhere.
async fn world() -> World {
    let world = World::new().await;
    world.enclave("e").await;
    world.enclave("other").await;
    world.key("e", "k").await;
    world.register("e", 1, "Admin").await;
    world.user("e", 2, &[("KEY:STATUS", &["k*"])], &[]).await;
    world.register("e", 3, "").await;
    world.register("other", 4, "Admin").await;
    world
}

#[tokio::test]
async fn the_first_broken_rule_is_the_answer() {
    let world = world().await;
    let no_message = unhex("00cc00000001ff");
    let cluster = unhex("000300000000");
    let unknown = unhex("000700000000");
    let bad_name = status("a*");
    let absent = status("k-absent");
    let forbidden = status("x");
    // Caller, enclave, body, status, message.
    let table: &[(u8, &str, &[u8], u16, &str)] = &[
        // 2. The caller, before anything of the body.
        (5, "e", BROKEN, 403, NOT_ALLOWED),
        (5, "none", BROKEN, 403, NOT_ALLOWED),
        (5, "", BROKEN, 403, NOT_ALLOWED),
        (4, "e", BROKEN, 403, NOT_ALLOWED),
        (4, "none", BROKEN, 404, NO_ENCLAVE),
        (3, "none", BROKEN, 404, NO_ENCLAVE),
        (0, "none", BROKEN, 404, NO_ENCLAVE),
        (0, "a%2Fb", BROKEN, 404, NO_ENCLAVE),
        (1, "", BROKEN, 403, NOT_ALLOWED),
        (2, "", BROKEN, 403, NOT_ALLOWED),
        // 3. The shape of the body, then codes.
        (
            3,
            "e",
            BROKEN,
            400,
            "invalid request body: incomplete command header",
        ),
        (
            0,
            "",
            BROKEN,
            400,
            "invalid request body: incomplete command header",
        ),
        (3, "e", &unknown, 400, "invalid command code 7"),
        (0, "", &unknown, 400, "invalid command code 7"),
        // 4. Commands of the wrong scope.
        (
            0,
            "e",
            &cluster,
            400,
            "CLUSTER:STATUS is not a command of an enclave",
        ),
        (1, "e", &cluster, 403, NOT_ALLOWED),
        (2, "e", &cluster, 403, NOT_ALLOWED),
        (
            0,
            "",
            &no_message,
            400,
            "KEY:STATUS needs an enclave in the path",
        ),
        // 5. Arguments, before the policy.
        (3, "e", &no_message, 400, "invalid KEY:STATUS message"),
        (3, "e", &bad_name, 400, "invalid name"),
        (1, "e", &bad_name, 400, "invalid name"),
        // 6. The policy, before what exists.
        (3, "e", &absent, 403, NOT_ALLOWED),
        (2, "e", &forbidden, 403, NOT_ALLOWED),
        // 7. What exists.
        (2, "e", &absent, 404, "key does not exist"),
        (1, "e", &forbidden, 404, "key does not exist"),
        (0, "e", &absent, 404, "key does not exist"),
    ];
    for version in VERSIONS {
        for (caller, enclave, body, status, message) in table {
            let mut client = world.client(*caller, version).await;
            let answer = client.commands(enclave, body.to_vec()).await;
            println!("{caller} {enclave:?} {body:?}");
            answer.is_error(*status, message);
        }
        // Nobody is nobody, whatever the path.
        let mut nobody = world.connect(None, version).await.unwrap();
        for enclave in ["", "e", "none"] {
            let answer = nobody.commands(enclave, status("k")).await;
            answer.is(&ApiError::NOT_ALLOWED);
        }
    }
}

const NOT_ALLOWED: &str = "access denied: insufficient permissions";
const NO_ENCLAVE: &str = "enclave does not exist";

#[tokio::test]
async fn path_and_method_come_first() {
    let world = world().await;
    for version in VERSIONS {
        let mut nobody = world.connect(None, version).await.unwrap();
        for path in [
            "/",
            "/v1",
            "/v1/kms/e/k",
            "/v1//kms",
            "/v1/x",
            "/v1/key/list",
        ] {
            let answer = nobody.call(Method::POST, path, Payload::default()).await;
            answer.is_error(404, "path does not exist");
        }
        for (method, path, allow) in [
            (Method::GET, "/v1/kms", "POST"),
            (Method::PUT, "/v1/kms/e", "POST"),
            (Method::POST, "/version", "GET, HEAD"),
            (Method::DELETE, "/v1/db", "GET, PUT"),
            (Method::GET, "/v1/debug/restart", "POST"),
        ] {
            let answer = nobody.call(method, path, Payload::default()).await;
            answer.is_error(405, "method is not allowed");
            assert_eq!(answer.headers["allow"], allow);
        }
    }
}

/// A request of a caller that is answered by a golden error.
fn provoke(message: &str) -> (u8, &'static str, Vec<u8>) {
    let name = || "k".to_owned();
    match message {
        "access denied: insufficient permissions" => (3, "e", status("k")),
        "enclave already exists" => {
            let request = CreateEnclaveRequest { name: "e".into() };
            (0, "", frame(Command::CreateEnclave, &request))
        }
        "enclave does not exist" => (0, "none", status("k")),
        "key already exists" => {
            let request = CreateKeyRequest {
                name: name(),
                ..Default::default()
            };
            (0, "e", frame(Command::CreateKey, &request))
        }
        "key does not exist" => (0, "e", status("none")),
        "policy does not exist" => {
            let request = PolicyRequest { name: name() };
            (0, "e", frame(Command::GetPolicy, &request))
        }
        "identity does not exist" => {
            let identity = id(9).to_string();
            let request = IdentityRequest { identity };
            (0, "e", frame(Command::IdentityStatus, &request))
        }
        "invalid ciphertext" => {
            let request = DecryptRequest {
                name: name(),
                ..Default::default()
            };
            (0, "e", frame(Command::Decrypt, &request))
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn errors_are_the_golden_ones_in_the_type_that_the_client_names() {
    let world = world().await;
    for version in VERSIONS {
        for vector in vectors("errors").as_array().unwrap() {
            let text = |field: &str| vector[field].as_str().unwrap();
            let (caller, enclave, body) = provoke(text("message"));
            let mut client = world.client(caller, version).await;
            let json = client.commands(enclave, body.clone()).await;
            assert_eq!(
                (json.status, json.text()),
                (status_of(vector), text("json"))
            );
            assert_eq!(json.headers["content-type"], "application/json");

            let path = format!("/v1/kms/{enclave}");
            let request = http::Request::post(path)
                .header("host", "localhost")
                .header("accept", "application/octet-stream")
                .body(Payload::sized(body));
            let protobuf = client.send(request.unwrap()).await;
            assert_eq!(protobuf.status, status_of(vector));
            assert_eq!(protobuf.headers["content-type"], "application/octet-stream");
            assert_eq!(protobuf.body, unhex(text("binary")));
        }
    }
}

fn status_of(vector: &serde_json::Value) -> u16 {
    vector["status"].as_u64().unwrap().try_into().unwrap()
}

#[tokio::test]
async fn names_have_their_characters() {
    let world = world().await;
    let mut root = world.root().await;
    let vectors = vectors("decisions.names");
    let names = |kind: &str, valid: &str| -> Vec<String> {
        let names = vectors[kind][valid].as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect()
    };
    for (valid, done) in [("valid", true), ("invalid", false)] {
        for name in names("key", valid) {
            let request = CreateKeyRequest {
                name: name.clone(),
                ..Default::default()
            };
            let answer = root.ask("e", Command::CreateKey, &request).await;
            match done {
                true => answer.is_done(Command::CreateKey),
                false => answer.is_error(400, "invalid name"),
            }
        }
        for name in names("enclave_and_policy", valid) {
            let request = CreateEnclaveRequest { name: name.clone() };
            let answer = root.ask("", Command::CreateEnclave, &request).await;
            match done {
                true => answer.is_done(Command::CreateEnclave),
                false => answer.is_error(400, "invalid name"),
            }
            let request = keystead_wire_kms::message::CreatePolicyRequest {
                name,
                ..Default::default()
            };
            let answer = root.ask("e", Command::CreatePolicy, &request).await;
            match done {
                true => answer.is_done(Command::CreatePolicy),
                false => answer.is_error(400, "invalid name"),
            }
        }
    }
}

#[tokio::test]
async fn arguments_are_well_formed() {
    let world = world().await;
    let mut root = world.root().await;
    let identity = |identity: &str, privilege: &str, tags: &[(&str, &str)]| {
        let tags = tags.iter();
        let tags = tags.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let request = CreateIdentityRequest {
            identity: identity.into(),
            privilege: privilege.into(),
            tags: tags.collect(),
            ..Default::default()
        };
        frame(Command::CreateIdentity, &request)
    };
    let someone = id(9).to_string();
    let zero = format!("h1:{}", "A".repeat(43));
    let tag = [("no blanks", "v")];
    let create = |r#type: &str| CreateKeyRequest {
        name: "new".into(),
        r#type: r#type.into(),
        ..Default::default()
    };
    let versions = |continue_at: &str| ListRequest {
        prefix: "k".into(),
        continue_at: continue_at.into(),
        ..Default::default()
    };
    let cases = [
        (identity("", "", &[]), "invalid identity"),
        (identity(&zero, "", &[]), "invalid identity"),
        (identity("h1:short", "", &[]), "invalid identity"),
        (identity(&someone, "user", &[]), "invalid privilege 'user'"),
        (identity(&someone, "", &tag), "invalid tags"),
        (
            identity(&someone, "SysAdmin", &[]),
            "an identity of an enclave cannot be a SysAdmin",
        ),
        (
            frame(Command::CreateKey, &create("aes256")),
            "invalid key type",
        ),
        (
            frame(
                Command::DeleteKey,
                &keystead_wire_kms::message::DeleteKeyRequest {
                    name: "k".into(),
                    version: 1,
                    all_versions: true,
                },
            ),
            "either a version or all versions",
        ),
        (
            frame(
                Command::GenerateKey,
                &keystead_wire_kms::message::GenerateKeyRequest {
                    name: "k".into(),
                    length: 1025,
                    ..Default::default()
                },
            ),
            "invalid data key length",
        ),
        (
            frame(
                Command::ImportKey,
                &keystead_wire_kms::message::ImportKeyRequest {
                    name: "new".into(),
                    key: vec![1; 31],
                    r#type: String::new(),
                },
            ),
            "invalid key length",
        ),
        (
            frame(Command::ListKeyVersions, &versions("x")),
            "invalid key version",
        ),
        (
            frame(Command::ListKeyVersions, &versions("+1")),
            "invalid key version",
        ),
        (
            frame(Command::ListKeyVersions, &ListRequest::default()),
            "invalid name",
        ),
        (
            frame(Command::Encrypt, &EncryptRequest::default()),
            "invalid name",
        ),
    ];
    for (body, message) in cases {
        root.commands("e", body).await.is_error(400, message);
    }
}
