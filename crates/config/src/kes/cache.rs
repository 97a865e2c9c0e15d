//! `cache`

use std::time::Duration;

use crate::read::Section;

/// `cache.expiry`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CacheConfig {
    /// Interval in which the whole cache is emptied; 5 minutes if not given.
    pub any: Duration,
    /// Keys not used for this long leave the cache; 30 seconds if not given.
    pub unused: Duration,
    /// Replaces both while the key store is offline; zero, the default, is off.
    pub offline: Duration,
}

/// The documented defaults (KES protocol, D28).
impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            any: Duration::from_secs(5 * 60),
            unused: Duration::from_secs(30),
            offline: Duration::ZERO,
        }
    }
}

impl CacheConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let default = Self::default();
        let any = section.interval("any", |value| format!("invalid cache expiry '{value}'"));
        let unused = section.interval("unused", |value| {
            format!("invalid cache unused expiry '{value}'")
        });
        let offline = section.interval("offline", |value| {
            format!("invalid offline cache expiry '{value}'")
        });
        Self {
            any: any.unwrap_or(default.any),
            unused: unused.unwrap_or(default.unused),
            offline: offline.unwrap_or(default.offline),
        }
    }
}
