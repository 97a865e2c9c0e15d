//! Doubles in place of the key stores that the documentation speaks of.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use keystead_doubles::{
    Authority, CipherTrust, CipherTrustSettings, Fortanix, FortanixSettings, Gcp, GcpSettings,
    KeyControl, KeyControlSettings, Server, Tls,
};
use tokio::runtime::Runtime;

/// A key store of the documentation.
struct Documented {
    /// Where the documentation says it is.
    url: &'static str,
    /// The files that its users need: the authority of its certificate, and a secret.
    authority: &'static str,
    secret: &'static str,
    /// The double and the secret.
    start: fn(&Runtime, &Authority) -> Result<(Server, String)>,
}

const DOCUMENTED: [Documented; 4] = [
    Documented {
        url: "https://keycontrol.example.net",
        authority: "keycontrol-ca.crt",
        secret: "keycontrol-password",
        start: keycontrol,
    },
    Documented {
        url: "https://ciphertrust.example.net",
        authority: "ciphertrust-ca.crt",
        secret: "ciphertrust-token",
        start: ciphertrust,
    },
    Documented {
        url: "https://sdkms.example.net",
        authority: "sdkms-ca.crt",
        secret: "sdkms-api-key",
        start: fortanix,
    },
    Documented {
        url: "https://secretmanager.googleapis.com",
        authority: "gcp-ca.crt",
        secret: "gcp-private-key.pem",
        start: gcp,
    },
];

/// The doubles that one document needs.
pub(crate) struct Appliances {
    servers: Vec<(&'static str, Server)>,
    _runtime: Runtime,
}

impl Appliances {
    /// Starts the doubles that `text` has commands for, with the files in `folder` that
    /// their users need.
    pub(crate) fn of(text: &str, folder: &Path) -> Result<Self> {
        let runtime = Runtime::new()?;
        let mut servers = Vec::new();
        for documented in DOCUMENTED.iter().filter(|store| text.contains(store.url)) {
            let authority = Authority::new()?;
            fs::copy(authority.file(), folder.join(documented.authority))?;
            let (server, secret) = (documented.start)(&runtime, &authority)?;
            fs::write(folder.join(documented.secret), secret)?;
            servers.push((documented.url, server));
        }
        Ok(Self {
            servers,
            _runtime: runtime,
        })
    }

    /// `text` with the addresses of the doubles.
    pub(crate) fn fill_in(&self, text: &str) -> String {
        let fill = |text: String, (url, server): &(&str, Server)| text.replace(url, &server.url());
        self.servers.iter().fold(text.to_owned(), fill)
    }
}

fn keycontrol(runtime: &Runtime, authority: &Authority) -> Result<(Server, String)> {
    let settings = KeyControlSettings::default();
    let password = settings.password.clone();
    let appliance = KeyControl::new(settings);
    let node = runtime.block_on(appliance.node(1, authority, Tls::On))?;
    Ok((node, password))
}

fn ciphertrust(runtime: &Runtime, authority: &Authority) -> Result<(Server, String)> {
    let settings = CipherTrustSettings::default();
    let token = settings.refresh_tokens.first().context("no token")?.clone();
    let appliance = CipherTrust::new(settings);
    let answer = move |request: &_| appliance.answer(request);
    let server = runtime.block_on(Server::start(authority, Tls::On, answer))?;
    Ok((server, token))
}

fn fortanix(runtime: &Runtime, authority: &Authority) -> Result<(Server, String)> {
    let settings = FortanixSettings::default();
    let key = settings.keys.first().context("no API key")?.clone();
    let service = Fortanix::new(settings);
    let answer = move |request: &_| service.answer(request);
    let server = runtime.block_on(Server::start(authority, Tls::On, answer))?;
    Ok((server, key))
}

/// Without TLS: there is no setting for the authority of its certificate.
fn gcp(runtime: &Runtime, authority: &Authority) -> Result<(Server, String)> {
    let gcp = Gcp::new(GcpSettings::default())?;
    let server = runtime.block_on(gcp.serve(authority, Tls::Off))?;
    Ok((server, gcp.account().private_key))
}
