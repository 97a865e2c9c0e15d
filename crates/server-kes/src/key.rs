//! The key API (KES protocol, section 3.6).

use std::sync::Arc;

use http::header::CONTENT_TYPE;
use hyper::body::{Body as _, Incoming};
use keystead_crypto::StoredKey;
use keystead_http::HttpError;
use keystead_wire_kes::{
    ApiError, BulkDecryptRequest, BulkDecryptResponse, DecryptRequest, DecryptResponse,
    EncryptRequest, EncryptResponse, GenerateRequest, GenerateResponse, HmacRequest, HmacResponse,
    ImportRequest, ListPattern, NamePage, Subject,
};
use zeroize::Zeroizing;

use crate::answer::{self, Answer};
use crate::call::Call;
use crate::failure;
use crate::new_key::{self, description};

pub(crate) async fn create(call: Call<'_>) -> Answer {
    let name = call.name(Subject::Key)?;
    let key = new_key::generated(&*call.shared.random, creator(&call))?;
    store(&call, name, &key).await
}

pub(crate) async fn import(call: Call<'_>, body: Incoming) -> Answer {
    let name = call.name(Subject::Key)?;
    let body = call.read(body, ApiError::INVALID_IMPORT_BODY).await?;
    let request = ImportRequest::decode(&body)?;
    let key = new_key::imported(&request, &*call.shared.random, creator(&call))?;
    store(&call, name, &key).await
}

pub(crate) async fn describe(call: Call<'_>) -> Answer {
    let name = call.name(Subject::Key)?;
    let key = read(&call, name).await?;
    answer::json(description(name, &key).encode())
}

pub(crate) async fn list(call: Call<'_>) -> Answer {
    let pattern =
        ListPattern::parse(call.resource).map_err(|_| ApiError::invalid_pattern(call.resource))?;
    let start = pattern.start().map_or("", |name| name.as_str());
    let names = call
        .wait(
            call.state
                .keys
                .cache
                .list(pattern.prefix(), start, NamePage::MAX_NAMES),
        )
        .await
        .map_err(failure::of_list)?;
    answer::json(NamePage::of_keys(&pattern, names).encode(Subject::Key))
}

pub(crate) async fn delete(call: Call<'_>) -> Answer {
    let name = call.name(Subject::Key)?;
    call.wait(call.state.keys.cache.delete(name))
        .await
        .map_err(failure::of_delete)?;
    answer::empty()
}

pub(crate) async fn generate(call: Call<'_>, body: Incoming) -> Answer {
    let decode = match lost_on_the_way(&call, &body) {
        false => GenerateRequest::decode,
        true => |body: &[u8]| match body {
            [] => Err(ApiError::INVALID_BODY),
            body => GenerateRequest::decode(body),
        },
    };
    let (key, request) = prepare(&call, body, decode).await?;

    let (plaintext, ciphertext) = key
        .data_key(&*call.shared.random, &request.context)
        .map_err(|error| HttpError::from(ApiError::GENERATE_KEY_FAILED).because(error))?;
    answer::json(GenerateResponse::encode(plaintext.as_slice(), &ciphertext))
}

pub(crate) async fn encrypt(call: Call<'_>, body: Incoming) -> Answer {
    let (key, request) = prepare(&call, body, EncryptRequest::decode).await?;
    let ciphertext = key
        .seal(&*call.shared.random, &request.plaintext, &request.context)
        .map_err(|error| HttpError::from(ApiError::ENCRYPT_FAILED).because(error))?;
    answer::json(EncryptResponse::encode(&ciphertext))
}

pub(crate) async fn decrypt(call: Call<'_>, body: Incoming) -> Answer {
    let (key, request) = prepare(&call, body, DecryptRequest::decode).await?;
    let plaintext = open(&key, &request)?;
    answer::json(DecryptResponse::encode(&plaintext))
}

pub(crate) async fn bulk_decrypt(call: Call<'_>, body: Incoming) -> Answer {
    let (key, request) = prepare(&call, body, BulkDecryptRequest::decode).await?;
    let plaintexts = request
        .items
        .iter()
        .map(|item| open(&key, item))
        .collect::<Result<Vec<_>, _>>()?;
    answer::json(BulkDecryptResponse::encode(&plaintexts))
}

pub(crate) async fn hmac(call: Call<'_>, body: Incoming) -> Answer {
    let (key, request) = prepare(&call, body, HmacRequest::decode).await?;
    let hmac = key
        .hmac(&request.message)
        .map_err(|_| ApiError::NO_HMAC_KEY)?;
    answer::json(HmacResponse::encode(Zeroizing::new(hmac).as_slice()))
}

/// Who a new key is made by.
fn creator<'a>(call: &Call<'a>) -> &'a str {
    call.caller
        .identity()
        .map_or("", |identity| identity.as_str())
}

/// Gives a new key to the key store.
async fn store(call: &Call<'_>, name: &str, key: &StoredKey) -> Answer {
    let cache = &call.state.keys.cache;
    match call.wait(cache.create(name, key)).await {
        Ok(()) => answer::empty(),
        // The cache says so when the key store fails, but not when the time is up
        // (decision D11).
        Err(_) if cache.is_cached(name) => Err(ApiError::KEY_EXISTS.into()),
        Err(error) => Err(failure::of_create(error)),
    }
}

/// Whether an empty body would be one that was lost: JSON of unknown length.
///
/// The official client turns to its next server with the head of the request and without
/// its body. A data key made for the empty context would be handed out, and could never
/// be opened with the context that was meant.
fn lost_on_the_way(call: &Call<'_>, body: &Incoming) -> bool {
    body.size_hint().exact().is_none() && call.headers.contains_key(CONTENT_TYPE)
}

/// Name, body and key of an operation, in the order in which they are judged.
async fn prepare<R>(
    call: &Call<'_>,
    body: Incoming,
    decode: fn(&[u8]) -> Result<R, ApiError>,
) -> Result<(Arc<StoredKey>, R), HttpError> {
    let name = call.name(Subject::Key)?;
    let body = call.read(body, ApiError::INVALID_BODY).await?;
    let request = decode(&body)?;
    let key = read(call, name).await?;
    Ok((key, request))
}

/// The key of this name; does not wait if it is cached.
async fn read(call: &Call<'_>, name: &str) -> Result<Arc<StoredKey>, HttpError> {
    let cache = &call.state.keys.cache;
    if let Some(key) = cache.lookup(name) {
        return Ok(key);
    }
    call.wait(cache.fetch(name)).await.map_err(failure::of_read)
}

fn open(key: &StoredKey, request: &DecryptRequest) -> Result<Zeroizing<Vec<u8>>, ApiError> {
    key.open(&request.ciphertext, &request.context)
        .map_err(|_| ApiError::NOT_AUTHENTIC)
}
