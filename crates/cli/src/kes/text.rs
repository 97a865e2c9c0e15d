//! Pieces of text that several commands print.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A line of a description: the label in 11 columns, a blank, the value.
pub(crate) fn field(label: &str, value: impl std::fmt::Display) -> String {
    format!("{label:<11} {value}\n")
}

/// A line of a description whose value may be unknown.
pub(crate) fn optional_field(label: &str, value: Option<impl std::fmt::Display>) -> String {
    value.map(|value| field(label, value)).unwrap_or_default()
}

/// `2025-05-26 10:00:00`, without saying where.
pub(crate) fn date_time(time: Timestamp, zone: &TimeZone) -> String {
    time.to_zoned(zone.clone())
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}

/// A number of bytes in decimal units with one digit, such as `4.1MB`.
pub(crate) fn decimal_size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 4] = [
        (1_000_000_000_000, "TB"),
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_000, "KB"),
    ];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => {
            let tenths = (u128::from(bytes) * 10 + u128::from(*unit) / 2) / u128::from(*unit);
            format!("{}.{}{name}", tenths / 10, tenths % 10)
        }
        None => format!("{bytes}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit() {
        assert_eq!(decimal_size(999), "999B");
        assert_eq!(decimal_size(1_000), "1.0KB");
        assert_eq!(decimal_size(4_149_999), "4.1MB");
        assert_eq!(decimal_size(2_150_000_000), "2.2GB");
    }
}
