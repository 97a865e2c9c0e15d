use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::signature::{Authorization, canonical};
use super::{AwsKeys, AwsSettings};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// How far the clock of a client may be off.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The secrets of an account in a region.
pub(crate) struct Service {
    pub(crate) settings: AwsSettings,
    pub(crate) secrets: BTreeMap<String, Stored>,
    requests: usize,
}

/// A secret with the one version it has.
pub(crate) struct Stored {
    pub(crate) content: Content,
    pub(crate) version: String,
    pub(crate) kms_key: Option<String>,
    /// Somebody has deleted it, and can still have it back.
    pub(crate) is_scheduled: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Text(String),
    /// In base64.
    Binary(String),
}

/// An answer that is no success.
struct Failure {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

type Outcome = Result<Value, Failure>;

// === impl Service ===

impl Service {
    pub(crate) fn new(settings: AwsSettings) -> Self {
        Self {
            settings,
            secrets: BTreeMap::new(),
            requests: 0,
        }
    }

    pub(crate) fn answer(&mut self, request: &Request<Bytes>) -> Response<Bytes> {
        self.requests += 1;
        let (status, body) = match self.handle(request) {
            Ok(body) => (StatusCode::OK, body),
            Err(failure) => (failure.status, failure.body()),
        };
        let mut response = Response::new(Bytes::from(body.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            http::HeaderValue::from_static(CONTENT_TYPE),
        );
        headers.insert("x-amzn-requestid", self.requests.into());
        response
    }

    fn handle(&mut self, request: &Request<Bytes>) -> Outcome {
        let text = |name: &str| request.headers().get(name)?.to_str().ok();
        if request.method() != Method::POST || request.uri().path() != "/" {
            return Err(Failure {
                status: StatusCode::NOT_FOUND,
                ..Failure::new("UnknownOperationException", "")
            });
        }
        let target = text("x-amz-target").unwrap_or_default();
        let Some(action) = target.strip_prefix("secretsmanager.") else {
            return Err(Failure::new("UnknownOperationException", ""));
        };
        if text("content-type") != Some(CONTENT_TYPE) {
            return Err(Failure::new("SerializationException", "the content type"));
        }
        self.check_signature(request)?;
        let body: Value = serde_json::from_slice(request.body())
            .map_err(|_| Failure::new("SerializationException", "the body is no JSON"))?;
        let resource = ["Name", "SecretId"]
            .iter()
            .find_map(|key| body.get(key)?.as_str());
        if self.settings.denied.iter().any(|denied| denied == action) {
            return Err(Failure::new(
                "AccessDeniedException",
                format!(
                    "User: arn:aws:iam::123456789012:user/kes is not authorized to perform: \
                     secretsmanager:{action} on resource: {} because no identity-based policy \
                     allows the secretsmanager:{action} action",
                    resource.unwrap_or("*")
                ),
            ));
        }
        match action {
            "CreateSecret" => self.create(&body),
            "GetSecretValue" => self.value(&body),
            "DeleteSecret" => self.delete(&body),
            "ListSecrets" => self.list(&body),
            _ => Err(Failure::new("UnknownOperationException", "")),
        }
    }

    fn check_signature(&self, request: &Request<Bytes>) -> Result<(), Failure> {
        let text = |name: &str| request.headers().get(name)?.to_str().ok();
        let Some(authorization) = text("authorization") else {
            let message = "Missing Authentication Token";
            return Err(Failure::new("MissingAuthenticationTokenException", message));
        };
        let date = text("x-amz-date").unwrap_or_default();
        let Some(parsed) = Authorization::parse(authorization).filter(|_| date.len() == 16) else {
            let message = format!("Authorization header requires more: {authorization}");
            return Err(Failure::new("IncompleteSignatureException", message));
        };
        let invalid = |message: String| Failure::new("InvalidSignatureException", message);
        let AwsKeys {
            access_key,
            secret_key,
            token,
        } = &self.settings.keys;
        let given = text("x-amz-security-token");
        if parsed.access_key != access_key || given != token.as_deref() {
            let message = "The security token included in the request is invalid.";
            return Err(Failure::new("UnrecognizedClientException", message));
        }
        if self.settings.is_expired {
            let message = "The security token included in the request is expired";
            return Err(Failure::new("ExpiredTokenException", message));
        }
        let scope = (parsed.region, parsed.service, parsed.day);
        if scope != (&self.settings.region, "secretsmanager", &date[..8]) {
            return Err(invalid(
                "Credential should be scoped to a valid region.".into(),
            ));
        }
        let signed_at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", date)
            .and_then(|time| time.to_zoned(jiff::tz::TimeZone::UTC))
            .map_err(|_| invalid("the date".into()))?;
        if Timestamp::now().duration_since(signed_at.timestamp()).abs() > SKEW {
            return Err(invalid(format!("Signature expired: {date} is now earlier")));
        }
        if let Some(name) = parsed.unsigned(request) {
            return Err(invalid(format!("'{name}' must be a 'SignedHeader'")));
        }
        let canonical = canonical(request, &parsed.signed)
            .ok_or_else(|| invalid("a signed header is missing".into()))?;
        let string_to_sign = parsed.string_to_sign(&canonical, date);
        if parsed.expected(&string_to_sign, secret_key) != parsed.signature {
            return Err(invalid(format!(
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.\n\nThe Canonical String for this request should have \
                 been\n'{canonical}'\n\nThe String-to-Sign should have been\n'{string_to_sign}'\n"
            )));
        }
        Ok(())
    }

    fn create(&mut self, body: &Value) -> Outcome {
        let name = required(body, "Name")?;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
        if !(1..=512).contains(&name.len()) || !name.chars().all(is_allowed) {
            return Err(Failure::parameter("Invalid name."));
        }
        let version = required(body, "ClientRequestToken")?;
        if !(32..=64).contains(&version.len()) {
            let message = "ClientRequestToken must be 32-64 characters long.";
            return Err(Failure::parameter(message));
        }
        let content = match (body["SecretString"].as_str(), body["SecretBinary"].as_str()) {
            (Some(text), None) if (1..=65_536).contains(&text.len()) => Content::Text(text.into()),
            (None, Some(binary)) if STANDARD.decode(binary).is_ok() => {
                Content::Binary(binary.into())
            }
            _ => return Err(Failure::parameter("the value")),
        };
        let kms_key = body["KmsKeyId"].as_str().map(str::to_owned);
        if let Some(key) = &kms_key
            && !self.settings.kms_keys.contains(key)
        {
            let message = "Access to KMS is not allowed";
            return Err(Failure::new("AccessDeniedException", message));
        }
        match self.secrets.get(name) {
            Some(Stored {
                is_scheduled: true, ..
            }) => {
                return Err(Failure::new(
                    "InvalidRequestException",
                    "You can't create this secret because a secret with this name is already \
                     scheduled for deletion.",
                ));
            }
            Some(stored) if stored.version == version && stored.content == content => {}
            Some(_) => {
                return Err(Failure::new(
                    "ResourceExistsException",
                    format!("The operation failed because the secret {name} already exists."),
                ));
            }
            None => {
                let stored = Stored {
                    content,
                    version: version.to_owned(),
                    kms_key,
                    is_scheduled: false,
                };
                self.secrets.insert(name.to_owned(), stored);
            }
        }
        Ok(json!({"ARN": self.arn(name), "Name": name, "VersionId": version}))
    }

    fn value(&self, body: &Value) -> Outcome {
        let name = required(body, "SecretId")?;
        let stored = self.secrets.get(name).ok_or_else(Failure::not_found)?;
        if stored.is_scheduled {
            return Err(Failure::scheduled());
        }
        if stored
            .kms_key
            .as_ref()
            .is_some_and(|key| !self.settings.kms_keys.contains(key))
        {
            let message = "Secrets Manager can't decrypt the protected secret text using the \
                           provided KMS key.";
            return Err(Failure::new("DecryptionFailure", message));
        }
        let (member, content) = match &stored.content {
            Content::Text(text) => ("SecretString", text),
            Content::Binary(binary) => ("SecretBinary", binary),
        };
        Ok(json!({
            "ARN": self.arn(name), "Name": name, "VersionId": stored.version,
            "VersionStages": ["AWSCURRENT"], "CreatedDate": 1_700_000_000.25,
            member: content,
        }))
    }

    fn delete(&mut self, body: &Value) -> Outcome {
        let name = required(body, "SecretId")?;
        let answer = json!({"ARN": self.arn(name), "Name": name, "DeletionDate": 1_700_000_000.5});
        if body["ForceDeleteWithoutRecovery"] == json!(true) {
            // An absent one is no error then.
            self.secrets.remove(name);
            return Ok(answer);
        }
        let stored = self.secrets.get_mut(name).ok_or_else(Failure::not_found)?;
        if stored.is_scheduled {
            return Err(Failure::scheduled());
        }
        stored.is_scheduled = true;
        Ok(answer)
    }

    fn list(&self, body: &Value) -> Outcome {
        let most = match &body["MaxResults"] {
            Value::Null => 100,
            number => number
                .as_u64()
                .filter(|number| (1..=100).contains(number))
                .ok_or_else(|| Failure::parameter("MaxResults"))?,
        };
        let page = self.settings.page.min(usize::try_from(most).unwrap_or(100));
        let start = match body["NextToken"].as_str() {
            None => 0,
            Some(token) => token
                .strip_prefix("after-")
                .and_then(|number| number.parse().ok())
                .ok_or_else(|| Failure::new("InvalidNextTokenException", "Invalid token."))?,
        };
        // No order is promised.
        let names = self.secrets.iter().rev();
        let names = names.filter(|(_, stored)| !stored.is_scheduled);
        let rest: Vec<&String> = names.map(|(name, _)| name).skip(start).collect();
        let list: Vec<Value> = rest
            .iter()
            .take(page)
            .map(|name| json!({"ARN": self.arn(name), "Name": name, "Tags": []}))
            .collect();
        let next = if self.settings.lists_without_end {
            Some("after-0".to_owned())
        } else {
            (rest.len() > page).then(|| format!("after-{}", start + page))
        };
        Ok(match next {
            Some(next) => json!({"SecretList": list, "NextToken": next}),
            None => json!({"SecretList": list}),
        })
    }

    fn arn(&self, name: &str) -> String {
        let region = &self.settings.region;
        format!("arn:aws:secretsmanager:{region}:123456789012:secret:{name}-a1b2c3")
    }
}

fn required<'b>(body: &'b Value, key: &str) -> Result<&'b str, Failure> {
    body[key].as_str().ok_or_else(|| {
        let message = format!("Value null at '{key}' failed to satisfy constraint");
        Failure::new("ValidationException", message)
    })
}

// === impl Failure ===

impl Failure {
    fn new(kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind,
            message: message.into(),
        }
    }

    fn parameter(message: &str) -> Self {
        Self::new("InvalidParameterException", message)
    }

    fn not_found() -> Self {
        let message = "Secrets Manager can't find the specified secret.";
        Self::new("ResourceNotFoundException", message)
    }

    fn scheduled() -> Self {
        let message = "You can't perform this operation on the secret because it was marked for \
                       deletion.";
        Self::new("InvalidRequestException", message)
    }

    /// The type has a prefix in some answers, and the message two spellings.
    fn body(&self) -> Value {
        let Self { kind, message, .. } = self;
        if *kind == "ResourceNotFoundException" {
            json!({"__type": format!("com.amazonaws.secretsmanager#{kind}"), "Message": message})
        } else if *kind == "AccessDeniedException" {
            json!({"__type": kind, "Message": message})
        } else {
            json!({"__type": kind, "message": message})
        }
    }
}
