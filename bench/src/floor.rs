//! The floor server: the same TLS, and a constant for every request.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use keystead_tls::{ClientAuth, ServerSettings};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What a floor server needs.
#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    certificate: PathBuf,
    #[arg(long)]
    key: PathBuf,
    /// Bytes of each answer.
    #[arg(long)]
    size: usize,
}

/// Serves until the process is ended.
pub(crate) async fn serve(options: &Options) -> Result<()> {
    let tls = keystead_tls::server(&ServerSettings {
        certificate: options.certificate.clone(),
        key: options.key.clone(),
        password: None,
        client_auth: ClientAuth {
            required: true,
            verified: false,
        },
        ca: None,
    })?;
    let acceptor = TlsAcceptor::from(tls.config);
    let answer = Bytes::from(vec![b'x'; options.size]);
    let listener = TcpListener::bind(options.address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (acceptor, answer) = (acceptor.clone(), answer.clone());
        tokio::spawn(async move {
            // A connection that fails is the load generator's to report.
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(move |request| respond(request, answer.clone()));
            let server = auto::Builder::new(TokioExecutor::new());
            drop(server.serve_connection(TokioIo::new(stream), service).await);
        });
    }
}

async fn respond(
    request: Request<Incoming>,
    answer: Bytes,
) -> Result<Response<Full<Bytes>>, Infallible> {
    // Reading the body is part of the floor.
    drop(request.into_body().collect().await);
    let mut response = Response::new(Full::new(answer));
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}
