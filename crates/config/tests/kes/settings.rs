//! Defaults and rules of the keys outside of the key store.

use std::{path::Path, time::Duration};

use keystead_config::{
    Level, Origin,
    kes::{ClientAuth, Overrides, ProxyConfig},
};

use super::{ADMIN, ALICE, BOB, STORE, TLS, complete, read, read_with, refusal, settings};

#[test]
fn defaults() {
    let config = settings("");
    assert_eq!(config.address.to_string(), "0.0.0.0:7373");
    assert_eq!(config.admin.as_str(), "disabled");
    assert_eq!(config.tls.password, None);
    assert_eq!(config.tls.auth, ClientAuth::Off);
    assert_eq!(config.tls.ca, None);
    assert_eq!(config.tls.proxy, ProxyConfig::default());
    assert!(config.policies.is_empty());
    assert_eq!(config.cache.any, Duration::from_secs(300));
    assert_eq!(config.cache.unused, Duration::from_secs(30));
    assert_eq!(config.cache.offline, Duration::ZERO);
    assert!(config.api.is_empty());
    assert_eq!(config.log.error, Level::INFO);
    assert_eq!(config.log.audit, Level::OFF);
    assert!(config.keys.is_empty());
    assert!(!config.compat.historic_errors);
}

#[test]
fn null_and_empty_count_as_absent() {
    let absent = settings("");
    for more in [
        "version:",
        "version: \"\"",
        "address:",
        "address: ''",
        "policy:",
        "cache:",
        "cache: { expiry: }",
        "cache: { expiry: { any:, unused: null, offline: ~ } }",
        "cache: { expiry: { any: 0s, unused: 0 } }",
        "api:",
        "log:",
        "log: { error: , audit: '' }",
        "log: { error: ' ' }",
        "keys:",
        "keys: []",
        "compat: { historic_errors: }",
    ] {
        assert_eq!(settings(more), absent, "{more}");
    }
}

#[test]
fn version() {
    for (version, message) in [
        ("v2", "invalid server config version 'v2'"),
        ("1", "invalid server config version '1'"),
        ("${V}", "invalid server config version '${V}'"),
        ("[v1]", "invalid config version at line '1'"),
        ("{}", "invalid config version at line '1'"),
    ] {
        let text = format!("version: {version}\n{ADMIN}{TLS}{STORE}");
        assert_eq!(refusal(&text), message);
    }
    settings("version: v1");
}

#[test]
fn address() {
    for (address, expected) in [
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("':7373'", "0.0.0.0:7373"),
        ("'[::1]:7373'", "[::1]:7373"),
        ("'[::]:0'", "[::]:0"),
    ] {
        let config = settings(&format!("address: {address}"));
        assert_eq!(config.address.to_string(), expected);
    }
    for (address, message) in [
        ("localhost:7373", "'localhost' is not a valid IP address"),
        (
            "'[localhost]:7373'",
            "'localhost' is not a valid IP address",
        ),
        ("0.0.0.0", "address 0.0.0.0: missing port in address"),
        ("'[::1]'", "address [::1]: missing port in address"),
        ("'::1:7373'", "address ::1:7373: too many colons in address"),
        ("127.0.0.1:https", "address 127.0.0.1:https: invalid port"),
        ("127.0.0.1:65536", "address 127.0.0.1:65536: invalid port"),
        ("'127.0.0.1:'", "address 127.0.0.1:: invalid port"),
    ] {
        assert_eq!(refusal(&complete(&format!("address: {address}"))), message);
    }
}

#[test]
fn admin() {
    for admin in [
        "",
        "admin:\n",
        "admin: {}\n",
        "admin: { identity: }\n",
        "admin: { identity: '' }\n",
    ] {
        let text = format!("{admin}{TLS}{STORE}");
        assert_eq!(refusal(&text), "invalid admin identity: no admin identity");
    }
    let text = format!("admin: {{ identity: '${{WHO}}' }}\n{TLS}{STORE}");
    let config = read(&text, &[("WHO", ALICE)]).unwrap().config;
    assert_eq!(config.admin.as_str(), ALICE);
    let error = read(&text, &[("WHO", "")]).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("invalid admin identity: no admin identity\n")
    );
}

