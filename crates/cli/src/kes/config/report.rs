//! The list that `kes config check` prints: line by line, because a check may take long.

use anyhow::Result;
use keystead_keystore::Grant;
use serde::Serialize;

use crate::output::{self, Output};
use crate::style::{BAD, FAINT, GOOD, NOTE};

/// Columns in front of what a check says.
const INDENT: usize = 24;

/// Prints the outcome of each check.
pub(super) struct Report {
    output: Output,
    failed: bool,
}

/// The outcome of one check.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    check: &'static str,
    status: Status,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    grant: Option<GrantText>,
    /// The name of a key that should not be there any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_behind: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Warning,
    Failed,
    Skipped,
}

/// What has to be granted, and where.
#[derive(Debug, Serialize)]
struct GrantText {
    place: String,
    text: String,
}

// === impl Report ===

impl Report {
    pub(super) fn new(output: Output) -> Self {
        Self {
            output,
            failed: false,
        }
    }

    /// Whether a check has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    pub(super) fn add(&mut self, outcome: &Outcome) -> Result<()> {
        self.failed |= outcome.status == Status::Failed;
        output::print(&match self.output.scripted() {
            true => output::json_line(outcome)?,
            false => outcome.lines(),
        })?;
        Ok(())
    }
}

// === impl Outcome ===

impl Outcome {
    fn new(check: &'static str, status: Status, message: impl Into<String>) -> Self {
        Self {
            check,
            status,
            message: message.into(),
            grant: None,
            left_behind: None,
        }
    }

    pub(super) fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Status::Ok, message)
    }

    pub(super) fn warning(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Status::Warning, message)
    }

    pub(super) fn failed(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Status::Failed, message)
    }

    pub(super) fn skipped(check: &'static str, message: impl Into<String>) -> Self {
        Self::new(check, Status::Skipped, message)
    }

    /// The same outcome with the right that would change it.
    pub(super) fn with_grant(mut self, grant: Option<Grant>) -> Self {
        self.grant = grant.map(|Grant { place, text }| GrantText { place, text });
        self
    }

    /// The same outcome, which leaves a key where it should not be.
    pub(super) fn leaving(mut self, name: &str) -> Self {
        self.left_behind = Some(name.to_owned());
        self
    }

    fn lines(&self) -> String {
        let (style, word) = match self.status {
            Status::Ok => (GOOD, "OK"),
            Status::Warning => (NOTE, "WARNING"),
            Status::Failed => (BAD, "FAILED"),
            Status::Skipped => (FAINT, "SKIPPED"),
        };
        let indent = " ".repeat(INDENT);
        let message = self.message.replace('\n', &format!("\n{indent}"));
        let first = format!("{style}{word:<7}{style:#}  {:<13}  {message}", self.check);
        let mut lines = first.trim_end().to_owned() + "\n";
        if let Some(grant) = &self.grant {
            lines += &format!("{indent}to be granted: {}\n", grant.place);
            for line in grant.text.lines() {
                lines += &format!("{indent}  {line}\n");
            }
        }
        if let Some(name) = &self.left_behind {
            lines += &format!("{indent}the key '{name}' may still be there: remove it\n");
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(outcome: &Outcome) -> String {
        anstream::adapter::strip_str(&outcome.lines()).to_string()
    }

    #[test]
    fn terminals_show_a_list() {
        assert_eq!(
            plain(&Outcome::ok("status", "2ms")),
            "OK       status         2ms\n"
        );
        assert_eq!(plain(&Outcome::ok("list", "")), "OK       list\n");
        let failed = Outcome::failed("create", "key store denied access: 403\n  at x")
            .with_grant(Some(Grant {
                place: "a policy".to_owned(),
                text: "one\ntwo".to_owned(),
            }))
            .leaving("probe");
        assert_eq!(
            plain(&failed),
            "FAILED   create         key store denied access: 403\n\
             \x20                         at x\n\
             \x20                       to be granted: a policy\n\
             \x20                         one\n\
             \x20                         two\n\
             \x20                       the key 'probe' may still be there: remove it\n"
        );
    }

    #[test]
    fn pipes_get_an_object_per_check() {
        let json = |outcome: &Outcome| output::json_line(outcome).unwrap();
        assert_eq!(
            json(&Outcome::skipped("create", "")),
            "{\"check\":\"create\",\"status\":\"skipped\"}\n"
        );
        let grant = Grant {
            place: "p".to_owned(),
            text: "t".to_owned(),
        };
        let failed = Outcome::failed("delete", "no")
            .with_grant(Some(grant))
            .leaving("k");
        assert_eq!(
            json(&failed),
            "{\"check\":\"delete\",\"status\":\"failed\",\"message\":\"no\",\
             \"grant\":{\"place\":\"p\",\"text\":\"t\"},\"left_behind\":\"k\"}\n"
        );
    }
}
