//! What a person is told, in full.

use super::{complete, refusal, warnings};

#[test]
fn a_misspelt_key() {
    assert_eq!(
        refusal(&complete("admin: { identty: h1:a }\n")),
        "unknown key 'admin.identty' | at config.yaml:3:10, admin.identty | \
         did you mean 'admin.identity'?"
    );
    // What is missing may stand there under another name.
    assert_eq!(
        refusal("version: v1\ntls:\n  cert:\n  - { key: a, cert: b }\n"),
        "unknown key 'tls.cert' | at config.yaml:3:3, tls.cert | did you mean 'tls.certs'?"
    );
}

#[test]
fn a_section_in_the_wrong_place() {
    assert_eq!(
        refusal(&complete("hsm:\n  keycontrol: {}\n")),
        "unknown key 'hsm.keycontrol' | at config.yaml:4:3, hsm.keycontrol | \
         did you mean 'hsm.entrust.keycontrol'?"
    );
    assert_eq!(
        refusal(&complete("hsm:\n  hashicorp:\n    keycontrol: {}\n")),
        "unknown key 'hsm.hashicorp.keycontrol' | \
         at config.yaml:5:5, hsm.hashicorp.keycontrol | \
         did you mean 'hsm.entrust.keycontrol'?"
    );
}

#[test]
fn a_key_like_no_other() {
    assert_eq!(
        refusal(&complete("keystore: { fs: { path: keys } }\n")),
        "unknown key 'keystore' | at config.yaml:3:1, keystore | \
         known here: version, admin, cluster, tls, log, metrics, hsm"
    );
}

#[test]
fn the_older_spelling_of_vault() {
    let vault = "{ server: https://v:8200, transit: { key: k }, approle: { id: a, secret: b } }";
    assert_eq!(
        warnings(&format!("hsm:\n  vault: {vault}\n")),
        ["config.yaml:4:3: hsm.vault: old name of 'hsm.hashicorp.vault'; write that"]
    );
    assert_eq!(
        refusal(&complete(&format!(
            "hsm:\n  vault: {vault}\n  hashicorp: {{ vault: {vault} }}\n"
        ))),
        "both 'hsm.vault' and 'hsm.hashicorp.vault' are specified | \
         at config.yaml:4:3, hsm.vault | remove 'hsm.vault'"
    );
}
