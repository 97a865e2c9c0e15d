use std::fs;

use keystead_config::SecretSource;
use keystead_config::kms::{HsmConfig, Pkcs11Mechanism, Pkcs11Slot, VaultHsmAuth};

use super::{complete, read, refusal, settings};

fn only(more: &str) -> HsmConfig {
    let mut hsms = settings(more).hsms;
    assert_eq!(hsms.len(), 1);
    hsms.remove(0)
}

#[test]
fn vault_and_openbao_have_the_same_fields() {
    let section = "{ server: https://v:8200, namespace: ns, \
                   transit: { key: k, path: /seal/ }, \
                   approle: { path: role, id: a, secret: b }, \
                   tls: { ca: ca.crt, key: c.key, cert: c.crt } }";
    let vault = only(&format!("hsm: {{ hashicorp: {{ vault: {section} }} }}\n"));
    let openbao = only(&format!("hsm: {{ openssf: {{ openbao: {section} }} }}\n"));
    assert_eq!(vault.name(), "hsm:hashicorp:vault");
    assert_eq!(openbao.name(), "hsm:openssf:openbao");
    let (HsmConfig::Vault(vault), HsmConfig::OpenBao(openbao)) = (vault, openbao) else {
        panic!("other types");
    };
    assert_eq!(vault, openbao);
    assert_eq!((&*vault.transit_path, &*vault.transit_key), ("seal", "k"));
    assert!(matches!(&vault.auth, VaultHsmAuth::AppRole { path, .. } if path == "role"));
    assert!(vault.tls.identity.is_some() && vault.tls.ca.is_some());
}

#[test]
fn kubernetes_reads_the_token_of_the_pod() {
    let section = |more: &str| {
        format!(
            "hsm: {{ hashicorp: {{ vault: {{ server: v, transit: {{ key: k }}, \
             kubernetes: {{ role: r{more} }} }} }} }}\n"
        )
    };
    let auth = |more: &str| match only(&section(more)) {
        HsmConfig::Vault(vault) => vault.auth,
        other => panic!("{other:?}"),
    };
    let VaultHsmAuth::Kubernetes { path, role, jwt } = auth("") else {
        panic!("another method");
    };
    assert_eq!((&*path, &*role), ("kubernetes", "r"));
    assert!(matches!(jwt, SecretSource::File(file) if file.ends_with("serviceaccount/token")));
    let VaultHsmAuth::Kubernetes { jwt, .. } = auth(", jwt: ey.J") else {
        panic!("another method");
    };
    assert!(matches!(jwt, SecretSource::Value(_)));
    let refused = refusal(&complete(&section(", jwt: /not/there")));
    assert!(refused.contains("no such file"), "{refused}");
}

#[test]
fn secrets_may_be_in_files_and_variables() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    fs::write(&file, "k1:secret\n").unwrap();
    let minkms = |auth: &str| {
        let more = format!(
            "hsm: {{ minio: {{ minkms: {{ server: a, enclave: e, key: k, auth: {auth} }} }} }}\n"
        );
        read(&complete(&more), &[("KEY", "k1:other")]).map(|loaded| loaded.config.hsms)
    };
    let key = |auth: &str| match minkms(auth).unwrap().remove(0) {
        HsmConfig::MinKms(hsm) => hsm.api_key.read().unwrap().expose().to_owned(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        key(&format!("{{ key_file: {} }}", file.display())),
        "k1:secret"
    );
    assert_eq!(key("{ key: \"${KEY}\" }"), "k1:other");
    assert!(minkms("{ key: a, key_file: b }").is_err());
}

#[test]
fn pkcs11_names_one_token() {
    let hsm =
        |more: &str| format!("hsm: {{ pkcs11: {{ library: /lib/p.so, key: seal, {more} }} }}\n");
    let HsmConfig::Pkcs11(config) = only(&hsm("token: kms, pin: '1234'")) else {
        panic!("another type");
    };
    assert_eq!(config.slot, Pkcs11Slot::Token("kms".to_owned()));
    assert_eq!(config.mechanism, Pkcs11Mechanism::AesGcm);
    let HsmConfig::Pkcs11(config) = only(&hsm(
        "slot: 3, pin: '1', key_id: 0aFF, mechanism: aes-key-wrap-pad",
    )) else {
        panic!("another type");
    };
    assert_eq!(config.slot, Pkcs11Slot::Slot(3));
    assert_eq!(config.key_id.as_deref(), Some("0aFF"));
    assert_eq!(config.mechanism, Pkcs11Mechanism::AesKeyWrapPad);
    for (more, message) in [
        (
            "pin: '1'",
            "invalid PKCS#11 HSM: no token or slot specified",
        ),
        (
            "token: a, slot: 1, pin: '1'",
            "both 'token' and 'slot' are specified",
        ),
        ("slot: x, pin: '1'", "invalid PKCS#11 HSM: invalid slot 'x'"),
        ("slot: 1", "invalid PKCS#11 HSM: no PIN specified"),
        (
            "slot: 1, pin: '1', key_id: abc",
            "invalid PKCS#11 HSM: invalid key_id",
        ),
        (
            "slot: 1, pin: '1', mechanism: rsa",
            "invalid PKCS#11 HSM: invalid mechanism 'rsa'",
        ),
    ] {
        let refused = refusal(&complete(&hsm(more)));
        assert!(refused.starts_with(message), "{more}: {refused}");
    }
}

#[test]
fn what_is_missing_is_named() {
    for (more, message) in [
        (
            "{ minio: { minkms: {} } }",
            "invalid minkms HSM: no server specified",
        ),
        (
            "{ hashicorp: { vault: { server: v, transit: { key: k } } } }",
            "invalid Vault HSM: no authentication method specified",
        ),
        (
            "{ entrust: { keycontrol: { server: s } } }",
            "invalid Entrust KeyControl HSM: no vault specified",
        ),
    ] {
        let refused = refusal(&complete(&format!("hsm: {more}\n")));
        assert!(refused.starts_with(message), "{more}: {refused}");
    }
    let both = "{ server: v, transit: { key: k }, approle: { id: a, secret: b }, \
                kubernetes: { role: r } }";
    let refused = refusal(&complete(&format!(
        "hsm: {{ openssf: {{ openbao: {both} }} }}\n"
    )));
    assert!(
        refused.starts_with("invalid Vault HSM: more than one authentication method"),
        "{refused}"
    );
}
