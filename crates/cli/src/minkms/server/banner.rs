use std::collections::BTreeMap;
use std::net::SocketAddr;

use keystead_config::kms::LogTarget;
use serde::Serialize;

use crate::build::{Build, BuildLine, HOME_PAGE};
use crate::style::{BOLD, FAINT, LABEL};

/// What a server tells about itself when it starts.
#[derive(Serialize)]
pub(super) struct Banner<'a> {
    #[serde(flatten)]
    pub(super) build: Build,
    pub(super) hsms: Vec<String>,
    pub(super) cluster: String,
    pub(super) node: u32,
    pub(super) nodes: BTreeMap<u32, String>,
    pub(super) addresses: Vec<SocketAddr>,
    /// The root's API key, which is shown once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api_key: Option<&'a str>,
    pub(super) root: String,
    /// Where the API key is found that is not shown.
    #[serde(skip)]
    pub(super) key_hint: KeyHint,
    #[serde(skip)]
    pub(super) error: &'a LogTarget,
    #[serde(skip)]
    pub(super) audit: &'a LogTarget,
    pub(super) memory_locked: bool,
}

/// Where the root's API key is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyHint {
    /// It follows from the key of the software HSM.
    SoftHsm,
    /// Whoever wrote the configuration file has it.
    Configured,
    /// It was shown when the folder was initialised.
    ShownOnce,
}

// === impl Banner ===

impl Banner<'_> {
    /// The text for people.
    pub(super) fn text(&self) -> String {
        let row = |label: &str, value: &str| format!("{LABEL}{label:<11}{LABEL:#} {value}\n");
        let mut text = String::new();
        for BuildLine {
            label,
            value,
            remark,
        } in self.build.lines()
        {
            text += &row(label, &format!("{value:<23} {FAINT}{remark}{FAINT:#}"));
        }
        text += "\n";
        text += &row("HSM", &self.hsms.join(", "));
        text += &row("Cluster", &self.cluster);
        for (id, host) in &self.nodes {
            let marker = match *id == self.node {
                true => " ● this server",
                false => "",
            };
            text += &row(&format!("Node {id}:"), &format!("{host}{marker}"));
        }
        text += "\n";
        text += &row("Docs", HOME_PAGE);
        for (index, address) in self.addresses.iter().enumerate() {
            text += &row(
                if index == 0 { "API" } else { "" },
                &format!("· https://{address}"),
            );
        }
        text += "\n";
        text += &match self.api_key {
            Some(key) => row("API Key", &format!("{BOLD}{key}{BOLD:#}")),
            None => row(
                "API Key",
                &format!("{FAINT}{}{FAINT:#}", self.key_hint.text()),
            ),
        };
        text += &row("Root", &self.root);
        if self.api_key.is_some() {
            text += &row(
                "",
                "The API key is shown this once. Keep it secret and secure!",
            );
        }
        text += &row("Logs", &log("error", self.error, "stderr"));
        text += &row("", &log("audit", self.audit, "stdout"));
        if self.memory_locked {
            text += &row("MLock", "enabled");
        }
        text + "\n=> Server is up and running...\n\n"
    }
}

fn log(name: &str, target: &LogTarget, stream: &str) -> String {
    match target {
        LogTarget::Off => format!("{name}=off"),
        LogTarget::On => format!("{name}={stream}"),
        LogTarget::File(path) => format!("{name}={}", path.display()),
    }
}

// === impl KeyHint ===

impl KeyHint {
    const fn text(self) -> &'static str {
        match self {
            Self::SoftHsm => "printed by 'minkms identity $MINIO_KMS_HSM_KEY'",
            Self::Configured => "that of 'admin.identity' in the configuration file",
            Self::ShownOnce => "shown when the server was initialised",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banner() -> Banner<'static> {
        Banner {
            build: Build {
                version: "2026-11-21T16-00-00Z",
                commit: "c0ffee",
                toolchain: "rust1.95.0",
            },
            hsms: vec!["hsm:minio:soft".to_owned()],
            cluster: "4f1c0b7e-0000-4000-8000-000000000000".to_owned(),
            node: 0,
            nodes: [(0, "kms-a:7373".to_owned()), (1, "kms-b:7373".to_owned())].into(),
            addresses: vec![
                "10.0.0.5:7373".parse().unwrap(),
                "[::1]:7373".parse().unwrap(),
            ],
            api_key: None,
            root: "h1:root".to_owned(),
            key_hint: KeyHint::SoftHsm,
            error: &LogTarget::On,
            audit: &LogTarget::Off,
            memory_locked: false,
        }
    }

    #[test]
    fn lines_have_the_order_of_the_product() {
        let text = anstream::adapter::strip_str(&banner().text()).to_string();
        let (about_the_build, about_the_server) = text.split_once("\n\n").unwrap();
        assert!(about_the_build.starts_with("Version     2026-11-21T16-00-00Z    commit=c0ffee\n"));
        assert_eq!(
            about_the_server,
            format!(
                "HSM         hsm:minio:soft\n\
                 Cluster     4f1c0b7e-0000-4000-8000-000000000000\n\
                 Node 0:     kms-a:7373 ● this server\n\
                 Node 1:     kms-b:7373\n\
                 \n\
                 Docs        {HOME_PAGE}\n\
                 API         · https://10.0.0.5:7373\n\
                 \x20           · https://[::1]:7373\n\
                 \n\
                 API Key     printed by 'minkms identity $MINIO_KMS_HSM_KEY'\n\
                 Root        h1:root\n\
                 Logs        error=stderr\n\
                 \x20           audit=off\n\
                 \n\
                 => Server is up and running...\n\n"
            )
        );
    }

    #[test]
    fn a_new_api_key_is_shown() {
        let banner = Banner {
            api_key: Some("k1:key"),
            ..banner()
        };
        let text = anstream::adapter::strip_str(&banner.text()).to_string();
        assert!(
            text.contains("\nAPI Key     k1:key\nRoot        h1:root\n"),
            "{text}"
        );
        let json = serde_json::to_value(&banner).unwrap();
        assert_eq!(json["api_key"], "k1:key");
        assert_eq!(json["nodes"]["1"], "kms-b:7373");
    }
}
