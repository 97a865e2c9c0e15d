//! What answers without success become (key stores, section 5.3).

use http::StatusCode;
use keystead_config::SecretSource;
use keystead_crypto::Secret;
use keystead_doubles::{Checkout, Fault, KeyControlRole, Refusal};
use keystead_keycontrol::Error;

use crate::world::World;

const JSON: &str = "application/json";

fn page(status: u16, kind: &'static str, body: &str) -> Fault {
    Fault::Page(StatusCode::from_u16(status).unwrap(), kind, body.to_owned())
}

#[tokio::test]
async fn only_two_answers_speak_of_a_secret() {
    let world = World::new().await;
    let client = world.connect().await;
    client.create("key", b"value").await.unwrap();
    assert!(matches!(
        client.create("key", b"v").await,
        Err(Error::Exists)
    ));
    assert!(matches!(
        client.checkout("none").await,
        Err(Error::NotFound)
    ));
    assert!(matches!(client.delete("none").await, Err(Error::NotFound)));
}

#[tokio::test]
async fn everything_else_is_an_error_with_its_text() {
    let world = World::new().await;
    let client = world.connect().await;
    let html = "<html>\n<title>Sorry</title>\n</html>";
    let long = "x".repeat(1000);
    for (status, kind, body, text) in [
        (404, JSON, r#"{"error":"Box not found"}"#, "Box not found"),
        (
            404,
            JSON,
            r#"{"error":"Vault not found"}"#,
            "Vault not found",
        ),
        (404, JSON, "", "CheckoutSecret: action denied by KeyControl"),
        (
            404,
            "text/plain",
            "\n",
            "CheckoutSecret: action denied by KeyControl",
        ),
        (404, JSON, "{}", "404 Not Found: {}"),
        (
            404,
            "text/plain",
            r#"{"error":"Secret not found"}"#,
            r#"404 Not Found: {"error":"Secret not found"}"#,
        ),
        (
            404,
            "text/html",
            html,
            "404 Not Found: <html> <title>Sorry</title> </html>",
        ),
        (
            409,
            JSON,
            r#"{"error":"Box is being moved"}"#,
            "Box is being moved",
        ),
        (
            400,
            JSON,
            r#"{"error":"Secret not found"}"#,
            "Secret not found",
        ),
        (403, JSON, r#"{"error":"no right"}"#, "no right"),
        (
            400,
            "text/plain",
            &long,
            &format!("400 Bad Request: {}", &long[..256]),
        ),
        (204, JSON, "", "204 No Content: "),
        (302, "text/html", "moved", "302 Found: moved"),
        (
            200,
            JSON,
            "[]",
            "CheckoutSecret: the answer cannot be understood",
        ),
        (
            200,
            "text/html",
            html,
            "CheckoutSecret: the answer cannot be understood",
        ),
    ] {
        world.nodes[0]
            .faults()
            .plan(1, "CheckoutSecret", page(status, kind, body));
        let error = client.checkout("key").await.unwrap_err();
        assert!(
            !matches!(error, Error::NotFound | Error::Exists),
            "{status} {body}"
        );
        assert!(!error.is_unreachable());
        assert_eq!(error.to_string(), format!("keycontrol: {text}"));
    }
}

#[tokio::test]
async fn a_checkout_that_is_not_granted_is_not_a_missing_key() {
    let world = World::new().await;
    let client = world.connect().await;
    client.create("key", b"value").await.unwrap();
    for (status, message) in [
        (409, "Secret is already checked out"),
        (403, "Checkout requires approval"),
        (404, "No approved checkout found"),
        (202, "Checkout request submitted for approval"),
    ] {
        let refusal = Refusal::new(status, message);
        world
            .appliance
            .set(|settings| settings.checkout = Checkout::Refused(refusal));
        let error = client.checkout("key").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "keycontrol: {message} (unset exclusive checkout, checkout duration and \
                 secondary approval of the box)"
            )
        );
    }
}

