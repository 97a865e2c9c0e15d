use serde_json::{Value, json};

use crate::support::{World, admin, member};

async fn world() -> World {
    let (one, two) = (member(1), member(2));
    World::with(&format!(
        "policy:\n\
         \x20 minio: {{ allow: [ /v1/key/create/*, /v1/status ], deny: [ /v1/key/create/internal* ], identities: [ {} ] }}\n\
         \x20 mixed: {{ identities: [ {} ] }}\n",
        one.identity(),
        two.identity()
    ))
    .await
}

/// Takes the time out of a document: the start of the server, in UTC.
fn without_time(mut document: Value) -> Value {
    let time = document
        .as_object_mut()
        .unwrap()
        .remove("created_at")
        .unwrap();
    assert!(time.as_str().unwrap().ends_with('Z'));
    document
}

#[tokio::test]
async fn policies_are_told() {
    let world = world().await;
    let mut client = world.admin().await;
    let admin = admin().identity().to_string();
    let described = client.get("/v1/policy/describe/minio").await.json();
    assert_eq!(
        without_time(described),
        json!({ "name": "minio", "created_by": admin })
    );
    let read = client.get("/v1/policy/read/minio").await.json();
    assert_eq!(
        without_time(read),
        json!({
            "name": "minio",
            "allow": { "/v1/key/create/*": {}, "/v1/status": {} },
            "deny": { "/v1/key/create/internal*": {} },
            "created_by": admin,
        })
    );
    let read = client.get("/v1/policy/read/mixed").await.json();
    assert_eq!(
        without_time(read),
        json!({ "name": "mixed", "created_by": admin })
    );
    for (pattern, names) in [
        ("", r#"["minio","mixed"]"#),
        ("/", r#"["minio","mixed"]"#),
        ("/*", r#"["minio","mixed"]"#),
        ("/mix*", r#"["mixed"]"#),
        ("/min", r#"["minio"]"#),
        ("/x", "[]"),
    ] {
        let answer = client.get(&format!("/v1/policy/list{pattern}")).await;
        assert_eq!(
            answer.text(),
            format!("{{\"names\":{names},\"continue_at\":\"\"}}\n")
        );
    }
    for operation in ["describe", "read"] {
        client
            .get(&format!("/v1/policy/{operation}/other"))
            .await
            .is_error(404, "policy does not exist");
        client
            .get(&format!("/v1/policy/{operation}/"))
            .await
            .is_error(
                400,
                "policy name '' is empty, too long or contains invalid characters",
            );
    }
}

#[tokio::test]
async fn identities_are_told() {
    let world = world().await;
    let mut client = world.admin().await;
    let admin = admin().identity().to_string();
    let one = member(1).identity().to_string();
    let path = format!("/v1/identity/describe/{admin}");
    let described = client.get(&path).await.json();
    assert_eq!(without_time(described), json!({ "admin": true }));
    let path = format!("/v1/identity/describe/{one}");
    let described = client.get(&path).await.json();
    assert_eq!(
        without_time(described),
        json!({ "policy": "minio", "created_by": admin })
    );
    client
        .get("/v1/identity/describe/nobody")
        .await
        .is_error(404, "identity does not exist");
    client.get("/v1/identity/describe/-").await.is_error(
        400,
        "identity '-' is empty, too long or contains invalid characters",
    );

    let mut all = [admin.clone(), one.clone(), member(2).identity().to_string()];
    all.sort();
    for pattern in ["", "/", "/*"] {
        let listed = client
            .get(&format!("/v1/identity/list{pattern}"))
            .await
            .json();
        assert_eq!(listed, json!({ "identities": all, "continue_at": "" }));
    }
    let listed = client
        .get(&format!("/v1/identity/list/{}*", &one[..20]))
        .await
        .json();
    assert_eq!(listed, json!({ "identities": [one], "continue_at": "" }));
}

#[tokio::test]
async fn everybody_may_ask_about_itself() {
    let world = world().await;
    let path = "/v1/identity/self/describe";
    let mut client = world.admin().await;
    let identity = admin().identity().to_string();
    assert_eq!(
        without_time(client.get(path).await.json()),
        json!({ "identity": identity, "admin": true })
    );
    let mut client = world.member(1).await;
    assert_eq!(
        without_time(client.get(path).await.json()),
        json!({
            "identity": member(1).identity().to_string(),
            "created_by": identity,
            "policy": "minio",
            "allow": { "/v1/key/create/*": {}, "/v1/status": {} },
            "deny": { "/v1/key/create/internal*": {} },
        })
    );
    let mut client = world.member(2).await;
    let described = client.get(path).await.json();
    assert_eq!(
        (&described["allow"], &described["deny"]),
        (&json!({}), &json!({}))
    );
    let mut client = world.member(3).await;
    client
        .get(path)
        .await
        .is_error(404, "identity does not exist");
}
