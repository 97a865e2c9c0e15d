use std::time::Duration;

/// How long keys stay in the cache (KES configuration, section 2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheSettings {
    any: Duration,
    unused: Duration,
    offline: Duration,
}

impl CacheSettings {
    /// The settings as configured. Zero means the default for `any` (5 minutes)
    /// and `unused` (30 seconds), and off for `offline`.
    #[must_use]
    pub fn new(any: Duration, unused: Duration, offline: Duration) -> Self {
        let or = |value: Duration, default| if value.is_zero() { default } else { value };
        Self {
            any: or(any, Duration::from_secs(5 * 60)),
            unused: or(unused, Duration::from_secs(30)),
            offline,
        }
    }

    /// The interval at which the whole cache is emptied.
    #[must_use]
    pub fn any(&self) -> Duration {
        self.any
    }

    /// The longest time a key stays without being used.
    #[must_use]
    pub fn unused(&self) -> Duration {
        self.unused
    }

    /// The interval at which the cache is emptied while the key store is
    /// offline; zero if an outage makes no difference.
    #[must_use]
    pub fn offline(&self) -> Duration {
        self.offline
    }
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self::new(Duration::ZERO, Duration::ZERO, Duration::ZERO)
    }
}
