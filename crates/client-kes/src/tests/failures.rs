use bytes::Bytes;
use http::Method;
use keystead_tls::Trust;
use keystead_wire_kes::ApiError;
use tokio::net::TcpListener;

use super::server::{Reply, Server, json, reply_with, tls};
use super::{client, client_of};
use crate::endpoint::Endpoint;
use crate::transport::Transport;
use crate::{Client, Error};

async fn refused(reply: Reply) -> Error {
    let server = Server::start([reply]).await;
    let error = client_of(&server).describe_key("k").await.unwrap_err();
    assert_eq!(server.take().calls.len(), 1);
    error
}

#[tokio::test]
async fn errors_of_the_server_can_be_compared() {
    let error = refused(json(404, "{\"message\":\"key does not exist\"\n}")).await;
    assert_eq!(error.api(), Some(&ApiError::KEY_NOT_FOUND));
    assert_eq!(error.to_string(), "key does not exist");
    let error = refused(json(403, r#"{"message":"prohibited by policy"}"#)).await;
    assert_eq!(error.api(), Some(&ApiError::NOT_ALLOWED));
    let error = refused(reply_with(404, "text/plain", "404 page not found\n")).await;
    assert_eq!(error.to_string(), "404 page not found");
    let error = refused(json(502, r#"{"message":"failed to read key"}"#)).await;
    assert_eq!(error.api(), Some(&ApiError::READ_KEY_FAILED));
}

#[tokio::test]
async fn nothing_but_200_is_success() {
    for status in [204, 206, 301, 304] {
        let error = refused(reply_with(status, "", "")).await;
        assert!(
            matches!(error, Error::Status(code) if code.as_u16() == status),
            "{error}"
        );
    }
}

#[tokio::test]
async fn documents_have_a_limit() {
    let error = refused(json(200, &" ".repeat((1 << 20) + 1))).await;
    assert!(matches!(error, Error::Connection { .. }), "{error}");
}

#[tokio::test]
async fn a_failing_server_is_passed_over_and_left_alone() {
    let unavailable = || json(502, r#"{"message":"failed to read key"}"#);
    let failing = Server::start([unavailable()]).await;
    let working = Server::start([]).await;
    let client = client(&[failing.url(), working.url()], Trust::Insecure);
    for _ in 0..4 {
        client.create_key("k").await.unwrap();
    }
    assert_eq!(failing.take().calls.len(), 1);
    assert_eq!(working.take().calls.len(), 4);
}

#[tokio::test]
async fn only_failures_of_the_server_pass_it_over() {
    for status in [400, 403, 404, 409, 501] {
        let first = Server::start([json(status, r#"{"message":"no"}"#)]).await;
        let second = Server::start([]).await;
        let client = client(&[first.url(), second.url()], Trust::Insecure);
        assert!(client.create_key("k").await.is_err());
        assert!(second.take().calls.is_empty(), "{status}");
    }
}

#[tokio::test]
async fn the_last_answer_counts_if_all_servers_fail() {
    let first = Server::start([json(504, r#"{"message":"one"}"#)]).await;
    let second = Server::start([json(502, r#"{"message":"two"}"#)]).await;
    let client = client(&[first.url(), second.url()], Trust::Insecure);
    assert_eq!(client.create_key("k").await.unwrap_err().to_string(), "two");
    assert!(client.create_key("k").await.is_ok());
}

#[tokio::test]
async fn an_unreachable_server_is_named_with_the_cause() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    drop(listener);
    let nobody = Endpoint::parse(&format!("https://{host}")).unwrap();
    let transport = Transport::with_proxy(tls(Trust::Insecure), None).unwrap();
    let error = transport
        .send(&nobody, &Method::GET, "/version", &Bytes::new())
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Connection { host: named, .. } if *named == host));
    let text = error.to_string();
    assert!(text.starts_with("kes: connection error: "), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
}

#[tokio::test]
async fn an_untrusted_server_is_not_asked_again() {
    let server = Server::start([]).await;
    let client = client(&[server.url()], Trust::System);
    let error = client.create_key("k").await.unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    let seen = server.take();
    assert_eq!((seen.connections, seen.calls.len()), (1, 0));
}

#[tokio::test]
async fn endpoints_are_checked() {
    let tls = || tls(Trust::Insecure);
    let new = |endpoint: &str| Client::new([endpoint], tls()).err().unwrap().to_string();
    assert_eq!(
        new("http://a"),
        "invalid server endpoint 'http://a': the scheme is not 'https'"
    );
    assert_eq!(
        new("https://a/b"),
        "invalid server endpoint 'https://a/b': more than host and port"
    );
    assert_eq!(
        new("https://a b"),
        "invalid server endpoint 'https://a b': not a URL"
    );
    let none = Client::new(Vec::<String>::new(), tls()).err().unwrap();
    assert!(matches!(none, Error::NoEndpoint));
    let client = Client::new(["https://a:1/", "https://[::1]:2"], tls()).unwrap();
    assert_eq!(client.endpoints(), ["https://a:1", "https://[::1]:2"]);
}
