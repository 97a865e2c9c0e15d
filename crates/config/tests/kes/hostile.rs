//! Files that mean harm, and bytes that mean nothing.

use std::{fs, path::Path};

use keystead_config::{
    ProcessEnvironment,
    kes::{Overrides, ServerConfig},
};
use proptest::prelude::*;

use super::{complete, read, refusal};

fn load(path: &Path) -> String {
    match ServerConfig::load(path, &ProcessEnvironment, &Overrides::default()) {
        Ok(_) => "accepted".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn files_that_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(load(Path::new("")), "open : no such file or directory");
    let missing = folder.path().join("none.yml");
    assert_eq!(
        load(&missing),
        format!("open {}: no such file or directory", missing.display())
    );
    assert!(load(folder.path()).ends_with(": is a directory"));
    let path = folder.path().join("kes.yml");
    fs::write(&path, vec![b'#'; (1 << 20) + 1]).unwrap();
    assert!(load(&path).ends_with(": the file is larger than 1 MiB"));
    fs::write(&path, vec![b'#'; 1 << 20]).unwrap();
    assert!(load(&path).starts_with("EOF\n"));
    fs::write(&path, b"admin: \xff").unwrap();
    assert!(load(&path).ends_with(": the file is not UTF-8 text"));
    fs::write(&path, complete("")).unwrap();
    let loaded = ServerConfig::load(&path, &ProcessEnvironment, &Overrides::default()).unwrap();
    assert_eq!(loaded.files[0], path);
}

#[test]
fn aliased_policies_are_bounded() {
    let patterns = vec!["/v1/key/create/some-key-name"; 5_000].join(", ");
    let mut text = complete(&format!("policy:\n  p: &p {{ allow: [{patterns}] }}\n"));
    for policy in 0..2_000 {
        text.push_str(&format!("  p{policy}: *p\n"));
    }
    assert!(refusal(&text).ends_with("the aliases expand to too much text"));
}

#[test]
fn long_unknown_keys_are_cheap() {
    let key = "k".repeat(500_000);
    let text = complete(&format!("? {key}\n: x\n"));
    assert_eq!(read(&text, &[]).unwrap().warnings.len(), 1);
}

/// Lines that make sense here and there, so that the readers are reached.
const LINES: &[&str] = &[
    "admin: { identity: disabled }",
    "admin:",
    "  identity: ${X}",
    "root: x",
    "tls: { key: a, cert: b }",
    "tls:",
    "  key: a",
    "  cert: [b]",
    "  auth: on",
    "policy:",
    "  p: &p { allow: [/a*b, ~], identities: ['${X}'] }",
    "  q: *p",
    "cache: { expiry: { any: -1s, unused: 5, offline: 1e9h } }",
    "api: { /v1/ready: { skip_auth: maybe } }",
    "log: { error: WARN+1, audit: [] }",
    "keys: [{ name: a }]",
    "keys: { fs: { path: x } }",
    "keystore: { fs: { path: x } }",
    "keystore:",
    "  vault: { approle: { id: x }, kubernetes: { jwt: x } }",
    "  azure: { keyvault: { credentials: {}, managed_identity: {} } }",
    "  entrust: { keycontrol: }",
    "<<: { a: b }",
    "- x",
    "---",
];

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in "\\PC*") {
        read(&text, &[]).ok();
    }

    #[test]
    fn arbitrary_lines_never_panic(
        lines in prop::collection::vec(prop::sample::select(LINES), 0..12),
    ) {
        read(&lines.join("\n"), &[("X", "x")]).ok();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &bytes).unwrap();
        load(file.path());
    }
}
