//! What is odd but accepted.

use super::{complete, warnings};

#[test]
fn unknown_keys() {
    let text = complete(
        "cach: {}\n\
         cache:\n  expiri: { any: 5m }\n  \
         expiry: { anny: 5m, wholly_different: 1 }\n\
         policy:\n  p: { alow: [/a] }\n\
         keys: [ { name: a, nmae: b } ]\n\
         \"line\\nbreak\": x\n",
    );
    assert_eq!(
        warnings(&text),
        [
            "kes.yml:4:1: cach: unknown key, ignored; did you mean 'cache'?",
            "kes.yml:6:3: cache.expiri: unknown key, ignored; did you mean 'expiry'?",
            "kes.yml:7:13: cache.expiry.anny: unknown key, ignored; did you mean 'any'?",
            "kes.yml:7:23: cache.expiry.wholly_different: unknown key, ignored",
            "kes.yml:9:8: policy.p.alow: unknown key, ignored; did you mean 'allow'?",
            "kes.yml:10:20: keys[0].nmae: unknown key, ignored; did you mean 'name'?",
            "kes.yml:11:1: line\\nbreak: unknown key, ignored",
        ]
    );
}

/// The keys another product has in its file.
#[test]
fn foreign_sections() {
    let text = complete("hsm:\n  entrust: { keycontrol: { server: https://x } }\n");
    assert_eq!(warnings(&text), ["kes.yml:4:1: hsm: unknown key, ignored"]);
}

#[test]
fn patterns_that_look_like_shell_patterns() {
    let text = complete(
        "policy:\n  p:\n    allow: [ /v1/key/*/my-*, /v1/key/create/*, '/v1/key/?', /v1/key/** ]\n    \
         deny: [ '/v1/[a-z]*', /v1/status ]\n",
    );
    let hint = "matches literally: only a '*' at the end stands for other text";
    assert_eq!(
        warnings(&text),
        [
            format!("kes.yml:6:14: policy.p.allow[0]: '/v1/key/*/my-*' {hint}"),
            format!("kes.yml:6:48: policy.p.allow[2]: '/v1/key/?' {hint}"),
            format!("kes.yml:6:61: policy.p.allow[3]: '/v1/key/**' {hint}"),
            format!("kes.yml:7:13: policy.p.deny[0]: '/v1/[a-z]*' {hint}"),
        ]
    );
}
