use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::{Answer, Asked};

/// What the token endpoint knows of the user (`gcloud auth application-default login`).
const USER: [(&str, &str); 3] = [
    ("client_id", "764086051850.apps.googleusercontent.com"),
    ("client_secret", "d-FL95Q19q7MQmFpd7hHD0Ty"),
    ("refresh_token", "1//0g-refresh-token"),
];

/// The token of another identity provider that federation accepts.
pub(super) const SUBJECT_TOKEN: &str = "subject-token-of-the-workload";

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The JSON file of application default credentials for the user, with the token
/// endpoint of the server at `url`.
pub(super) fn user_file(url: &str) -> String {
    let mut file = Map::from_iter(USER.map(|(name, value)| (name.to_owned(), value.into())));
    file.insert("type".into(), "authorized_user".into());
    file.insert("token_uri".into(), format!("{url}/token").into());
    Value::from(file).to_string()
}

/// The same for a workload, whose token of another provider is the content of a file.
pub(super) fn workload_file(url: &str, subject_token: &Path) -> String {
    json!({
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/482913337105/locations/global/\
                     workloadIdentityPools/pool/providers/provider",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{url}/v1/token"),
        "credential_source": {"file": subject_token},
    })
    .to_string()
}

/// The tokens that were given out and are valid.
#[derive(Default)]
pub(super) struct Tokens {
    valid: BTreeMap<String, Instant>,
    given: usize,
}

// === impl Tokens ===

impl Tokens {
    pub(super) fn revoke(&mut self) {
        self.valid.clear();
    }

    pub(super) fn is_valid(&self, token: &str) -> bool {
        self.valid
            .get(token)
            .is_some_and(|&end| Instant::now() < end)
    }

    /// `POST` to the token endpoint of OAuth 2.0, for a user, with a form or in JSON.
    pub(super) fn refresh(&mut self, asked: &Asked<'_>, life: Duration) -> Answer {
        let json = asked.json();
        let parameter = |name: &str| match &json {
            Some(json) => json.get(name)?.as_str().map(str::to_owned),
            None => asked.form(name),
        };
        if parameter("grant_type").as_deref() != Some("refresh_token") {
            return Err(Failure::OAuth(
                "unsupported_grant_type",
                "Invalid grant_type",
            ));
        }
        for (name, value) in USER {
            if parameter(name).as_deref() != Some(value) {
                return Err(Failure::OAuth("invalid_grant", "Bad Request"));
            }
        }
        Ok(self.give(life))
    }

    /// `POST` to the token endpoint of workload identity federation (RFC 8693).
    pub(super) fn exchange(&mut self, asked: &Asked<'_>, life: Duration) -> Answer {
        let is = |name: &str, value: &str| asked.form(name).as_deref() == Some(value);
        if !is("grant_type", TOKEN_EXCHANGE) || !is("requested_token_type", ACCESS_TOKEN) {
            return Err(Failure::OAuth(
                "unsupported_grant_type",
                "Invalid grant_type",
            ));
        }
        if asked.form("audience").is_none() || asked.form("scope").is_none() {
            return Err(Failure::OAuth("invalid_request", "Missing parameter"));
        }
        if !is("subject_token", SUBJECT_TOKEN) {
            return Err(Failure::OAuth(
                "invalid_grant",
                "The subject token is invalid",
            ));
        }
        let mut token = self.give(life);
        if let Some(token) = token.as_object_mut() {
            token.insert("issued_token_type".into(), ACCESS_TOKEN.into());
        }
        Ok(token)
    }

    /// `GET` of a token from the metadata server.
    pub(super) fn of_machine(&mut self, asked: &Asked<'_>, life: Duration) -> Answer {
        if asked.header("metadata-flavor") != Some("Google") {
            return Err(Failure::denied("Missing Metadata-Flavor:Google header."));
        }
        Ok(self.give(life))
    }

    fn give(&mut self, life: Duration) -> Value {
        self.given += 1;
        let token = format!("ya29.token-{}", self.given);
        self.valid.insert(token.clone(), Instant::now() + life);
        json!({"access_token": token, "expires_in": life.as_secs(), "token_type": "Bearer"})
    }
}