#[tokio::test]
async fn a_login_that_fails_ends_the_beginning() {
    let mut world = World::new().await;
    let login_failed = async |world: &World| {
        let error = world.try_connect().await.err().unwrap();
        assert!(matches!(error, Error::Login(_)), "{error:?}");
        error.to_string()
    };
    world.config.password = SecretSource::Value(Secret::new("wrong".into()));
    assert_eq!(
        login_failed(&world).await,
        "keycontrol: login failed: Invalid username or password"
    );
    let vault = std::mem::replace(&mut world.config.vault_id, "other".into());
    assert_eq!(
        login_failed(&world).await,
        "keycontrol: login failed: Vault not found"
    );
    world.config.vault_id = vault;
    let grants = [
        (r#"{"access_token":""}"#, "auth token is empty"),
        ("{}", "auth token is empty"),
        ("no", "Login: the answer cannot be understood"),
    ];
    for (body, text) in grants {
        world.nodes[0]
            .faults()
            .plan(1, "Login", page(200, JSON, body));
        assert_eq!(
            login_failed(&world).await,
            format!("keycontrol: login failed: {text}")
        );
    }
    assert_eq!(world.metric("logins_total"), 0.0);
    assert_eq!(world.metric("login_failures_total"), 5.0);
}

#[tokio::test]
async fn a_missing_box_ends_the_beginning() {
    let mut world = World::new().await;
    world.config.box_id = "other".into();
    let error = world.try_connect().await.err().unwrap();
    assert_eq!(error.to_string(), "keycontrol: Box not found");
}

#[tokio::test]
async fn rights_decide_what_works() {
    let world = World::new().await;
    let client = world.connect().await;
    client.create("key", b"value").await.unwrap();
    let denied = |result: Result<(), Error>, action: &str| {
        let error = result.unwrap_err();
        assert!(matches!(error, Error::Denied(_)), "{error:?}");
        assert_eq!(
            error.to_string(),
            format!("keycontrol: {action}: action denied by KeyControl")
        );
    };

    world
        .appliance
        .set(|settings| settings.role(KeyControlRole::VaultUser));
    client.status().await.unwrap();
    world.connect().await;
    client.checkout("key").await.unwrap();
    denied(client.create("new", b"value").await, "CreateSecret");
    denied(client.delete("key").await, "DeleteSecret");

    world
        .appliance
        .set(|settings| settings.role(KeyControlRole::BoxAdmin));
    client.status().await.unwrap();
    client.create("new", b"value").await.unwrap();
    denied(client.checkout("key").await.map(drop), "CheckoutSecret");
    client.delete("new").await.unwrap();

    world.appliance.set(|settings| {
        settings.role(KeyControlRole::VaultUser);
        settings.denied.insert("ListSecretIds");
    });
    denied(client.status().await, "ListSecretIds");
}

#[tokio::test]
async fn a_secret_that_an_answer_repeats_is_not_shown() {
    let world = World::new().await;
    let client = world.connect().await;
    let password = world.appliance.settings().password;
    world.nodes[0].journal().take();
    client.status().await.unwrap();
    let requests = world.nodes[0].journal().take();
    let token = requests[0].headers()["x-vault-auth"].to_str().unwrap();

    let echo = |kind, body: String| {
        world.nodes[0].faults().clear();
        world.nodes[0].faults().plan(1, "", page(400, kind, &body));
    };
    echo("text/plain", format!("token={token}"));
    let error = client.checkout("key").await.unwrap_err();
    assert_eq!(error.to_string(), "keycontrol: 400 Bad Request: token=***");
    echo("text/plain", "bad secret_data c2VjcmV0 of key".into());
    let error = client.create("key", b"secret").await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "keycontrol: 400 Bad Request: bad secret_data *** of key"
    );
    echo("text/plain", format!("no such password: {password}"));
    let error = world.try_connect().await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "keycontrol: login failed: 400 Bad Request: no such password: ***"
    );
}
