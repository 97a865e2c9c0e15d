//! Against the double, which knows signatures and rights, and against moto.

mod contract;
mod credentials;
mod faults;
mod values;

use std::io;
use std::time::Duration;

use http::StatusCode;
use keystead_config::SecretSource;
use keystead_config::kes::{AwsCredentials, AwsSecretsManagerConfig};
use keystead_crypto::Secret;
use keystead_doubles::{Authority, Aws, AwsKeys, AwsSettings, Fault, Server, Tls};
use keystead_observe::{Level, Telemetry};
use keystead_rest::Limits;

use super::AwsStore;
use crate::Error;

/// A double of the service with what it takes to reach it.
struct World {
    aws: Aws,
    endpoint: Server,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new(AwsSettings::default());
        let authority = Authority::new().unwrap();
        let endpoint = aws.endpoint(&authority, Tls::Off).await.unwrap();
        Self { aws, endpoint }
    }

    fn config(&self) -> AwsSecretsManagerConfig {
        let AwsSettings { region, keys, .. } = self.aws.settings();
        config(self.endpoint.url(), &region, &keys)
    }

    async fn store(&self) -> AwsStore {
        open(&self.config()).await.unwrap()
    }

    /// A store that does not wait for long.
    async fn hasty(&self) -> AwsStore {
        let limits = Limits {
            attempt: Duration::from_millis(300),
            call: Duration::from_secs(1),
        };
        AwsStore::with(&self.config(), telemetry(), limits)
            .await
            .unwrap()
    }

    fn plan(&self, times: usize, action: &str, fault: Fault) {
        self.endpoint.faults().plan(times, action, fault);
    }

    /// The actions since the last call.
    fn actions(&self) -> Vec<String> {
        let requests = self.endpoint.journal().take();
        let target = |request: &http::Request<_>| {
            let target = request.headers().get("x-amz-target")?.to_str().ok()?;
            Some(target.replace("secretsmanager.", ""))
        };
        requests.iter().filter_map(target).collect()
    }
}

async fn open(config: &AwsSecretsManagerConfig) -> Result<AwsStore, Error> {
    AwsStore::open(config, telemetry()).await
}

fn telemetry() -> Telemetry {
    Telemetry::new(Level::DEBUG, io::sink()).unwrap()
}

fn secret(text: &str) -> SecretSource {
    SecretSource::Value(Secret::new(text.to_owned()))
}

fn config(endpoint: String, region: &str, keys: &AwsKeys) -> AwsSecretsManagerConfig {
    AwsSecretsManagerConfig {
        endpoint,
        region: region.to_owned(),
        kms_key: None,
        credentials: Some(AwsCredentials {
            access_key: keys.access_key.clone(),
            secret_key: secret(&keys.secret_key),
            token: keys.token.as_deref().map(secret),
        }),
    }
}

/// An error of the service.
fn refusal(status: u16, kind: &str, message: &str) -> Fault {
    let body = format!(r#"{{"__type":"{kind}","message":"{message}"}}"#);
    let status = StatusCode::from_u16(status).unwrap();
    Fault::Page(status, "application/x-amz-json-1.1", body)
}

/// An error with its causes, as the log has them.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if !text.ends_with(&cause.to_string()) {
            text = format!("{text}: {cause}");
        }
        source = cause.source();
    }
    text
}
