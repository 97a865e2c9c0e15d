//! A pattern and, in the second line, a path: the pattern matches by the rules,
//! and as a deny rule it refuses exactly what it would allow.
#![no_main]

use keystead_identity::Identity;
use keystead_policy::{Pattern, Policy, PolicySet, spellings};
use libfuzzer_sys::fuzz_target;

fn rules(patterns: &[&str]) -> Vec<Pattern> {
    patterns.iter().copied().map(Pattern::from).collect()
}

fn is_allowed(allow: &[&str], deny: &[&str], path: &str) -> bool {
    let member = Identity::from("member");
    let policy = Policy {
        allow: rules(allow),
        deny: rules(deny),
    };
    PolicySet::new(Identity::from("admin"))
        .with_policy("policy", policy, [member.clone()])
        .expect("one policy with one member")
        .decide(Some(&member), spellings(path).as_slice())
        .is_allowed()
}

fuzz_target!(|text: &str| {
    let Some((pattern, path)) = text.split_once('\n') else {
        return;
    };
    let matches = Pattern::new(pattern).matches(path);
    match pattern.char_indices().next_back() {
        None => assert!(!matches),
        Some((end, '*')) => assert_eq!(matches, path.starts_with(&pattern[..end])),
        Some(_) => assert_eq!(matches, pattern == path),
    }

    let spellings = spellings(path);
    let any = spellings
        .as_slice()
        .iter()
        .any(|path| Pattern::new(pattern).matches(path));
    assert!(any || !matches);
    assert_eq!(is_allowed(&[pattern], &[], path), any);
    assert_eq!(is_allowed(&["*"], &[pattern], path), !any);
});
