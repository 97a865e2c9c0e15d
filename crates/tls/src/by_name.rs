//! A server with several certificates.

use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Chooses among certificates by the host name the client asks for.
///
/// The first certificate that names the host is taken, a name in full before a wildcard;
/// the first of all if none does, or if the client asks for no name, as clients that
/// connect to an address do.
#[derive(Debug)]
pub(crate) struct ByName {
    named: Vec<Named>,
    /// Also the first of `named`.
    first: Arc<CertifiedKey>,
}

#[derive(Debug)]
struct Named {
    /// DNS names in lower case.
    names: Vec<String>,
    key: Arc<CertifiedKey>,
}

// === impl ByName ===

impl ByName {
    /// A choice among `first` and `further`; their certificates can be read.
    pub(crate) fn new(first: CertifiedKey, further: Vec<CertifiedKey>) -> Self {
        let first = Arc::new(first);
        let named = |key: Arc<CertifiedKey>| Named {
            names: dns_names(&key),
            key,
        };
        let further = further.into_iter().map(Arc::new);
        Self {
            named: [Arc::clone(&first)]
                .into_iter()
                .chain(further)
                .map(named)
                .collect(),
            first,
        }
    }

    fn choose(&self, host: &str) -> Option<&Arc<CertifiedKey>> {
        let find = |name: &str| {
            let mut named = self.named.iter();
            named.find(|named| named.names.iter().any(|known| known == name))
        };
        let host = host.to_ascii_lowercase();
        let named = find(&host).or_else(|| {
            let (_, domain) = host.split_once('.')?;
            find(&format!("*.{domain}"))
        });
        named.map(|named| &named.key)
    }
}

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = hello.server_name().and_then(|host| self.choose(host));
        Some(Arc::clone(named.unwrap_or(&self.first)))
    }
}

/// The DNS names of the leaf of a chain, in lower case.
fn dns_names(key: &CertifiedKey) -> Vec<String> {
    let names = key.cert.first().and_then(|leaf| {
        let (_, certificate) = X509Certificate::from_der(leaf).ok()?;
        let names = certificate.subject_alternative_name().ok()??;
        let names = names.value.general_names.iter();
        let names = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
            _ => None,
        });
        Some(names.collect())
    });
    names.unwrap_or_default()
}
