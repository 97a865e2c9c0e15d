mod calls;
mod failures;
mod proxy;
mod server;

use std::sync::Arc;

use hyper_util::client::proxy::matcher::Matcher;
use keystead_tls::Trust;

use self::server::{Server, Zeros, tls};
use crate::Client;
use crate::transport::Transport;

/// A client without proxy, whose pauses are the shortest.
fn client(endpoints: &[String], trust: Trust) -> Client {
    let transport = Transport::new(tls(trust), Matcher::builder().build());
    Client::with_transport(endpoints, transport, Arc::new(Zeros)).unwrap()
}

fn client_of(server: &Server) -> Client {
    client(&[server.url()], Trust::Insecure)
}
