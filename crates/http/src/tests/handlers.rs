//! What the tests serve.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::{Body, Connection, Handler, read_body};

/// Answers by the first segment of the path.
#[derive(Clone, Default)]
pub(crate) struct Sample {
    /// Told when `/wait` has begun.
    pub(crate) begun: Arc<Notify>,
    /// What `handshake_failed` heard.
    pub(crate) refused: Arc<Mutex<Vec<String>>>,
}

impl Handler for Sample {
    async fn handle(
        &self,
        connection: &Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let mut segments = path.split('/').skip(1);
        Response::new(match segments.next().unwrap() {
            "identity" => Body::full(match &connection.identity {
                Ok(identity) => identity.to_string(),
                Err(error) => error.to_string(),
            }),
            "wait" => {
                let seconds = segments.next().unwrap().parse().unwrap();
                self.begun.notify_one();
                sleep(Duration::from_secs(seconds)).await;
                Body::full("waited")
            }
            "large" => Body::full(vec![0; 10_000_000]),
            "stream" => {
                let (sender, body) = Body::stream(1);
                tokio::spawn(async move {
                    loop {
                        sleep(Duration::from_secs(300)).await;
                        if sender.send(Bytes::from_static(b"line\n")).await.is_err() {
                            break;
                        }
                    }
                });
                body
            }
            "length" => {
                let deadline = Instant::now() + Duration::from_secs(15);
                Body::full(
                    match read_body(request.into_body(), 1_000_000, deadline).await {
                        Ok(body) => body.len().to_string(),
                        Err(error) => error.to_string(),
                    },
                )
            }
            _ => Body::full("hello"),
        })
    }

    fn handshake_failed(&self, _: SocketAddr, error: &io::Error) {
        self.refused.lock().unwrap().push(error.to_string());
    }
}
