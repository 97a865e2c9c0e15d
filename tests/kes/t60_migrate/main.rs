//! Keys that move between key stores.

mod crashes;
mod journey;
mod refusals;
mod switch;
mod values;

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context, Result, ensure};
use keystead_crypto::{Cipher, StoredKey, SystemRandom};
use keystead_doubles::{Authority, KeyControl, KeyControlSettings, OpenBao, Role, Server, Tls};
use keystead_tests::Folder;
use serde_json::Value;

/// The least-privilege policy of the documentation, and the right to replace keys.
const POLICY: &str = r#"
path "kv/data/*" { capabilities = ["create", "read"] }
path "kv/metadata/*" { capabilities = ["list", "delete"] }
"#;

/// A folder with a configuration file per key store.
struct Site {
    folder: Folder,
}

/// A double of an appliance, with its one node.
struct Appliance {
    appliance: KeyControl,
    node: Server,
    // The file of the authority goes with it.
    _authority: Authority,
}

// === impl Site ===

impl Site {
    fn new() -> Result<Self> {
        Ok(Self {
            folder: Folder::new()?,
        })
    }

    /// Writes `NAME.yml` with a key store.
    fn configure(&self, name: &str, keystore: &str) -> Result<()> {
        self.folder.write(
            &format!("{name}.yml"),
            &format!(
                "admin: {{ identity: disabled }}\n\
                 tls: {{ key: private.key, cert: public.crt }}\n\
                 keystore:\n{keystore}"
            ),
        )
    }

    /// Writes `NAME.yml` with the folder `NAME`, and makes that folder.
    fn configure_folder(&self, name: &str) -> Result<()> {
        fs::create_dir(self.folder.path().join(name))?;
        self.configure(name, &format!("  fs: {{ path: {name} }}\n"))
    }

    /// Fills the folder `name` with new keys; their names are in ascending order.
    fn fill(&self, name: &str, keys: usize) -> Result<()> {
        for number in 0..keys {
            let path = format!("{name}/key-{number:05}");
            self.folder.write(&path, &a_key()?)?;
        }
        Ok(())
    }

    /// The files in the folder `name` with their content.
    fn files(&self, name: &str) -> Result<BTreeMap<String, Vec<u8>>> {
        let mut files = BTreeMap::new();
        for entry in fs::read_dir(self.folder.path().join(name))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                let name = entry.file_name().into_string();
                let name = name.ok().context("a name that is no text")?;
                files.insert(name, fs::read(entry.path())?);
            }
        }
        Ok(files)
    }

    /// Migrates from `from.yml` to `to.yml` and expects success; gives the lines it printed.
    fn migrate(&self, from: &str, to: &str, options: &str) -> Result<Vec<Value>> {
        let line = format!("kes migrate --from {from}.yml --to {to}.yml {options}");
        let done = self.folder.run(&line)?;
        ensure!(done.code == 0, "{line}: {}", done.stderr);
        lines(&done.stdout)
    }

    /// Starts an OpenBao and writes `bao.yml`; `None` if it is not installed.
    async fn openbao(&self) -> Result<Option<OpenBao>> {
        let Some(bao) = OpenBao::development().await? else {
            return Ok(None);
        };
        bao.mount("").await?;
        let role = Role {
            namespace: String::new(),
            life: ("token_period", 300),
            policy: POLICY.to_owned(),
        };
        let role_id = bao.role("kes-role", &role).await?;
        let secret_id = bao.secret("", "kes-role").await?;
        self.folder.write("secret", &secret_id)?;
        self.configure(
            "bao",
            &format!(
                "  vault:\n    endpoint: {}\n    engine: kv\n    version: v2\n    prefix: keys\n    \
                 approle: {{ id: {role_id}, secret_file: secret }}\n",
                bao.url(),
            ),
        )?;
        Ok(Some(bao))
    }

    /// Starts a double of KeyControl and writes `box.yml`.
    async fn keycontrol(&self, tls: Tls) -> Result<Appliance> {
        let settings = KeyControlSettings::default();
        let authority = Authority::new()?;
        let appliance = KeyControl::new(settings.clone());
        let node = appliance.node(1, &authority, tls).await?;
        self.configure(
            "box",
            &format!(
                "  entrust:\n    keycontrol:\n      endpoint: {}\n      vault_id: {}\n      \
                 box_id: {}\n      credentials: {{ username: {}, password: '{}' }}\n      \
                 tls: {{ ca: {} }}\n",
                node.url(),
                settings.vault_id,
                settings.box_name,
                settings.username,
                settings.password,
                authority.file().display(),
            ),
        )?;
        Ok(Appliance {
            appliance,
            node,
            _authority: authority,
        })
    }
}

/// The value of a new key.
fn a_key() -> Result<String> {
    let key = StoredKey::generate(Cipher::Aes256, &SystemRandom, jiff::Timestamp::now(), "me")?;
    Ok(key.encode().to_string())
}

/// Lines of JSON.
fn lines(text: &str) -> Result<Vec<Value>> {
    let lines = text.lines().map(serde_json::from_str);
    Ok(lines.collect::<Result<_, _>>()?)
}

/// A figure of the last line.
fn total(lines: &[Value], figure: &str) -> Result<u64> {
    let figure = lines.last().and_then(|totals| totals[figure].as_u64());
    figure.context("no such figure")
}
