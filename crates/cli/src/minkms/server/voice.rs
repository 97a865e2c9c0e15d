use crate::build::Build;
use crate::output;

use super::banner::Banner;

/// How a server speaks to whoever started it.
pub(super) struct Voice {
    pub(super) build: Build,
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) memory_locked: bool,
}

// === impl Voice ===

impl Voice {
    /// Prints the banner. Nobody may be listening, which keeps no server from its work.
    pub(super) fn announce(&self, banner: &Banner<'_>) {
        if self.quiet {
            return;
        }
        let text = match self.json {
            true => output::json_line(banner).unwrap_or_default(),
            false => banner.text(),
        };
        output::print(&text).ok();
    }

    /// Says that the server has stopped.
    pub(super) fn say_goodbye(&self) {
        if !self.quiet && !self.json {
            output::print("\n=> Stopping server... Goodbye.\n").ok();
        }
    }
}
