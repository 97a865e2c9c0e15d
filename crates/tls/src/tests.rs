//! Handshakes are done in memory, bytes handed from one end to the other.

mod certificates;
mod client;
mod handshake;
mod keys;
mod openssl;
mod peer;
mod proxy;
mod server;
mod watch;
