use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rcgen::{KeyPair, PKCS_RSA_SHA256, RsaKeySize};
use rustls::SignatureScheme;
use rustls::crypto::aws_lc_rs;
use serde_json::{Value, json};

/// The API as the audience of a token.
const AUDIENCE: &str = "https://secretmanager.googleapis.com/";

/// The scope that Secret Manager asks for.
pub(super) const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// The longest life of a token that an account signs itself, in seconds.
const LONGEST_LIFE: i64 = 3600;

/// How far two clocks may be apart, in seconds.
const SKEW: i64 = 30;

/// A service account with one key.
#[derive(Clone)]
pub struct GcpAccount {
    /// Its name.
    pub client_email: String,
    /// Its number.
    pub client_id: String,
    /// The id of its key.
    pub private_key_id: String,
    /// The key, in PEM.
    pub private_key: String,
    public_key: Vec<u8>,
}

// === impl GcpAccount ===

impl GcpAccount {
    pub(super) fn new() -> Result<Self> {
        let key = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048)?;
        Ok(Self {
            client_email: "kes@my-project.iam.gserviceaccount.com".into(),
            client_id: "113774264463038321964".into(),
            private_key_id: "381358f9f3b5d7b7e5a3d1c0a4f2e6b8c9d0e1f2".into(),
            private_key: key.serialize_pem(),
            public_key: key.public_key_raw().to_vec(),
        })
    }

    /// The JSON file that Google Cloud gives out for the key.
    #[must_use]
    pub fn file(&self) -> String {
        json!({
            "type": "service_account",
            "project_id": "my-project",
            "private_key_id": self.private_key_id,
            "private_key": self.private_key,
            "client_email": self.client_email,
            "client_id": self.client_id,
            "auth_uri": "https://accounts.google.com/o/oauth2/auth",
            "token_uri": "https://oauth2.googleapis.com/token",
            "universe_domain": "googleapis.com",
        })
        .to_string()
    }

    /// Whether the token is one that this account has signed for the API at hand, and
    /// what it lacks otherwise.
    pub(super) fn check(&self, token: &str, now: Timestamp) -> Result<(), &'static str> {
        self.verify(token).ok_or("not signed by the account")?;
        let (header, claims) = parts(token).ok_or("no JSON web token")?;
        let text = |document: &Value, name: &str| {
            document
                .get(name)
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        if text(&header, "alg").as_deref() != Some("RS256")
            || text(&header, "typ").as_deref() != Some("JWT")
            || text(&header, "kid").as_deref() != Some(&self.private_key_id)
        {
            return Err("the header");
        }
        for name in ["iss", "sub"] {
            if text(&claims, name).as_deref() != Some(&self.client_email) {
                return Err("the account");
            }
        }
        let number = |name: &str| claims.get(name).and_then(Value::as_i64);
        let (issued, expires) = number("iat").zip(number("exp")).ok_or("the times")?;
        let now = now.as_second();
        if issued > now + SKEW || expires < now - SKEW || expires - issued > LONGEST_LIFE + SKEW {
            return Err("the times");
        }
        match (text(&claims, "scope"), text(&claims, "aud")) {
            (Some(scopes), None) if scopes.split(' ').any(|scope| scope == SCOPE) => Ok(()),
            (None, Some(audience)) if audience == AUDIENCE => Ok(()),
            _ => Err("scope or audience"),
        }
    }

    fn verify(&self, token: &str) -> Option<()> {
        let (message, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let algorithms = aws_lc_rs::default_provider().signature_verification_algorithms;
        let (_, algorithms) = algorithms
            .mapping
            .iter()
            .find(|(scheme, _)| *scheme == SignatureScheme::RSA_PKCS1_SHA256)?;
        algorithms
            .first()?
            .verify_signature(&self.public_key, message.as_bytes(), &signature)
            .ok()
    }
}

fn parts(token: &str) -> Option<(Value, Value)> {
    let mut parts = token.split('.').map(|part| {
        let document = URL_SAFE_NO_PAD.decode(part).context("base64")?;
        anyhow::Ok(serde_json::from_slice(&document)?)
    });
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}
