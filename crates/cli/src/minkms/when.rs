//! Points in time as people write them: `yesterday`, `2 hours ago`, `1h30m ago`.

use anyhow::{Result, anyhow, bail};
use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use keystead_config::GoDuration;

/// Reads a point in time relative to `now`, whose time zone counts.
pub(super) fn parse(text: &str, now: &Zoned) -> Result<Timestamp> {
    let words = text.trim().to_ascii_lowercase();
    match words.as_str() {
        "today" => return Ok(now.start_of_day()?.timestamp()),
        "yesterday" => {
            let yesterday = now.checked_sub(1.day())?;
            return Ok(yesterday.start_of_day()?.timestamp());
        }
        _ => {}
    }
    if let Some(period) = words.strip_suffix("ago") {
        let period = duration(period.trim()).ok_or_else(|| unknown(text))?;
        return Ok(now.timestamp().checked_sub(period)?);
    }
    absolute(text.trim(), now).ok_or_else(|| unknown(text))
}

fn unknown(text: &str) -> anyhow::Error {
    anyhow!(
        "'{text}' is no time: write today, yesterday, '2 hours ago', '1h30m ago' or \
         '2026-11-21 16:05'"
    )
}

/// `2 hours` or `1h30m`.
fn duration(text: &str) -> Option<SignedDuration> {
    if let Some((number, unit)) = text.split_once(char::is_whitespace) {
        let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
        let seconds = match unit.trim().trim_end_matches('s') {
            "day" => 86_400,
            "hour" => 3_600,
            "minute" => 60,
            "second" => 1,
            _ => return None,
        };
        return number.checked_mul(seconds).map(SignedDuration::from_secs);
    }
    let duration: GoDuration = text.parse().ok()?;
    SignedDuration::try_from(duration.to_duration()?).ok()
}

fn absolute(text: &str, now: &Zoned) -> Option<Timestamp> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time);
    }
    let local: DateTime = text.parse().ok()?;
    let zoned = local.to_zoned(now.time_zone().clone()).ok()?;
    Some(zoned.timestamp())
}

/// The level of a log record by its name, or by its number.
pub(super) fn level(text: &str) -> Result<i32> {
    match text.trim().to_ascii_lowercase().as_str() {
        "debug" => Ok(-4),
        "info" => Ok(0),
        "warn" | "warning" => Ok(4),
        "error" => Ok(8),
        number => match number.parse() {
            Ok(level) => Ok(level),
            Err(_) => bail!("'{text}' is no level: write DEBUG, INFO, WARN or ERROR"),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Zoned {
        "2026-11-21T16:05:09+01:00[+01:00]".parse().unwrap()
    }

    #[test]
    fn times_are_written_in_many_ways() {
        for (text, time) in [
            ("today", "2026-11-20T23:00:00Z"),
            ("Yesterday", "2026-11-19T23:00:00Z"),
            ("2 hours ago", "2026-11-21T13:05:09Z"),
            ("1 day ago", "2026-11-20T15:05:09Z"),
            ("90 seconds ago", "2026-11-21T15:03:39Z"),
            ("1h30m ago", "2026-11-21T13:35:09Z"),
            ("2026-11-21 10:00", "2026-11-21T09:00:00Z"),
            ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
            ("2026-11-21", "2026-11-20T23:00:00Z"),
        ] {
            let parsed = parse(text, &now()).unwrap();
            assert_eq!(parsed.to_string(), time, "{text}");
        }
        for text in ["", "ago", "soon", "-1 hours ago", "2 weeks ago", "-1h ago"] {
            assert!(parse(text, &now()).is_err(), "{text}");
        }
    }

    #[test]
    fn levels_have_names_and_numbers() {
        for (text, number) in [
            ("INFO", 0),
            ("debug", -4),
            ("Warn", 4),
            ("error", 8),
            ("2", 2),
        ] {
            assert_eq!(level(text).unwrap(), number);
        }
        assert!(level("loud").is_err());
    }

    proptest! {
        #[test]
        fn no_text_causes_a_panic(text in "[0-9a-z:. -]{0,24}( ago)?") {
            drop(parse(&text, &now()));
        }
    }
}
