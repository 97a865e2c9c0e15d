use std::fmt::Display;
use std::net::IpAddr;

use http::Method;
use keystead_identity::Identity;

use crate::line::Line;

/// The `req.*` attributes of a log line: what is known of the request that
/// caused it (KES protocol, section 8.2).
#[derive(Debug, Clone, Copy)]
pub struct RequestAttributes<'a> {
    /// The HTTP method.
    pub method: &'a Method,
    /// The decoded URL path.
    pub path: &'a str,
    /// The address of the client, or the one a trusted proxy forwarded.
    pub ip: Option<IpAddr>,
    /// Who asked, if the client showed a usable certificate.
    pub identity: Option<&'a Identity>,
}

impl RequestAttributes<'_> {
    /// Appends the attributes; unknown ones are left out.
    pub(crate) fn write(&self, line: &mut Line) {
        self.each(|key, value| line.pair(key, value));
    }

    /// Gives every attribute that is known to `put`.
    pub(crate) fn each(&self, mut put: impl FnMut(&'static str, &dyn Display)) {
        put("req.method", self.method);
        put("req.path", &self.path);
        if let Some(ip) = &self.ip {
            put("req.ip", ip);
        }
        if let Some(identity) = self.identity {
            put("req.identity", identity);
        }
    }
}
