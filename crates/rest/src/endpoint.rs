use std::fmt;
use std::net::IpAddr;

use http::Uri;

use crate::Error;

/// Where one server is: scheme, host, port, and the folder its paths start in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    is_local: bool,
}

// === impl Endpoint ===

impl Endpoint {
    /// Reads a URL. A slash at its end makes no difference.
    ///
    /// # Errors
    ///
    /// [`Error::Endpoint`] unless it is an `https` or `http` URL with a host and
    /// without credentials and query.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refused = |reason| Error::Endpoint {
            // What stands before an `@` may be a password.
            endpoint: text.rsplit('@').next().unwrap_or_default().to_owned(),
            reason,
        };
        let uri: Uri = text.parse().map_err(|_| refused("not a URL"))?;
        if !matches!(uri.scheme_str(), Some("https" | "http")) {
            return Err(refused("the scheme is not 'https'"));
        }
        let authority = uri.authority().ok_or_else(|| refused("no host"))?;
        if authority.as_str().contains('@') {
            return Err(refused("credentials do not belong into the URL"));
        }
        if uri.query().is_some() {
            return Err(refused("more than host, port and path"));
        }
        let host = authority.host();
        let address = host.trim_start_matches('[').trim_end_matches(']').parse();
        Ok(Self {
            url: text.trim_end_matches('/').to_owned(),
            is_local: host.eq_ignore_ascii_case("localhost") || address.is_ok_and(is_near),
        })
    }

    /// The URL of a path, which begins with a slash.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        [&self.url, path].concat()
    }

    /// Whether the server is on this machine or beside it, where no proxy leads to.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.is_local
    }
}

/// Loopback, and the link-local addresses at which clouds tell machines about
/// themselves.
fn is_near(address: IpAddr) -> bool {
    address.is_loopback()
        || match address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.is_unicast_link_local(),
        }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_appended_to_the_folder() {
        for (text, url) in [
            ("https://a", "https://a/v/"),
            ("https://a:8443/", "https://a:8443/v/"),
            ("http://[::1]:1/folder//", "http://[::1]:1/folder/v/"),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().url("/v/"), url);
        }
    }

    #[test]
    fn this_machine_is_known() {
        for (text, is_local) in [
            ("https://localhost:8200", true),
            ("http://127.8.9.1", true),
            ("https://[::1]:1/folder", true),
            ("http://169.254.169.254", true),
            ("http://[fe80::1]", true),
            ("https://10.0.0.1", false),
            ("https://localhost.example", false),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap().is_local(), is_local);
        }
    }

    #[test]
    fn other_urls_are_refused_without_their_credentials() {
        for (text, message) in [
            ("", "invalid endpoint '': not a URL"),
            ("a:b", "invalid endpoint 'a:b': the scheme is not 'https'"),
            (
                "ftp://a",
                "invalid endpoint 'ftp://a': the scheme is not 'https'",
            ),
            (
                "/path",
                "invalid endpoint '/path': the scheme is not 'https'",
            ),
            (
                "https://a?x",
                "invalid endpoint 'https://a?x': more than host, port and path",
            ),
            (
                "https://user:word@a",
                "invalid endpoint 'a': credentials do not belong into the URL",
            ),
        ] {
            assert_eq!(Endpoint::parse(text).unwrap_err().to_string(), message);
        }
    }
}
