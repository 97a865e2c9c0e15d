use http::{Method, Request};
use jiff::Timestamp;
use keystead_crypto::SystemRandom;
use keystead_identity::{ApiKey, certificate_to_pem};

use crate::support::{Answer, Client, Payload, World, member};

const PATH: &str = "/v1/key/list";

async fn world() -> World {
    let tls = format!(
        "  proxy: {{ identities: [ {} ], header: {{ cert: X-Tls-Client-Cert }} }}",
        member(9).identity()
    );
    let policy = format!(
        "policy: {{ p: {{ allow: [ {PATH} ], identities: [ {} ] }} }}",
        member(1).identity()
    );
    World::with_tls(&tls, &policy).await
}

/// A certificate as proxies escape it.
fn escaped(key: &ApiKey) -> String {
    let der = key
        .client_certificate(Timestamp::now(), &SystemRandom)
        .unwrap();
    certificate_to_pem(&der)
        .replace('%', "%25")
        .replace('+', "%2B")
        .replace('\n', "%0A")
        .replace('\r', "%0D")
        .replace(' ', "+")
}

async fn forward(client: &mut Client, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder().method(Method::GET).uri(PATH);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request.body(Payload::default()).unwrap()).await
}

#[tokio::test]
async fn a_proxy_speaks_for_its_clients() {
    let world = world().await;
    let mut proxy = world.member(9).await;
    let header = "x-tls-client-cert";
    let (known, unknown) = (escaped(&member(1)), escaped(&member(2)));
    let answer = forward(
        &mut proxy,
        &[(header, &known), ("x-forwarded-for", "192.0.2.7, 10.0.0.1")],
    )
    .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    forward(&mut proxy, &[(header, &unknown)])
        .await
        .is_error(403, "not authorized: insufficient permissions");
    forward(&mut proxy, &[])
        .await
        .is_error(400, "no client certificate is present");
    forward(&mut proxy, &[(header, &known), (header, &known)])
        .await
        .is_error(400, "too many client certificates are present");
    forward(&mut proxy, &[(header, "nonsense")])
        .await
        .is_error(400, "invalid client certificate");

    let log = world.errors().await;
    assert!(
        log.contains("msg=\"request refused\" reason=\"invalid client certificate\""),
        "{log}"
    );

    // Whoever is no proxy is judged by its own certificate.
    let mut other = world.member(2).await;
    forward(&mut other, &[(header, &known)])
        .await
        .is_error(403, "not authorized: insufficient permissions");
    let audit = world.audit().await;
    let first = audit.lines().next().unwrap();
    assert!(first.contains("req.ip=192.0.2.7"), "{first}");
    assert!(first.contains(member(1).identity().as_str()), "{first}");
}
