use std::net::SocketAddr;
use std::sync::Arc;
use std::{io, mem};

use http::header::{ACCEPT, CONTENT_LENGTH};
use http::{HeaderValue, Method, Request, Response};
use hyper::body::{Body as _, Incoming};
use keystead_http::{
    Body, Connection, Handler, HttpError, Match, bad_request, not_found, redirect,
};
use keystead_observe::{ErrorEvent, ErrorLog, Level, RequestAttributes};
use keystead_wire_kes::{Api, ApiError};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::authorise::{authorise, refused};
use crate::call::Call;
use crate::caller::Caller;
use crate::record::Record;
use crate::server::Shared;
use crate::{identity, key, log, policy, status};

/// Leads every request through the checks, in the order of the protocol, to its
/// operation (KES protocol, section 3.1).
#[derive(Clone)]
pub(crate) struct Dispatch(pub(crate) Arc<Shared>);

// === impl Dispatch ===

impl Handler for Dispatch {
    async fn handle(
        &self,
        connection: &Arc<Connection>,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let shared = &*self.0;
        let state = shared.state.load();
        let began = Instant::now();
        let (head, body) = request.into_parts();

        let mut caller = Caller::direct(connection);
        let followed = match &state.proxy {
            Some(rules) => caller.follow(rules, &head.headers),
            None => Ok(()),
        };
        let matched = state.routes.find(head.uri.path());
        let path = match &matched {
            Match::Found(found) => &found.path,
            _ => head.uri.path(),
        };
        let attributes = RequestAttributes {
            method: &head.method,
            path,
            ip: Some(caller.ip),
            identity: caller.identity(),
        };
        let mut record = Record::new(shared, attributes, began);

        let answer = match (followed, &matched) {
            (Err(error), _) => {
                let event = refused(&error.external).request(&attributes);
                shared.error_log.record(event);
                Err(error)
            }
            (Ok(()), Match::Found(found)) => {
                let call = Call {
                    shared,
                    state: &state,
                    route: found.route,
                    caller: &caller,
                    attributes,
                    headers: &head.headers,
                    resource: found.resource(),
                    deadline: began + found.route.timeout,
                };
                serve(call, body, &mut record).await
            }
            (Ok(()), Match::Moved(path)) => Ok(redirect(&head.method, path, head.uri.query())),
            (Ok(()), Match::NotFound) => Ok(not_found()),
            (Ok(()), Match::Malformed) => Ok(bad_request()),
        };
        let mut response = answer.unwrap_or_else(|error| {
            note(&shared.error_log, &error, &attributes);
            refusal(error, state.historic_errors)
        });
        if head.method == Method::HEAD {
            drop_body(&mut response);
        }
        record.answered(response.status());
        response
    }

    fn handshake_failed(&self, peer: SocketAddr, error: &io::Error) {
        self.0.error_log.record(
            ErrorEvent::new(Level::INFO, "TLS handshake failed")
                .attribute("req.ip", peer.ip().to_canonical())
                .error(error),
        );
    }
}

/// What is the same for all operations, and then the operation.
async fn serve(call: Call<'_>, body: Incoming, record: &mut Record<'_>) -> Answer {
    if !call.route.is_audited() {
        record.skip_audit();
    }
    let endpoint = call.route.endpoint;
    if !endpoint.accepts(call.attributes.method) {
        return wrong_method(&call);
    }
    authorise(&call)?;
    if call.route.is_counted() {
        record.count();
    }
    match endpoint.api {
        Api::Version => status::version(call),
        Api::Ready => status::ready(call).await,
        Api::Status => status::status(call).await,
        Api::Metrics => status::metrics(call),
        Api::ListApis => status::apis(call),
        Api::CreateKey => key::create(call).await,
        Api::ImportKey => key::import(call, body).await,
        Api::DescribeKey => key::describe(call).await,
        Api::ListKeys => key::list(call).await,
        Api::DeleteKey => key::delete(call).await,
        Api::Generate => key::generate(call, body).await,
        Api::Encrypt => key::encrypt(call, body).await,
        Api::Decrypt => key::decrypt(call, body).await,
        Api::BulkDecrypt => key::bulk_decrypt(call, body).await,
        Api::Hmac => key::hmac(call, body).await,
        Api::DescribePolicy => policy::describe(call),
        Api::ReadPolicy => policy::read(call),
        Api::ListPolicies => policy::list(call),
        Api::DescribeIdentity => identity::describe(call),
        Api::ListIdentities => identity::list(call),
        Api::DescribeSelf => identity::describe_self(call),
        Api::ErrorLog => log::stream(call, call.shared.error_log.subscribe()),
        Api::AuditLog => log::stream(call, call.shared.audit_log.subscribe()),
        _ => Ok(not_found()),
    }
}

/// 405, with the expected method in a header that the protocol calls `Accept`.
fn wrong_method(call: &Call<'_>) -> Answer {
    let expected = &call.route.endpoint.method;
    let error = ApiError::method_not_allowed(call.attributes.method, expected);
    let mut response = HttpError::from(error).into_response();
    if let Ok(expected) = HeaderValue::from_str(expected.as_str()) {
        response.headers_mut().insert(ACCEPT, expected);
    }
    Ok(response)
}

/// Keeps of the body only its length: over HTTP/2 nobody else does that for `HEAD`.
fn drop_body(response: &mut Response<Body>) {
    let body = mem::replace(response.body_mut(), Body::empty());
    if let Some(length) = body.size_hint().exact() {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
}

/// The answer to a request that failed or was refused.
fn refusal(error: HttpError, historic: bool) -> Response<Body> {
    if !historic {
        return error.into_response();
    }
    let error = ApiError {
        status: error.status,
        message: error.external,
    };
    HttpError::from(error.historic()).into_response()
}

/// Writes a failure of the server, or what a client did wrong, to the error log.
fn note(log: &ErrorLog, error: &HttpError, request: &RequestAttributes<'_>) {
    let (level, message) = if error.status.is_server_error() {
        (Level::ERROR, "request failed")
    } else {
        (Level::DEBUG, "invalid request")
    };
    if let Some(cause) = &error.internal
        && log.enabled(level)
    {
        log.record(
            ErrorEvent::new(level, message)
                .attribute("res.code", error.status.as_u16())
                .attribute("res.message", &error.external)
                .error(cause.as_ref())
                .request(request),
        );
    }
}

#[cfg(test)]
mod tests;
