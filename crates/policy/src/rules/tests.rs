//! The golden vectors of MinIO KMS policies, and the properties of patterns.

use proptest::prelude::*;
use serde_json::Value;

use super::{Action, InvalidPattern, Pattern, Rules};

/// The commands of the vectors, with codes of their own where only the difference
/// matters.
const ACTIONS: [(u16, &str); 9] = [
    (201, "KEY:CREATE"),
    (203, "KEY:IMPORT"),
    (204, "KEY:STATUS"),
    (206, "KEY:DECRYPT"),
    (207, "KEY:GENERATE"),
    (208, "KEY:LIST"),
    (304, "POLICY:GET"),
    (306, "POLICY:LIST"),
    (404, "IDENTITY:LIST"),
];

fn action(name: &str) -> Action {
    let (code, name) = ACTIONS
        .into_iter()
        .find(|(_, known)| *known == name)
        .unwrap_or_else(|| panic!("no action {name}"));
    Action { code, name }
}

fn section(path: &[&str]) -> Value {
    let mut vectors: Value =
        serde_json::from_str(include_str!("../../../../tests/vectors/minkms.json")).unwrap();
    for name in path {
        vectors = vectors[*name].take();
    }
    vectors
}

fn list<'a>(entry: &'a Value, field: &str) -> &'a [Value] {
    let entries = entry[field].as_array().unwrap();
    println!("vectors: {field}: {}", entries.len());
    assert!(!entries.is_empty());
    entries
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap()
}

fn rule_set(entry: &Value) -> Vec<(u16, Vec<&str>)> {
    entry
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, patterns)| {
            let patterns = patterns.as_array().unwrap().iter();
            (
                action(name).code,
                patterns.map(|it| it.as_str().unwrap()).collect(),
            )
        })
        .collect()
}

fn rules(allow: &[(&str, &[&str])], deny: &[(&str, &[&str])]) -> Rules {
    Rules::new(
        allow
            .iter()
            .map(|(name, patterns)| (action(name).code, patterns.iter().copied())),
        deny.iter()
            .map(|(name, patterns)| (action(name).code, patterns.iter().copied())),
    )
    .unwrap()
}

#[test]
fn pattern_matching() {
    for case in list(&section(&["pattern_matching"]), "cases") {
        let pattern: Pattern = text(case, "pattern").parse().unwrap();
        let matches = case["match"].as_bool().unwrap();
        assert_eq!(pattern.matches(text(case, "name")), matches, "{case}");
    }
}

#[test]
fn decisions_policy() {
    let section = section(&["decisions", "policy"]);
    let policy = &section["policy"];
    let rules = Rules::new(rule_set(&policy["allow"]), rule_set(&policy["deny"])).unwrap();

    for case in list(&section, "single") {
        let action = action(text(case, "command"));
        let decision = rules.decide(action, text(case, "argument"));
        assert_eq!(
            decision.is_allowed(),
            case["allowed"].as_bool().unwrap(),
            "{case}"
        );
        assert!(decision.reason().to_string().contains(action.name));
    }
    for case in list(&section, "list") {
        let action = action(text(case, "command"));
        let allowed = rules.decide_listing(action).is_allowed();
        assert_eq!(allowed, case["status"] == 200, "{case}");
        let existing = case["existing"].as_array().unwrap().iter();
        let shown: Vec<_> = existing
            .map(|name| name.as_str().unwrap())
            .filter(|name| name.starts_with(text(case, "prefix")) && rules.shows(action, name))
            .collect();
        let names: Vec<_> = case["names"].as_array().unwrap().iter().collect();
        assert_eq!(shown, names, "{case}");
    }
    for pattern in list(&section, "accepted_patterns") {
        assert!(
            pattern.as_str().unwrap().parse::<Pattern>().is_ok(),
            "{pattern}"
        );
    }
    for pattern in list(&section, "rejected_patterns") {
        let refused = pattern.as_str().unwrap().parse::<Pattern>();
        assert_eq!(refused, Err(InvalidPattern), "{pattern}");
    }
}

#[test]
fn reasons_name_the_rule() {
    let rules = rules(
        &[("KEY:GENERATE", &["my-*", "x"]), ("KEY:LIST", &["a*", "*"])],
        &[("KEY:GENERATE", &["my-secret"]), ("KEY:LIST", &["b*"])],
    );
    let reason = |name: &str, argument: &str| {
        let decision = rules.decide(action(name), argument);
        (decision.is_allowed(), decision.reason().to_string())
    };
    let allowed = |text: &str| (true, text.to_owned());
    let denied = |text: &str| (false, text.to_owned());
    assert_eq!(
        reason("KEY:GENERATE", "my-key"),
        allowed("allow KEY:GENERATE my-*")
    );
    assert_eq!(
        reason("KEY:GENERATE", "my-secret"),
        denied("deny KEY:GENERATE my-secret")
    );
    assert_eq!(
        reason("KEY:GENERATE", "other"),
        denied("no rule for KEY:GENERATE")
    );
    assert_eq!(
        reason("KEY:DECRYPT", "my-key"),
        denied("no rule for KEY:DECRYPT")
    );
    let listing = rules.decide_listing(action("KEY:LIST"));
    assert_eq!(listing.reason().to_string(), "allow KEY:LIST *");
    for (reason, text) in [
        (super::Reason::Root, "root"),
        (super::Reason::Admin, "admin"),
        (super::Reason::Own, "own identity"),
        (super::Reason::NoPolicy, "no policy"),
        (super::Reason::Unknown, "unknown identity"),
    ] {
        assert_eq!(reason.to_string(), text);
    }
}

