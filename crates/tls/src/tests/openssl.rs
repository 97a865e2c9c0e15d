//! What only the `openssl` command makes: old key files, weak keys. Where there is no such
//! command these tests do nothing, except in CI, where they fail.

use std::env;
use std::fs;
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
use keystead_crypto::{Secret, SystemRandom};
use rustls::ServerConnection;
use tempfile::tempdir;

use super::certificates::Made;
use crate::pem_file::private_key;
use crate::{Error, encrypt_private_key, self_signed_dev};

/// Runs `openssl` in a folder; `None` without one.
fn openssl(folder: &Path, arguments: &str) -> Option<Vec<u8>> {
    let output = Command::new("openssl")
        .args(arguments.split(' '))
        .current_dir(folder)
        .stdin(Stdio::null())
        .output();
    match output {
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "openssl {arguments}: {errors}");
            Some(output.stdout)
        }
        Err(error) if error.kind() == ErrorKind::NotFound && env::var_os("CI").is_none() => {
            println!("skipped: no openssl command");
            None
        }
        Err(error) => panic!("openssl: {error}"),
    }
}

#[test]
fn key_files_of_every_form_open() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let password = || Ok(Secret::new("pass".to_owned()));
    fs::write(folder.join("plain"), Made::p256().key.serialize_pem()).unwrap();
    let forms = [
        "genrsa -traditional -out key 2048",
        "ec -in plain -out key",
        "genpkey -algorithm ed25519 -out key",
        "ec -in plain -des3 -passout pass:pass -out key",
        "ec -in plain -aes128 -passout pass:pass -out key",
        "ec -in plain -aes192 -passout pass:pass -out key",
        "ec -in plain -aes256 -passout pass:pass -out key",
        "genpkey -algorithm ed25519 -aes-256-cbc -pass pass:pass -out key",
        "pkcs8 -topk8 -in plain -v2 aes256 -v2prf hmacWithSHA1 -passout pass:pass -out key",
        "pkcs8 -topk8 -in plain -v2 des3 -v2prf hmacWithSHA1 -passout pass:pass -out key",
    ];
    for form in forms {
        let Some(_) = openssl(folder, form) else {
            return;
        };
        let key = private_key(&folder.join("key"), &password);
        key.unwrap_or_else(|error| panic!("{form}: {error}"));
        let wrong = private_key(&folder.join("key"), &|| Ok(Secret::new("wrong".to_owned())));
        let encrypted = form.contains("pass:");
        assert_eq!(
            matches!(wrong, Err(Error::IncorrectPassword)),
            encrypted,
            "{form}"
        );
    }
}

#[test]
fn openssl_opens_what_is_written_here() {
    let folder = tempdir().unwrap();
    let made = Made::p256();
    let password = Secret::new("pass".to_owned());
    let pem = encrypt_private_key(&made.key.serialize_der(), &password, &SystemRandom).unwrap();
    // OpenSSL itself wants its headers in blocks that name the algorithm; the content is the same.
    let pem = pem.replace("PRIVATE KEY", "EC PRIVATE KEY");
    fs::write(folder.path().join("key"), pem).unwrap();
    let Some(der) = openssl(
        folder.path(),
        "ec -in key -passin pass:pass -pubout -outform DER",
    ) else {
        return;
    };
    assert!(der.ends_with(made.key.public_key_raw()));
}

/// The table of client certificates by TLS version, with OpenSSL as the client.
#[test]
fn client_certificates_of_openssl() {
    let folder = tempdir().unwrap();
    let folder = folder.path();
    let make = |name: &str, key: &str, version: u8| {
        openssl(folder, &format!("{key} -out {name}.key"))?;
        if version == 3 {
            openssl(
                folder,
                &format!("req -new -x509 -key {name}.key -subj /CN=t -out {name}.crt"),
            )
        } else {
            openssl(
                folder,
                &format!("req -new -key {name}.key -subj /CN=t -out {name}.csr"),
            )?;
            openssl(
                folder,
                &format!("x509 -req -in {name}.csr -signkey {name}.key -out {name}.crt"),
            )
        }
    };
    let curve = |name: &str| format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:{name}");
    let table = [
        (
            "v3-p256",
            curve("P-256"),
            3,
            Seen::Certificate,
            Seen::Certificate,
        ),
        (
            "v3-p521",
            curve("P-521"),
            3,
            Seen::Certificate,
            Seen::Certificate,
        ),
        (
            "v3-ed25519",
            "genpkey -algorithm ed25519".to_owned(),
            3,
            Seen::Certificate,
            Seen::Certificate,
        ),
        (
            "v1-rsa2048",
            "genrsa".to_owned(),
            1,
            Seen::Certificate,
            Seen::Certificate,
        ),
        (
            "v1-p256",
            curve("P-256"),
            1,
            Seen::Certificate,
            Seen::Certificate,
        ),
        ("v3-p224", curve("P-224"), 3, Seen::Refused, Seen::Refused),
    ];
    for (name, key, version, on_tls12, on_tls13) in table {
        if make(name, &key, version).is_none() {
            return;
        }
        assert_eq!(
            connect(folder, name, "-tls1_2"),
            on_tls12,
            "{name} on TLS 1.2"
        );
        assert_eq!(
            connect(folder, name, "-tls1_3"),
            on_tls13,
            "{name} on TLS 1.3"
        );
    }
    // OpenSSL takes so short a key only on demand.
    if openssl(folder, "genrsa -out v3-rsa1024.key 1024").is_some() {
        let request = "req -new -x509 -key v3-rsa1024.key -subj /CN=t -out v3-rsa1024.crt";
        openssl(folder, request);
        let weak = "-cipher DEFAULT@SECLEVEL=0";
        for version in ["-tls1_2", "-tls1_3"] {
            let seen = connect(folder, "v3-rsa1024", &format!("{version} {weak}"));
            assert_eq!(seen, Seen::Refused, "v3-rsa1024 on {version}");
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Certificate,
    Refused,
}

/// Lets `openssl s_client` connect to a server with a certificate.
fn connect(folder: &Path, name: &str, options: &str) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut client = Command::new("openssl")
        .args(["s_client", "-connect", &address.to_string()])
        .args([
            "-cert",
            &format!("{name}.crt"),
            "-key",
            &format!("{name}.key"),
        ])
        .args(options.split(' '))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (mut socket, _) = listener.accept().unwrap();
    let tls = self_signed_dev(&[address.ip()], Timestamp::now()).unwrap();
    let mut server = ServerConnection::new(tls.config).unwrap();
    let outcome: io::Result<()> = loop {
        if !server.is_handshaking() {
            break Ok(());
        }
        if let Err(error) = server.complete_io(&mut socket) {
            break Err(error);
        }
    };
    drop(socket);
    client.kill().unwrap();
    client.wait().unwrap();
    match outcome {
        Ok(()) if server.peer_certificates().is_some() => Seen::Certificate,
        _ => Seen::Refused,
    }
}
