//! What happens when the time is up, on a paused clock: the connections are pipes in
//! memory, so nothing but timers makes time pass.

use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Body as HttpBody;
use hyper::{client, server, service::service_fn};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use keystead_config::kes::{Overrides, ServerConfig};
use keystead_crypto::SystemRandom;
use keystead_identity::Identity;
use keystead_observe::{AuditLog, ErrorLog, Metrics};
use tokio::io::duplex;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::Build;
use crate::keys::Stores;
use crate::state::State;

#[expect(dead_code, reason = "shared with the tests over TLS")]
#[path = "../../tests/api/support/store.rs"]
mod store;

use store::{FaultStore, Health};

const ADMIN: &str = "3ecfcdf38fcbe141ae26a1030f81e96b753365a46760ae6b578698a97c59fd22";

struct Bench {
    dispatch: Dispatch,
    store: Arc<FaultStore>,
    /// Keeps the probes of the key store running.
    _stores: Stores,
}

/// A body that never ends.
struct Endless;

// === impl Bench ===

impl Bench {
    fn new(more: &str) -> Self {
        let config = config(more);
        let metrics = Arc::new(Metrics::new().unwrap());
        let error_log = ErrorLog::new(Level::INFO, io::sink(), Timestamp::now, &metrics);
        let error_log = Arc::new(error_log.unwrap());
        let audit_log = AuditLog::new(Level::INFO, io::sink(), Arc::clone(&error_log), &metrics);
        let stores = Stores::new(Arc::clone(&metrics), Arc::clone(&error_log));
        let store = Arc::new(FaultStore::default());
        let keys = stores.open(store.clone(), config.cache);
        let tls = keystead_tls::self_signed_dev(&[], Timestamp::now()).unwrap();
        let shared = Shared {
            state: ArcSwap::from_pointee(State::new(&config, keys, &tls).unwrap()),
            build: Build {
                version: String::new(),
                commit: String::new(),
            },
            random: Arc::new(SystemRandom),
            metrics,
            error_log,
            audit_log: Arc::new(audit_log.unwrap()),
            started_at: Timestamp::now(),
            stop: CancellationToken::new(),
        };
        Self {
            dispatch: Dispatch(Arc::new(shared)),
            store,
            _stores: stores,
        }
    }

    /// Sends a request as the admin; status, body and the time it took.
    async fn call<B>(&self, method: Method, path: &str, body: B) -> (u16, String, Duration)
    where
        B: HttpBody<Data = Bytes, Error = std::convert::Infallible> + Send + 'static,
    {
        let address = "127.0.0.1:7373".parse().unwrap();
        let connection = Connection::new(address, address, Ok(Identity::from(ADMIN)));
        let connection = Arc::new(connection);
        let dispatch = self.dispatch.clone();
        let (near, far) = duplex(1 << 20);
        let service = service_fn(move |request| {
            let (dispatch, connection) = (dispatch.clone(), Arc::clone(&connection));
            async move { Ok::<_, std::convert::Infallible>(dispatch.handle(&connection, request).await) }
        });
        let serve =
            server::conn::http1::Builder::new().serve_connection(TokioIo::new(far), service);
        tokio::spawn(serve);
        let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(near))
            .await
            .unwrap();
        tokio::spawn(connection);
        let request = Request::builder().method(method).uri(path).body(body);

        let began = Instant::now();
        let response = sender.send_request(request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8(body.to_vec()).unwrap();
        (status, body, began.elapsed())
    }

    async fn put(&self, path: &str, body: &'static str) -> (u16, String, Duration) {
        self.call(Method::PUT, path, Full::from(body)).await
    }

    async fn get(&self, path: &str) -> (u16, String, Duration) {
        self.call(Method::GET, path, Empty::new()).await
    }
}

impl HttpBody for Endless {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<hyper::body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Pending
    }
}

fn config(more: &str) -> ServerConfig {
    let text = format!(
        "admin: {{ identity: {ADMIN} }}\n\
         tls: {{ key: none, cert: none }}\n\
         keystore: {{ fs: {{ path: none }} }}\n\
         {more}\n"
    );
    let loaded = ServerConfig::parse(&text, "", &|_: &str| None, &Overrides::default());
    loaded.unwrap().config
}

fn error(status: u16, message: &str, seconds: u64) -> (u16, String, Duration) {
    let body = format!("{{\"message\":\"{message}\"\n}}");
    (status, body, Duration::from_secs(seconds))
}

