use std::io;

use anyhow::{Result, ensure};
use keystead_client_kes::Client;
use keystead_tls::{ClientCredential, ClientSettings, Trust};

use crate::{Folder, Process};

const FILES: &str = "keystore: { fs: { path: keys } }\n";

/// A folder with a server's certificate and an admin's, and what both need to meet.
pub struct Site {
    /// Where the server runs.
    pub folder: Folder,
    /// The admin's identity.
    pub admin: String,
}

// === impl Site ===

impl Site {
    /// Makes the certificates and a configuration with the `fs` key store in `keys`, to
    /// which `more` is appended.
    ///
    /// # Errors
    ///
    /// If a command fails.
    pub fn new(more: &str) -> Result<Self> {
        let mut folder = Folder::new()?;
        for line in [
            "kes identity new --key private.key --cert public.crt --ip 127.0.0.1",
            "kes identity new --key client.key --cert client.crt",
        ] {
            let made = folder.run(line)?;
            ensure!(made.code == 0, "{}", made.stderr);
        }
        let admin = folder.run("kes identity of client.crt")?.stdout;
        for (name, file) in [
            ("KES_CLIENT_KEY", "client.key"),
            ("KES_CLIENT_CERT", "client.crt"),
            ("SSL_CERT_FILE", "public.crt"),
        ] {
            folder.export(name, file);
        }
        folder.write(
            "config.yml",
            &format!(
                "address: 127.0.0.1:0\n\
                 admin: {{ identity: {admin} }}\n\
                 tls: {{ key: private.key, cert: public.crt }}\n\
                 {FILES}\
                 {more}"
            ),
        )?;
        Ok(Self { folder, admin })
    }

    /// Replaces the key store by that of another `keystore` section.
    ///
    /// # Errors
    ///
    /// If it has been replaced before, or cannot be written.
    pub fn keep_keys_in(&self, section: &str) -> Result<()> {
        let configuration = self.folder.read("config.yml")?;
        ensure!(configuration.contains(FILES), "{configuration}");
        let configuration = configuration.replace(FILES, section);
        self.folder.write("config.yml", &configuration)
    }

    /// Starts the server; gives it when it serves, with a client of the admin.
    ///
    /// # Errors
    ///
    /// If it does not start.
    pub fn start(&mut self) -> Result<(Process, Client)> {
        let (server, banner) = self.folder.serve("kes server --config config.yml")?;
        let client = self.client(&banner)?;
        Ok((server, client))
    }

    /// A client of the admin, with connections of its own, for the server of `banner`.
    ///
    /// # Errors
    ///
    /// If the banner names no address.
    pub fn client(&self, banner: &str) -> Result<Client> {
        let endpoint = banner.split("API         · ").nth(1);
        let endpoint = endpoint.and_then(|rest| rest.lines().next());
        let file = |name: &str| self.folder.path().join(name);
        let no_password = || Err(io::ErrorKind::InvalidInput.into());
        let credential =
            ClientCredential::from_files(&file("client.crt"), &file("client.key"), &no_password)?;
        let tls = keystead_tls::client(ClientSettings {
            credential: Some(credential),
            trust: Trust::Only(file("public.crt")),
        })?;
        Ok(Client::new(endpoint, tls)?)
    }
}
