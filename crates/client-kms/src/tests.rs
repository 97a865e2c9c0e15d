mod calls;
mod failures;
mod hosts;
mod server;
mod streams;

use std::sync::Arc;

use keystead_tls::Trust;
use serde_json::Value;

use self::server::{Server, Zeros, tls};
use crate::transport::Transport;
use crate::{Client, Enclave};

/// A client without proxy, which begins with the first server.
fn client(endpoints: &[String]) -> Client {
    let transport = Transport::without_proxy(tls(Trust::Insecure)).unwrap();
    Client::with_transport(endpoints, transport, Arc::new(Zeros)).unwrap()
}

fn client_of(server: &Server) -> Client {
    client(&[server.host()])
}

fn enclave_of(server: &Server) -> Enclave {
    client_of(server).enclave("tenant-a").unwrap()
}

/// A section of the golden vectors.
fn section(name: &str) -> Value {
    let file = include_str!("../../../tests/vectors/minkms.json");
    let mut vectors: Value = serde_json::from_str(file).unwrap();
    vectors[name].take()
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}
