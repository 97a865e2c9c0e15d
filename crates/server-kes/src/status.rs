//! Version, readiness, status, metrics and the list of APIs (KES protocol,
//! section 3.6).

use http::{HeaderValue, StatusCode};
use keystead_http::{Body, HttpError};
use keystead_keystore::Error as StoreError;
use keystead_observe::{CONTENT_TYPE, ProcessFigures, arch_name, os_name};
use keystead_wire_kes::{ApiError, Status, Version};

use crate::answer::{self, Answer};
use crate::call::Call;

pub(crate) fn version(call: Call<'_>) -> Answer {
    let build = &call.shared.build;
    answer::json(
        Version {
            version: build.version.clone(),
            commit: build.commit.clone(),
        }
        .encode(),
    )
}

pub(crate) async fn ready(call: Call<'_>) -> Answer {
    match call.wait(call.state.keys.cache.status()).await {
        Ok(_) => answer::empty(),
        Err(error @ StoreError::Unreachable(_)) => {
            Err(HttpError::from(ApiError::KEY_STORE_UNREACHABLE).because(error))
        }
        Err(error) => Err(HttpError::from(ApiError::KEY_STORE_UNAVAILABLE).because(error)),
    }
}

pub(crate) async fn status(call: Call<'_>) -> Answer {
    let cache = &call.state.keys.cache;
    let latency = call.wait(cache.status()).await.ok();
    let figures = ProcessFigures::read();
    let processors = u32::try_from(figures.processors).unwrap_or(u32::MAX);
    let build = &call.shared.build;
    answer::json(
        Status {
            version: build.version.clone(),
            os: os_name().to_owned(),
            arch: arch_name().to_owned(),
            uptime: call.shared.metrics.up_time().as_secs(),
            num_cpu: processors,
            num_cpu_used: processors,
            mem_heap_used: figures.heap_bytes,
            mem_stack_used: figures.stack_bytes,
            keystore_latency: latency.map(|latency| {
                u64::try_from(latency.as_millis())
                    .unwrap_or(u64::MAX)
                    .max(1)
            }),
            keystore_unreachable: latency.is_none(),
            // Sent by no release since 2023-11-09 (decision D20).
            keystore_unavailable: false,
            serving_from_cache_since: match latency {
                None => cache.offline_since(),
                Some(_) => None,
            },
        }
        .encode(),
    )
}

pub(crate) fn metrics(call: Call<'_>) -> Answer {
    let text = call.shared.metrics.encode().map_err(|error| {
        HttpError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "failed to encode metrics",
        )
        .because(error)
    })?;
    answer::with_type(HeaderValue::from_static(CONTENT_TYPE), Body::full(text))
}

pub(crate) fn apis(call: Call<'_>) -> Answer {
    answer::json(call.state.apis.clone())
}
