mod calls;
mod failures;
mod proxy;
mod server;

use std::sync::Arc;

use keystead_tls::Trust;

use self::server::{Server, Zeros, tls};
use crate::Client;
use crate::transport::Transport;

/// A client without proxy, whose pauses are the shortest.
fn client(endpoints: &[String], trust: Trust) -> Client {
    let transport = Transport::with_proxy(tls(trust), None).unwrap();
    Client::with_transport(endpoints, transport, Arc::new(Zeros)).unwrap()
}

fn client_of(server: &Server) -> Client {
    client(&[server.url()], Trust::Insecure)
}