#[tokio::test(start_paused = true)]
async fn a_key_store_that_hangs_is_given_up_when_the_time_is_up() {
    let bench = Bench::new("api: { /v1/key/delete/: { timeout: 3s } }");
    bench.put("/v1/key/create/warm", "").await;
    bench.put("/v1/key/generate/warm", "").await;
    bench.store.turn(Health::Hanging);

    let import = r#"{"bytes":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}"#;
    for (path, body, message) in [
        ("/v1/key/create/cold", "", "failed to create key"),
        ("/v1/key/import/cold", import, "failed to create key"),
        ("/v1/key/generate/cold", "", "failed to read key"),
        ("/v1/key/encrypt/cold", "{}", "failed to read key"),
        ("/v1/key/decrypt/cold", "{}", "failed to read key"),
        ("/v1/key/bulk/decrypt/cold", "[]", "failed to read key"),
        ("/v1/key/hmac/cold", "{}", "failed to read key"),
    ] {
        // Used again and again, or it would leave the cache.
        assert_eq!(bench.put("/v1/key/generate/warm", "").await.0, 200);
        assert_eq!(
            bench.put(path, body).await,
            error(502, message, 15),
            "{path}"
        );
    }
    bench.put("/v1/key/generate/warm", "").await;
    assert_eq!(
        bench.put("/v1/key/create/warm", "").await,
        error(400, "key already exists", 15)
    );
    assert_eq!(
        bench.get("/v1/key/describe/cold").await,
        error(502, "failed to read key", 15)
    );
    assert_eq!(
        bench.get("/v1/key/list").await,
        error(502, "failed to list keys", 15)
    );
    assert_eq!(
        bench
            .call(Method::DELETE, "/v1/key/delete/cold", Empty::new())
            .await,
        error(502, "failed to delete key", 3)
    );
}

#[tokio::test(start_paused = true)]
async fn a_hanging_key_store_is_unreachable_and_offline_after_the_probes() {
    let bench = Bench::new("api: { /v1/status: { timeout: 1s }, /v1/ready: { timeout: 2s } }");
    bench.store.turn(Health::Hanging);
    assert_eq!(
        bench.get("/v1/ready").await,
        error(504, "key store is not reachable", 2)
    );
    let (status, body, time) = bench.get("/v1/status").await;
    assert_eq!((status, time), (200, Duration::from_secs(1)));
    assert!(body.contains("\"keystore_unreachable\":true"), "{body}");

    assert!(!body.contains("serving_from_cache_since"), "{body}");

    sleep(Duration::from_secs(40)).await;
    assert_eq!(
        bench.get("/v1/ready").await,
        error(504, "key store is not reachable", 0)
    );
    let (status, body, time) = bench.get("/v1/status").await;
    assert_eq!((status, time), (200, Duration::ZERO));
    let since = "\"keystore_unreachable\":true,\"serving_from_cache_since\":\"20";
    assert!(body.contains(since), "{body}");

    bench.store.turn(Health::Good);
    sleep(Duration::from_secs(20)).await;
    assert_eq!(
        bench.get("/v1/ready").await,
        (200, String::new(), Duration::ZERO)
    );
    let (_, body, _) = bench.get("/v1/status").await;
    assert!(body.contains("\"uptime\":63,"), "{body}");
    assert!(
        !body.contains("keystore_unreachable") && !body.contains("serving"),
        "{body}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_end_is_given_up_when_the_time_is_up() {
    let bench = Bench::new("");
    for (path, message) in [
        ("/v1/key/generate/k", "failed to read key"),
        ("/v1/key/import/k", "failed to create key"),
    ] {
        assert_eq!(
            bench.call(Method::PUT, path, Endless).await,
            error(502, message, 15)
        );
    }
    // Calls without a body do not wait for one.
    let (status, _, time) = bench.call(Method::PUT, "/v1/key/create/k", Endless).await;
    assert_eq!((status, time), (200, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_start_does_not_wait_for_ever() {
    let bench = Bench::new("");
    bench.store.turn(Health::Hanging);
    let config = config("keys: [ { name: wanted } ]");
    let began = Instant::now();
    let state = bench.dispatch.0.state.load_full();
    let error = state.create_keys(&config, &SystemRandom).await.unwrap_err();
    assert_eq!(began.elapsed(), Duration::from_secs(15));
    assert_eq!(
        error.to_string(),
        "failed to create key 'wanted': key store is not reachable: deadline has elapsed"
    );
}
