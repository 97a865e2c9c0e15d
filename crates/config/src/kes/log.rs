//! `log`

use crate::{Level, read::Section};

/// `log`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Level of the error log on standard error; `on` if not given.
    pub error: Level,
    /// Level of the audit log on standard output; `off` if not given
    /// (KES protocol, D26).
    pub audit: Level,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            error: Level::INFO,
            audit: Level::OFF,
        }
    }
}

impl LogConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        Self {
            error: level(section, "error").unwrap_or(default.error),
            audit: level(section, "audit").unwrap_or(default.audit),
        }
    }
}

fn level(section: &Section<'_>, key: &'static str) -> Option<Level> {
    let field = section.text(key)?;
    if field.value.trim().is_empty() {
        return None;
    }
    match field.value.parse() {
        Ok(level) => Some(level),
        Err(fault) => {
            let fault: crate::LevelError = fault;
            let advice = "write on, off, debug, info, warn, error, one of these with an offset \
                          such as INFO+2, or a number";
            section.wrong(&field.place, fault.to_string(), advice);
            None
        }
    }
}
