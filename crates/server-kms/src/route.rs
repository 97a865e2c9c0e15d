//! From the path of a request to what it asks for (MinIO KMS protocol, section 2.3).

use std::borrow::Cow;

use http::Method;
use keystead_observe::KmsApi;
use percent_encoding::percent_decode_str;

/// An endpoint.
///
/// Nothing is ever answered by a redirect, which would turn a POST into a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route<'p> {
    /// Commands of the cluster, or of the enclave that the path names.
    Commands(Option<Cow<'p, str>>),
    Version,
    Live,
    Ready,
    Metrics,
    Restart,
    Profile,
    Log,
    Database,
    /// Ours: a new root key for the database.
    Rotate,
}

// === impl Route ===

impl<'p> Route<'p> {
    /// Finds the endpoint of an encoded path without its query.
    pub(crate) fn find(path: &'p str) -> Option<Self> {
        Some(match path {
            "/v1/kms" | "/v1/kms/" => Self::Commands(None),
            "/version" => Self::Version,
            "/v1/health/live" => Self::Live,
            "/v1/health/ready" => Self::Ready,
            "/v1/health/metrics" => Self::Metrics,
            "/v1/debug/restart" => Self::Restart,
            "/v1/debug/pprof" => Self::Profile,
            "/v1/debug/log" => Self::Log,
            "/v1/db" => Self::Database,
            "/v1/db/rotate" => Self::Rotate,
            _ => {
                let enclave = path.strip_prefix("/v1/kms/")?;
                // One segment. An encoded slash becomes part of the name, which no
                // enclave has.
                let plain = (!enclave.contains('/')).then_some(enclave)?;
                Self::Commands(Some(percent_decode_str(plain).decode_utf8_lossy()))
            }
        })
    }

    pub(crate) fn api(&self) -> KmsApi {
        match self {
            Self::Commands(_) => KmsApi::Kms,
            Self::Version => KmsApi::Version,
            Self::Live | Self::Ready | Self::Metrics => KmsApi::Health,
            Self::Database | Self::Rotate => KmsApi::Db,
            Self::Restart | Self::Profile | Self::Log => KmsApi::Debug,
        }
    }

    /// The methods it takes, as the `Allow` header has them.
    pub(crate) fn methods(&self) -> &'static str {
        match self {
            Self::Commands(_) | Self::Restart | Self::Log | Self::Rotate => "POST",
            Self::Version | Self::Live | Self::Ready | Self::Metrics => "GET, HEAD",
            Self::Profile => "GET, POST, DELETE",
            Self::Database => "GET, PUT",
        }
    }

    pub(crate) fn takes(&self, method: &Method) -> bool {
        let mut methods = self.methods().split(", ");
        methods.any(|allowed| allowed == method.as_str())
    }

    /// Whether the audit log has the requests (section 0.7).
    pub(crate) fn is_audited(&self) -> bool {
        matches!(self.api(), KmsApi::Kms | KmsApi::Db | KmsApi::Debug)
    }

    /// The enclave of the path.
    pub(crate) fn enclave(&self) -> Option<&str> {
        match self {
            Self::Commands(enclave) => enclave.as_deref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enclave(name: &str) -> Option<Route<'_>> {
        Some(Route::Commands(Some(name.into())))
    }

    #[test]
    fn commands_have_a_path_with_and_without_slash() {
        assert_eq!(Route::find("/v1/kms"), Some(Route::Commands(None)));
        assert_eq!(Route::find("/v1/kms/"), Some(Route::Commands(None)));
        assert_eq!(Route::find("/v1/kms/tenant-a"), enclave("tenant-a"));
        assert_eq!(Route::find("/v1/kms/a%2Fb"), enclave("a/b"));
        assert_eq!(Route::find("/v1/kms/a%2"), enclave("a%2"));
    }

    #[test]
    fn other_paths_lead_nowhere() {
        for path in [
            "",
            "/",
            "/v1",
            "/v1/kms/a/",
            "/v1/kms/a/b",
            "/v1/kms//",
            "/v1//kms",
            "/v1/x",
            "/version/",
            "/v1/kmsx",
            "/v1/db/",
            "/v1/log",
            "*",
        ] {
            assert_eq!(Route::find(path), None, "{path}");
        }
    }

    #[test]
    fn every_endpoint_has_its_methods() {
        let takes = |path, method| Route::find(path).unwrap().takes(&method);
        assert!(takes("/v1/kms/a", Method::POST) && !takes("/v1/kms", Method::GET));
        assert!(takes("/v1/db", Method::PUT) && !takes("/v1/db", Method::POST));
        assert!(takes("/version", Method::HEAD) && !takes("/version", Method::POST));
        assert!(takes("/v1/db/rotate", Method::POST) && !takes("/v1/db/rotate", Method::GET));
        assert!(takes("/v1/debug/pprof", Method::DELETE));
        assert!(!takes("/v1/debug/log", Method::GET));
    }
}
