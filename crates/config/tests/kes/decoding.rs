//! From YAML to values: words, variables, types, documents.

use super::{ADMIN, STORE, TLS, complete, read, refusal, settings, short};

#[test]
fn truths_in_all_spellings() {
    let truth = |word: &str| {
        let text = complete("compat: { historic_errors: WORD }").replace("WORD", word);
        read(
            &text,
            &[("YES", "yes"), ("TRUE", "true"), ("NO", "N"), ("EMPTY", "")],
        )
        .map(|loaded| loaded.config.compat.historic_errors)
        .map_err(|error| short(&error))
    };
    for word in [
        "true",
        "True",
        "TRUE",
        "yes",
        "Yes",
        "y",
        "Y",
        "on",
        "ON",
        "'on'",
        "\"${YES}\"",
        "'${TRUE}'",
    ] {
        assert_eq!(truth(word), Ok(true), "{word}");
    }
    for word in ["false", "no", "n", "N", "off", "Off", "'off'", "'${NO}'"] {
        assert_eq!(truth(word), Ok(false), "{word}");
    }
    for word in ["1", "maybe", "''", "'${EMPTY}'"] {
        let message = "expected true or false".to_owned();
        assert_eq!(truth(word), Err(message), "{word}");
    }
}

#[test]
fn variables_replace_whole_scalars_only() {
    for (scalar, expected) in [
        ("${DIR}", "store"),
        ("${ DIR }", "store"),
        ("'  ${DIR}  '", "store"),
        ("\"${DIR}\"", "store"),
        ("'${DIR}'", "store"),
        ("pre-${DIR}", "pre-${DIR}"),
        ("${DIR}-post", "${DIR}-post"),
        ("$DIR", "$DIR"),
        ("'${NESTED}'", "${DIR}"),
        ("'${A${B}}'", "odd"),
        ("'${}'", "no name"),
    ] {
        let text = format!("{ADMIN}{TLS}keystore:\n  fs:\n    path: {scalar}\n");
        let variables = [
            ("DIR", "store"),
            ("NESTED", "${DIR}"),
            ("A${B}", "odd"),
            ("", "no name"),
        ];
        let config = read(&text, &variables).unwrap().config;
        let keystead_config::kes::KeyStoreConfig::Fs(store) = config.keystore else {
            panic!("another store");
        };
        assert_eq!(store.path.to_str(), Some(expected), "{scalar}");
    }
}

#[test]
fn variables_work_for_durations() {
    let text = complete("cache: { expiry: { any: '${ANY}' } }");
    let config = read(&text, &[("ANY", "7m")]).unwrap().config;
    assert_eq!(config.cache.any.as_secs(), 420);
    let error = read(&text, &[("ANY", "")]).unwrap_err();
    assert_eq!(short(&error), "time: invalid duration \"\"");
}

#[test]
fn unset_variables_count_in_document_order_and_before_everything_else() {
    let text = "keystore: { fs: { path: '${STORE}' } }\n\
                admin: { identity: '${ADMIN}' }\n\
                version: v9\n";
    assert_eq!(
        refusal(text),
        "referenced env. variable 'STORE' in line '1' not found"
    );
    let error = read(text, &[("STORE", "x")]).unwrap_err();
    assert_eq!(
        short(&error),
        "referenced env. variable 'ADMIN' in line '2' not found"
    );
    let error = read(text, &[("STORE", "x"), ("ADMIN", "x")]).unwrap_err();
    assert_eq!(short(&error), "invalid server config version 'v9'");
}

#[test]
fn unknown_keys_are_not_decoded() {
    settings("hsm: { entrust: { keycontrol: { password: '${UNSET}' } } }\nlist: [ { a: } ]");
}

#[test]
fn other_scalars_are_texts_where_texts_are_wanted() {
    for scalar in ["5", "1.5", "true", "on", "2025-01-01", "0x1f"] {
        let text = format!("admin: {{ identity: {scalar} }}\n{TLS}{STORE}");
        assert_eq!(read(&text, &[]).unwrap().config.admin.as_str(), scalar);
    }
}

