//! Log levels.

use std::{fmt, str::FromStr};

/// A log level: a record is written if its level is at least this one.
///
/// Every integer is a level; the four names are the usual marks on the scale
/// (KES configuration, section 2.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(i32);

impl Level {
    /// Details for finding faults.
    pub const DEBUG: Self = Self(-4);
    /// Normal events; what `on` means.
    pub const INFO: Self = Self(0);
    /// Something to look at.
    pub const WARN: Self = Self(4);
    /// Failures.
    pub const ERROR: Self = Self(8);
    /// Nothing is written.
    pub const OFF: Self = Self(9);

    /// A level by its number.
    #[must_use]
    pub const fn new(value: i32) -> Self {
        Self(value)
    }

    /// The number of the level.
    #[must_use]
    pub const fn value(self) -> i32 {
        self.0
    }
}

/// A text that is no log level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid log level '{0}'")]
pub struct LevelError(String);

impl FromStr for Level {
    type Err = LevelError;

    /// Reads `on`, `off`, a number, or a name with an optional signed offset
    /// such as `INFO+2`, in any case and with blanks around it.
    fn from_str(text: &str) -> Result<Self, LevelError> {
        let word = text.trim().to_ascii_lowercase();
        let invalid = || LevelError(text.to_owned());
        match word.as_str() {
            "on" => return Ok(Self::INFO),
            "off" => return Ok(Self::OFF),
            _ => {}
        }
        let sign = word.find(['+', '-']).unwrap_or(word.len());
        let (name, offset) = word.split_at(sign);
        let base = match name {
            "debug" => Self::DEBUG,
            "info" => Self::INFO,
            "warn" => Self::WARN,
            "error" => Self::ERROR,
            _ => return word.parse().map(Self).map_err(|_| invalid()),
        };
        if offset.is_empty() {
            return Ok(base);
        }
        let offset: i32 = offset.parse().map_err(|_| invalid())?;
        base.0.checked_add(offset).map(Self).ok_or_else(invalid)
    }
}

/// The nearest name below the level, with the distance to it.
impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, base) = match self.0 {
            ..0 => ("DEBUG", Self::DEBUG),
            0..4 => ("INFO", Self::INFO),
            4..8 => ("WARN", Self::WARN),
            8.. => ("ERROR", Self::ERROR),
        };
        match i64::from(self.0) - i64::from(base.0) {
            0 => f.write_str(name),
            offset => write!(f, "{name}{offset:+}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_offsets_and_numbers() {
        for (text, value) in [
            ("on", 0),
            ("ON", 0),
            (" Off ", 9),
            ("debug", -4),
            ("info", 0),
            ("Warn", 4),
            ("ERROR", 8),
            ("INFO+2", 2),
            ("WARN+1", 5),
            ("debug-1", -5),
            ("-4", -4),
            ("+3", 3),
            ("9", 9),
            ("2147483647", i32::MAX),
        ] {
            assert_eq!(text.parse(), Ok(Level::new(value)), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "yes",
            "trace",
            "INFO+",
            "INFO+x",
            "INFO 2",
            "1.5",
            "error+2147483647",
        ] {
            let error = text.parse::<Level>().unwrap_err();
            assert_eq!(error.to_string(), format!("invalid log level '{text}'"));
        }
    }

    #[test]
    fn prints_the_nearest_name_below() {
        for (value, text) in [
            (i32::MIN, "DEBUG-2147483644"),
            (-5, "DEBUG-1"),
            (-4, "DEBUG"),
            (0, "INFO"),
            (2, "INFO+2"),
            (4, "WARN"),
            (8, "ERROR"),
            (9, "ERROR+1"),
        ] {
            assert_eq!(Level::new(value).to_string(), text);
        }
    }
}
