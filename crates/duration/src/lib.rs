//! Durations as Go writes them.
//!
//! A duration is a sequence of decimal numbers with units, such as `1h30m` or
//! `1.5s`, kept as signed nanoseconds (Go `time.ParseDuration` and
//! `time.Duration.String`).

use std::{fmt, str::FromStr, time::Duration};

/// A signed number of nanoseconds with Go's text form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GoDuration(i64);

/// A text that is no duration, with the words Go has for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// Not of the form at all, or out of range (about 292 years).
    #[error("time: invalid duration {0}")]
    Invalid(String),
    /// A number without a unit.
    #[error("time: missing unit in duration {0}")]
    MissingUnit(String),
    /// A unit Go does not know.
    #[error("time: unknown unit {unit} in duration {text}")]
    UnknownUnit {
        /// The quoted unit.
        unit: String,
        /// The quoted duration.
        text: String,
    },
}

const NANOSECOND: u64 = 1;
const MICROSECOND: u64 = 1_000;
const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

// === impl GoDuration ===

impl GoDuration {
    /// A duration of signed nanoseconds.
    #[must_use]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The signed nanoseconds.
    #[must_use]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whether the duration is below zero.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// The unsigned duration, `None` below zero.
    #[must_use]
    pub fn to_duration(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_nanos)
    }
}

/// Durations above Go's range become its largest one.
impl From<Duration> for GoDuration {
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
    }
}

impl FromStr for GoDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let invalid = || DurationError::Invalid(quoted(text));
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, text.get(1..)),
            Some(b'+') => (false, text.get(1..)),
            _ => (false, Some(text)),
        };
        let mut rest = digits.ok_or_else(invalid)?;
        if rest == "0" {
            return Ok(Self(0));
        }
        if rest.is_empty() {
            return Err(invalid());
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (nanos, tail) = component(rest, text)?;
            // Go sums up to 2^63, one more than fits, for the sake of the
            // most negative duration.
            total = total
                .checked_add(nanos)
                .filter(|total| *total <= 1 << 63)
                .ok_or_else(invalid)?;
            rest = tail;
        }
        let signed = if negative {
            0_i64.checked_sub_unsigned(total)
        } else {
            i64::try_from(total).ok()
        };
        signed.map(Self).ok_or_else(invalid)
    }
}

impl fmt::Display for GoDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.unsigned_abs();
        if nanos == 0 {
            return f.write_str("0s");
        }
        if self.0 < 0 {
            f.write_str("-")?;
        }
        match nanos {
            0..MICROSECOND => write!(f, "{nanos}ns"),
            MICROSECOND..MILLISECOND => decimal(f, nanos, MICROSECOND, "µs"),
            MILLISECOND..SECOND => decimal(f, nanos, MILLISECOND, "ms"),
            _ => {
                if nanos >= HOUR {
                    write!(f, "{}h", nanos / HOUR)?;
                }
                if nanos >= MINUTE {
                    write!(f, "{}m", nanos % HOUR / MINUTE)?;
                }
                decimal(f, nanos % MINUTE, SECOND, "s")
            }
        }
    }
}

/// One number with its unit from the front of `rest`.
fn component<'a>(rest: &'a str, text: &str) -> Result<(u64, &'a str), DurationError> {
    let invalid = || DurationError::Invalid(quoted(text));
    let (integer, tail) = digits(rest);
    let (fraction, tail) = match tail.strip_prefix('.') {
        Some(tail) => digits(tail),
        None => ("", tail),
    };
    if integer.is_empty() && fraction.is_empty() {
        return Err(invalid());
    }
    let end = tail
        .find(|c: char| c == '.' || c.is_ascii_digit())
        .unwrap_or(tail.len());
    let (unit, tail) = tail.split_at(end);
    let scale = match unit {
        "" => return Err(DurationError::MissingUnit(quoted(text))),
        "ns" => NANOSECOND,
        "us" | "\u{b5}s" | "\u{3bc}s" => MICROSECOND,
        "ms" => MILLISECOND,
        "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => {
            return Err(DurationError::UnknownUnit {
                unit: quoted(unit),
                text: quoted(text),
            });
        }
    };
    let whole = if integer.is_empty() {
        0
    } else {
        integer.parse::<u64>().map_err(|_| invalid())?
    };
    let nanos = whole
        .checked_mul(scale)
        .and_then(|nanos| nanos.checked_add(part(fraction, scale)))
        .ok_or_else(invalid)?;
    Ok((nanos, tail))
}

/// `scale` times `0.fraction`, cut to whole nanoseconds.
///
/// Go computes this in binary floating point, so that `0.9999999999999999999s`
/// is a full second; the same here, for the same result to the nanosecond.
#[expect(clippy::as_conversions, reason = "float64 arithmetic as in Go")]
fn part(fraction: &str, scale: u64) -> u64 {
    const LIMIT: u64 = (1 << 63) - 1;
    let mut numerator: u64 = 0;
    let mut denominator: f64 = 1.0;
    for digit in fraction.bytes() {
        // Digits beyond the precision are dropped.
        if numerator > LIMIT / 10 {
            break;
        }
        numerator = numerator * 10 + u64::from(digit - b'0');
        denominator *= 10.0;
    }
    (numerator as f64 * (scale as f64 / denominator)) as u64
}

/// Splits off the leading decimal digits.
fn digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

/// `value / scale` with as many decimals as it needs.
fn decimal(f: &mut fmt::Formatter<'_>, value: u64, scale: u64, unit: &str) -> fmt::Result {
    let (whole, rest) = (value / scale, value % scale);
    if rest == 0 {
        return write!(f, "{whole}{unit}");
    }
    let width = usize::try_from(scale.ilog10()).unwrap_or(0);
    let decimals = format!("{rest:0width$}");
    write!(f, "{whole}.{}{unit}", decimals.trim_end_matches('0'))
}

