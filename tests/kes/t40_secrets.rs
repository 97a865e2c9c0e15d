//! No secret is in anything that a server prints or streams.

use anyhow::{Context, Result};
use data_encoding::{BASE64, HEXLOWER, HEXUPPER};
use keystead_client_kes::{Client, LogStream};
use keystead_tests::{Signal, Site};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The ways in which bytes get into a text.
fn spellings(secret: &[u8]) -> [String; 4] {
    [
        BASE64.encode(secret).trim_end_matches('=').to_owned(),
        HEXLOWER.encode(secret),
        HEXUPPER.encode(secret),
        format!("{secret:?}"),
    ]
}

/// Makes every call that carries a secret, in good and in bad form.
async fn use_everything(client: &Client) -> Result<Vec<Vec<u8>>> {
    let imported = [0x5a; 32];
    let message = b"a message that nobody else may read".to_vec();
    client.import_key("imported", &imported, "AES256").await?;
    client.create_key("created").await?;
    client
        .create_key("created")
        .await
        .err()
        .context("created twice")?;
    client
        .import_key("short", &imported[..31], "AES256")
        .await
        .err()
        .context("short key")?;
    client
        .import_key("odd", &imported, "DES")
        .await
        .err()
        .context("unknown cipher")?;

    let made = client.generate("imported", b"a context").await?;
    let opened = client
        .decrypt("imported", &made.ciphertext, b"a context")
        .await?;
    let wrong = client
        .decrypt("imported", &made.ciphertext, b"another")
        .await;
    wrong.err().context("opened with a wrong context")?;
    let sealed = client.encrypt("created", &message, b"").await?;
    client.decrypt("created", &sealed.ciphertext, b"").await?;
    client
        .bulk_decrypt("created", &[(&sealed.ciphertext[..], &b""[..])])
        .await?;
    let hmac = client.hmac("created", &message).await?;
    client
        .generate("absent", b"")
        .await
        .err()
        .context("an absent key")?;
    client.delete_key("created").await?;
    Ok(vec![
        imported.to_vec(),
        message,
        made.plaintext.to_vec(),
        made.ciphertext.clone(),
        opened.plaintext.to_vec(),
        sealed.ciphertext.clone(),
        hmac.hmac.to_vec(),
    ])
}

/// All that a stream of the server delivers until the server ends.
async fn read_all<T: DeserializeOwned + Serialize>(mut stream: LogStream<T>) -> Result<String> {
    let mut lines = String::new();
    while let Ok(Some(record)) = stream.next().await {
        lines += &serde_json::to_string(&record)?;
    }
    Ok(lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_secret_is_printed() -> Result<()> {
    let mut site = Site::new("log: { error: DEBUG, audit: on }\n")?;
    let (server, client) = site.start()?;
    let api_key = site.folder.run("kes identity client.key")?.stdout;
    let audit = tokio::spawn(read_all(client.audit_log().await?));
    let error = tokio::spawn(read_all(client.error_log().await?));
    let mut secrets = use_everything(&client).await?;
    for stored in site.folder.path().join("keys").read_dir()? {
        secrets.push(std::fs::read(stored?.path())?);
    }
    // A key store entry that is damaged is reported, without what is in it.
    site.folder.write(
        "keys/damaged",
        "{\"bytes\":\"WlpaWlpaWlpaWlpaWlpaWlpaWlo=\"}",
    )?;
    client
        .generate("damaged", b"")
        .await
        .err()
        .context("a damaged key")?;

    server.send(Signal::TERM)?;
    let end = server.finish()?;
    let mut printed = end.stdout + &end.stderr;
    for stream in [audit.await??, error.await??] {
        assert!(stream.contains("/v1/key/"), "{stream}");
        printed += &stream;
    }
    assert!(printed.contains("/v1/key/import/imported"), "{printed}");
    assert!(!printed.contains(&api_key));
    assert!(!printed.contains("WlpaWlpa"));
    for secret in &secrets {
        let text = String::from_utf8_lossy(secret);
        assert!(!printed.contains(&*text));
        for spelling in spellings(secret) {
            assert!(
                !printed.contains(&spelling),
                "a secret of {} bytes",
                secret.len()
            );
        }
    }
    println!(
        "{} bytes of logs searched for {} secrets",
        printed.len(),
        secrets.len()
    );
    Ok(())
}
