use keystead_config::kes::{FsConfig, KeyStoreConfig};

mod appliances;
mod aws;
mod azure;
mod gcp;
#[cfg(test)]
mod tests;
mod vault;

/// What a server does with a key store, as far as that needs a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Logging in and looking whether the place for the keys is there.
    Connect,
    /// Listing names.
    List,
    /// Reading a key.
    Read,
    /// Creating a key.
    Create,
    /// Deleting a key.
    Delete,
}

/// How much a server is going to do with its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// It creates, reads and deletes them.
    Full,
    /// It works with those that there are.
    ReadOnly,
}

/// A right in the words of a key store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where it is to be written, and what has to be minded there: one line.
    pub place: String,
    /// The policy, role or command, of one or several lines.
    pub text: String,
}

/// The right that `operation` needs on the key store of `config`; `None` if there is
/// nothing to be granted for it.
///
/// It is complete: where a key store lets the last or most specific rule count alone,
/// the text contains what the other operations of `usage` need, too.
#[must_use]
pub fn grant(config: &KeyStoreConfig, operation: Operation, usage: Use) -> Option<Grant> {
    match config {
        KeyStoreConfig::Fs(fs) => folder(fs, operation),
        KeyStoreConfig::Vault(vault) => vault::grant(vault, operation, usage),
        KeyStoreConfig::AwsSecretsManager(aws) => aws::grant(aws, operation),
        KeyStoreConfig::GcpSecretManager(gcp) => gcp::grant(gcp, operation),
        KeyStoreConfig::AzureKeyVault(azure) => azure::grant(azure, operation, usage),
        KeyStoreConfig::KeyControl(keycontrol) => appliances::keycontrol(keycontrol, operation),
        KeyStoreConfig::Fortanix(fortanix) => appliances::fortanix(fortanix, operation),
        KeyStoreConfig::KeySecure(keysecure) => appliances::keysecure(keysecure, operation),
        _ => None,
    }
}

fn folder(config: &FsConfig, operation: Operation) -> Option<Grant> {
    let path = config.path.display();
    let rights = match operation {
        Operation::Connect | Operation::List | Operation::Read => "read and search",
        Operation::Create | Operation::Delete => "read, write and search",
    };
    Some(Grant {
        place: format!("the folder '{path}' and the files in it"),
        text: format!("let the user that runs kes {rights} it (chown, chmod)"),
    })
}

/// `text` in double quotes, as HCL and JSON want it.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A list of texts as JSON and HCL write it.
fn list(texts: &[&str]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}
