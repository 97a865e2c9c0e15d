use std::collections::BTreeSet;
use std::sync::Arc;

use azure_core::Bytes;
use azure_core::credentials::TokenCredential;
use azure_core::http::pager::{PageIterator, PagerOptions};
use azure_core::http::{
    ClientMethodOptions, ClientOptions, Context, RequestContent, Response, RetryOptions, Transport,
};
use azure_core::time::{OffsetDateTime, parse_rfc7231};
use azure_security_keyvault_secrets::models::{
    ListSecretPropertiesResult, Secret, SecretClientDeleteSecretOptions,
    SecretClientGetSecretOptions, SecretClientListSecretPropertiesOptions,
    SecretClientListSecretPropertiesVersionsOptions, SecretClientPurgeDeletedSecretOptions,
    SecretClientSetSecretOptions, SecretProperties, SetSecretParameters,
};
use azure_security_keyvault_secrets::{ResourceExt, ResourceId, SecretClient, SecretClientOptions};
use futures_util::TryStreamExt;
use keystead_rest::header;
use zeroize::Zeroizing;

use super::AzureError;
use super::transport::Wire;

/// Understood by every service since 2023 (key stores, section 8).
const API_VERSION: &str = "7.5";

/// The most versions of a secret that are looked at. One more comes into being for each
/// server that creates a key at the very moment another one does.
const MAX_VERSIONS: usize = 500;

/// The secrets of one vault.
pub(super) struct Vault(SecretClient);

/// A version of a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    // The order of the fields is that of the versions: by age, and by id if they are
    // of the same second.
    pub(super) created: OffsetDateTime,
    pub(super) id: String,
}

/// All versions of a secret.
pub(super) struct Versions {
    /// The first one, with the attributes that say whether it may be used.
    pub(super) oldest: Version,
    pub(super) attributes: Attributes,
    /// How the service writes the name.
    pub(super) name: String,
    pub(super) ids: BTreeSet<String>,
    /// The clock of the service.
    pub(super) now: OffsetDateTime,
}

/// Whether a secret may be used.
#[derive(Clone, Copy)]
pub(super) struct Attributes {
    enabled: bool,
    not_before: Option<OffsetDateTime>,
    expires: Option<OffsetDateTime>,
}

// === impl Vault ===

impl Vault {
    /// `is_local` is whether the vault is on this machine, an emulator: its host cannot
    /// belong to the domain that its tokens are for.
    pub(super) fn new(
        endpoint: &str,
        is_local: bool,
        login: Arc<dyn TokenCredential>,
        wire: Arc<Wire>,
    ) -> Result<Self, AzureError> {
        let options = SecretClientOptions {
            api_version: API_VERSION.to_owned(),
            client_options: ClientOptions {
                retry: RetryOptions::none(),
                transport: Some(Transport::with_policy(wire)),
                ..ClientOptions::default()
            },
            verify_challenge_resource: Some(!is_local),
        };
        match SecretClient::new(endpoint, login, Some(options)) {
            Ok(client) => Ok(Self(client)),
            Err(error) => Err(AzureError::of(&error)),
        }
    }

    /// Whether there is a secret, by reading its latest version.
    pub(super) async fn exists(
        &self,
        name: &str,
        context: &Context<'_>,
    ) -> Result<bool, AzureError> {
        let options = SecretClientGetSecretOptions {
            method_options: method(context),
            ..Default::default()
        };
        match self.0.get_secret(name, Some(options)).await {
            Ok(secret) => model(secret).map(|_| true),
            Err(error) => match AzureError::of(&error) {
                error if error.is_not_found() => Ok(false),
                error => Err(error),
            },
        }
    }

    /// Writes a new version; gives its id.
    pub(super) async fn write(
        &self,
        name: &str,
        text: &str,
        context: &Context<'_>,
    ) -> Result<String, AzureError> {
        let options = SecretClientSetSecretOptions {
            method_options: method(context),
        };
        let secret = self.0.set_secret(name, body(text), Some(options)).await;
        let (id, _) = model(secret.map_err(|error| AzureError::of(&error))?)?;
        id.version.ok_or(AzureError::Malformed("set secret"))
    }

    /// All versions of a secret.
    pub(super) async fn versions(
        &self,
        name: &str,
        context: &Context<'_>,
    ) -> Result<Versions, AzureError> {
        let malformed = || AzureError::Malformed("list secret versions");
        let options = SecretClientListSecretPropertiesVersionsOptions {
            method_options: pager(context),
            ..Default::default()
        };
        let pages = self.0.list_secret_properties_versions(name, Some(options));
        let mut pages = Pages(pages.map_err(|error| AzureError::of(&error))?.into_pages());
        let mut oldest: Option<(Version, SecretProperties, String)> = None;
        let mut ids = BTreeSet::new();
        let mut now = OffsetDateTime::now_utc();
        while let Some((date, page)) = pages.next().await? {
            now = date.unwrap_or(now);
            let known = ids.len();
            let is_empty = page.is_empty();
            for properties in page {
                let ResourceId { name, version, .. } =
                    properties.resource_id().map_err(|_| malformed())?;
                let attributes = properties.attributes.as_ref();
                let created = attributes.and_then(|attributes| attributes.created);
                let version = Version {
                    created: created.ok_or_else(malformed)?,
                    id: version.ok_or_else(malformed)?,
                };
                ids.insert(version.id.clone());
                if oldest.as_ref().is_none_or(|(oldest, ..)| version < *oldest) {
                    oldest = Some((version, properties, name));
                }
            }
            if ids.len() > MAX_VERSIONS {
                return Err(AzureError::TooManyVersions(MAX_VERSIONS));
            }
            if ids.len() == known && !is_empty {
                return Err(AzureError::EndlessList);
            }
        }
        match oldest {
            Some((oldest, properties, name)) => Ok(Versions {
                oldest,
                attributes: Attributes::of(&properties),
                name,
                ids,
                now,
            }),
            None => Err(AzureError::refused(
                404,
                br#"{"error":{"code":"SecretNotFound","message":"no versions"}}"#,
                &[],
            )),
        }
    }

