//! The configuration file of a KES server, from its text to the settings.
#![cfg(test)]

mod api;
mod decoding;
mod guides;
mod hostile;
mod keystores;
mod messages;
mod old_names;
mod reference;
mod secrets;
mod settings;
mod warnings;

use keystead_config::{
    Error,
    kes::{Loaded, Overrides, ServerConfig},
};

/// Two identities that can be anybody's.
const ALICE: &str = "1d1f89ad528a3bbb8fd64252d443c993f5a4d679b074d5bad49785e02ec38199";
const BOB: &str = "eb559798a2fbcc3efbf036bed11108116e63f293324abdfe7574249ef5e56b36";

const ADMIN: &str = "admin: { identity: disabled }\n";
const TLS: &str = "tls: { key: a.key, cert: a.crt }\n";
const STORE: &str = "keystore: { fs: { path: keys } }\n";

/// Reads a file named `kes.yml` with these environment variables.
fn read(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Error> {
    read_with(text, variables, &Overrides::default())
}

fn read_with(
    text: &str,
    variables: &[(&str, &str)],
    overrides: &Overrides,
) -> Result<Loaded, Error> {
    let environment = |name: &str| {
        let variable = variables.iter().find(|(variable, _)| *variable == name);
        variable.map(|(_, value)| (*value).to_owned())
    };
    ServerConfig::parse(text, "kes.yml", &environment, overrides)
}

/// A file with everything that is required, and more.
fn complete(more: &str) -> String {
    format!("{ADMIN}{TLS}{STORE}{more}")
}

/// The settings of a complete file with more in it.
fn settings(more: &str) -> ServerConfig {
    match read(&complete(more), &[]) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{more}\n{error}"),
    }
}

/// The first line of the message of a file that is refused.
fn refusal(text: &str) -> String {
    match read(text, &[]) {
        Ok(_) => format!("accepted:\n{text}"),
        Err(error) => short(&error),
    }
}

fn short(error: &Error) -> String {
    error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The warnings as they are printed.
fn warnings(text: &str) -> Vec<String> {
    let loaded = read(text, &[]).unwrap();
    loaded.warnings.iter().map(ToString::to_string).collect()
}
