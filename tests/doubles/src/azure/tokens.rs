use std::collections::HashMap;

use bytes::Bytes;
use http::{Method, Request, header};
use jiff::Timestamp;
use reqwest::Url;
use serde_json::json;

use super::failure::{Answer, Failure, respond};
use super::settings::AzureSettings;

/// Whom tokens are for.
const RESOURCE: &str = "https://vault.azure.net";

/// Where the challenge of the vault sends a client.
const AUTHORITY: &str = "https://login.microsoftonline.com";

/// Tokens that were given out.
#[derive(Default)]
pub(super) struct Tokens {
    ends: HashMap<String, Timestamp>,
    issued: Vec<String>,
}

// === impl Tokens ===

impl Tokens {
    pub(super) fn revoke(&mut self) {
        self.ends.clear();
    }

    pub(super) fn issued(&self) -> &[String] {
        &self.issued
    }

    /// Lets a request to the vault pass, or challenges it.
    pub(super) fn check(
        &self,
        request: &Request<Bytes>,
        settings: &AzureSettings,
    ) -> Result<(), Failure> {
        let authorization = request.headers().get(header::AUTHORIZATION);
        let token = authorization
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "));
        let challenge = |message| {
            let tenant = &settings.tenant_id;
            let challenge =
                format!("Bearer authorization=\"{AUTHORITY}/{tenant}\", resource=\"{RESOURCE}\"");
            Failure::vault(401, "Unauthorized", message, None)
                .with(header::WWW_AUTHENTICATE, &challenge)
        };
        match token.map(|token| self.ends.get(token)) {
            None => Err(challenge(
                "AKV10000: Request is missing a Bearer or PoP token.",
            )),
            Some(None) => Err(challenge("AKV10032: Invalid issuer.")),
            Some(Some(end)) if *end <= Timestamp::now() => Err(challenge(
                "AKV10022: Invalid audience or the token has expired.",
            )),
            Some(Some(_)) => Ok(()),
        }
    }

    /// The OAuth 2.0 client credentials flow, with a secret or an assertion.
    pub(super) fn login(&mut self, request: &Request<Bytes>, settings: &AzureSettings) -> Answer {
        let path = format!("/{}/oauth2/v2.0/token", settings.tenant_id);
        if request.method() != Method::POST || !request.uri().path().ends_with("/oauth2/v2.0/token")
        {
            return Err(Failure::metadata(404, "not_found", "no such page"));
        }
        if request.uri().path() != path {
            return Err(Failure::token(
                400,
                "invalid_request",
                90_002,
                "Tenant not found.",
            ));
        }
        let kind = request.headers().get(header::CONTENT_TYPE);
        if kind.is_none_or(|kind| kind != "application/x-www-form-urlencoded") {
            return Err(Failure::token(400, "invalid_request", 900_144, "No form."));
        }
        let body = String::from_utf8_lossy(request.body()).into_owned();
        let form = pairs(&body);
        let is = |key: &str, value: &str| form.get(key).is_some_and(|found| found == value);
        if !is("grant_type", "client_credentials") {
            let message = "The request body must contain the following parameter: 'grant_type'.";
            return Err(Failure::token(400, "invalid_request", 900_144, message));
        }
        if !is("scope", &format!("{RESOURCE}/.default")) {
            let message = "The provided value for scope is not valid.";
            return Err(Failure::token(400, "invalid_scope", 70_011, message));
        }
        if !is("client_id", &settings.client_id) {
            let message = "Application was not found in the directory.";
            return Err(Failure::token(400, "unauthorized_client", 700_016, message));
        }
        let by_assertion = is("client_assertion", &settings.assertion)
            && is(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            );
        if !is("client_secret", &settings.client_secret) && !by_assertion {
            let message = "Invalid client secret provided. Ensure the secret being sent in the \
                           request is the client secret value, not the client secret ID.";
            return Err(Failure::token(401, "invalid_client", 7_000_215, message));
        }
        let token = self.issue(settings);
        let life = settings.token_life.as_secs();
        Ok(respond(
            200,
            &json!({
                "token_type": "Bearer",
                "expires_in": life,
                "ext_expires_in": life,
                "access_token": token,
            }),
        ))
    }

    /// A token for the identity of the machine.
    pub(super) fn metadata(
        &mut self,
        request: &Request<Bytes>,
        settings: &AzureSettings,
    ) -> Answer {
        if request.uri().path() != "/metadata/identity/oauth2/token" {
            return Err(Failure::metadata(404, "not_found", "no such page"));
        }
        let metadata = request.headers().get("metadata");
        if metadata.is_none_or(|value| !value.as_bytes().eq_ignore_ascii_case(b"true"))
            || request.headers().contains_key("x-forwarded-for")
        {
            let message = "Required metadata header not specified";
            return Err(Failure::metadata(400, "bad_request_102", message));
        }
        let query = pairs(request.uri().query().unwrap_or_default());
        let version = query.get("api-version").map(String::as_str);
        if !matches!(version, Some("2018-02-01" | "2019-08-01")) {
            let message = "Invalid api-version";
            return Err(Failure::metadata(400, "invalid_request", message));
        }
        if query.get("resource").is_none_or(|found| found != RESOURCE) {
            let message = "Invalid resource";
            return Err(Failure::metadata(400, "invalid_resource", message));
        }
        let client = query.get("client_id");
        if client.is_some_and(|found| *found != settings.client_id) {
            let message = "Identity not found";
            return Err(Failure::metadata(400, "invalid_request", message));
        }
        let token = self.issue(settings);
        let now = Timestamp::now().as_second();
        let life = i64::try_from(settings.token_life.as_secs()).unwrap_or(i64::MAX);
        Ok(respond(
            200,
            &json!({
                "access_token": token,
                "client_id": settings.client_id,
                "expires_in": life.to_string(),
                "expires_on": (now + life).to_string(),
                "ext_expires_in": life.to_string(),
                "not_before": now.to_string(),
                "resource": RESOURCE,
                "token_type": "Bearer",
            }),
        ))
    }

    fn issue(&mut self, settings: &AzureSettings) -> String {
        let number = self.issued.len() + 1;
        let now = Timestamp::now();
        let token = format!("eyJ0eXAiOiJKV1Qi.{number}.{}", now.as_nanosecond());
        self.ends.insert(token.clone(), now + settings.token_life);
        self.issued.push(token.clone());
        token
    }
}

/// The pairs of a query or a form.
pub(super) fn pairs(text: &str) -> HashMap<String, String> {
    let url = format!("http://localhost/?{text}");
    let Ok(url) = url.parse::<Url>() else {
        return HashMap::new();
    };
    url.query_pairs().into_owned().collect()
}