#[test]
fn tls() {
    for (tls, message) in [
        ("", "invalid tls config: no private key"),
        ("tls: { cert: c }", "invalid tls config: no private key"),
        ("tls: { key: k }", "invalid tls config: no certificate"),
        (
            "tls: { key: k, cert: c, auth: maybe }",
            "invalid tls config: invalid auth 'maybe'",
        ),
        ("tls: []", "yaml: line 2: expected a mapping, found a list"),
    ] {
        assert_eq!(refusal(&format!("{ADMIN}{tls}\n{STORE}")), message);
    }
    for (auth, expected) in [
        ("on", ClientAuth::On),
        ("ON", ClientAuth::On),
        ("'On'", ClientAuth::On),
        ("off", ClientAuth::Off),
        ("OFF", ClientAuth::Off),
        ("''", ClientAuth::Off),
    ] {
        let text = format!("{ADMIN}tls: {{ key: k, cert: c, auth: {auth} }}\n{STORE}");
        assert_eq!(
            read(&text, &[]).unwrap().config.tls.auth,
            expected,
            "{auth}"
        );
    }
}

#[test]
fn proxies() {
    let tls = "tls: { key: k, cert: c, proxy: { identities: ['${PROXY}'], \
               header: { cert: X-Cert } } }\n";
    let text = format!("admin: {{ identity: {ALICE} }}\n{tls}{STORE}");
    let config = read(&text, &[("PROXY", BOB)]).unwrap().config;
    assert_eq!(config.tls.proxy.identities[0].as_str(), BOB);
    assert_eq!(config.tls.proxy.header.as_deref(), Some("X-Cert"));
    let error = read(&text, &[("PROXY", ALICE)]).unwrap_err();
    assert!(error.to_string().starts_with(&format!(
        "invalid tls proxy: identity '{ALICE}' is already admin\n"
    )));
    let text = format!("{text}policy: {{ p: {{ identities: [{BOB}] }} }}\n");
    let error = read(&text, &[("PROXY", BOB)]).unwrap_err();
    assert!(error.to_string().starts_with(&format!(
        "invalid policy 'p': identity '{BOB}' is already a TLS proxy\n"
    )));
}

#[test]
fn policies() {
    let config = settings(&format!(
        "policy:\n  empty:\n  p:\n    allow: [ '${{X}}', /v1/key/** ]\n    deny: [ /v1/status ]\n    identities: [ {ALICE}, {BOB} ]\n"
    ));
    assert_eq!(config.policies["empty"].identities, []);
    let policy = &config.policies["p"];
    assert_eq!(policy.rules.allow[0].as_str(), "${X}");
    assert_eq!(policy.rules.deny[0].as_str(), "/v1/status");
    assert_eq!(policy.identities.len(), 2);
    let long = "p".repeat(81);
    for (policy, message) in [
        (
            format!("a: {{ identities: [{ALICE}] }}, b: {{ identities: [{ALICE}] }}"),
            format!("cannot assign policy 'b' to '{ALICE}': identity already has a policy"),
        ),
        (
            format!("a: {{ identities: [{ALICE}, {ALICE}] }}"),
            format!("cannot assign policy 'a' to '{ALICE}': identity already has a policy"),
        ),
        (
            "a: { identities: [disabled] }".to_owned(),
            "invalid policy 'a': identity 'disabled' is already admin".to_owned(),
        ),
        (
            "a: { identities: [''] }".to_owned(),
            "identity '' is empty, too long or contains invalid characters".to_owned(),
        ),
        (
            "a: { identities: [~] }".to_owned(),
            "identity '' is empty, too long or contains invalid characters".to_owned(),
        ),
        (
            "-a: {}".to_owned(),
            "policy name '-a' is empty, too long or contains invalid characters".to_owned(),
        ),
        (
            "_: {}".to_owned(),
            "policy name '_' is empty, too long or contains invalid characters".to_owned(),
        ),
        (
            format!("{long}: {{}}"),
            format!("policy name '{long}' is empty, too long or contains invalid characters"),
        ),
    ] {
        assert_eq!(
            refusal(&complete(&format!("policy: {{ {policy} }}"))),
            message
        );
    }
}

