//! Files of releases up to v0.17.1.

use keystead_config::kes::KeyStoreConfig;

use super::{ADMIN, ALICE, STORE, TLS, read, refusal, warnings};

#[test]
fn root() {
    for (old, new) in [
        (ALICE, ""),
        (ALICE, "admin:\n"),
        (ALICE, "admin: { identity: '' }\n"),
        (ALICE, &format!("admin: {{ identity: {ALICE} }}\n")),
        ("${WHO}", ""),
    ] {
        let text = format!("root: {old}\n{new}{TLS}{STORE}");
        let loaded = read(&text, &[("WHO", ALICE)]).unwrap();
        assert_eq!(loaded.config.admin.as_str(), ALICE);
        assert_eq!(loaded.warnings.len(), 1, "{text}");
    }
    assert_eq!(
        refusal(&format!("root: {ALICE}\n{ADMIN}{TLS}{STORE}")),
        "both 'root' and 'admin.identity' are specified"
    );
    assert_eq!(
        refusal(&format!("root:\n{TLS}{STORE}")),
        "invalid admin identity: no admin identity"
    );
}

#[test]
fn paths() {
    let text = |policy: &str| format!("{ADMIN}{TLS}{STORE}policy: {{ p: {{ {policy} }} }}\n");
    let allow = |policy: &str| {
        let config = read(&text(policy), &[]).unwrap().config;
        config.policies["p"].rules.allow.clone()
    };
    assert_eq!(
        allow("paths: [/v1/status, '${X}']"),
        ["/v1/status".into(), "${X}".into()]
    );
    assert_eq!(allow("paths: [/a], allow: [/b]"), ["/b".into()]);
    assert_eq!(
        warnings(&text("paths: [/a]")),
        ["kes.yml:4:16: policy.p.paths: old name of 'allow'; write 'allow'"]
    );
    assert_eq!(
        warnings(&text("paths: [/a], allow: [/b]")),
        ["kes.yml:4:16: policy.p.paths: old name of 'allow', ignored because 'allow' is given"]
    );
}

#[test]
fn keys_with_the_key_store() {
    let text = format!("{ADMIN}{TLS}keys: {{ fs: {{ path: x }} }}\n");
    let config = read(&text, &[]).unwrap().config;
    assert!(matches!(config.keystore, KeyStoreConfig::Fs(_)));
    assert!(config.keys.is_empty());
    assert_eq!(
        warnings(&text),
        ["kes.yml:3:1: keys: old name of 'keystore'; write that"]
    );
    assert_eq!(
        refusal(&format!("{text}{STORE}")),
        "yaml: line 3: expected a list, found a mapping"
    );
}
