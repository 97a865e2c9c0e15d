use keystead_tls::Trust;
use keystead_wire_kms::ApiError;
use keystead_wire_kms::message::{CreateKeyRequest, DecryptRequest, KeyStatusRequest, ListRequest};
use tokio::net::TcpListener;

use super::server::{Reply, Server, ok, refusal, tls};
use super::{client, client_of, enclave_of, hex, section};
use crate::{Client, Error};

#[tokio::test]
async fn errors_of_the_server_can_be_compared() {
    for vector in section("errors").as_array().unwrap() {
        let status = u16::try_from(vector["status"].as_u64().unwrap()).unwrap();
        let message = vector["message"].as_str().unwrap();
        let server = Server::start([
            Reply::Answer(
                status,
                "application/json",
                vector["json"].as_str().unwrap().into(),
            ),
            Reply::Answer(status, "application/octet-stream", hex(&vector["binary"])),
            Reply::Answer(status, "text/plain", message.into()),
        ])
        .await;
        for _ in 0..3 {
            let error = client_of(&server).create_enclave("a").await.unwrap_err();
            assert_eq!(error.to_string(), message);
            assert_eq!(error.api().unwrap().status.as_u16(), status);
            assert_eq!(error.host(), Some(&*server.host()));
        }
    }
    let server = Server::start([refusal(409, "key already exists")]).await;
    let request = CreateKeyRequest::default();
    let error = enclave_of(&server).create_key(&request).await.unwrap_err();
    assert_eq!(error.api(), Some(&ApiError::KEY_EXISTS));
}

#[tokio::test]
async fn nothing_but_200_is_success() {
    for status in [202, 204, 302, 304] {
        let server = Server::start([Reply::Answer(status, "", Vec::new())]).await;
        let error = client_of(&server).create_enclave("a").await.unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("unexpected response status"), "{text}");
    }
}

#[tokio::test]
async fn answers_of_another_shape_are_errors() {
    let enclave = async |body: &[u8]| {
        let server = Server::start([ok(body)]).await;
        let requests = [KeyStatusRequest::default(), KeyStatusRequest::default()];
        enclave_of(&server).key_status(&requests).await.unwrap_err()
    };
    let frame = [0, 204, 0, 0, 0, 0];
    for body in [
        &[][..],
        &frame[..5],
        &frame,
        &[0, 205, 0, 0, 0, 0],
        &frame.repeat(3),
    ] {
        let error = enclave(body).await;
        assert!(matches!(error, Error::Response { .. }), "{error}");
    }
    for vector in section("bad_frames").as_array().unwrap() {
        let server = Server::start([ok(hex(&vector["body"]))]).await;
        let error = enclave_of(&server).encrypt(&[Default::default()]).await;
        assert!(matches!(error, Err(Error::Response { .. })), "{vector}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_passed_over_and_left_alone() {
    let broken = Server::start([Reply::HangUp, Reply::HangUp]).await;
    let working = Server::start((0..4).map(|_| ok([0, 208, 0, 0, 0, 0]))).await;
    let client = client(&[broken.host(), working.host()]);
    let enclave = client.enclave("a").unwrap();
    for _ in 0..4 {
        enclave.list_keys(ListRequest::default()).await.unwrap();
    }
    assert_eq!((broken.take().len(), working.take().len()), (1, 4));
}

#[tokio::test]
async fn answers_are_final_whatever_their_status() {
    for status in [400, 403, 404, 500, 502, 503, 504] {
        let first = Server::start([refusal(status, "no")]).await;
        let second = Server::start([]).await;
        let client = client(&[first.host(), second.host()]);
        let error = client.cluster_status().await.unwrap_err();
        assert_eq!(error.api().unwrap().status.as_u16(), status);
        assert!(second.take().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn a_change_is_not_sent_twice() {
    let first = Server::start([Reply::HangUp]).await;
    let second = Server::start([]).await;
    let client = client(&[first.host(), second.host()]);
    let error = client.create_enclave("a").await.unwrap_err();
    assert!(matches!(error, Error::UnknownOutcome { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("may have been made all the same"),
        "{error}"
    );
    assert_eq!((first.take().len(), second.take().len()), (1, 0));
    // The first one is suspended now.
    client.create_enclave("a").await.unwrap();
    assert_eq!((first.take().len(), second.take().len()), (0, 1));
}

#[tokio::test]
async fn a_change_that_nobody_can_have_got_is_sent_to_another_server() {
    let nobody = nobody().await;
    let working = Server::start([]).await;
    let client = client(&[nobody.clone(), working.host()]);
    client.create_enclave("a").await.unwrap();
    assert_eq!(working.take().len(), 1);
    let error = self::client(std::slice::from_ref(&nobody))
        .create_enclave("a")
        .await;
    let error = error.unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!("no answer from {nobody}: Connection refused (os error 111)")
    );
}

/// A host that nothing listens on.
async fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test]
async fn an_untrusted_server_sees_nothing() {
    let server = Server::start([]).await;
    let client = Client::new([server.host()], tls(Trust::System)).unwrap();
    let error = client.create_enclave("a").await.unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn redirections_keep_method_and_body() {
    let target = Server::start([ok([0, 206, 0, 0, 0, 0])]).await;
    let location = format!("https://{}/v1/kms/tenant-a", target.host());
    let server = Server::start([Reply::Redirect(location)]).await;
    let request = DecryptRequest {
        name: "k".to_owned(),
        ..Default::default()
    };
    enclave_of(&server).decrypt(&[request]).await.unwrap();
    let (first, then) = (server.take(), target.take());
    assert_eq!(first[0].call, then[0].call);
    assert_eq!(first[0].body, then[0].body);
}

#[tokio::test]
async fn what_is_no_server_or_enclave_is_refused() {
    let none = Client::new(Vec::<String>::new(), tls(Trust::Insecure)).err();
    assert!(matches!(none, Some(Error::NoEndpoint)));
    let client = Client::new(["https://a", "b:1"], tls(Trust::Insecure)).unwrap();
    assert_eq!(client.hosts(), ["a:7373", "b:1"]);
    for name in ["", "..", "a/b", "a b"] {
        assert!(matches!(client.enclave(name), Err(Error::EnclaveName(_))));
    }
}
