use std::path::PathBuf;
use std::time::Duration;

use keystead_config::kms::{LogFormat, LogTarget, StaleReads};

use super::{ALICE, TLS, complete, read, refusal, settings};

#[test]
fn little_is_required() {
    let config = settings("");
    assert_eq!(config.admin, None);
    assert_eq!(config.cluster.heartbeat, Duration::from_millis(500));
    assert_eq!(config.cluster.stale_reads, StaleReads::Allow);
    assert_eq!(config.tls.certs[0].key, PathBuf::from("a.key"));
    assert_eq!(config.log.error, LogTarget::On);
    assert_eq!(config.log.audit, LogTarget::Off);
    assert_eq!(config.log.format, LogFormat::Text);
    assert!(!config.metrics.public && config.metrics.identities.is_empty());
    assert!(config.hsms.is_empty());
}

#[test]
fn everything_can_be_set() {
    let config = settings(&format!(
        "admin: {{ identity: {ALICE} }}\n\
         cluster: {{ heartbeat: 1s, stale_reads: deny }}\n\
         log: {{ error: off, audit: /var/log/minkms/audit.log, format: json }}\n\
         metrics: {{ public: true, identities: [ {ALICE} ] }}\n"
    ));
    assert_eq!(config.admin.unwrap().to_string(), ALICE);
    assert_eq!(config.cluster.heartbeat, Duration::from_secs(1));
    assert_eq!(config.cluster.stale_reads, StaleReads::Deny);
    assert_eq!(config.log.error, LogTarget::Off);
    let audit = PathBuf::from("/var/log/minkms/audit.log");
    assert_eq!(config.log.audit, LogTarget::File(audit));
    assert_eq!(config.log.format, LogFormat::Json);
    assert!(config.metrics.public);
    assert_eq!(config.metrics.identities[0].to_string(), ALICE);
}

#[test]
fn several_certificates_and_their_files_are_noted() {
    let text = "version: v1\ntls:\n  certs:\n  - { key: a.key, cert: a.crt }\n  \
                - { key: b.key, cert: b.crt, password: \"${PASSWORD}\" }\n  ca: CAs\n";
    let loaded = read(text, &[("PASSWORD", "secret")]).unwrap();
    let tls = loaded.config.tls;
    assert_eq!(tls.certs[1].password.as_ref().unwrap().expose(), "secret");
    assert_eq!(tls.ca, Some(PathBuf::from("CAs")));
    let files: Vec<_> = loaded.files.iter().map(|file| file.to_str()).collect();
    assert_eq!(files, ["a.key", "a.crt", "b.key", "b.crt", "CAs"].map(Some));
}

#[test]
fn the_version_is_mandatory() {
    let advice = "write 'version: v1'";
    assert_eq!(
        refusal(TLS),
        format!("no config version specified | at config.yaml:1:1, version | {advice}")
    );
    assert_eq!(
        refusal(&format!("version: v2\n{TLS}")),
        format!("invalid config version 'v2' | at config.yaml:1:10, version | {advice}")
    );
}

#[test]
fn the_fixed_texts_about_certificates() {
    let first = |text: &str| refusal(text).split(" | ").next().unwrap().to_owned();
    assert_eq!(first("version: v1\n"), "kms: no TLS configuration provided");
    for tls in ["{}", "{ certs: [] }", "{ certs: [ { key: a } ] }"] {
        let text = format!("version: v1\ntls: {tls}\n");
        assert_eq!(first(&text), "kms: no server certificate provided");
    }
}

#[test]
fn values_out_of_range() {
    for (more, message) in [
        (
            "cluster: { heartbeat: 10ms }\n",
            "invalid heartbeat: out of range",
        ),
        (
            "cluster: { heartbeat: 2s }\n",
            "invalid heartbeat: out of range",
        ),
        ("cluster: { heartbeat: -1s }\n", "invalid heartbeat '-1s'"),
        (
            "cluster: { stale_reads: maybe }\n",
            "invalid stale_reads 'maybe'",
        ),
        ("log: { error: info }\n", "invalid log target 'info'"),
        ("log: { format: xml }\n", "invalid log format 'xml'"),
        ("admin: { identity: h1:AA }\n", "invalid identity: "),
        ("metrics: { identities: [ x ] }\n", "invalid identity: "),
        (
            "admin: { identity: h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA }\n",
            "invalid identity: it stands for nobody",
        ),
    ] {
        let refused = refusal(&complete(more));
        assert!(refused.starts_with(message), "{more}: {refused}");
    }
    assert_eq!(
        settings("cluster: { heartbeat: 0s }\n").cluster.heartbeat,
        Duration::from_millis(500)
    );
}

#[test]
fn an_api_key_in_the_place_of_an_identity_is_not_repeated() {
    let refused = refusal(&complete(
        "admin: { identity: k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 }\n",
    ));
    assert!(refused.starts_with("invalid identity: "), "{refused}");
    assert!(!refused.contains("AAECAwQ"), "{refused}");
}
