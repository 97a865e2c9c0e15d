use std::net::SocketAddr;

use keystead_config::Level;
use serde::Serialize;

use crate::build::{Build, BuildLine, HOME_PAGE};
use crate::style::{BOLD, FAINT, LABEL};

/// What a server tells about itself when it starts.
#[derive(Serialize)]
pub(super) struct Banner<'a> {
    #[serde(flatten)]
    pub(super) build: Build,
    pub(super) keystore: &'a str,
    pub(super) addresses: Vec<SocketAddr>,
    /// The admin's new API key, in development mode.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) api_key: Option<&'a str>,
    /// None if there is no admin.
    pub(super) admin: Option<&'a str>,
    #[serde(skip)]
    pub(super) error_level: Level,
    #[serde(skip)]
    pub(super) audit_level: Level,
    pub(super) memory_locked: bool,
}

// === impl Banner ===

impl Banner<'_> {
    /// The text for people, `last` being its last line.
    pub(super) fn text(&self, last: &str) -> String {
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
        text += &row("KMS", self.keystore);
        for (index, address) in self.addresses.iter().enumerate() {
            text += &row(
                if index == 0 { "API" } else { "" },
                &format!("· https://{address}"),
            );
        }
        text += "\n";
        text += &row("Docs", HOME_PAGE);
        text += "\n";
        if let Some(api_key) = self.api_key {
            text += &row("API Key", &format!("{BOLD}{api_key}{BOLD:#}"));
        }
        text += &row("Admin", self.admin.unwrap_or("<disabled>"));
        text += &row("Logs", &format!("error=stderr level={}", self.error_level));
        if self.api_key.is_some() || self.audit_level <= Level::INFO {
            text += &row("", &format!("audit=stdout level={}", self.audit_level));
        }
        if self.memory_locked {
            text += &row("MLock", "enabled");
        }
        text + "\n" + last + "\n\n"
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
            keystore: "Filesystem: /var/lib/kes",
            addresses: vec![
                "10.0.0.5:7373".parse().unwrap(),
                "[::1]:7373".parse().unwrap(),
            ],
            api_key: None,
            admin: None,
            error_level: Level::INFO,
            audit_level: Level::OFF,
            memory_locked: false,
        }
    }

    fn plain(banner: &Banner<'_>) -> String {
        let text = banner.text("=> Server is up and running...");
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn columns_are_aligned() {
        let banner = plain(&banner());
        let (about_the_build, about_the_server) = banner.split_once("\n\n").unwrap();
        assert!(about_the_build.starts_with("Version     2026-11-21T16-00-00Z    commit=c0ffee\n"));
        assert_eq!(
            about_the_server,
            format!(
                "KMS         Filesystem: /var/lib/kes\n\
                 API         · https://10.0.0.5:7373\n\
                 \x20           · https://[::1]:7373\n\
                 \n\
                 Docs        {HOME_PAGE}\n\
                 \n\
                 Admin       <disabled>\n\
                 Logs        error=stderr level=INFO\n\
                 \n\
                 => Server is up and running...\n\n"
            )
        );
    }

    #[test]
    fn development_mode_shows_the_api_key_and_the_audit_log() {
        let banner = Banner {
            api_key: Some("kes:v1:AP"),
            admin: Some("1d1f"),
            audit_level: Level::INFO,
            memory_locked: true,
            ..banner()
        };
        assert!(plain(&banner).contains(
            "\nAPI Key     kes:v1:AP\n\
             Admin       1d1f\n\
             Logs        error=stderr level=INFO\n\
             \x20           audit=stdout level=INFO\n\
             MLock       enabled\n\n"
        ));
    }
}
