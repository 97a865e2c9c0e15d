//! Pieces of text that several commands print.

use jiff::Timestamp;
use keystead_wire_kms::from_timestamp;

use crate::style::FAINT;

/// A line of a description: the label in 12 columns, a blank, the value.
pub(super) fn field(label: &str, value: impl std::fmt::Display) -> String {
    format!("{FAINT}{label:<12}{FAINT:#} {value}\n")
}

/// A point in time as people read it: `2026-11-21 16:05:09 UTC (3 minutes ago)`.
pub(super) fn moment(time: Option<&prost_types::Timestamp>, now: Timestamp) -> String {
    let Some(time) = time.and_then(from_timestamp) else {
        return String::new();
    };
    let absolute = time.strftime("%Y-%m-%d %H:%M:%S UTC");
    format!("{absolute} ({})", ago(time, now))
}

/// A number with a noun that is in the plural when it has to be.
pub(super) fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A period in its largest unit, such as `3 hours`.
pub(super) fn period(seconds: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (365 * 86_400, "year"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let unit = UNITS.iter().find(|(unit, _)| seconds >= *unit);
    match unit {
        Some((unit, noun)) => count(seconds / unit, noun),
        None => count(0, "second"),
    }
}

fn ago(time: Timestamp, now: Timestamp) -> String {
    match u64::try_from(now.as_second().saturating_sub(time.as_second())) {
        Ok(0) => "just now".to_owned(),
        Ok(seconds) => format!("{} ago", period(seconds)),
        Err(_) => "in the future".to_owned(),
    }
}

/// Whoever made something; nobody is a dash.
pub(super) fn creator(identity: &str) -> String {
    match identity {
        "" => "-".to_owned(),
        identity => identity.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use keystead_wire_kms::to_timestamp;

    use super::*;

    #[test]
    fn times_are_absolute_and_relative() {
        let now: Timestamp = "2026-11-21T16:05:09Z".parse().unwrap();
        let shown = |text: &str| {
            let time: Timestamp = text.parse().unwrap();
            moment(Some(&to_timestamp(time)), now)
        };
        assert_eq!(
            shown("2026-11-21T16:02:01Z"),
            "2026-11-21 16:02:01 UTC (3 minutes ago)"
        );
        assert_eq!(
            shown("2026-11-21T16:05:09Z"),
            "2026-11-21 16:05:09 UTC (just now)"
        );
        assert_eq!(
            shown("2026-11-20T15:05:09Z"),
            "2026-11-20 15:05:09 UTC (1 day ago)"
        );
        assert_eq!(
            shown("2026-11-21T16:05:10Z"),
            "2026-11-21 16:05:10 UTC (in the future)"
        );
        assert_eq!(moment(None, now), "");
    }

    #[test]
    fn periods_have_one_unit() {
        for (seconds, text) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (7_199, "1 hour"),
            (86_400 * 364, "364 days"),
            (86_400 * 800, "2 years"),
        ] {
            assert_eq!(period(seconds), text);
        }
    }
}
