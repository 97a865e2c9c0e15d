//! The styles of terminal output.
//!
//! Output is always written with styles; the stream takes the escape sequences out where
//! they are not wanted, see [`crate::output`].

use anstyle::{AnsiColor, Color, RgbColor, Style};

/// Values that must not be overlooked.
pub(crate) const BOLD: Style = Style::new().bold();
/// Remarks.
pub(crate) const FAINT: Style = Style::new().dimmed();
/// The heading above a list of names.
pub(crate) const HEADING: Style = Style::new().underline();
/// The heading above a table.
pub(crate) const TABLE_HEADING: Style = Style::new().bold().underline();
/// `Error: ` in front of a failure.
pub(crate) const ERROR: Style = Style::new().fg_color(Some(Color::Rgb(RgbColor(0xac, 0x00, 0x00))));
/// Labels of the server's banner.
pub(crate) const LABEL: Style = Style::new().fg_color(Some(Color::Rgb(RgbColor(0x26, 0x8b, 0xd2))));
/// What went well, or is allowed.
pub(crate) const GOOD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));
/// What failed, or is denied.
pub(crate) const BAD: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Red)));
/// Heading of what is allowed.
pub(crate) const BOLD_GOOD: Style = GOOD.bold();
/// Heading of what is denied.
pub(crate) const BOLD_BAD: Style = BAD.bold();
/// What wants attention.
pub(crate) const NOTE: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));
/// Heading of side information.
pub(crate) const BOLD_NOTE: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::Cyan)))
    .bold();
