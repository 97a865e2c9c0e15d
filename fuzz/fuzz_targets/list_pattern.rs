//! Names and list patterns: every name is a pattern that matches itself.
#![no_main]

use keystead_wire_kes::{ListPattern, Name};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(pattern) = ListPattern::parse(text) {
        if let Some(start) = pattern.start() {
            assert!(text.ends_with(start.as_str()));
        }
        assert!(text.starts_with(pattern.prefix()));
    }
    if let Ok(name) = Name::parse(text) {
        let pattern = ListPattern::parse_plain(text).expect("a name is a pattern");
        assert!(pattern.matches(name.as_str()));
    }
});
