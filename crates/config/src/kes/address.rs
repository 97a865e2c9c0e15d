//! `address`

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::Overrides;
use crate::{
    Error,
    read::{Field, Section},
};

/// All IPv4 interfaces, port 7373.
pub(super) const DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7373);

/// The listen address; `--addr` wins over the file.
pub(super) fn read(root: &Section<'_>, overrides: &Overrides) -> Result<SocketAddr, Error> {
    let written = root.text("address");
    let given = overrides
        .address
        .clone()
        .filter(|address| !address.is_empty());
    let field = match given {
        Some(address) => Some(root.command_line("address", "--addr", address)),
        None => written,
    };
    let Some(Field { value, place }) = field else {
        return Ok(DEFAULT);
    };
    parse(&value).map_err(|message| {
        let advice = "write an IP address and a port, such as 0.0.0.0:7373 or [::1]:7373; \
                      without the address all interfaces are meant";
        root.wrong(&place, message, advice)
    })
}

/// Reads `[ip]:port`, the IP address in brackets if it is version 6.
fn parse(text: &str) -> Result<SocketAddr, String> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once("]:"),
        None => text.rsplit_once(':'),
    }
    .ok_or_else(|| format!("address {text}: missing port in address"))?;
    if host.contains(':') && !text.starts_with('[') {
        return Err(format!("address {text}: too many colons in address"));
    }
    let ip = match host {
        "" => DEFAULT.ip(),
        _ => host
            .parse()
            .map_err(|_| format!("'{host}' is not a valid IP address"))?,
    };
    let port = port
        .parse()
        .map_err(|_| format!("address {text}: invalid port"))?;
    Ok(SocketAddr::new(ip, port))
}
