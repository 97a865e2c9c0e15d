//! `minkms keygen` and `minkms decrypt`: the commands that use a key.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use keystead_wire_kms::message::{DecryptRequest, GenerateKeyRequest};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::output::{self, Output};

use super::client::EnclaveArgs;
use super::text::field;

#[derive(Args)]
pub(super) struct KeygenArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Version of the key to encrypt with [default: the latest]
    #[arg(short, long, value_name = "N")]
    version: Option<u32>,

    /// Associated data in base64, without which the ciphertext cannot be decrypted
    #[arg(long, value_name = "BASE64")]
    context: Option<String>,

    /// Name of the key
    name: String,
}

#[derive(Args)]
pub(super) struct DecryptArgs {
    #[command(flatten)]
    enclave: EnclaveArgs,

    /// Associated data in base64
    #[arg(long, value_name = "BASE64")]
    context: Option<String>,

    /// Name of the key
    name: String,

    /// The ciphertext, v<VERSION>:<BASE64>; without version all of the key are tried
    data: String,
}

#[derive(Serialize)]
struct DataKey<'a> {
    version: u32,
    plaintext: &'a str,
    ciphertext: &'a str,
}

#[derive(Serialize)]
struct Plaintext<'a> {
    plaintext: &'a str,
}

// === impl KeygenArgs ===

impl KeygenArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let request = GenerateKeyRequest {
            name: self.name,
            version: self.version.unwrap_or(0),
            associated_data: context(self.context.as_deref())?,
            length: 0,
        };
        self.enclave.run(async |enclave| {
            let keys = enclave.generate_keys(&[request]).await?;
            let key = keys.first().context("the server sent no data key")?;
            let plaintext = Zeroizing::new(BASE64_STANDARD.encode(&key.plaintext));
            let ciphertext = BASE64_STANDARD.encode(&key.ciphertext);
            let ciphertext = format!("v{}:{ciphertext}", key.version);
            let text = Zeroizing::new(match output.json {
                true => output::json_line(&DataKey {
                    version: key.version,
                    plaintext: &plaintext,
                    ciphertext: &ciphertext,
                })?,
                false => field("Plaintext", plaintext.as_str()) + &field("Ciphertext", ciphertext),
            });
            output::print(&text)?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

// === impl DecryptArgs ===

impl DecryptArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        let (version, ciphertext) = ciphertext(&self.data)?;
        let request = DecryptRequest {
            name: self.name,
            version,
            ciphertext,
            associated_data: context(self.context.as_deref())?,
        };
        self.enclave.run(async |enclave| {
            let plaintexts = enclave.decrypt(&[request]).await?;
            let plaintext = plaintexts.first().context("the server sent no plaintext")?;
            let encoded = Zeroizing::new(BASE64_STANDARD.encode(&plaintext.plaintext));
            let text = Zeroizing::new(match std::str::from_utf8(&plaintext.plaintext) {
                _ if output.json => output::json_line(&Plaintext {
                    plaintext: &encoded,
                })?,
                Ok(text) => format!("{text}\n"),
                Err(_) => format!("{}\n", *encoded),
            });
            output::print(&text)?;
            Ok(ExitCode::SUCCESS)
        })
    }
}

/// The version and the bytes of a ciphertext. Those of KES and of single static keys have
/// no version.
fn ciphertext(text: &str) -> Result<(u32, Vec<u8>)> {
    let (version, encoded) = match text.split_once(':') {
        Some((version, encoded)) => {
            let number = version.strip_prefix('v').and_then(|it| it.parse().ok());
            let Some(number) = number else {
                bail!("invalid ciphertext: it is neither v<VERSION>:<BASE64> nor base64");
            };
            (number, encoded)
        }
        None => (0, text),
    };
    let bytes = BASE64_STANDARD
        .decode(encoded)
        .map_err(|error| anyhow!("invalid ciphertext: {error}"))?;
    Ok((version, bytes))
}

fn context(text: Option<&str>) -> Result<Vec<u8>> {
    BASE64_STANDARD
        .decode(text.unwrap_or_default())
        .map_err(|error| anyhow!("invalid context: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertexts_may_have_a_version() {
        assert_eq!(ciphertext("v7:AQI=").unwrap(), (7, vec![1, 2]));
        assert_eq!(ciphertext("AQI=").unwrap(), (0, vec![1, 2]));
        for text in ["7:AQI=", "v:AQI=", "vx:AQI=", "v-1:AQI=", "v1:!", "?"] {
            assert!(ciphertext(text).is_err(), "{text}");
        }
    }
}
