//! The reference of the file: every example in it loads.

use super::{ADMIN, BOB, STORE, TLS, read};

const REFERENCE: &str = include_str!("../../../../docs/configuration.md");

#[test]
fn every_example_loads_without_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "secret").unwrap();
    let file = file.display().to_string();
    let variables = [
        ("APPROLE_ID", "id"),
        ("BACKUP_IDENTITY", BOB),
        ("CIPHERTRUST_TOKEN", "token"),
        ("KEYCONTROL_PASSWORD", "password"),
        ("SDKMS_API_KEY", "key"),
    ];
    let mut examples = 0;
    for block in REFERENCE.split("```yaml\n").skip(1) {
        let example = block.split("```").next().unwrap();
        let mut text = example
            .replace("/run/secrets/approle-secret", &file)
            .replace("/run/secrets/server-key-password", &file)
            .replace("./token/jwt", &file);
        for (section, default) in [("admin:", ADMIN), ("tls:", TLS), ("keystore:", STORE)] {
            if !text.lines().any(|line| line.starts_with(section)) {
                text.push_str(default);
            }
        }
        match read(&text, &variables) {
            Ok(loaded) => assert_eq!(loaded.warnings, [], "{text}"),
            Err(error) => panic!("{text}\n{error}"),
        }
        examples += 1;
    }
    assert_eq!(examples, 15);
}
