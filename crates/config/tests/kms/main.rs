//! The configuration file of a MinIO KMS server, from its text to the settings.
#![cfg(test)]

mod guides;
mod hostile;
mod hsms;
mod messages;
mod settings;

use keystead_config::{
    Error,
    kms::{Loaded, ServerConfig},
};

/// An identity that can be anybody's.
const ALICE: &str = "h1:oFCDfYUHBYLM9zlLCYiEfMMSy4glm4lImfbyOc8XkaU";

const TLS: &str = "tls: { certs: [ { key: a.key, cert: a.crt } ] }\n";

/// Reads a file named `config.yaml` with these environment variables.
fn read(text: &str, variables: &[(&str, &str)]) -> Result<Loaded, Error> {
    let environment = |name: &str| {
        let variable = variables.iter().find(|(variable, _)| *variable == name);
        variable.map(|(_, value)| (*value).to_owned())
    };
    ServerConfig::parse(text, "config.yaml", &environment)
}

/// A file with everything that is required, and more.
fn complete(more: &str) -> String {
    format!("version: v1\n{TLS}{more}")
}

/// The settings of a complete file with more in it.
fn settings(more: &str) -> ServerConfig {
    match read(&complete(more), &[]) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{more}\n{error}"),
    }
}

/// The message of a file that is refused, on one line.
fn refusal(text: &str) -> String {
    match read(text, &[]) {
        Ok(_) => format!("accepted:\n{text}"),
        Err(error) => error.to_string().replace("\n  ", " | "),
    }
}

/// The warnings of a complete file as they are printed.
fn warnings(more: &str) -> Vec<String> {
    let loaded = read(&complete(more), &[]).unwrap();
    loaded.warnings.iter().map(ToString::to_string).collect()
}
