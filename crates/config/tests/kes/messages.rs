//! What a person is told, in full.

use super::{ADMIN, STORE, TLS, complete, read};

fn message(text: &str, variables: &[(&str, &str)]) -> String {
    read(text, variables).unwrap_err().to_string()
}

#[test]
fn a_wrong_value_in_the_file() {
    assert_eq!(
        message(&complete("cache:\n  expiry:\n    any: -5s\n"), &[]),
        "invalid cache expiry '-5s'\n  \
         at kes.yml:6:10, cache.expiry.any\n  \
         write a duration above zero"
    );
}

#[test]
fn a_missing_value() {
    assert_eq!(
        message(&format!("{ADMIN}{STORE}tls:\n  key: a\n"), &[]),
        "invalid tls config: no certificate\n  \
         at kes.yml:4:3, tls.cert\n  \
         write the path of the server's PEM certificate"
    );
    assert_eq!(
        message(&format!("{ADMIN}{TLS}"), &[]),
        "no keystore specified\n  \
         at kes.yml:1:1, keystore\n  \
         configure one, such as 'keystore: { fs: { path: ./keys } }'; \
         for a store in memory start with --dev"
    );
}

#[test]
fn a_wrong_value_of_a_variable() {
    assert_eq!(
        message(&complete("log:\n  error: ${LEVEL}\n"), &[("LEVEL", "loud")]),
        "invalid log level 'loud'\n  \
         at kes.yml:5:10 (value of environment variable LEVEL), log.error\n  \
         write on, off, debug, info, warn, error, one of these with an offset such as INFO+2, \
         or a number"
    );
}

#[test]
fn a_missing_variable() {
    assert_eq!(
        message(&complete("log:\n  error: ${LEVEL}\n"), &[]),
        "referenced env. variable 'LEVEL' in line '5' not found\n  \
         at kes.yml:5:10, log.error\n  \
         set the variable LEVEL, or write the value itself"
    );
}

#[test]
fn a_wrong_kind() {
    assert_eq!(
        message(&complete("keys: my-key\n"), &[]),
        "yaml: line 4: expected a list, found a single value\n  \
         at kes.yml:4:7, keys\n  \
         write lines that begin with '- ', or '[a, b]'"
    );
}

#[test]
fn a_syntax_error() {
    assert_eq!(
        message("admin: {\n", &[]),
        "yaml: line 1: unclosed bracket '{'\n  \
         at kes.yml:1:8\n  \
         check the indentation, and put values with special characters in quotes"
    );
}
