//! What people are told about a certificate.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use rustls::CertificateError;
use rustls_pki_types::CertificateDer;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::{Error, Pem};

/// How long before its end a certificate is warned about.
const NOTICE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The facts of one certificate that logs, status output and warnings need.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CertificateInfo {
    /// Subject as text, for example `CN=localhost`.
    pub subject: String,
    /// First moment of validity.
    pub not_before: Timestamp,
    /// Last moment of validity.
    pub not_after: Timestamp,
    /// Whether it names a host or an address as subject alternative name.
    pub(crate) names_host: bool,
}

/// A certificate that is about to expire, or has done so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExpiryWarning {
    /// Subject of the certificate.
    pub subject: String,
    /// Its last moment of validity.
    pub not_after: Timestamp,
    /// Time that is left; negative once it has expired.
    pub remaining: SignedDuration,
}

/// The warnings due at `now` for the certificates of `chain`: from 30 days before the end.
pub fn expiry_warnings(chain: &[CertificateInfo], now: Timestamp) -> Vec<ExpiryWarning> {
    chain
        .iter()
        .map(|certificate| ExpiryWarning {
            subject: certificate.subject.clone(),
            not_after: certificate.not_after,
            remaining: certificate.not_after.duration_since(now),
        })
        .filter(|warning| warning.remaining <= NOTICE)
        .collect()
}

/// The facts of the certificates of a PEM file or text, leaf first.
///
/// # Errors
///
/// [`Error::Read`] and [`Error::Invalid`] for the file,
/// [`Error::Tls`] for a certificate that is none.
pub fn certificate_chain(pem: &Pem) -> Result<Vec<CertificateInfo>, Error> {
    let chain = pem.certificates()?;
    let chain: Option<Vec<_>> = chain.iter().map(CertificateInfo::of).collect();
    Ok(chain.ok_or(rustls::Error::from(CertificateError::BadEncoding))?)
}

// === impl CertificateInfo ===

impl CertificateInfo {
    /// Reads a certificate; `None` if it is not one.
    pub(crate) fn of(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let validity = certificate.validity();
        let names = certificate.subject_alternative_name().ok()?;
        Some(Self {
            subject: certificate.subject().to_string(),
            not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
            not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
            names_host: names.is_some_and(|names| {
                let mut names = names.value.general_names.iter();
                names
                    .any(|name| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_)))
            }),
        })
    }
}

// === impl ExpiryWarning ===

impl fmt::Display for ExpiryWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            not_after,
            remaining,
        } = self;
        if remaining.is_negative() {
            write!(f, "certificate '{subject}' expired on {not_after}")
        } else {
            let days = remaining.as_hours() / 24;
            write!(
                f,
                "certificate '{subject}' expires in {days} days, on {not_after}"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn warnings(now: &str) -> Vec<String> {
        let certificate = CertificateInfo {
            subject: "CN=kes".to_owned(),
            not_before: Timestamp::UNIX_EPOCH,
            not_after: "2026-12-31T00:00:00Z".parse().unwrap(),
            names_host: true,
        };
        let now = now.parse().unwrap();
        let warnings = expiry_warnings(&[certificate], now);
        warnings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn warnings_start_30_days_before_the_end() {
        assert!(warnings("2026-11-30T23:59:59Z").is_empty());
        assert_eq!(
            warnings("2026-12-01T00:00:00Z"),
            ["certificate 'CN=kes' expires in 30 days, on 2026-12-31T00:00:00Z"],
        );
        assert_eq!(
            warnings("2026-12-30T12:00:00Z"),
            ["certificate 'CN=kes' expires in 0 days, on 2026-12-31T00:00:00Z"],
        );
        assert_eq!(
            warnings("2026-12-31T00:00:01Z"),
            ["certificate 'CN=kes' expired on 2026-12-31T00:00:00Z"],
        );
    }
}
