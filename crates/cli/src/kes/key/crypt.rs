//! `kes key encrypt`, `decrypt` and `dek`: the commands that use a key.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::output::{self, Output};
use crate::usage::see;

use super::{ClientArgs, required};

#[derive(Args, Debug)]
pub(crate) struct EncryptArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Name of the key
    name: Option<String>,

    /// The message, as it is
    message: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct DecryptArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Name of the key
    name: Option<String>,

    /// The ciphertext as base64
    ciphertext: Option<String>,

    /// The context as base64
    #[arg(default_value = "", hide_default_value = true)]
    context: String,
}

#[derive(Args, Debug)]
pub(crate) struct DekArgs {
    #[command(flatten)]
    client: ClientArgs,

    /// Name of the key
    name: Option<String>,

    /// The context as base64
    #[arg(default_value = "", hide_default_value = true)]
    context: String,
}

/// The result of a use, in base64.
#[derive(Clone, Copy, Default, Serialize)]
struct Texts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    plaintext: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ciphertext: Option<&'a str>,
}

// === impl EncryptArgs ===

impl EncryptArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        const COMMAND: &str = "kes key encrypt";
        let name = required(self.name, COMMAND)?;
        let message = self
            .message
            .with_context(|| see("no message specified", COMMAND))?;
        self.client.run(async |client| {
            let encrypted = client.encrypt(&name, message.as_bytes(), &[]).await;
            let encrypted =
                encrypted.map_err(|error| anyhow!("failed to encrypt message: {error}"))?;
            let ciphertext = BASE64_STANDARD.encode(&encrypted.ciphertext);
            Texts {
                ciphertext: Some(&ciphertext),
                ..Texts::default()
            }
            .print(output)
        })
    }
}

// === impl DecryptArgs ===

impl DecryptArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        const COMMAND: &str = "kes key decrypt";
        let name = required(self.name, COMMAND)?;
        let ciphertext = self
            .ciphertext
            .with_context(|| see("no ciphertext specified", COMMAND))?;
        let ciphertext = decode(&ciphertext, "ciphertext", COMMAND)?;
        let context = decode(&self.context, "context", COMMAND)?;
        self.client.run(async |client| {
            let decrypted = client.decrypt(&name, &ciphertext, &context).await;
            let decrypted =
                decrypted.map_err(|error| anyhow!("failed to decrypt ciphertext: {error}"))?;
            let plaintext = Zeroizing::new(BASE64_STANDARD.encode(&*decrypted.plaintext));
            Texts {
                plaintext: Some(&plaintext),
                ..Texts::default()
            }
            .print(output)
        })
    }
}

// === impl DekArgs ===

impl DekArgs {
    pub(super) fn run(self, output: Output) -> Result<ExitCode> {
        const COMMAND: &str = "kes key dek";
        let name = required(self.name, COMMAND)?;
        let context = decode(&self.context, "context", COMMAND)?;
        self.client.run(async |client| {
            let key = client.generate(&name, &context).await;
            let key = key.map_err(|error| anyhow!("failed to derive key: {error}"))?;
            let plaintext = Zeroizing::new(BASE64_STANDARD.encode(&*key.plaintext));
            let ciphertext = BASE64_STANDARD.encode(&key.ciphertext);
            Texts {
                plaintext: Some(&plaintext),
                ciphertext: Some(&ciphertext),
            }
            .print(output)
        })
    }
}

fn decode(text: &str, what: &str, command: &str) -> Result<Vec<u8>> {
    BASE64_STANDARD
        .decode(text)
        .map_err(|error| anyhow!(see(&format!("invalid {what}: {error}"), command)))
}

// === impl Texts ===

impl Texts<'_> {
    fn print(self, output: Output) -> Result<ExitCode> {
        let text = Zeroizing::new(match output.scripted() {
            true => output.encode(&self)?,
            false => self.layout(),
        });
        output::print(&text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// What a terminal shows. The braces around both values are the layout of releases up
    /// to v0.19.0, which the guides show (decision D36).
    fn layout(self) -> String {
        match (self.plaintext, self.ciphertext) {
            (Some(plaintext), Some(ciphertext)) => {
                format!("{{\n  plaintext : {plaintext}\n  ciphertext: {ciphertext}\n}}\n")
            }
            (Some(plaintext), None) => format!("\nplaintext: {plaintext}\n"),
            (None, Some(ciphertext)) => format!("\nciphertext: {ciphertext}\n"),
            (None, None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: Texts<'_> = Texts {
        plaintext: Some("UGgc"),
        ciphertext: Some("eyJh"),
    };

    #[test]
    fn terminals_show_the_layout_of_the_guides() {
        assert_eq!(
            BOTH.layout(),
            "{\n  plaintext : UGgc\n  ciphertext: eyJh\n}\n"
        );
        assert_eq!(
            Texts {
                ciphertext: None,
                ..BOTH
            }
            .layout(),
            "\nplaintext: UGgc\n"
        );
        assert_eq!(
            Texts {
                plaintext: None,
                ..BOTH
            }
            .layout(),
            "\nciphertext: eyJh\n"
        );
    }

    #[test]
    fn pipes_get_one_line_without_newline() {
        let pipe = Output {
            json: false,
            interactive: false,
        };
        let encoded = |texts: Texts<'_>| pipe.encode(&texts).unwrap();
        assert_eq!(encoded(BOTH), r#"{"plaintext":"UGgc","ciphertext":"eyJh"}"#);
        assert_eq!(
            encoded(Texts {
                plaintext: None,
                ..BOTH
            }),
            r#"{"ciphertext":"eyJh"}"#
        );
    }
}
