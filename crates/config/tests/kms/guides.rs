//! The structure of the published guides.

use keystead_config::SecretSource;
use keystead_config::kms::HsmConfig;

use super::settings;

#[test]
fn the_guide_of_entrust_keycontrol() {
    let config = settings(
        r#"
hsm:
  entrust:
    keycontrol:
      server:   https://192.0.2.7:443                # The appliance
      vault:    0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0 # The vault
      key:      seal                                 # The key
      username: "kms@lab.test"                       # The account
      password: "p{q]a*r)S$t%u&v"                    # Its password
"#,
    );
    let [HsmConfig::KeyControl(hsm)] = config.hsms.as_slice() else {
        panic!("{:?}", config.hsms);
    };
    assert_eq!(hsm.servers, ["https://192.0.2.7:443"]);
    assert_eq!(hsm.vault, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
    assert_eq!((&*hsm.key, &*hsm.username), ("seal", "kms@lab.test"));
    let SecretSource::Value(password) = &hsm.password else {
        panic!("no value");
    };
    assert_eq!(password.expose(), "p{q]a*r)S$t%u&v");
}

#[test]
fn the_guide_of_another_minio_kms() {
    let config = settings(
        "
hsm:
  minio:
    minkms:
      server:
      - kms0.seal.lab.test:7373
      - kms1.seal.lab.test:7373

      enclave: prod
      key: prod-seal
      auth:
        key: k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8
",
    );
    let [HsmConfig::MinKms(hsm)] = config.hsms.as_slice() else {
        panic!("{:?}", config.hsms);
    };
    assert_eq!(
        hsm.servers,
        ["kms0.seal.lab.test:7373", "kms1.seal.lab.test:7373"]
    );
    assert_eq!((&*hsm.enclave, &*hsm.key), ("prod", "prod-seal"));
    assert_eq!(config.hsms[0].name(), "hsm:minio:minkms");
    // Nothing that is printed has the API key.
    assert!(!format!("{config:?}").contains("AAECAwQ"));
}
