use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use keystead_crypto::decode_base64;

/// A ciphertext that a key must open.
#[derive(Clone)]
pub(super) struct Evidence {
    /// Where in its file it stands, counted from 1.
    pub(super) line: usize,
    pub(super) name: String,
    pub(super) ciphertext: Vec<u8>,
    pub(super) context: Vec<u8>,
}

/// Reads lines of what `kes key decrypt` takes: the name of a key, a ciphertext and perhaps
/// a context, both in base64. Empty lines and those that begin with `#` are skipped.
pub(super) fn read(file: &Path) -> Result<Vec<Evidence>> {
    let text = fs::read_to_string(file)
        .with_context(|| format!("failed to read '{}'", file.display()))
        .map_err(|error| anyhow!("{error:#}"))?;
    let lines = text.lines().map(str::trim).zip(1..);
    lines
        .filter(|(line, _)| !line.is_empty() && !line.starts_with('#'))
        .map(|(words, line)| {
            parse(words, line).map_err(|problem| {
                anyhow!(
                    "{}:{line}: {problem}. Write 'NAME CIPHERTEXT [CONTEXT]'",
                    file.display()
                )
            })
        })
        .collect()
}

fn parse(words: &str, line: usize) -> Result<Evidence, String> {
    let words: Vec<_> = words.split_whitespace().collect();
    let base64 = |what, text: &str| match decode_base64(text.as_bytes()) {
        Ok(bytes) => Ok(bytes.to_vec()),
        Err(error) => Err(format!("invalid {what}: {error}")),
    };
    let (name, ciphertext, context) = match words.as_slice() {
        [name, ciphertext] => (name, ciphertext, ""),
        [name, ciphertext, context] => (name, ciphertext, *context),
        _ => return Err("not two or three words".to_owned()),
    };
    Ok(Evidence {
        line,
        name: (*name).to_owned(),
        ciphertext: base64("ciphertext", ciphertext)?,
        context: base64("context", context)?,
    })
}
