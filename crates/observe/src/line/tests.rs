use proptest::prelude::*;

use super::*;

fn value(text: &str) -> String {
    let mut line = Line::default();
    line.pair("k", text);
    line.into_string().split_off("k=".len())
}

#[test]
fn plain_values_stay_as_they_are() {
    for text in [
        "a",
        "/v1/key/create/my-key",
        "127.0.0.1",
        "::1",
        "1.5ms",
        "a\\b",
        "ä",
        "'",
    ] {
        assert_eq!(value(text), text);
    }
}

#[test]
fn ambiguous_values_are_quoted_like_go_does() {
    for (text, expected) in [
        ("", r#""""#),
        ("secret key 'k1' created", r#""secret key 'k1' created""#),
        ("a=b", r#""a=b""#),
        ("say \"x\\y\"", r#""say \"x\\y\"""#),
        ("a\nb\r\tc", r#""a\nb\r\tc""#),
        (
            "\u{0}\u{7}\u{8}\u{b}\u{c}\u{1b}\u{7f}",
            r#""\x00\a\b\v\f\x1b\x7f""#,
        ),
        ("\u{200b}", r#""\u200b""#),
        ("\u{e0001}", r#""\U000e0001""#),
    ] {
        assert_eq!(value(text), expected);
    }
}

#[test]
fn a_line_begins_with_time_level_and_message() {
    let time: Timestamp = "2025-05-26T10:00:00.0009Z".parse().unwrap();
    let mut line = Line::new(time, Level::WARN, "key store is offline");
    line.pair("err", "timed out");
    assert_eq!(
        line.into_string(),
        r#"time=2025-05-26T10:00:00.000Z level=WARN msg="key store is offline" err="timed out""#
    );
}

proptest! {
    /// Reading a line back gives exactly the values written: nothing inside a
    /// value can end the line, the value or its quotes.
    #[test]
    fn values_survive_and_cannot_forge_pairs(values in prop::collection::vec(any::<String>(), 1..4)) {
        let mut line = Line::default();
        for value in &values {
            line.pair("k", value);
        }
        let text = line.into_string();
        prop_assert!(!text.contains(char::is_control));
        prop_assert_eq!(read(&text), values);
    }
}

/// A reader of its own, so that the writer is not checked by itself.
fn read(line: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = line.chars().peekable();
    while rest.peek().is_some() {
        assert_eq!((rest.next(), rest.next()), (Some('k'), Some('=')));
        let mut value = String::new();
        if rest.next_if_eq(&'"').is_some() {
            while let Some(c) = rest.next_if(|c| *c != '"') {
                value.push(if c == '\\' { unescape(&mut rest) } else { c });
            }
            assert_eq!(rest.next(), Some('"'));
        } else {
            while let Some(c) = rest.next_if(|c| *c != ' ') {
                value.push(c);
            }
        }
        values.push(value);
        assert!(matches!(rest.next(), None | Some(' ')));
    }
    values
}

fn unescape(rest: &mut impl Iterator<Item = char>) -> char {
    let digits = match rest.next().unwrap() {
        'a' => return '\u{7}',
        'b' => return '\u{8}',
        'f' => return '\u{c}',
        'n' => return '\n',
        'r' => return '\r',
        't' => return '\t',
        'v' => return '\u{b}',
        'x' => 2,
        'u' => 4,
        'U' => 8,
        c => return c,
    };
    let hex: String = rest.take(digits).collect();
    char::from_u32(u32::from_str_radix(&hex, 16).unwrap()).unwrap()
}
