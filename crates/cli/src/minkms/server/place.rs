use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use anyhow::{Context, Result, anyhow};

use crate::kes::addresses;

const PORT: u16 = 7373;

/// Where a server listens, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) address: SocketAddr,
    /// Host and port under which other servers and clients know it.
    pub(super) host: String,
}

// === impl Place ===

impl Place {
    /// The place that the command line says.
    pub(super) fn new(address: Option<&str>, host: Option<&str>) -> Result<Self> {
        let address = address.map_or(Ok(SocketAddr::new(any(), PORT)), parse)?;
        let address = with_port(address)?;
        let host = match host {
            Some(host) => full_host(host, address.port())?,
            None => SocketAddr::new(own_ip(address.ip()), address.port()).to_string(),
        };
        Ok(Self { address, host })
    }
}

const fn any() -> IpAddr {
    IpAddr::V4(Ipv4Addr::UNSPECIFIED)
}

/// Reads `IP[:PORT]` or `:PORT`.
fn parse(text: &str) -> Result<SocketAddr> {
    let port = |text: &str| text.parse::<u16>().ok();
    let found = text
        .parse::<SocketAddr>()
        .ok()
        .or_else(|| {
            let ip = text.trim_start_matches('[').trim_end_matches(']');
            ip.parse().ok().map(|ip| SocketAddr::new(ip, PORT))
        })
        .or_else(|| Some(SocketAddr::new(any(), port(text.strip_prefix(':')?)?)));
    found.ok_or_else(|| {
        anyhow!(
            "invalid address '{text}': write an IP address and perhaps a port, such as 0.0.0.0:7373"
        )
    })
}

/// The address with a port that is free now, if it has none.
fn with_port(address: SocketAddr) -> Result<SocketAddr> {
    if address.port() != 0 {
        return Ok(address);
    }
    // The name of the server has the port, and is needed before anything listens.
    let listener = TcpListener::bind(address).with_context(|| format!("listen tcp {address}"))?;
    Ok(listener.local_addr()?)
}

/// The address that others may know this machine by.
fn own_ip(ip: IpAddr) -> IpAddr {
    if !ip.is_unspecified() {
        return ip;
    }
    let ips = addresses::local_ips().unwrap_or_default();
    let other = ips.iter().find(|ip| !ip.is_loopback());
    other.copied().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// `HOST[:PORT]`, perhaps with a scheme, with a port.
fn full_host(text: &str, port: u16) -> Result<String> {
    let host = text.strip_prefix("https://").unwrap_or(text);
    let authority: http::uri::Authority = host
        .trim_end_matches('/')
        .parse()
        .map_err(|_| anyhow!("invalid host '{text}': write a name and perhaps a port"))?;
    Ok(match authority.port() {
        Some(_) => authority.to_string(),
        None => format!("{authority}:{port}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_port() {
        for (text, address) in [
            ("10.0.0.1", "10.0.0.1:7373"),
            ("10.0.0.1:443", "10.0.0.1:443"),
            (":443", "0.0.0.0:443"),
            ("[::1]:443", "[::1]:443"),
            ("[::1]", "[::1]:7373"),
            ("::1", "[::1]:7373"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), address, "{text}");
        }
        for text in ["", "host", "10.0.0.1:x", "10.0.0.1:99999"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_have_the_port_of_the_address() {
        let host = |address, host| Place::new(Some(address), Some(host)).unwrap().host;
        assert_eq!(host("127.0.0.1:1", "kms-a"), "kms-a:1");
        assert_eq!(host("127.0.0.1:1", "kms-a:7373"), "kms-a:7373");
        assert_eq!(host("127.0.0.1:1", "https://kms-a:7373/"), "kms-a:7373");
        let place = Place::new(Some("127.0.0.1:1"), None).unwrap();
        assert_eq!(place.host, "127.0.0.1:1");
        assert!(Place::new(Some("127.0.0.1:1"), Some("a b")).is_err());
        let chosen = Place::new(Some("127.0.0.1:0"), None).unwrap();
        assert_ne!(chosen.address.port(), 0);
        assert_eq!(chosen.host, chosen.address.to_string());
    }
}
