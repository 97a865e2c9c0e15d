use http::{Method, Request};
use keystead_crypto::{Cipher, SecretKey, StoredKey, SystemRandom};
use keystead_keystore::KeyStore;
use serde_json::{Value, json};

use crate::support::{Client, Payload, Version, World, admin, base64, text, unbase64, vectors};

const VERSIONS: [Version; 2] = [Version::Http1, Version::Http2];
const NOT_AUTHENTIC: &str = "decryption failed: ciphertext is not authentic";

async fn decrypt(client: &mut Client, key: &str, ciphertext: &str, context: &str) -> Value {
    let body = json!({ "ciphertext": ciphertext, "context": context });
    let answer = client.put(&format!("/v1/key/decrypt/{key}"), body).await;
    answer.json()["plaintext"].take()
}

#[tokio::test]
async fn a_key_from_creation_to_deletion() {
    for version in VERSIONS {
        let world = World::new().await;
        let mut client = world.client(&admin(), version).await;
        client.create("my-key").await;
        client
            .put("/v1/key/create/my-key", Value::Null)
            .await
            .is_error(400, "key already exists");

        let key = client.get("/v1/key/describe/my-key").await.json();
        assert_eq!(key["name"], "my-key");
        assert_eq!(key["algorithm"], Cipher::native().name());
        assert_eq!(key["created_by"], admin().identity().as_str());
        assert!(text(&key, "created_at").ends_with('Z'));
        assert_eq!(key.as_object().unwrap().len(), 4);

        let context = base64(r#"{"bucket":"bucket/object"}"#);
        let body = json!({ "context": context, "version": "ignored" });
        let data_key = client.put("/v1/key/generate/my-key", body).await.json();
        assert_eq!(unbase64(text(&data_key, "plaintext")).len(), 32);
        assert_eq!(unbase64(text(&data_key, "ciphertext")).len(), 32 + 44);
        let ciphertext = text(&data_key, "ciphertext");
        assert_eq!(
            decrypt(&mut client, "my-key", ciphertext, &context).await,
            data_key["plaintext"]
        );
        let body = json!({ "ciphertext": ciphertext });
        client
            .put("/v1/key/decrypt/my-key", body)
            .await
            .is_error(400, NOT_AUTHENTIC);

        for plaintext in ["", "secret"] {
            let body = json!({ "plaintext": base64(plaintext), "context": null });
            let sealed = client.put("/v1/key/encrypt/my-key", body).await.json();
            assert_eq!(sealed.as_object().unwrap().len(), 1);
            assert_eq!(
                decrypt(&mut client, "my-key", text(&sealed, "ciphertext"), "").await,
                base64(plaintext)
            );
        }

        let body = json!({ "message": base64("root access key") });
        let first = client.put("/v1/key/hmac/my-key", body.clone()).await;
        assert_eq!(unbase64(text(&first.json(), "hmac")).len(), 32);
        assert_eq!(
            client.put("/v1/key/hmac/my-key", body).await.body,
            first.body
        );

        client.delete("/v1/key/delete/my-key").await.is_empty();
        client
            .delete("/v1/key/delete/my-key")
            .await
            .is_error(404, "key does not exist");
        client
            .get("/v1/key/describe/my-key")
            .await
            .is_error(404, "key does not exist");
        for operation in ["generate", "encrypt", "decrypt", "hmac"] {
            let answer = client
                .put(&format!("/v1/key/{operation}/my-key"), json!({}))
                .await;
            answer.is_error(404, "key does not exist");
        }
        world.server.shutdown().await;
        assert!(world.store.is_closed());
    }
}

#[tokio::test]
async fn post_stands_for_put_and_nothing_else_does() {
    let world = World::new().await;
    for version in VERSIONS {
        let mut client = world.client(&admin(), version).await;
        let name = format!("/v1/key/create/{version:?}");
        client
            .call(Method::POST, &name, Payload::default())
            .await
            .is_empty();
        let cases = [
            (Method::GET, "/v1/key/create/x", "PUT"),
            (Method::DELETE, "/v1/key/generate/x", "PUT"),
            (Method::PUT, "/v1/key/delete/x", "DELETE"),
            (Method::POST, "/v1/key/list/", "GET"),
            (Method::PUT, "/v1/status", "GET"),
            (Method::PATCH, "/version", "GET"),
        ];
        for (method, path, expected) in cases {
            let answer = client.call(method.clone(), path, Payload::default()).await;
            answer.is_error(
                405,
                &format!("received method '{method}' expected '{expected}'"),
            );
            assert_eq!(answer.headers["accept"], expected);
        }
        let head = client
            .call(Method::HEAD, "/version", Payload::default())
            .await;
        assert_eq!((head.status, head.text()), (405, ""));
        assert_eq!(head.headers["content-length"], "52");
    }
}

#[tokio::test]
async fn names_at_and_over_the_limits() {
    let world = World::new().await;
    let mut client = world.admin().await;
    let longest = "k".repeat(80);
    for name in [&longest, "a", "__", "_a", "a-b_C-9"] {
        client.create(name).await;
    }
    let long = "k".repeat(81);
    let cases = [
        ("", ""),
        (&long, &long),
        ("_", "_"),
        ("-a", "-a"),
        ("a-", "a-"),
        ("a.b", "a.b"),
        ("a%2Fb", "a/b"),
        ("..%2F..%2Fetc%2Fpasswd", "../../etc/passwd"),
        ("%2e%2e", ".."),
        ("a%00b", "a\0b"),
        ("%ff%fe", "\u{fffd}\u{fffd}"),
        ("%C3%A4", "ä"),
        ("a%20b", "a b"),
        ("a@b", "a@b"),
        ("%2A", "*"),
    ];
    for (encoded, name) in cases {
        let message =
            format!("key name '{name}' is empty, too long or contains invalid characters");
        for operation in [
            "create",
            "import",
            "generate",
            "encrypt",
            "decrypt",
            "bulk/decrypt",
            "hmac",
        ] {
            // The name is judged before the body.
            let path = format!("/v1/key/{operation}/{encoded}");
            client
                .call(Method::PUT, &path, Payload::sized("no json"))
                .await
                .is_error(400, &message);
        }
        client
            .get(&format!("/v1/key/describe/{encoded}"))
            .await
            .is_error(400, &message);
        client
            .delete(&format!("/v1/key/delete/{encoded}"))
            .await
            .is_error(400, &message);
    }
    assert_eq!(world.store.list("", "", 100).await.unwrap().len(), 5);
}

#[tokio::test]
async fn imported_keys_open_the_ciphertexts_of_every_release() {
    let world = World::new().await;
    let mut client = world.admin().await;
    for (index, vector) in vectors("decrypt_ok").iter().enumerate() {
        let body = json!({ "key": vector["key_b64"], "cipher": vector["cipher"] });
        let path = format!("/v1/key/import/ok-{index}");
        client.put(&path, body).await.is_empty();
        let (ciphertext, context) = (text(vector, "ciphertext_b64"), text(vector, "context_b64"));
        assert_eq!(
            decrypt(&mut client, &format!("ok-{index}"), ciphertext, context).await,
            vector["plaintext_b64"],
            "{vector}"
        );
    }
    for (index, vector) in vectors("decrypt_fail").iter().enumerate() {
        let body = json!({ "key": vector["key_b64"], "cipher": vector["cipher"] });
        let path = format!("/v1/key/import/fail-{index}");
        client.put(&path, body).await.is_empty();
        let body = json!({
            "ciphertext": vector["ciphertext_b64"],
            "context": vector["context_b64"],
        });
        let path = format!("/v1/key/decrypt/fail-{index}");
        client
            .put(&path, body)
            .await
            .is_error(400, text(vector, "message"));
    }
}

#[tokio::test]
async fn stored_keys_of_every_release_are_served() {
    let world = World::new().await;
    let mut client = world.admin().await;
    for (index, vector) in vectors("stored_keys").iter().enumerate() {
        let name = format!("stored-{index}");
        world
            .store
            .create(&name, text(vector, "stored").as_bytes())
            .await
            .unwrap();
        let key = client.get(&format!("/v1/key/describe/{name}")).await.json();
        assert_eq!(key["algorithm"], vector["cipher"], "{vector}");
        let answer = client.put(&format!("/v1/key/hmac/{name}"), json!({})).await;
        if vector["hmac_key_b64"].is_string() {
            answer.json();
        } else {
            answer.is_error(409, "key does not support HMAC");
        }
    }
    for (index, value) in ["", "no key", "{}", "eyJhIjoxfQ=="].into_iter().enumerate() {
        let name = format!("broken-{index}");
        world.store.create(&name, value.as_bytes()).await.unwrap();
        client
            .get(&format!("/v1/key/describe/{name}"))
            .await
            .is_error(502, "failed to read key");
    }
}

#[tokio::test]
async fn import_refuses_what_is_no_key() {
    let world = World::new().await;
    let mut client = world.admin().await;
    let key = base64([7; 32]);
    for cipher in [
        "AES256",
        "AES256-GCM_SHA256",
        "ChaCha20",
        "XCHACHA20-POLY1305",
    ] {
        let body = json!({ "key": key, "cipher": cipher });
        client
            .put(&format!("/v1/key/import/{cipher}"), body)
            .await
            .is_empty();
    }
    let body = json!({ "bytes": key });
    client.put("/v1/key/import/old", body).await.is_empty();
    let old = client.get("/v1/key/describe/old").await.json();
    assert_eq!(old["algorithm"], "AES256");

    let path = "/v1/key/import/new";
    let unsupported = |name: &str| format!("algorithm '{name}' is not supported");
    let body = json!({ "key": key, "cipher": "DES" });
    client
        .put(path, body)
        .await
        .is_error(406, &unsupported("DES"));
    let body = json!({ "key": key });
    client.put(path, body).await.is_error(406, &unsupported(""));
    for length in [0, 16, 31, 33] {
        let body = json!({ "key": base64(vec![7; length]), "cipher": "ChaCha20" });
        client
            .put(path, body)
            .await
            .is_error(406, "invalid key size for 'ChaCha20'");
    }
    for body in ["", "{", "[]", r#"{"key":"=="}"#, r#"{"key":7}"#] {
        client
            .call(Method::PUT, path, Payload::sized(body))
            .await
            .is_error(400, "invalid import key request body");
    }
    let body = json!({ "key": key, "cipher": "AES256" });
    client
        .put("/v1/key/import/old", body)
        .await
        .is_error(400, "key already exists");
}

#[tokio::test]
async fn a_ciphertext_changed_anywhere_does_not_open() {
    let world = World::new().await;
    for version in VERSIONS {
        let mut client = world.client(&admin(), version).await;
        let key = format!("{version:?}");
        client.create(&key).await;
        let data_key = client
            .put(&format!("/v1/key/generate/{key}"), Value::Null)
            .await
            .json();
        let good = unbase64(text(&data_key, "ciphertext"));
        let path = format!("/v1/key/decrypt/{key}");
        for index in 0..good.len() {
            let mut bad = good.clone();
            bad[index] ^= 1;
            let body = json!({ "ciphertext": base64(&bad) });
            client.put(&path, body).await.is_error(400, NOT_AUTHENTIC);
            let body = json!({ "ciphertext": base64(&good[..index]) });
            client.put(&path, body).await.is_error(400, NOT_AUTHENTIC);
        }
        client
            .put(&path, json!({}))
            .await
            .is_error(400, NOT_AUTHENTIC);
    }
}

#[tokio::test]
async fn bulk_decryption_answers_in_order_or_not_at_all() {
    let world = World::new().await;
    let mut client = world.admin().await;
    client.create("k").await;
    let mut items = Vec::new();
    let mut plaintexts = Vec::new();
    for index in 0..3 {
        let context = base64(index.to_string());
        let answer = client
            .put("/v1/key/generate/k", json!({ "context": context }))
            .await
            .json();
        items.push(json!({ "ciphertext": answer["ciphertext"], "context": context }));
        plaintexts.push(json!({ "plaintext": answer["plaintext"] }));
    }
    let path = "/v1/key/bulk/decrypt/k";
    let answer = client.put(path, json!(items)).await;
    assert_eq!(answer.json(), json!(plaintexts));
    let post = Payload::sized(json!(items).to_string());
    assert_eq!(
        client.call(Method::POST, path, post).await.body,
        answer.body
    );
    assert_eq!(client.put(path, json!([])).await.text(), "[]\n");

    items[1]["context"] = json!("");
    client
        .put(path, json!(items))
        .await
        .is_error(400, NOT_AUTHENTIC);
    client
        .put(path, json!(vec![json!({}); 1001]))
        .await
        .is_error(400, "too many ciphertexts");
    client
        .put(path, json!({}))
        .await
        .is_error(400, "invalid request body");
}

/// The official client, turning from a failed server to the next, sends the head of its
/// request without the body.
#[tokio::test]
async fn a_body_lost_on_the_way_is_not_the_empty_context() {
    let world = World::new().await;
    world.admin().await.create("k").await;
    for version in VERSIONS {
        let mut client = world.client(&admin(), version).await;
        let request = |body| {
            let request = Request::post("/v1/key/generate/k")
                .header("host", "localhost")
                .header("content-type", "application/json");
            request.body(body).unwrap()
        };
        let lost = client.send(request(Payload::streamed([""; 0]))).await;
        lost.is_error(400, "invalid request body");
        client.send(request(Payload::sized(""))).await.json();
        client.send(request(Payload::streamed(["{}"]))).await.json();
    }
}

#[tokio::test]
async fn bodies_come_in_every_form() {
    let world = World::new().await;
    world.admin().await.create("k").await;
    for version in VERSIONS {
        let mut client = world.client(&admin(), version).await;
        let generate = "/v1/key/generate/k";
        let good = [
            Payload::default(),
            Payload::sized(""),
            Payload::streamed([""; 0]),
            Payload::streamed(["{}"]),
            Payload::streamed(["{\"con", "text\"", ":\"AAEC\"}"]),
            Payload::sized("null"),
            Payload::sized(r#"{"CONTEXT":[1,2,3]} trailing"#),
        ];
        for body in good {
            client.call(Method::POST, generate, body).await.json();
        }
        for body in [
            "{",
            "[]",
            "7",
            r#"{"context":"A"}"#,
            r#"{"context":"_-_-"}"#,
            "\u{0}",
        ] {
            for path in [
                generate,
                "/v1/key/encrypt/k",
                "/v1/key/decrypt/k",
                "/v1/key/hmac/k",
            ] {
                let answer = client.call(Method::PUT, path, Payload::sized(body)).await;
                let known = path == generate || body.starts_with(['{', '[', '7', '\0']);
                if known
                    && (path == generate || !body.contains("context") || path.ends_with("crypt/k"))
                {
                    answer.is_error(400, "invalid request body");
                } else {
                    assert!(answer.status == 200 || answer.status == 400);
                }
            }
        }
        // Calls without a body do not look at one.
        let name = format!("/v1/key/create/{version:?}");
        let body = Payload::streamed(["what", "ever"]);
        client.call(Method::PUT, &name, body).await.is_empty();
    }
}

#[tokio::test]
async fn bodies_end_at_a_million_bytes() {
    let world = World::new().await;
    world.admin().await.create("k").await;
    for version in VERSIONS {
        for path in [
            "generate/k",
            "encrypt/k",
            "decrypt/k",
            "hmac/k",
            "bulk/decrypt/k",
            "import/k",
        ] {
            let message = match path {
                "import/k" => "invalid import key request body",
                _ => "invalid request body",
            };
            let path = format!("/v1/key/{path}");
            let long = " ".repeat(1_000_001);
            for body in [
                Payload::sized(long.clone()),
                Payload::streamed([long.clone()]),
            ] {
                // Over HTTP/1.1 the server ends the connection.
                let mut client = world.client(&admin(), version).await;
                client
                    .call(Method::PUT, &path, body)
                    .await
                    .is_error(400, message);
            }
        }
        let mut client = world.client(&admin(), version).await;
        let most = format!("{{}}{}", " ".repeat(1_000_000 - 2));
        for body in [Payload::sized(most.clone()), Payload::streamed([most])] {
            client
                .call(Method::PUT, "/v1/key/generate/k", body)
                .await
                .json();
        }
        let plaintext = base64(vec![0; 749_900]);
        let body = json!({ "plaintext": plaintext });
        let sealed = client.put("/v1/key/encrypt/k", body).await.json();
        assert_eq!(
            decrypt(&mut client, "k", text(&sealed, "ciphertext"), "").await,
            plaintext
        );
    }
}

#[tokio::test]
async fn the_key_store_holds_what_the_api_says() {
    let world = World::with("keys: [ { name: at-start } ]").await;
    let value = world.store.get("at-start").await.unwrap();
    let key = StoredKey::decode(&value).unwrap();
    assert_eq!(key.created_by(), admin().identity().as_str());

    let mut client = world.admin().await;
    let imported = SecretKey::from_bytes([9; 32]);
    let body = json!({ "key": base64([9; 32]), "cipher": "ChaCha20" });
    client.put("/v1/key/import/mine", body).await.is_empty();
    let value = world.store.get("mine").await.unwrap();
    let key = StoredKey::decode(&value).unwrap();
    assert_eq!(key.id(), imported.id());
    let sealed = key.seal(&SystemRandom, b"by hand", b"context").unwrap();
    assert_eq!(
        decrypt(&mut client, "mine", &base64(sealed), &base64("context")).await,
        base64("by hand")
    );
}
