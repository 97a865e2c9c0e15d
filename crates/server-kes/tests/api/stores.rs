use std::io;

use keystead_config::kes::{KeyStoreConfig, Overrides, ServerConfig};
use keystead_observe::{Level, Telemetry};
use keystead_server_kes::{Error, open_store};

fn keystore(section: &str) -> KeyStoreConfig {
    let text = format!(
        "admin: {{ identity: disabled }}\n\
         tls: {{ key: none, cert: none }}\n\
         keystore: {section}\n"
    );
    let none = |_: &str| None;
    let loaded = ServerConfig::parse(&text, "test.yml", &none, &Overrides::default());
    loaded.unwrap().config.keystore
}

fn telemetry() -> Telemetry {
    Telemetry::new(Level::ERROR, io::sink()).unwrap()
}

#[tokio::test]
async fn a_folder_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let config = keystore(&format!("{{ fs: {{ path: {} }} }}", path.display()));
    let store = open_store(&config, &telemetry()).await.unwrap();
    assert_eq!(
        store.description(),
        format!("Filesystem: {}", path.display())
    );
    store.create("k", b"value").await.unwrap();
    assert!(path.join("k").exists());
}

#[tokio::test]
async fn a_folder_that_is_none_is_told_with_its_cause() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    let config = keystore(&format!("{{ fs: {{ path: {path} }} }}"));
    let error = open_store(&config, &telemetry()).await.err().unwrap();
    let text = error.to_string();
    assert!(
        text.starts_with("failed to open the key store: key store failed: "),
        "{text}"
    );
    assert!(matches!(error, Error::Store(_)));
}