/// The text in double quotes the way Go's duration errors have it: bytes that
/// are not printable ASCII as `\x..`.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => {
                out.push('\\');
                out.push(char::from(byte));
            }
            b' '..0x80 => out.push(char::from(byte)),
            _ => out.push_str(&format!("\\x{byte:02x}")),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Text, nanoseconds, text of the nanoseconds: Go 1.24.
    const VALID: &[(&str, i64, &str)] = &[
        ("0", 0, "0s"),
        ("-0", 0, "0s"),
        ("+0", 0, "0s"),
        ("5s", 5_000_000_000, "5s"),
        ("-5s", -5_000_000_000, "-5s"),
        ("+5s", 5_000_000_000, "5s"),
        ("1.5s", 1_500_000_000, "1.5s"),
        ("1h30m", 5_400_000_000_000, "1h30m0s"),
        ("1m0.5s", 60_500_000_000, "1m0.5s"),
        (".5s", 500_000_000, "500ms"),
        ("5.s", 5_000_000_000, "5s"),
        ("1us", 1_000, "1µs"),
        ("1\u{b5}s", 1_000, "1µs"),
        ("1\u{3bc}s", 1_000, "1µs"),
        ("1.9ns", 1, "1ns"),
        ("0.9999999999999999999s", 1_000_000_000, "1s"),
        ("0.3333333333333333333h", 1_200_000_000_000, "20m0s"),
        (
            "0.9223372036854775807h",
            3_320_413_933_267,
            "55m20.413933267s",
        ),
        ("0.100000000000000000000h", 360_000_000_000, "6m0s"),
        ("1h1h", 7_200_000_000_000, "2h0m0s"),
        (
            "9223372036854775807ns",
            i64::MAX,
            "2562047h47m16.854775807s",
        ),
        (
            "9223372036854775.807us",
            i64::MAX,
            "2562047h47m16.854775807s",
        ),
        (
            "-9223372036854775808ns",
            i64::MIN,
            "-2562047h47m16.854775808s",
        ),
        ("00000000000000000000000000000001s", 1_000_000_000, "1s"),
    ];

    /// Text and message: Go 1.24.
    const INVALID: &[(&str, &str)] = &[
        ("", r#"time: invalid duration """#),
        ("15", r#"time: missing unit in duration "15""#),
        ("0.5", r#"time: missing unit in duration "0.5""#),
        (".s", r#"time: invalid duration ".s""#),
        ("s", r#"time: invalid duration "s""#),
        ("-", r#"time: invalid duration "-""#),
        ("--1s", r#"time: invalid duration "--1s""#),
        ("15x", r#"time: unknown unit "x" in duration "15x""#),
        ("1s2", r#"time: missing unit in duration "1s2""#),
        ("1s 2m", r#"time: unknown unit "s " in duration "1s 2m""#),
        (" 1s", r#"time: invalid duration " 1s""#),
        (
            "9223372036854775808ns",
            r#"time: invalid duration "9223372036854775808ns""#,
        ),
        (
            "-9223372036854775809ns",
            r#"time: invalid duration "-9223372036854775809ns""#,
        ),
        (
            "999999999999999999999s",
            r#"time: invalid duration "999999999999999999999s""#,
        ),
        ("1\"s", r#"time: unknown unit "\"s" in duration "1\"s""#),
        (
            "1é",
            r#"time: unknown unit "\xc3\xa9" in duration "1\xc3\xa9""#,
        ),
        ("1\ns", r#"time: unknown unit "\x0as" in duration "1\x0as""#),
    ];

    /// Nanoseconds and their text: Go 1.24.
    const PRINTED: &[(i64, &str)] = &[
        (1, "1ns"),
        (-1, "-1ns"),
        (999, "999ns"),
        (1_001, "1.001µs"),
        (999_999, "999.999µs"),
        (1_100_000, "1.1ms"),
        (999_999_999, "999.999999ms"),
        (59_999_999_999, "59.999999999s"),
        (60_000_000_000, "1m0s"),
        (3_601_000_000_000, "1h0m1s"),
        (3_661_001_000_000, "1h1m1.001s"),
        (-1_500, "-1.5µs"),
    ];

    #[test]
    fn reads_and_prints_like_go() {
        for &(text, nanos, printed) in VALID {
            let duration: GoDuration = text.parse().unwrap();
            assert_eq!(duration.as_nanos(), nanos, "{text}");
            assert_eq!(duration.to_string(), printed, "{text}");
        }
        for &(nanos, printed) in PRINTED {
            assert_eq!(GoDuration::from_nanos(nanos).to_string(), printed);
        }
    }

    #[test]
    fn refuses_with_the_words_of_go() {
        for &(text, message) in INVALID {
            let error = text.parse::<GoDuration>().unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }

    #[test]
    fn becomes_an_unsigned_duration_unless_negative() {
        let second = GoDuration::from_nanos(1_000_000_000);
        assert_eq!(second.to_duration(), Some(Duration::from_secs(1)));
        assert_eq!(GoDuration::from(Duration::from_secs(1)), second);
        assert_eq!(GoDuration::from(Duration::MAX).as_nanos(), i64::MAX);
        assert!(GoDuration::from_nanos(-1).is_negative());
        assert_eq!(GoDuration::from_nanos(-1).to_duration(), None);
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(nanos: i64) {
            let duration = GoDuration::from_nanos(nanos);
            prop_assert_eq!(duration.to_string().parse(), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+0-9.a-zµ ]{0,24}|\\PC*") {
            if let Ok(duration) = text.parse::<GoDuration>() {
                prop_assert_eq!(duration.to_string().parse(), Ok(duration));
            }
        }
    }
}
