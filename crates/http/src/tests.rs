//! Time-outs are tested on in-memory streams, where a paused clock is exact; sockets and TLS
//! only where they matter.

mod answer;
mod body;
mod handlers;
mod listener;
mod router;
mod session;
