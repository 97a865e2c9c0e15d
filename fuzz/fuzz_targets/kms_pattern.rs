//! A pattern of a policy of MinIO KMS and, in the second line, a name: the pattern
//! matches by the rules, and a listing shows exactly what single commands may name.
#![no_main]

use keystead_policy::rules::{Action, Pattern, Rules};
use libfuzzer_sys::fuzz_target;

const ACTION: Action = Action {
    code: 208,
    name: "KEY:LIST",
};

fn rules(allow: &str, deny: &str) -> Rules {
    Rules::new([(ACTION.code, [allow])], [(ACTION.code, [deny])]).expect("legal patterns")
}

fuzz_target!(|text: &str| {
    let Some((text, name)) = text.split_once('\n') else {
        return;
    };
    let Ok(pattern) = text.parse::<Pattern>() else {
        return;
    };
    assert_eq!(pattern.as_str(), text);
    let matches = pattern.matches(name);
    match text.strip_suffix('*') {
        Some(prefix) => assert_eq!(matches, name.starts_with(prefix)),
        None => assert_eq!(matches, name == text),
    }
    let (allowing, denying) = (rules(text, ""), rules("*", text));
    assert_eq!(allowing.shows(ACTION, name), matches);
    assert_eq!(denying.shows(ACTION, name), !matches);
    assert!(allowing.decide_listing(ACTION).is_allowed());
    assert_eq!(denying.decide_listing(ACTION).is_allowed(), text != "*");
});