    /// The value of one version.
    pub(super) async fn read(
        &self,
        name: &str,
        version: &str,
        context: &Context<'_>,
    ) -> Result<Zeroizing<String>, AzureError> {
        let options = SecretClientGetSecretOptions {
            secret_version: Some(version.to_owned()),
            method_options: method(context),
            ..Default::default()
        };
        match self.0.get_secret(name, Some(options)).await {
            Ok(secret) => Ok(model(secret)?.1),
            Err(error) => Err(AzureError::of(&error)),
        }
    }

    /// Moves a secret with all its versions to the deleted ones.
    pub(super) async fn delete(&self, name: &str, context: &Context<'_>) -> Result<(), AzureError> {
        let options = SecretClientDeleteSecretOptions {
            method_options: method(context),
        };
        done(self.0.delete_secret(name, Some(options)).await)
    }

    /// Removes a deleted secret for good.
    pub(super) async fn purge(&self, name: &str, context: &Context<'_>) -> Result<(), AzureError> {
        let options = SecretClientPurgeDeletedSecretOptions {
            method_options: method(context),
        };
        done(self.0.purge_deleted_secret(name, Some(options)).await)
    }

    /// The names of all secrets, in ascending byte order.
    pub(super) async fn names(
        &self,
        context: &Context<'_>,
    ) -> Result<BTreeSet<String>, AzureError> {
        let options = SecretClientListSecretPropertiesOptions {
            method_options: pager(context),
            ..Default::default()
        };
        let pages = self.0.list_secret_properties(Some(options));
        let mut pages = Pages(pages.map_err(|error| AzureError::of(&error))?.into_pages());
        let mut names = BTreeSet::new();
        while let Some((_, page)) = pages.next().await? {
            let known = names.len();
            let is_empty = page.is_empty();
            for properties in page {
                let id = properties.resource_id();
                names.insert(id.map_err(|_| AzureError::Malformed("list secrets"))?.name);
            }
            if names.len() == known && !is_empty {
                return Err(AzureError::EndlessList);
            }
        }
        Ok(names)
    }
}

// === impl Attributes ===

impl Attributes {
    fn of(properties: &SecretProperties) -> Self {
        let attributes = properties.attributes.as_ref();
        Self {
            // The service writes it always.
            enabled: attributes.and_then(|attributes| attributes.enabled) != Some(false),
            not_before: attributes.and_then(|attributes| attributes.not_before),
            expires: attributes.and_then(|attributes| attributes.expires),
        }
    }

    /// Whether the secret may be used; the service itself gives out the value of one that
    /// has expired.
    pub(super) fn check(self, now: OffsetDateTime) -> Result<(), AzureError> {
        let unusable = |code, reason| Err(AzureError::Unusable { code, reason });
        if !self.enabled {
            return unusable("ObjectIsDisabled", "the secret is disabled; enable it");
        }
        if self.not_before.is_some_and(|start| now < start) {
            let reason = "the activation date of the secret has not come";
            return unusable("ObjectMustNotBeUsed", reason);
        }
        if self.expires.is_some_and(|end| end <= now) {
            return unusable(
                "ObjectIsExpired",
                "the expiration date of the secret is over",
            );
        }
        Ok(())
    }
}

/// The pages of a list of secrets or versions.
struct Pages(PageIterator<Response<ListSecretPropertiesResult>>);

// === impl Pages ===

impl Pages {
    /// The next page, and what the clock of the service says.
    async fn next(
        &mut self,
    ) -> Result<Option<(Option<OffsetDateTime>, Vec<SecretProperties>)>, AzureError> {
        let page = self.0.try_next().await;
        let Some(page) = page.map_err(|error| AzureError::of(&error))? else {
            return Ok(None);
        };
        let date = azure_core::http::headers::HeaderName::from_static(header::DATE.as_str());
        let date = page.headers().get_optional_str(&date);
        let date = date.and_then(|date| parse_rfc7231(date).ok());
        match page.into_model() {
            Ok(page) => Ok(Some((date, page.value))),
            Err(_) => Err(AzureError::Malformed("list")),
        }
    }
}

fn method<'a>(context: &Context<'_>) -> ClientMethodOptions<'a> {
    ClientMethodOptions {
        context: context.to_owned(),
    }
}

fn pager(context: &Context<'_>) -> PagerOptions<'static> {
    PagerOptions {
        context: context.to_owned(),
        ..Default::default()
    }
}

fn done<T>(outcome: azure_core::Result<T>) -> Result<(), AzureError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(error) => Err(AzureError::of(&error)),
    }
}

/// The id and the value of a secret.
fn model(secret: Response<Secret>) -> Result<(ResourceId, Zeroizing<String>), AzureError> {
    let malformed = |_| AzureError::Malformed("secret");
    let mut secret = secret.into_model().map_err(malformed)?;
    let value = secret.value.take().map(Zeroizing::new);
    let id = secret.resource_id().map_err(malformed)?;
    Ok((id, value.ok_or(AzureError::Malformed("secret"))?))
}

/// The body of a request with a value. It is wiped when the last reference goes.
fn body(text: &str) -> RequestContent<SetSecretParameters> {
    let value = Zeroizing::new(serde_json::Value::from(text).to_string());
    let body = ["{\"value\":", &value, "}"].concat();
    Bytes::from_owner(Zeroizing::new(body.into_bytes())).into()
}
