use keystead_rest::{Answer, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::Error;
use crate::error::Reason;

/// A complete answer of a server (key stores, section 4.1).
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    body: Zeroizing<Vec<u8>>,
    /// Whether it is not known what came of an earlier attempt.
    pub(crate) repeated: bool,
}

/// What answers are wrapped in. The fields that nobody needs are left out.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(crate) struct Envelope<T = Map<String, Value>> {
    pub(crate) data: Option<T>,
    pub(crate) auth: Option<Auth>,
    #[serde(default, deserialize_with = "or_default")]
    pub(crate) warnings: Vec<String>,
}

/// The token of a login or renewal.
#[derive(Deserialize)]
pub(crate) struct Auth {
    pub(crate) client_token: String,
    /// Seconds; 0 for ever.
    pub(crate) lease_duration: u64,
    #[serde(default)]
    pub(crate) renewable: bool,
}

#[derive(Deserialize)]
struct Errors {
    #[serde(default, deserialize_with = "or_default")]
    errors: Vec<String>,
}

/// `null` in a place for something that has a default.
fn or_default<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

// === impl Reply ===

impl Reply {
    pub(crate) fn new(answer: Answer, repeated: bool) -> Self {
        Self {
            status: answer.status,
            body: answer.body,
            repeated,
        }
    }

    /// The reply, unless it is an error.
    pub(crate) fn success(self) -> Result<Self, Error> {
        if self.status.is_success() {
            Ok(self)
        } else {
            Err(self.error())
        }
    }

    /// What the reply says if it is an error.
    pub(crate) fn error(&self) -> Error {
        let reason = self.errors();
        if self.status == StatusCode::SERVICE_UNAVAILABLE
            && reason.0.iter().any(|text| text.contains("is sealed"))
        {
            return Error::Sealed;
        }
        Error::Refused {
            status: self.status.as_u16(),
            reason,
        }
    }

    /// Whether the reply is nothing but the news that there is nothing.
    pub(crate) fn is_absent(&self) -> bool {
        self.status == StatusCode::NOT_FOUND && self.errors().0.is_empty()
    }

    fn errors(&self) -> Reason {
        if self.body.is_empty() {
            return Reason(Vec::new());
        }
        Reason(match serde_json::from_slice::<Errors>(&self.body) {
            Ok(body) => body.errors,
            // It comes from something in between, which may repeat the request.
            Err(_) => vec![format!(
                "an answer of {} bytes that is no JSON",
                self.body.len()
            )],
        })
    }

    /// The body. An empty one is an empty envelope.
    pub(crate) fn envelope<T: DeserializeOwned>(&self) -> Result<Envelope<T>, Error> {
        if self.body.is_empty() {
            return Ok(Envelope {
                data: None,
                auth: None,
                warnings: Vec::new(),
            });
        }
        self.json()
    }

    /// The body as JSON. What it holds may be secret and is not quoted.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Error::Unexpected(format!(
                "no JSON of the expected form at line {} column {}",
                error.line(),
                error.column()
            ))
        })
    }
}
