//! Time-outs and limits of one connection, exact on a paused clock.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use keystead_tls::PeerError;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::handlers::Sample;
use crate::session::Sessions;
use crate::{Connection, Limits};

/// The client's end of a connection and the server's task.
struct Served {
    stream: DuplexStream,
    server: JoinHandle<Duration>,
    shutdown: CancellationToken,
    handler: Sample,
}

fn serve(http2: bool) -> Served {
    let (stream, theirs) = duplex(64 * 1024);
    let shutdown = CancellationToken::new();
    let handler = Sample::default();
    let sessions = Sessions::new(handler.clone(), Limits::default(), shutdown.clone());
    let address = "127.0.0.1:7373".parse().unwrap();
    let connection = Connection::new(address, address, Err(PeerError::NoCertificate));
    let server = tokio::spawn(async move {
        let start = Instant::now();
        sessions.serve(theirs, connection, http2).await;
        start.elapsed()
    });
    Served {
        stream,
        server,
        shutdown,
        handler,
    }
}

impl Served {
    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    async fn get(&mut self, path: &str) {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.send(&request).await;
    }

    /// Reads up to a text.
    async fn read_to(&mut self, end: &str) -> String {
        let mut read = Vec::new();
        while !read.ends_with(end.as_bytes()) {
            read.push(self.stream.read_u8().await.unwrap());
        }
        String::from_utf8(read).unwrap()
    }

    /// How many seconds the server kept the connection.
    async fn kept(self) -> u64 {
        self.server.await.unwrap().as_secs()
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_cut_after_5_seconds() {
    let served = serve(false);
    assert_eq!(served.kept().await, 5);
}

#[tokio::test(start_paused = true)]
async fn a_silent_http2_connection_is_cut_after_90_seconds() {
    let served = serve(true);
    assert_eq!(served.kept().await, 90 + 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_head_is_cut_after_5_seconds() {
    let mut served = serve(false);
    for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\n" {
        if served.stream.write_all(&[*byte]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(served.kept().await, 5);
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_is_kept_for_90_seconds() {
    let mut served = serve(false);
    for _ in 0..3 {
        served.get("/").await;
        served.read_to("hello").await;
        sleep(Duration::from_secs(80)).await;
    }
    assert_eq!(served.kept().await, 160 + 90);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_starts_late_has_5_seconds() {
    let mut served = serve(false);
    served.get("/").await;
    served.read_to("hello").await;
    sleep(Duration::from_secs(60)).await;
    served.send("GET").await;
    assert_eq!(served.kept().await, 65);
}

#[tokio::test(start_paused = true)]
async fn running_requests_and_streams_are_not_idle() {
    let mut served = serve(false);
    served.get("/wait/1000").await;
    served.read_to("waited").await;
    served.get("/stream").await;
    // The head comes at once, every line when there is one.
    let head = timeout(Duration::from_secs(1), served.read_to("\r\n\r\n")).await;
    assert!(head.unwrap().starts_with("HTTP/1.1 200 OK"));
    for _ in 0..3 {
        let start = Instant::now();
        served.read_to("line\n\r\n").await;
        assert_eq!(start.elapsed().as_secs(), 300);
    }
    drop(served.stream);
    assert_eq!(served.server.await.unwrap().as_secs(), 1900);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_is_cut_after_30_seconds() {
    let mut served = serve(false);
    served.get("/large").await;
    assert_eq!(served.kept().await, 30);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_is_served() {
    let mut served = serve(false);
    served.get("/large").await;
    let mut buffer = vec![0; 64 * 1024];
    let mut read = 0;
    while read < 10_000_000 {
        sleep(Duration::from_secs(20)).await;
        read += served.stream.read(&mut buffer).await.unwrap();
    }
}

#[tokio::test]
async fn a_head_over_the_limit_is_refused() {
    let mut served = serve(false);
    let long = "x".repeat(70_000);
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: {long}\r\n\r\n");
    let (mut reader, mut writer) = tokio::io::split(&mut served.stream);
    let mut answer = String::new();
    let (_, read) = tokio::join!(
        writer.write_all(head.as_bytes()),
        reader.read_to_string(&mut answer)
    );
    read.unwrap();
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_broken_head_is_refused() {
    for head in [
        &b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n\r\n\0\0\0\0\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    ] {
        let mut served = serve(false);
        served.stream.write_all(head).await.unwrap();
        let mut answer = String::new();
        served.stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_reads_does_not_disturb() {
    let mut served = serve(false);
    served
        .send("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345")
        .await;
    assert!(served.read_to("hello").await.starts_with("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn an_unsized_body_over_the_limit_ends_the_connection() {
    let mut served = serve(false);
    served
        .send("POST /length HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let (mut reader, mut writer) = tokio::io::split(&mut served.stream);
    let chunk = format!("ffff\r\n{}\r\n", "x".repeat(0xffff));
    let endless = async { while writer.write_all(chunk.as_bytes()).await.is_ok() {} };
    let mut answer = String::new();
    let (read, ()) = tokio::join!(reader.read_to_string(&mut answer), endless);
    read.unwrap();
    assert!(
        answer.ends_with("request body is longer than 1000000 bytes"),
        "{answer}"
    );
}

/// Lets an HTTP/2 client send one request, which is answered with `waited`, until the server
/// ends the connection in good order.
async fn http2_client(stream: DuplexStream, path: &str) {
    let (executor, stream) = (TokioExecutor::new(), TokioIo::new(stream));
    let (mut sender, connection) = http2::handshake(executor, stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::get(format!("https://localhost{path}"));
    let request = request.body(Empty::<Bytes>::new()).unwrap();
    let response = sender.send_request(request).await.unwrap();
    assert_eq!(response.collect().await.unwrap().to_bytes(), "waited");
    connection.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_is_kept_for_90_seconds() {
    let served = serve(true);
    http2_client(served.stream, "/wait/100").await;
    assert_eq!(served.server.await.unwrap().as_secs(), 100 + 90);
}

#[tokio::test(start_paused = true)]
async fn running_requests_have_a_second_to_end() {
    let mut served = serve(false);
    served.get("/wait/100").await;
    sleep(Duration::from_millis(99_500)).await;
    served.shutdown.cancel();
    let answer = served.read_to("waited").await;
    assert!(answer.contains("connection: close"), "{answer}");
    assert_eq!(served.kept().await, 100);

    let mut served = serve(false);
    served.get("/wait/100").await;
    served.handler.begun.notified().await;
    served.shutdown.cancel();
    assert_eq!(served.kept().await, 1);
}

#[tokio::test(start_paused = true)]
async fn idle_connections_end_at_once_when_the_server_stops() {
    let mut served = serve(false);
    served.get("/").await;
    served.read_to("hello").await;
    served.shutdown.cancel();
    assert_eq!(served.kept().await, 0);
}

#[tokio::test(start_paused = true)]
async fn http2_requests_end_when_the_server_stops() {
    let served = serve(true);
    tokio::spawn(async move {
        served.handler.begun.notified().await;
        sleep(Duration::from_millis(9_500)).await;
        served.shutdown.cancel();
    });
    http2_client(served.stream, "/wait/10").await;
    assert_eq!(served.server.await.unwrap().as_secs(), 10);
}
