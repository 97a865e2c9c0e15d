//! The accept loop.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use keystead_tls::TlsSlot;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::session::Sessions;
use crate::{Handler, Limits};

/// Pause after a failed accept, most likely for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound socket that serves an API over TLS.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    /// Binds `address`; port 0 picks a free one. From here on clients can connect, and wait.
    ///
    /// # Errors
    ///
    /// What the operating system says, for example that the port is taken.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await?;
        let address = socket.local_addr()?;
        Ok(Self { socket, address })
    }

    /// The address it is bound to.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is cancelled; then stops accepting, lets running requests end
    /// within [`Limits::drain`], cuts the rest and returns.
    ///
    /// Every connection takes what `tls` holds when it is accepted; replacing that leaves
    /// open connections alone.
    pub async fn serve<H: Handler>(
        self,
        tls: Arc<TlsSlot>,
        handler: H,
        limits: Limits,
        shutdown: CancellationToken,
    ) {
        let permits = limits
            .connections
            .map(|most| Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))));
        let sessions = Arc::new(Sessions::new(handler, limits, shutdown.clone()));
        let tasks = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                accepted = self.accept(permits.as_ref()) => accepted,
            };
            match accepted {
                Ok((socket, peer, permit)) => {
                    let sessions = Arc::clone(&sessions);
                    let tls = Arc::clone(&tls.current().config);
                    tasks.spawn(async move {
                        sessions.run(socket, peer, tls).await;
                        drop(permit);
                    });
                }
                // The peer gave up while it waited.
                Err(error) if is_of_peer(&error) => {}
                Err(_) => sleep(ACCEPT_PAUSE).await,
            }
        }
        drop(self.socket);
        tasks.close();
        tasks.wait().await;
    }

    async fn accept(
        &self,
        permits: Option<&Arc<Semaphore>>,
    ) -> io::Result<(TcpStream, SocketAddr, Option<OwnedSemaphorePermit>)> {
        let permit = match permits {
            Some(permits) => Arc::clone(permits).acquire_owned().await.ok(),
            None => None,
        };
        let (socket, peer) = self.socket.accept().await?;
        Ok((socket, peer, permit))
    }
}

fn is_of_peer(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}
