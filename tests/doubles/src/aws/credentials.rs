use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::AwsKeys;
use crate::{Authority, Server, Tls};

/// What the two services share that give credentials to programs on Amazon's machines.
#[derive(Clone)]
pub struct AwsCredentialService(Arc<Mutex<Given>>);

struct Given {
    keys: AwsKeys,
    life: SignedDuration,
}

// === impl AwsCredentialService ===

impl AwsCredentialService {
    /// The path under which a container asks.
    pub const CONTAINER_PATH: &str = "/v2/credentials/kes";

    /// What a container has to show.
    pub const CONTAINER_TOKEN: &str = "container-t0ken";

    /// Gives these keys; they can be used for `life`.
    #[must_use]
    pub fn new(keys: AwsKeys, life: SignedDuration) -> Self {
        Self(Arc::new(Mutex::new(Given { keys, life })))
    }

    /// Gives other keys from now on.
    pub fn give(&self, keys: AwsKeys) {
        self.given().keys = keys;
    }

    /// Starts it: the metadata service of EC2, version 2, and the credentials of a
    /// container at [`AwsCredentialService::CONTAINER_PATH`].
    ///
    /// # Errors
    ///
    /// If it cannot start.
    pub async fn start(&self, authority: &Authority) -> Result<Server> {
        let service = self.clone();
        let answer = move |request: &Request<Bytes>| service.answer(request);
        Server::start(authority, Tls::Off, answer).await
    }

    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
        let header = |name: &str| request.headers().get(name)?.to_str().ok();
        let given = self.given();
        let (status, body) = match (request.method(), request.uri().path()) {
            (&Method::PUT, "/latest/api/token") => {
                match header("x-aws-ec2-metadata-token-ttl-seconds") {
                    Some(_) => (200, "metadata-t0ken".to_owned()),
                    None => (400, String::new()),
                }
            }
            (&Method::GET, path) if path.starts_with("/latest/") => {
                if header("x-aws-ec2-metadata-token") != Some("metadata-t0ken") {
                    (401, String::new())
                } else if path == ROLES {
                    (200, "kes".to_owned())
                } else if path.strip_prefix(ROLES) == Some("kes") {
                    (200, given.document())
                } else {
                    (404, String::new())
                }
            }
            (&Method::GET, Self::CONTAINER_PATH) => {
                if header("authorization") == Some(Self::CONTAINER_TOKEN) {
                    (200, given.document())
                } else {
                    (403, String::new())
                }
            }
            _ => (404, String::new()),
        };
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        if let Some(ttl) = header("x-aws-ec2-metadata-token-ttl-seconds")
            && let Ok(ttl) = ttl.parse()
        {
            let headers = response.headers_mut();
            headers.insert("x-aws-ec2-metadata-token-ttl-seconds", ttl);
        }
        response
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Given ===

impl Given {
    fn document(&self) -> String {
        let now = Timestamp::now();
        let second = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        json!({
            "Code": "Success",
            "LastUpdated": second(now),
            "Type": "AWS-HMAC",
            "AccessKeyId": self.keys.access_key,
            "SecretAccessKey": self.keys.secret_key,
            "Token": self.keys.token,
            "Expiration": second(now + self.life),
        })
        .to_string()
    }
}
