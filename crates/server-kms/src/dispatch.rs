use std::net::SocketAddr;
use std::sync::Arc;
use std::{io, mem};

use http::header::CONTENT_LENGTH;
use http::{Method, Request, Response, StatusCode};
use hyper::body::{Body as _, Incoming};
use keystead_http::{Body, Connection, Handler};
use keystead_identity::KmsIdentity;
use keystead_observe::{ErrorEvent, Level};
use keystead_wire_kms::ApiError;
use tokio::time::Instant;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::record::Record;
use crate::route::Route;
use crate::server::Shared;
use crate::{batch, db, debug, health, log, version};

/// Leads every request through the checks to its operation (decision D20).
#[derive(Clone)]
pub(crate) struct Dispatch(pub(crate) Arc<Shared>);

// === impl Dispatch ===

impl Handler for Dispatch {
    async fn handle(
        &self,
        connection: &Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let began = Instant::now();
        let shared = &*self.0;
        let live = shared.live.load();
        let (head, body) = request.into_parts();
        let call = Call {
            shared,
            live: &live,
            head: &head,
            identity: connection.public_key_hash.map(KmsIdentity::from_bytes),
            ip: connection.peer_addr.ip().to_canonical(),
            began,
        };
        let route = Route::find(head.uri.path());
        let mut record = Record::new(&call, route.as_ref().map(Route::api));
        let answer = match &route {
            Some(route) if route.takes(&head.method) => {
                serve(&call, route, body, &mut record).await
            }
            Some(route) => Ok(answer::wrong_method(route.methods(), &head.headers)),
            None => Err(ApiError::new(StatusCode::NOT_FOUND, "path does not exist").into()),
        };
        let mut response = answer.unwrap_or_else(|failure| {
            record.failed(&failure.error);
            call.note(&failure);
            answer::error(&failure.error, &head.headers)
        });
        if head.method == Method::HEAD {
            drop_body(&mut response);
        }
        let length = response.body().size_hint().exact().unwrap_or_default();
        record.answered(response.status().as_u16(), length);
        response
    }

    fn handshake_failed(&self, peer: SocketAddr, error: &io::Error) {
        if self.0.error_log.enabled(Level::DEBUG) {
            self.0.error_log.record(
                ErrorEvent::new(Level::DEBUG, "TLS handshake failed")
                    .attribute("req.ip", peer.ip().to_canonical())
                    .error(error),
            );
        }
    }
}

async fn serve<'a>(
    call: &Call<'a>,
    route: &Route<'_>,
    body: Incoming,
    record: &mut Record<'a>,
) -> Answer {
    if route.is_audited() {
        record.audit(call, route.enclave());
    }
    if matches!(
        route,
        Route::Restart | Route::Profile | Route::Log | Route::Database | Route::Rotate
    ) {
        call.require_root()?;
        record.is_root();
    }
    match route {
        Route::Commands(enclave) => batch::serve(call, enclave.as_deref(), body, record).await,
        Route::Version => version::version(call),
        Route::Live => health::live(),
        Route::Ready => health::ready(call).await,
        Route::Metrics => health::metrics(call),
        Route::Restart => debug::restart(call),
        Route::Profile => debug::profile(call),
        Route::Log => log::stream(call, body).await,
        Route::Database if call.head.method == Method::GET => db::backup(call),
        Route::Database => db::restore(call, body).await,
        Route::Rotate => db::rotate(call).await,
    }
}

/// Keeps of the body only its length: over HTTP/2 nobody else does that for `HEAD`.
fn drop_body(response: &mut Response<Body>) {
    let body = mem::replace(response.body_mut(), Body::empty());
    if let Some(length) = body.size_hint().exact() {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
}
