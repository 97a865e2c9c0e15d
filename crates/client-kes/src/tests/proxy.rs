use std::net::SocketAddr;
use std::sync::Arc;

use keystead_tls::Trust;
use reqwest::Proxy;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::server::{Server, Zeros, tls};
use crate::Client;
use crate::transport::Transport;

/// A proxy that leads everything to `target` and tells what it was asked.
async fn proxy(target: SocketAddr) -> (SocketAddr, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (asked, requests) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                stream.read_line(&mut head).await.unwrap();
            }
            asked.send(head).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            let mut server = TcpStream::connect(target).await.unwrap();
            tokio::spawn(async move {
                drop(copy_bidirectional(&mut stream, &mut server).await);
            });
        }
    });
    (address, requests)
}

fn client_behind(proxy: &str, server: &str) -> Client {
    let proxy = Some(Proxy::https(proxy).unwrap());
    let transport = Transport::with_proxy(tls(Trust::Insecure), proxy).unwrap();
    Client::with_transport([server], transport, Arc::new(Zeros)).unwrap()
}

#[tokio::test]
async fn servers_are_reached_through_a_proxy() {
    let server = Server::start([]).await;
    let (proxy, mut requests) = proxy(server.address).await;
    let client = client_behind(
        &format!("http://user:word@{proxy}"),
        "https://kes.example:7373",
    );
    client.create_key("k").await.unwrap();
    let head = requests.recv().await.unwrap();
    assert!(
        head.starts_with("CONNECT kes.example:7373 HTTP/1.1\r\n"),
        "{head}"
    );
    let head = head.to_ascii_lowercase();
    assert!(
        head.contains("proxy-authorization: basic dxnlcjp3b3jk\r\n"),
        "{head}"
    );
    assert_eq!(server.take().calls, ["POST /v1/key/create/k"]);
}

#[tokio::test]
async fn servers_on_this_machine_are_reached_directly() {
    let server = Server::start([]).await;
    let (proxy, mut requests) = proxy(server.address).await;
    let client = client_behind(&format!("http://{proxy}"), &server.url());
    client.create_key("k").await.unwrap();
    assert!(requests.try_recv().is_err());
}