#[test]
fn listings_show_what_is_allowed_and_not_denied() {
    let list = action("KEY:LIST");
    let open = rules(&[("KEY:LIST", &["*"])], &[]);
    assert!(open.shows_all(list) && open.shows(list, "anything"));
    let guarded = rules(&[("KEY:LIST", &["*"])], &[("KEY:LIST", &["b*"])]);
    assert!(guarded.decide_listing(list).is_allowed() && !guarded.shows_all(list));
    assert!(guarded.shows(list, "a") && !guarded.shows(list, "b"));
    let shut = rules(&[("KEY:LIST", &["*"])], &[("KEY:LIST", &["b", "*"])]);
    assert!(!shut.decide_listing(list).is_allowed() && !shut.shows(list, "a"));
    // Allowed to ask, but nothing is shown.
    let narrow = rules(&[("KEY:LIST", &["a*"])], &[("KEY:LIST", &["a*"])]);
    assert!(narrow.decide_listing(list).is_allowed() && !narrow.shows(list, "a"));
    assert!(!Rules::default().decide_listing(list).is_allowed());
}

#[test]
fn empty_patterns_and_rule_sets_match_nothing() {
    let rules = rules(&[("KEY:LIST", &[""]), ("KEY:CREATE", &[])], &[]);
    assert!(!rules.decide(action("KEY:LIST"), "").is_allowed());
    assert!(!rules.decide_listing(action("KEY:CREATE")).is_allowed());
    let codes: Vec<_> = rules
        .allow()
        .map(|(code, patterns)| (code, patterns.len()))
        .collect();
    assert_eq!(codes, [(201, 0), (208, 0)]);
    assert_eq!("".parse::<Pattern>(), Err(InvalidPattern));
}

#[test]
fn rules_are_kept_in_canonical_order() {
    let rules = rules(
        &[
            ("KEY:LIST", &["bb", "a", "ccc", "b"]),
            ("KEY:CREATE", &["x"]),
            ("KEY:LIST", &["a", "aa"]),
        ],
        &[],
    );
    let listed: Vec<_> = rules
        .allow()
        .map(|(code, patterns)| {
            (
                code,
                patterns.iter().map(Pattern::as_str).collect::<Vec<_>>(),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [(201, vec!["x"]), (208, vec!["a", "b", "aa", "bb", "ccc"])]
    );
    assert_eq!(rules.deny().count(), 0);
}

#[test]
fn patterns_have_a_length() {
    let longest = format!("{}*", "a".repeat(255));
    assert!(longest.parse::<Pattern>().is_ok());
    assert_eq!(
        format!("a{longest}").parse::<Pattern>(),
        Err(InvalidPattern)
    );
    for wrong in ["a\\", "a]", "[", "?", "**", "*a"] {
        assert_eq!(wrong.parse::<Pattern>(), Err(InvalidPattern), "{wrong}");
    }
    let table = Rules::new([(1, ["a", "a?"])], Vec::<(u16, Vec<&str>)>::new());
    assert_eq!(table, Err(InvalidPattern));
}

proptest! {
    #[test]
    fn a_final_star_means_prefix(prefix in "[^*?\\[\\]\\\\]{0,60}", rest in ".*", name in ".*") {
        let pattern: Pattern = format!("{prefix}*").parse().unwrap();
        let continued = format!("{prefix}{rest}");
        prop_assert!(pattern.matches(&continued));
        prop_assert_eq!(pattern.matches(&name), name.starts_with(&prefix));
        prop_assert_eq!(pattern.matches_all(), prefix.is_empty());
    }

    #[test]
    fn anything_else_means_itself(text in "[^*?\\[\\]\\\\]{1,60}", name in ".*") {
        let pattern: Pattern = text.parse().unwrap();
        prop_assert!(pattern.matches(&text));
        prop_assert_eq!(pattern.matches(&name), name == text);
        prop_assert_eq!(pattern.to_string(), text);
    }

    #[test]
    fn a_denial_always_wins(names in prop::collection::vec("[a-c]{0,3}\\*?", 1..6), name in "[a-c]{0,4}") {
        let patterns = || names.iter().map(String::as_str);
        let none = || Vec::<(u16, Vec<&str>)>::new();
        let action = Action { code: 7, name: "SEVEN" };
        let allowing = Rules::new([(7, patterns())], none()).unwrap();
        let denying = Rules::new([(7, ["*"])], [(7, patterns())]).unwrap();
        let allowed = allowing.decide(action, &name).is_allowed();
        prop_assert_eq!(denying.decide(action, &name).is_allowed(), !allowed);
        let matched = names.iter().any(|text| text.parse::<Pattern>().is_ok_and(|it| it.matches(&name)));
        prop_assert_eq!(allowed, matched);
    }
}
