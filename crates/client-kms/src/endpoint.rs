use http::Uri;
use http::uri::Authority;

use crate::Error;

/// The server of a client that is told no other.
const DEFAULT: &str = "localhost:7373";

/// The port of an endpoint that has none.
const DEFAULT_PORT: u16 = 7373;

const VARIABLE: &str = "MINIO_KMS_SERVER";

/// The endpoints in a comma-separated list of servers, as [`Client::new`] takes them.
///
/// [`Client::new`]: crate::Client::new
#[must_use]
pub fn endpoints(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The endpoints that `MINIO_KMS_SERVER` names, by default one on this machine.
///
/// `var` looks up a variable; an empty one counts as not set.
pub fn endpoints_from_env(var: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let listed = endpoints(&var(VARIABLE).unwrap_or_default());
    if listed.is_empty() {
        return vec![DEFAULT.to_owned()];
    }
    listed
}

/// Where one server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    host: String,
    is_local: bool,
}

// === impl Endpoint ===

impl Endpoint {
    /// Reads `[https://]HOST[:PORT]`. The scheme `http` means the same, because servers
    /// speak nothing else than HTTPS; without a port it is 7373.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refused = |reason| Error::Endpoint {
            endpoint: text.to_owned(),
            reason,
        };
        let trimmed = text.trim();
        let rest = trimmed.strip_prefix("http://");
        let rest = rest.or_else(|| trimmed.strip_prefix("https://"));
        let rest = rest.unwrap_or(trimmed);
        let uri: Uri = format!("https://{rest}")
            .parse()
            .map_err(|_| refused("not a host and port"))?;
        if uri.path() != "/" || uri.query().is_some() {
            return Err(refused("more than host and port"));
        }
        let authority = uri.authority().ok_or_else(|| refused("no host"))?;
        if authority.as_str().contains('@') {
            return Err(refused("more than host and port"));
        }
        if authority.host().is_empty() {
            return Err(refused("no host"));
        }
        let host = match authority.port() {
            Some(_) => authority.to_string(),
            None if authority.as_str() == authority.host() => {
                format!("{authority}:{DEFAULT_PORT}")
            }
            None => return Err(refused("invalid port")),
        };
        Ok(Self {
            host,
            is_local: is_local(authority),
        })
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The URL of a path, which begins with a slash.
    pub(crate) fn url(&self, path: &str) -> String {
        ["https://", &self.host, path].concat()
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.is_local
    }
}

fn is_local(authority: &Authority) -> bool {
    let host = authority.host();
    let literal = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || literal
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn servers_are_written_in_many_ways() {
        for (text, host) in [
            ("kms-a", "kms-a:7373"),
            ("kms-a:443", "kms-a:443"),
            ("http://kms-a", "kms-a:7373"),
            ("https://kms-a:7373/", "kms-a:7373"),
            (" 10.0.0.1 ", "10.0.0.1:7373"),
            ("https://[::1]", "[::1]:7373"),
            ("[::1]:1", "[::1]:1"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().host(), host, "{text}");
        }
        for (text, reason) in [
            ("", "not a host and port"),
            ("a b", "not a host and port"),
            ("https://a/v1", "more than host and port"),
            ("a?x", "more than host and port"),
            ("user@a", "more than host and port"),
            ("a:", "invalid port"),
        ] {
            let error = Endpoint::parse(text).unwrap_err().to_string();
            assert_eq!(error, format!("invalid server '{text}': {reason}"));
        }
    }

    #[test]
    fn the_environment_names_servers() {
        let with = |value: Option<&str>| endpoints_from_env(|_| value.map(str::to_owned));
        assert_eq!(with(None), ["localhost:7373"]);
        assert_eq!(with(Some("")), ["localhost:7373"]);
        assert_eq!(with(Some(" a, ,https://b:1 ")), ["a", "https://b:1"]);
    }

    #[test]
    fn knows_this_machine() {
        for (text, local) in [
            ("localhost", true),
            ("LOCALHOST:1", true),
            ("127.8.9.1", true),
            ("[::1]", true),
            ("10.0.0.1", false),
            ("localhost.example", false),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().is_local(), local, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "\\PC{0,20}") {
            if let Ok(endpoint) = Endpoint::parse(&text) {
                prop_assert!(endpoint.host().contains(':'));
            }
        }
    }
}
