//! Sockets and TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use jiff::Timestamp;
use keystead_crypto::SystemRandom;
use keystead_identity::ApiKey;
use keystead_tls::{
    ClientConfig, ClientCredential, ClientSettings, ServerTls, TlsSlot, Trust, client,
    self_signed_dev,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

use super::handlers::Sample;
use crate::{Limits, Listener};

struct Running {
    address: SocketAddr,
    tls: Arc<TlsSlot>,
    handler: Sample,
    shutdown: CancellationToken,
    server: JoinHandle<()>,
}

fn server_tls() -> ServerTls {
    self_signed_dev(&["127.0.0.1".parse().unwrap()], Timestamp::now()).unwrap()
}

async fn run(limits: Limits) -> Running {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.local_addr();
    let tls = Arc::new(TlsSlot::new(server_tls()));
    let handler = Sample::default();
    let shutdown = CancellationToken::new();
    let serve = listener.serve(Arc::clone(&tls), handler.clone(), limits, shutdown.clone());
    Running {
        address,
        tls,
        handler,
        shutdown,
        server: tokio::spawn(serve),
    }
}

fn client_tls(key: Option<&ApiKey>, alpn: &str) -> Arc<ClientConfig> {
    let credential = key
        .map(|key| ClientCredential::from_api_key(key, Timestamp::now(), &SystemRandom).unwrap());
    let trust = Trust::Insecure;
    let mut config = client(ClientSettings { credential, trust }).unwrap();
    config.alpn_protocols = vec![alpn.as_bytes().to_vec()];
    Arc::new(config)
}

async fn connect(address: SocketAddr, tls: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let socket = TcpStream::connect(address).await.unwrap();
    let name = "localhost".try_into().unwrap();
    TlsConnector::from(Arc::clone(tls))
        .connect(name, socket)
        .await
        .unwrap()
}

fn key() -> ApiKey {
    ApiKey::generate(&SystemRandom).unwrap()
}

fn get(path: &str) -> Request<Empty<Bytes>> {
    let uri = format!("https://localhost{path}");
    Request::get(uri)
        .header("host", "localhost")
        .body(Empty::new())
        .unwrap()
}

#[tokio::test]
async fn identities_over_both_protocols() {
    let running = run(Limits::default()).await;
    let key = key();
    let identity = key.identity().to_string();

    let stream = connect(running.address, &client_tls(Some(&key), "http/1.1")).await;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(get("/identity")).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        identity
    );

    let stream = connect(running.address, &client_tls(Some(&key), "h2")).await;
    let stream = TokioIo::new(stream);
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let response = sender.send_request(get("/identity")).await.unwrap();
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        identity
    );
}

#[tokio::test]
async fn a_client_without_a_certificate_hears_so_in_the_handshake() {
    let running = run(Limits::default()).await;
    let mut stream = connect(running.address, &client_tls(None, "http/1.1")).await;
    let error = stream.read_u8().await.unwrap_err();
    assert!(error.to_string().contains("CertificateRequired"), "{error}");
}

#[tokio::test]
async fn plain_http_gets_an_answer_and_noise_none() {
    let running = run(Limits::default()).await;
    for (sent, start) in [
        (
            &b"GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
            "HTTP/1.0 400 Bad Request\r\n",
        ),
        (b"\x00\x01\x02\x03", ""),
        (b"\x16\x03\x01\x00\x04junk", ""),
        (b"\x16\x03\x01\xff\xff", ""),
        (b"\x16", ""),
    ] {
        let mut socket = TcpStream::connect(running.address).await.unwrap();
        socket.write_all(sent).await.unwrap();
        socket.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // What is left unread at the server's end becomes a reset.
        socket.read_to_end(&mut answer).await.ok();
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.starts_with(start), "{answer}");
    }
    assert_eq!(running.handler.refused.lock().unwrap().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_cut_after_10_seconds() {
    let running = run(Limits::default()).await;
    let mut socket = TcpStream::connect(running.address).await.unwrap();
    let start = Instant::now();
    let mut nothing = Vec::new();
    socket.read_to_end(&mut nothing).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 10);
    assert_eq!(*running.handler.refused.lock().unwrap(), ["timed out"]);
}

#[tokio::test]
async fn slow_handshakes_do_not_hold_up_others() {
    let running = run(Limits::default()).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(running.address).await.unwrap());
    }
    connect(running.address, &client_tls(Some(&key()), "h2")).await;
}

#[tokio::test]
async fn connections_over_the_cap_wait() {
    let limits = Limits {
        connections: Some(1),
        ..Limits::default()
    };
    let running = run(limits).await;
    let tls = client_tls(Some(&key()), "http/1.1");
    let first = connect(running.address, &tls).await;
    let second = connect(running.address, &tls);
    tokio::pin!(second);
    assert!(
        timeout(Duration::from_millis(100), &mut second)
            .await
            .is_err()
    );
    drop(first);
    second.await;
}

#[tokio::test]
async fn a_reload_is_seen_by_new_connections_and_disturbs_no_old_one() {
    let running = run(Limits::default()).await;
    let tls = client_tls(Some(&key()), "http/1.1");
    let certificate =
        |stream: &TlsStream<TcpStream>| stream.get_ref().1.peer_certificates().unwrap()[0].clone();
    let old = connect(running.address, &tls).await;
    let before = certificate(&old);
    running.tls.replace(server_tls());
    let new = connect(running.address, &tls).await;
    assert_ne!(certificate(&new), before);

    let (mut sender, connection) = http1::handshake(TokioIo::new(old)).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(sender.send_request(get("/")).await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_reloads_under_load_fail_no_request() {
    let running = run(Limits::default()).await;
    let stop = Arc::new(AtomicBool::new(false));
    let served = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for alpn in ["http/1.1", "http/1.1", "h2", "h2"] {
        let (address, tls) = (running.address, client_tls(Some(&key()), alpn));
        let (stop, served) = (Arc::clone(&stop), Arc::clone(&served));
        clients.push(tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                let stream = TokioIo::new(connect(address, &tls).await);
                if alpn == "h2" {
                    let executor = TokioExecutor::new();
                    let (mut sender, connection) =
                        http2::handshake(executor, stream).await.unwrap();
                    tokio::spawn(connection);
                    for _ in 0..5 {
                        assert_eq!(sender.send_request(get("/")).await.unwrap().status(), 200);
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                } else {
                    let (mut sender, connection) = http1::handshake(stream).await.unwrap();
                    tokio::spawn(connection);
                    for _ in 0..5 {
                        let response = sender.send_request(get("/")).await.unwrap();
                        assert_eq!(response.collect().await.unwrap().to_bytes(), "hello");
                        served.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }));
    }
    for reload in 0..200 {
        running.tls.replace(server_tls());
        while served.load(Ordering::Relaxed) < reload {
            tokio::task::yield_now().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert!(served.load(Ordering::Relaxed) >= 200);
    assert!(running.handler.refused.lock().unwrap().is_empty());
}

#[tokio::test]
async fn stopping_ends_running_requests_and_refuses_new_connections() {
    let running = run(Limits::default()).await;
    let stream = connect(running.address, &client_tls(Some(&key()), "http/1.1")).await;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    // Less than the time to drain.
    let request = tokio::spawn(sender.send_request(get("/wait/0")));
    running.handler.begun.notified().await;
    running.shutdown.cancel();
    assert_eq!(request.await.unwrap().unwrap().status(), 200);
    running.server.await.unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_busy_port_is_an_error_at_once() {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    assert!(Listener::bind(listener.local_addr()).await.is_err());
}
