//! Writes the kept inputs that come from the golden vectors and from the test
//! certificates: `cargo run --example seeds`, in the `fuzz` folder.
//!
//! The other inputs under `corpus` are written by hand; their names do not start
//! with `vector-`.

use std::fs;
use std::io;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

const CERTIFICATES: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../crates/identity/src/tests/data"
);

const PRIVATE_KEYS: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../crates/identity/src/tests/keys"
);

fn main() -> io::Result<()> {
    let vectors = serde_json::from_str(include_str!("../../tests/vectors/kes.json"))?;
    let vectors = Vectors(vectors);

    write("api_key", vectors.texts("identities", "api_key"))?;
    write("api_key", vectors.texts("api_keys_invalid", "api_key"))?;
    write("ciphertext", vectors.bytes("decrypt_ok", "ciphertext_b64"))?;
    write(
        "ciphertext",
        vectors.bytes("decrypt_fail", "ciphertext_b64"),
    )?;
    write("stored_key", vectors.texts("stored_keys", "stored"))?;
    write("stored_key", vectors.texts("stored_keys_invalid", "stored"))?;
    write(
        "stored_key",
        vectors.texts("stored_keys_tolerated", "stored"),
    )?;
    write("list_pattern", vectors.list("names", "valid"))?;
    write("list_pattern", vectors.list("list_patterns", "valid"))?;
    write("list_pattern", vectors.list("list_patterns", "invalid"))?;
    write(
        "list_pattern",
        vectors.texts("list_continuation", "pattern"),
    )?;
    write(
        "policy_pattern",
        vectors.pairs("policy_match", "pattern", "path"),
    )?;
    write("response_body", vectors.texts("error_bodies", "body"))?;

    kms()?;

    let files = files(CERTIFICATES)?;
    write("pem_file", ("certificate", files.clone()))?;
    write(
        "certificate",
        ("certificate", files.iter().map(|file| der(file)).collect()),
    )?;
    write(
        "proxy_certificate_header",
        (
            "certificate",
            files.iter().map(|file| escape(file)).collect(),
        ),
    )
}

/// The inputs for MinIO KMS.
fn kms() -> io::Result<()> {
    let vectors: Value = serde_json::from_str(include_str!("../../tests/vectors/minkms.json"))?;
    let decisions = Vectors(vectors["decisions"].clone());
    let hsm_keys = Vectors(vectors["hsm_keys"].clone());
    let matching = Vectors(vectors["pattern_matching"].clone());
    let vectors = Vectors(vectors);

    write("kms_api_key", vectors.texts("api_keys", "api_key"))?;
    write("kms_api_key", vectors.texts("api_keys", "identity"))?;
    write("kms_api_key", vectors.texts("invalid_api_keys", "value"))?;
    write("kms_api_key", vectors.texts("invalid_identities", "value"))?;
    write("hsm_key", hsm_keys.texts("valid", "text"))?;
    write("hsm_key", ("invalid", strings(&hsm_keys.0["invalid"])))?;
    let plaintexts = decisions.0["rek_entry"]["cases"].as_array();
    let plaintexts = plaintexts.into_iter().flatten();
    let plaintexts = plaintexts.filter_map(|case| hex(&case["plaintext"]));
    write("hsm_key", ("rek", plaintexts.collect()))?;
    write("kms_pattern", matching.pairs("cases", "pattern", "name"))?;
    let ciphertexts = decisions.0["decrypt"]["cases"].as_array();
    let ciphertexts = ciphertexts.into_iter().flatten();
    let ciphertexts = ciphertexts.filter_map(|case| hex(&case["ciphertext"]));
    let inputs = ciphertexts.enumerate().map(|(index, ciphertext)| {
        [
            vec![u8::try_from(index % 4).unwrap_or_default()],
            ciphertext,
        ]
        .concat()
    });
    write("kms_ciphertext", ("decrypt", inputs.collect()))?;
    let plaintext = hex(&decisions.0["backup"]["plaintext"]);
    write("sealed_stream", ("backup", plaintext.into_iter().collect()))?;

    let keys = files(PRIVATE_KEYS)?;
    let ders = keys.iter().map(|file| der(file)).collect();
    write("kms_credential", ("key", keys))?;
    write("kms_credential", ("key-der", ders))?;
    write("kms_credential", ("certificate", files(CERTIFICATES)?))
}

fn strings(list: &Value) -> Vec<Vec<u8>> {
    let texts = list.as_array().into_iter().flatten();
    let texts = texts.filter_map(Value::as_str);
    texts.map(|text| text.as_bytes().to_vec()).collect()
}

fn hex(text: &Value) -> Option<Vec<u8>> {
    HEXLOWER.decode(text.as_str()?.as_bytes()).ok()
}

/// Inputs and what they are called.
type Inputs<'a> = (&'a str, Vec<Vec<u8>>);

fn write(target: &str, (name, inputs): Inputs<'_>) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("corpus")
        .join(target);
    fs::create_dir_all(&folder)?;
    for (index, input) in inputs.iter().enumerate() {
        fs::write(folder.join(format!("vector-{name}-{index}")), input)?;
    }
    Ok(())
}

/// The golden vectors by section and field.
struct Vectors(Value);

impl Vectors {
    fn entries(&self, section: &str) -> &[Value] {
        self.0[section].as_array().map_or(&[], Vec::as_slice)
    }

    fn texts<'a>(&self, section: &'a str, field: &str) -> Inputs<'a> {
        let input = |entry: &Value| entry[field].as_str().map(|text| text.as_bytes().to_vec());
        (
            section,
            self.entries(section).iter().filter_map(input).collect(),
        )
    }

    fn bytes<'a>(&self, section: &'a str, field: &str) -> Inputs<'a> {
        let (section, texts) = self.texts(section, field);
        (
            section,
            texts
                .iter()
                .filter_map(|text| BASE64.decode(text).ok())
                .collect(),
        )
    }

    fn pairs<'a>(&self, section: &'a str, first: &str, second: &str) -> Inputs<'a> {
        let (section, firsts) = self.texts(section, first);
        let (_, seconds) = self.texts(section, second);
        let inputs = firsts
            .into_iter()
            .zip(seconds)
            .map(|(first, second)| [first, second].join(&b'\n'));
        (section, inputs.collect())
    }

    fn list<'a>(&self, section: &'a str, field: &str) -> Inputs<'a> {
        let texts = self.0[section][field]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        (
            section,
            texts.map(|text| text.as_bytes().to_vec()).collect(),
        )
    }
}

/// The PEM files of a folder, in the order of their names.
fn files(folder: &str) -> io::Result<Vec<Vec<u8>>> {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    paths.into_iter().map(fs::read).collect()
}

fn der(file: &[u8]) -> Vec<u8> {
    pem::parse(file)
        .map(pem::Pem::into_contents)
        .unwrap_or_default()
}

/// As a proxy forwards it, with an address in the second line.
fn escape(file: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(file);
    let text = text
        .replace('+', "%2B")
        .replace(' ', "+")
        .replace('\n', "%0A");
    format!("{text}\n192.0.2.1, 198.51.100.2").into_bytes()
}
