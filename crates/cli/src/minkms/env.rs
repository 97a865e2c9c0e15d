//! `minkms env`: the environment variables that matter.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;
use keystead_config::{Environment, ProcessEnvironment};
use serde::Serialize;

use crate::output::{self, Output};

/// Every variable that this program reads, and whether its value is a secret.
const VARIABLES: [(&str, bool); 14] = [
    ("MINIO_KMS_SERVER", false),
    ("MINIO_KMS_API_KEY", true),
    ("MINIO_KMS_ENCLAVE", false),
    ("MINIO_KMS_HSM_KEY", true),
    ("MINIO_KMS_HSM_KEY_FILE", false),
    ("MINIO_HSM_KMS_KEY", true),
    ("MINIO_LICENSE", true),
    ("CREDENTIALS_DIRECTORY", false),
    ("SSL_CERT_FILE", false),
    ("SSL_CERT_DIR", false),
    ("HTTPS_PROXY", true),
    ("NO_PROXY", false),
    ("NO_COLOR", false),
    ("HOME", false),
];

#[derive(Args)]
pub(super) struct EnvArgs {
    /// Replace secrets by '***', so that the output can be shared
    #[arg(long)]
    share: bool,

    /// Variables to print [default: all that are set]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
}

#[derive(Serialize)]
struct Variable<'a> {
    name: &'a str,
    value: &'a str,
}

// === impl EnvArgs ===

impl EnvArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        output::print(&self.text(&ProcessEnvironment, output.json)?)?;
        Ok(ExitCode::SUCCESS)
    }

    fn text(&self, environment: &dyn Environment, json: bool) -> Result<String> {
        let mut text = String::new();
        let chosen = |name: &str| self.names.is_empty() || self.names.iter().any(|it| it == name);
        for (name, is_secret) in VARIABLES.into_iter().filter(|(name, _)| chosen(name)) {
            let Some(value) = environment.var(name) else {
                continue;
            };
            let value = match self.share && is_secret && !value.is_empty() {
                true => "***",
                false => value.as_str(),
            };
            text += &match json {
                true => output::json_line(&Variable { name, value })?,
                false => format!("{name}={value}\n"),
            };
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(share: bool, names: &[&str], json: bool) -> String {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let environment = |name: &str| match name {
            "MINIO_KMS_SERVER" => Some("kms-a".to_owned()),
            "MINIO_KMS_API_KEY" => Some("k1:secret".to_owned()),
            _ => None,
        };
        EnvArgs { share, names }.text(&environment, json).unwrap()
    }

    #[test]
    fn secrets_can_be_left_out() {
        assert_eq!(
            text(false, &[], false),
            "MINIO_KMS_SERVER=kms-a\nMINIO_KMS_API_KEY=k1:secret\n"
        );
        assert_eq!(
            text(true, &["MINIO_KMS_API_KEY"], false),
            "MINIO_KMS_API_KEY=***\n"
        );
        assert_eq!(
            text(true, &["MINIO_KMS_SERVER", "HOME"], true),
            "{\"name\":\"MINIO_KMS_SERVER\",\"value\":\"kms-a\"}\n"
        );
    }
}
