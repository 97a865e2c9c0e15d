use http::Uri;
use http::uri::Authority;

use crate::Error;

/// The server of a client that is told no other.
const DEFAULT: &str = "127.0.0.1:7373";

/// The variables that name servers; the first one that is set counts.
const VARIABLES: [&str; 3] = ["MINIO_KES_SERVER", "KES_SERVER", "MINIO_KMS_KES_ENDPOINT"];

/// The endpoints in a comma-separated list of servers, as [`Client::new`] takes them.
///
/// A scheme may be missing; `http` becomes `https`, because servers speak nothing
/// else.
///
/// [`Client::new`]: crate::Client::new
#[must_use]
pub fn endpoints(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| {
            let item = item.strip_prefix("http://").unwrap_or(item);
            let host = item.strip_prefix("https://").unwrap_or(item);
            format!("https://{host}")
        })
        .collect()
}

/// The endpoints that the environment names, by default one on this machine.
///
/// `var` looks up a variable. One that is set but empty hides those behind it.
pub fn endpoints_from_env(var: impl Fn(&str) -> Option<String>) -> Vec<String> {
    endpoints(
        VARIABLES
            .into_iter()
            .find_map(var)
            .as_deref()
            .unwrap_or(DEFAULT),
    )
}

/// Where one server is.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    url: String,
    host: String,
    is_local: bool,
}

// === impl Endpoint ===

impl Endpoint {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let refused = |reason| Error::Endpoint {
            endpoint: text.to_owned(),
            reason,
        };
        let uri: Uri = text.parse().map_err(|_| refused("not a URL"))?;
        if uri.scheme_str() != Some("https") {
            return Err(refused("the scheme is not 'https'"));
        }
        if uri.path() != "/" || uri.query().is_some() {
            return Err(refused("more than host and port"));
        }
        let authority = uri.authority().ok_or_else(|| refused("no host"))?;
        Ok(Self {
            url: format!("https://{authority}"),
            host: authority.to_string(),
            is_local: is_local(authority),
        })
    }

    /// Scheme, host and port: what paths are appended to.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        &self.host
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
    use super::*;

    #[test]
    fn lists_of_servers_are_taken_apart() {
        assert_eq!(
            endpoints(" a:1, http://b ,https://[::1]:7373,, "),
            ["https://a:1", "https://b", "https://[::1]:7373"]
        );
        assert!(endpoints("").is_empty());
    }

    #[test]
    fn the_first_variable_counts() {
        let with = |set: &[(&str, &str)]| {
            endpoints_from_env(|name| {
                let (_, value) = set.iter().find(|(key, _)| *key == name)?;
                Some((*value).to_owned())
            })
        };
        assert_eq!(with(&[]), ["https://127.0.0.1:7373"]);
        assert_eq!(with(&[("MINIO_KMS_KES_ENDPOINT", "c")]), ["https://c"]);
        assert_eq!(
            with(&[("MINIO_KMS_KES_ENDPOINT", "c"), ("KES_SERVER", "b")]),
            ["https://b"]
        );
        assert_eq!(
            with(&[("KES_SERVER", "b"), ("MINIO_KES_SERVER", "a,d")]),
            ["https://a", "https://d"]
        );
        assert!(with(&[("KES_SERVER", "b"), ("MINIO_KES_SERVER", "")]).is_empty());
    }

    #[test]
    fn knows_this_machine() {
        for (url, local) in [
            ("https://localhost:7373", true),
            ("https://LOCALHOST", true),
            ("https://127.8.9.1:7373", true),
            ("https://[::1]:7373", true),
            ("https://10.0.0.1:7373", false),
            ("https://localhost.example", false),
        ] {
            assert_eq!(Endpoint::parse(url).unwrap().is_local(), local, "{url}");
        }
    }
}