#[test]
fn cache() {
    let config = settings("cache: { expiry: { any: 1h30m, unused: 1.5s, offline: '2m' } }");
    assert_eq!(config.cache.any, Duration::from_secs(5400));
    assert_eq!(config.cache.unused, Duration::from_millis(1500));
    assert_eq!(config.cache.offline, Duration::from_secs(120));
    // The documented default of `any` stands while `unused` is not given.
    let config = settings("cache: { expiry: { any: 10m } }");
    assert_eq!(config.cache.any, Duration::from_secs(600));
    assert_eq!(config.cache.unused, Duration::from_secs(30));
    for (expiry, message) in [
        ("any: -5s", "invalid cache expiry '-5s'"),
        ("unused: -90s", "invalid cache unused expiry '-1m30s'"),
        ("offline: -1ns", "invalid offline cache expiry '-1ns'"),
        ("any: 15", "time: missing unit in duration \"15\""),
        ("any: 15x", "time: unknown unit \"x\" in duration \"15x\""),
        ("any: ''", "time: invalid duration \"\""),
        (
            "any: [5s]",
            "yaml: line 4: expected a single value, found a list",
        ),
    ] {
        let text = complete(&format!("cache: {{ expiry: {{ {expiry} }} }}"));
        assert_eq!(refusal(&text), message);
    }
}

#[test]
fn log() {
    for (log, error, audit) in [
        ("error: on", 0, 9),
        ("error: off, audit: on", 9, 0),
        ("error: Debug, audit: ' INFO+2 '", -4, 2),
        ("error: -4, audit: 12", -4, 12),
        ("error: '${UNSET_IS_FINE_WITHIN}x'", 0, 9),
    ] {
        if log.contains("UNSET") {
            let text = complete(&format!("log: {{ {log} }}"));
            assert_eq!(
                refusal(&text),
                "invalid log level '${UNSET_IS_FINE_WITHIN}x'"
            );
            continue;
        }
        let config = settings(&format!("log: {{ {log} }}"));
        assert_eq!(config.log.error.value(), error, "{log}");
        assert_eq!(config.log.audit.value(), audit, "{log}");
    }
    for log in ["error", "audit"] {
        let text = complete(&format!("log: {{ {log}: loud }}"));
        assert_eq!(refusal(&text), "invalid log level 'loud'");
    }
}

#[test]
fn keys() {
    let config = settings("keys: [ { name: one }, { name: two } ]");
    let keys: Vec<&str> = config.keys.iter().map(AsRef::as_ref).collect();
    assert_eq!(keys, ["one", "two"]);
    for (keys, message) in [
        (
            "[{ name: a }, { name: a }]",
            "invalid key config: key 'a' is defined multiple times",
        ),
        (
            "[{ name: a/b }]",
            "key name 'a/b' is empty, too long or contains invalid characters",
        ),
        ("[{ name: '' }]", "invalid key config: no name specified"),
        (
            "[a]",
            "yaml: line 4: expected a mapping, found a single value",
        ),
        ("a", "yaml: line 4: expected a list, found a single value"),
    ] {
        assert_eq!(refusal(&complete(&format!("keys: {keys}"))), message);
    }
}

#[test]
fn compat() {
    assert!(
        settings("compat: { historic_errors: yes }")
            .compat
            .historic_errors
    );
}

#[test]
fn command_line() {
    let overrides = Overrides {
        address: Some("127.0.0.1:1".to_owned()),
        auth: Some(ClientAuth::On),
        key: Some("flag.key".into()),
        cert: Some("flag.crt".into()),
    };
    let text = format!("{ADMIN}{STORE}address: 0.0.0.0:2\n");
    let loaded = read_with(&text, &[], &overrides).unwrap();
    let config = loaded.config;
    assert_eq!(config.address.to_string(), "127.0.0.1:1");
    assert_eq!(config.tls.auth, ClientAuth::On);
    assert_eq!(config.tls.key, Path::new("flag.key"));
    assert_eq!(config.tls.cert, Path::new("flag.crt"));
    assert_eq!(loaded.origins["address"], Origin::CommandLine("--addr"));
    assert_eq!(loaded.origins["tls.key"], Origin::CommandLine("--key"));
    assert_eq!(loaded.files, [Path::new("flag.key"), Path::new("flag.crt")]);

    // Key and certificate of the file come first.
    let config = read_with(&complete(""), &[], &overrides).unwrap().config;
    assert_eq!(config.tls.key, Path::new("a.key"));

    let overrides = Overrides {
        address: Some("kes.example.net:7373".to_owned()),
        ..Overrides::default()
    };
    let error = read_with(&complete(""), &[], &overrides).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("'kes.example.net' is not a valid IP address\n"));
    assert!(text.contains("command line option --addr"));
}
