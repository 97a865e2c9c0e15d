//! Files that logs are written to.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;

use anyhow::{Context, Result};
use keystead_config::kms::LogTarget;
use keystead_observe::AuditTarget;

const MODE: u32 = 0o600;

/// Where the error log goes.
pub(super) fn error_output(target: &LogTarget) -> Result<Box<dyn Write + Send>> {
    Ok(match target {
        LogTarget::Off | LogTarget::On => Box::new(io::stderr()),
        LogTarget::File(path) => {
            let mut options = OpenOptions::new();
            let file = options.append(true).create(true).mode(MODE).open(path);
            Box::new(file.with_context(|| format!("log.error: open {}", path.display()))?)
        }
    })
}

/// Where the audit log goes, if anywhere.
pub(super) fn audit_target(target: &LogTarget) -> Result<Option<AuditTarget>> {
    Ok(match target {
        LogTarget::Off => None,
        LogTarget::On => Some(AuditTarget::stream(io::stdout())),
        LogTarget::File(path) => {
            let target = AuditTarget::file(path);
            Some(target.with_context(|| format!("log.audit: open {}", path.display()))?)
        }
    })
}
