//! Signature Version 4, as its documentation tells how to make it: the canonical request,
//! the string to sign, the derived key, the signature.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use http::{Request, header};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What an `Authorization` header says.
#[derive(Debug)]
pub(crate) struct Authorization<'r> {
    pub(crate) access_key: &'r str,
    pub(crate) day: &'r str,
    pub(crate) region: &'r str,
    pub(crate) service: &'r str,
    pub(crate) signed: Vec<&'r str>,
    pub(crate) signature: &'r str,
}

// === impl Authorization ===

impl<'r> Authorization<'r> {
    /// `None` if it is incomplete.
    pub(crate) fn parse(text: &'r str) -> Option<Self> {
        let fields = text.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
        };
        let credential: Vec<&str> = field("Credential")?.split('/').collect();
        let [access_key, day, region, service, "aws4_request"] = credential[..] else {
            return None;
        };
        Some(Self {
            access_key,
            day,
            region,
            service,
            signed: field("SignedHeaders")?.split(';').collect(),
            signature: field("Signature")?,
        })
    }

    /// A header that has to be signed and is not.
    pub(crate) fn unsigned(&self, request: &Request<Bytes>) -> Option<String> {
        let names = request.headers().keys().map(http::HeaderName::as_str);
        let amazon = names.filter(|name| name.starts_with("x-amz-"));
        std::iter::once("host")
            .chain(amazon)
            .find(|name| !self.signed.contains(name))
            .map(str::to_owned)
    }

    pub(crate) fn string_to_sign(&self, canonical: &str, date: &str) -> String {
        let Self {
            day,
            region,
            service,
            ..
        } = self;
        let digest = hash(canonical.as_bytes());
        format!("{ALGORITHM}\n{date}\n{day}/{region}/{service}/aws4_request\n{digest}")
    }

    pub(crate) fn expected(&self, string_to_sign: &str, secret_key: &str) -> String {
        let first = format!("AWS4{secret_key}").into_bytes();
        let key = [self.day, self.region, self.service, "aws4_request"]
            .iter()
            .fold(first, |key, part| hmac(&key, part));
        HEXLOWER.encode(&hmac(&key, string_to_sign))
    }
}

/// The canonical request; `None` if a signed header is missing.
pub(crate) fn canonical(request: &Request<Bytes>, signed: &[&str]) -> Option<String> {
    let uri = request.uri();
    let mut query: Vec<&str> = uri.query().unwrap_or_default().split('&').collect();
    query.sort_unstable();
    let mut text = format!(
        "{}\n{}\n{}\n",
        request.method(),
        uri.path(),
        query.join("&")
    );
    for name in signed {
        let values = if *name == header::HOST && !request.headers().contains_key(header::HOST) {
            // HTTP/2 has it elsewhere.
            uri.authority()?.to_string()
        } else {
            let values = request.headers().get_all(*name).iter();
            let values: Option<Vec<&str>> = values.map(|value| value.to_str().ok()).collect();
            let values = values.filter(|values| !values.is_empty())?;
            let values = values.iter().map(|value| {
                let words: Vec<&str> = value.split(' ').filter(|word| !word.is_empty()).collect();
                words.join(" ")
            });
            values.collect::<Vec<_>>().join(",")
        };
        writeln!(text, "{name}:{values}").ok()?;
    }
    let payload = hash(request.body());
    write!(text, "\n{}\n{payload}", signed.join(";")).ok()?;
    Some(text)
}

fn hash(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    sign(&Key::new(HMAC_SHA256, key), text.as_bytes())
        .as_ref()
        .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of the AWS General Reference.
    #[test]
    fn the_published_example_is_met() {
        let request =
            Request::get("https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers")
                .header(
                    "content-type",
                    "application/x-www-form-urlencoded;  charset=utf-8",
                )
                .header("x-amz-date", "20150830T123600Z")
                .body(Bytes::new())
                .unwrap();
        let header = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                      SignedHeaders=content-type;host;x-amz-date, Signature=5d67";
        let authorization = Authorization::parse(header).unwrap();
        assert_eq!(authorization.access_key, "AKIDEXAMPLE");
        assert_eq!(authorization.unsigned(&request), None);
        let canonical = canonical(&request, &authorization.signed).unwrap();
        assert_eq!(
            hash(canonical.as_bytes()),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
        );
        let string_to_sign = authorization.string_to_sign(&canonical, "20150830T123600Z");
        assert_eq!(
            authorization.expected(&string_to_sign, "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn incomplete_headers_are_no_authorization() {
        for header in [
            "",
            "Bearer x",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request, SignedHeaders=host",
            "AWS4-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA512 Credential=a/b/c/d/aws4_request, SignedHeaders=host, Signature=00",
        ] {
            assert!(Authorization::parse(header).is_none(), "{header}");
        }
    }
}