#[test]
fn wrong_kinds() {
    for (text, message) in [
        ("", "EOF"),
        ("# nothing\n", "EOF"),
        (
            "just words",
            "yaml: line 1: expected a mapping, found a single value",
        ),
        ("- a", "yaml: line 1: expected a mapping, found a list"),
        ("--- ~", "invalid admin identity: no admin identity"),
        (
            "admin: x",
            "yaml: line 1: expected a mapping, found a single value",
        ),
        (
            "admin:\n  identity: [x]",
            "yaml: line 2: expected a single value, found a list",
        ),
        (
            "policy: []",
            "yaml: line 1: expected a mapping, found a list",
        ),
        (
            "policy: { p: x }",
            "yaml: line 1: expected a mapping, found a single value",
        ),
        (
            "policy: { p: { allow: x } }",
            "yaml: line 1: expected a list, found a single value",
        ),
        (
            "policy: { p: { deny: [[x]] } }",
            "yaml: line 1: expected a single value, found a list",
        ),
        (
            "a: 1\na: 2",
            "yaml: line 2: mapping key 'a' already defined at line 1",
        ),
        ("a: [", "yaml: line 1: unclosed bracket '['"),
    ] {
        assert_eq!(refusal(text), message, "{text}");
    }
}

#[test]
fn anchors_and_merge_keys() {
    let text = "x-files: &files { key: a.key, cert: a.crt }\n\
                admin: { identity: &me somebody }\n\
                tls: { <<: *files, cert: b.crt }\n\
                keystore: { fs: { path: *me } }\n";
    let config = read(text, &[]).unwrap().config;
    assert_eq!(config.tls.key.to_str(), Some("a.key"));
    assert_eq!(config.tls.cert.to_str(), Some("b.crt"));
}

#[test]
fn only_the_first_document_counts() {
    let text = format!("{}---\nversion: v9\n", complete(""));
    assert!(read(&text, &[]).is_ok());
}

#[test]
fn first_fault_in_the_documented_order() {
    // Each line repairs the fault of the step before it.
    let steps = [
        (
            "version: v2\nadmin: {}\n",
            "invalid server config version 'v2'",
        ),
        ("version: v1\n", "invalid admin identity: no admin identity"),
        (ADMIN, "invalid tls config: no private key"),
        ("tls: { key: k }\n", "invalid tls config: no certificate"),
        (
            "tls: { key: k, cert: c, auth: x }\n",
            "invalid tls config: invalid auth 'x'",
        ),
    ];
    for (head, message) in steps {
        let text = format!("{head}address: x\ncache: {{ expiry: {{ any: -1s }} }}\n");
        let text = if head.starts_with("tls") {
            format!("{ADMIN}{text}")
        } else {
            text
        };
        assert_eq!(refusal(&text), message);
    }
    let rest = [
        (
            "policy: { p: { identities: [disabled] } }",
            "invalid policy 'p': identity 'disabled' is already admin",
        ),
        (
            "cache: { expiry: { any: -1s } }",
            "invalid cache expiry '-1s'",
        ),
        ("log: { error: x }", "invalid log level 'x'"),
        (
            "api: { /v1/status: { timeout: -1s } }",
            "invalid timeout '-1s' for API '/v1/status'",
        ),
        (
            "keys: [{ name: a }, { name: a }]",
            "invalid key config: key 'a' is defined multiple times",
        ),
        ("keystore: {}", "no keystore specified"),
        ("address: x", "address x: missing port in address"),
    ];
    for start in 0..rest.len() {
        // In reverse, to show that the order of the file does not matter.
        let lines: Vec<&str> = rest[start..].iter().rev().map(|(line, _)| *line).collect();
        let mut text = format!("{ADMIN}{TLS}{}\n", lines.join("\n"));
        if !text.contains("keystore") {
            text.push_str(STORE);
        }
        assert_eq!(refusal(&text), rest[start].1);
    }
}
