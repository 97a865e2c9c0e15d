//! `keystore.entrust.keycontrol`

use std::path::PathBuf;

use crate::{Error, SecretSource, read::Section};

/// A box of an Entrust KeyControl PASM vault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyControlConfig {
    /// URLs with scheme of the nodes of one cluster, as configured; at least one.
    pub endpoints: Vec<String>,
    /// UUID of the vault.
    pub vault_id: String,
    /// UUID or name of the box.
    pub box_id: String,
    /// Account with access to the box.
    pub username: String,
    /// Its password, or its personal access token.
    pub password: SecretSource,
    /// File or folder of PEM certificates, added to the system's roots.
    pub ca: Option<PathBuf>,
}

impl KeyControlConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let endpoints = section.several("endpoint");
        let first = section.require(
            "endpoint",
            endpoints.first().cloned(),
            "invalid Entrust KeyControl keystore: no endpoint specified",
            "write the URL of the appliance, such as https://keycontrol.example.net",
        );
        let vault_id = section.required(
            "vault_id",
            "invalid Entrust KeyControl keystore: no vault ID specified",
            "write the UUID of the PASM vault; it is part of the vault's URL",
        );
        let box_id = section.required(
            "box_id",
            "invalid Entrust KeyControl keystore: no box ID specified",
            "write the name or the UUID of the box",
        );
        let credentials = section.section("credentials", |credentials| {
            let username = credentials.required(
                "username",
                "invalid Entrust KeyControl keystore: no username specified",
                "write the account that has access to the box",
            );
            let password = credentials.required_secret_source(
                "password",
                "password_file",
                "invalid Entrust KeyControl keystore: no password specified",
                "write the account's password, or name a file with it in password_file",
            );
            Ok((username?, password?))
        });
        for endpoint in &endpoints {
            if endpoint.value.starts_with("http://") {
                let message = "username and password are sent unencrypted; use https";
                section.warn(endpoint.place.clone(), message);
            }
        }
        let ca = section.section("tls", |tls| tls.file("ca"));
        first?;
        let (username, password) = credentials?;
        Ok(Self {
            endpoints: endpoints.into_iter().map(|field| field.value).collect(),
            vault_id: vault_id?,
            box_id: box_id?,
            username,
            password,
            ca: ca.map(|field| field.value),
        })
    }
}
