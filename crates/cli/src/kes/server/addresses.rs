use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};

/// The addresses at which a server that listens on `address` is reached: that one, or all
/// of this machine if it listens on all.
pub(crate) fn reachable(address: SocketAddr) -> io::Result<Vec<SocketAddr>> {
    if !address.ip().is_unspecified() {
        return Ok(vec![address]);
    }
    let ips = local_ips()?;
    Ok(ips
        .into_iter()
        .map(|ip| SocketAddr::new(ip, address.port()))
        .collect())
}

/// The addresses of this machine that others may know it by: IPv6 only where there is no
/// IPv4, nothing that is link-local.
pub(crate) fn local_ips() -> io::Result<Vec<IpAddr>> {
    let interfaces = if_addrs::get_if_addrs()?;
    let up = interfaces
        .iter()
        .filter(|interface| interface.is_oper_up() || interface.is_loopback());
    Ok(preferred(
        up.filter(|interface| !interface.is_link_local())
            .map(if_addrs::Interface::ip),
    ))
}

fn preferred(ips: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let ips: BTreeSet<_> = ips.filter(|ip| !ip.is_multicast()).collect();
    let (v4, v6): (Vec<_>, Vec<_>) = ips.into_iter().partition(IpAddr::is_ipv4);
    if v4.is_empty() { v6 } else { v4 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn v4_is_preferred_and_listed_once() {
        let all = ips(&["127.0.0.1", "10.0.0.5", "::1", "10.0.0.5", "224.0.0.1"]);
        assert_eq!(preferred(all.into_iter()), ips(&["10.0.0.5", "127.0.0.1"]));
        assert_eq!(
            preferred(ips(&["::1", "fd00::5"]).into_iter()),
            ips(&["::1", "fd00::5"])
        );
    }

    #[test]
    fn a_given_address_stands_for_itself() {
        let address = "192.0.2.1:7373".parse().unwrap();
        assert_eq!(reachable(address).unwrap(), [address]);
    }
}
