//! What a binary knows about how it was built.

use std::env::consts::{ARCH, OS};

use serde::Serialize;

use crate::style::FAINT;

const LICENSE: &str = "Apache-2.0";
const LICENSE_URL: &str = "https://www.apache.org/licenses/LICENSE-2.0";
const COPYRIGHT: &str = "2026 Keystead authors";

/// Where the project is found.
pub(crate) const HOME_PAGE: &str = "https://github.com/keystead/keystead";

/// Facts recorded at build time. A fact the build did not know is `<unknown>`.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Build {
    /// Time of the commit in UTC, RFC 3339 with `-` for every `:`.
    pub version: &'static str,
    /// The commit, 40 hex digits.
    pub commit: &'static str,
    /// The compiler and its version, such as `rust1.95.0`.
    pub toolchain: &'static str,
}

/// One line about the build: label, value and remark.
pub(crate) struct BuildLine {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) remark: String,
}

impl Build {
    /// The four lines that `--version` and the server's banner show.
    pub(crate) fn lines(&self) -> [BuildLine; 4] {
        let line = |label, value: &str, remark: &str| BuildLine {
            label,
            value: value.to_owned(),
            remark: remark.to_owned(),
        };
        let runtime = format!("{} {OS}/{}", self.toolchain, architecture());
        [
            line("Version", self.version, &format!("commit={}", self.commit)),
            line("Runtime", &runtime, "compiler=rustc"),
            line("License", LICENSE, LICENSE_URL),
            line("Copyright", COPYRIGHT, HOME_PAGE),
        ]
    }

    /// The text of `--version`.
    pub(crate) fn version_block(&self) -> String {
        self.lines()
            .map(
                |BuildLine {
                     label,
                     value,
                     remark,
                 }| {
                    format!("{label:<10} {value:<22} {FAINT}{remark}{FAINT:#}\n")
                },
            )
            .concat()
    }
}

impl From<Build> for keystead_server_kes::Build {
    fn from(build: Build) -> Self {
        Self {
            version: build.version.to_owned(),
            commit: build.commit.to_owned(),
        }
    }
}

/// The processor architecture under the name that KES clients know it by.
fn architecture() -> &'static str {
    match ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_block_has_aligned_columns() {
        let build = Build {
            version: "2026-11-21T16-00-00Z",
            commit: "c0ffee",
            toolchain: "rust1.95.0",
        };
        let block = anstream::adapter::strip_str(&build.version_block()).to_string();
        let lines: Vec<_> = block.lines().collect();
        assert_eq!(lines[0], "Version    2026-11-21T16-00-00Z   commit=c0ffee");
        assert_eq!(
            lines[1],
            format!(
                "Runtime    {:<22} compiler=rustc",
                format!("rust1.95.0 {OS}/{}", architecture())
            )
        );
        assert_eq!(
            lines[2],
            "License    Apache-2.0             https://www.apache.org/licenses/LICENSE-2.0"
        );
        assert_eq!(
            lines[3],
            format!("Copyright  2026 Keystead authors  {HOME_PAGE}")
        );
        assert_eq!(lines.len(), 4);
    }
}
