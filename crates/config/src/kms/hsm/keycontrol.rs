//! `hsm.entrust.keycontrol`

use crate::{Error, SecretSource, read::Section};

/// A key in an Application Security Vault of Entrust KeyControl.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyControlHsmConfig {
    /// URLs of the nodes of one cluster; at least one.
    pub servers: Vec<String>,
    /// UUID of the vault.
    pub vault: String,
    /// Name or UUID of the key.
    pub key: String,
    /// Account that may encrypt and decrypt.
    pub username: String,
    /// Its password.
    pub password: SecretSource,
    /// The name that the appliance has for its way to encrypt; `None` leaves it to the
    /// client.
    pub mode: Option<String>,
    /// Names of members of the appliance's answers.
    pub fields: KeyControlFields,
}

/// `hsm.entrust.keycontrol.fields`: names of members of the appliance's answers, where
/// they are other than expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyControlFields {
    /// The ciphertext in the answer to encrypt.
    pub encrypt: Option<String>,
    /// The plaintext in the answer to decrypt.
    pub decrypt: Option<String>,
    /// The initialisation vector.
    pub iv: Option<String>,
    /// The authentication tag.
    pub tag: Option<String>,
}

impl KeyControlHsmConfig {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, Error> {
        let servers = section.several("server");
        let first = section.require(
            "server",
            servers.first().cloned(),
            "invalid Entrust KeyControl HSM: no server specified",
            "write the URL of the appliance, such as https://keycontrol.example.net:443",
        );
        let vault = section.required(
            "vault",
            "invalid Entrust KeyControl HSM: no vault specified",
            "write the UUID of the Application Security Vault; it is part of the vault's URL",
        );
        let key = section.required(
            "key",
            "invalid Entrust KeyControl HSM: no key specified",
            "write the name of a symmetric key of the vault",
        );
        let username = section.required(
            "username",
            "invalid Entrust KeyControl HSM: no username specified",
            "write the account that may encrypt and decrypt with the key",
        );
        let password = section.required_secret_source(
            "password",
            "password_file",
            "invalid Entrust KeyControl HSM: no password specified",
            "write the account's password, or name a file with it in password_file",
        );
        let mode = section.text("mode");
        let fields = section.section("fields", KeyControlFields::read);
        first?;
        Ok(Self {
            servers: servers.into_iter().map(|field| field.value).collect(),
            vault: vault?,
            key: key?,
            username: username?,
            password: password?,
            mode: mode.map(|field| field.value),
            fields,
        })
    }
}

impl KeyControlFields {
    fn read(section: &Section<'_>) -> Self {
        let name = |key| section.text(key).map(|field| field.value);
        Self {
            encrypt: name("encrypt"),
            decrypt: name("decrypt"),
            iv: name("iv"),
            tag: name("tag"),
        }
    }
}
