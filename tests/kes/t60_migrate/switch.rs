use anyhow::{Context, Result};
use keystead_tests::Site;
use serde_json::Value;

/// A server is on one key store, then on another, and an application notices nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_goes_on_with_the_new_key_store() -> Result<()> {
    let mut site = Site::new("")?;
    let (server, client) = site.start()?;
    for name in ["one", "two"] {
        client.create_key(name).await?;
    }
    let made = client.generate("one", b"").await?;
    let mac = client.hmac("one", b"message").await?;
    let dek = site.folder.run("kes key dek two Y29udGV4dA==")?.stdout;
    let dek: Value = serde_json::from_str(&dek)?;
    let ciphertext = dek["ciphertext"].as_str().context("no ciphertext")?;
    let proof = format!("# for the migration\ntwo {ciphertext} Y29udGV4dA==\n");
    site.folder.write("proof", &proof)?;

    // While the server runs.
    let old = site.folder.read("config.yml")?;
    site.folder
        .write("new.yml", &old.replace("path: keys", "path: new"))?;
    let migrate = "kes migrate --from config.yml --to new.yml --proof-ciphertext proof";
    let done = site.folder.run(migrate)?;
    assert_eq!((done.code, done.stderr.as_str()), (0, ""));
    assert!(
        done.stdout
            .contains("{\"name\":\"two\",\"proof\":\"proven\",\"line\":2}\n")
    );

    // What came since follows.
    client.create_key("three").await?;
    let done = site.folder.run(migrate)?;
    assert!(done.stdout.contains("\"migrated\":1,"), "{}", done.stdout);
    server.stop()?;

    site.folder
        .write("config.yml", &site.folder.read("new.yml")?)?;
    let (server, client) = site.start()?;
    let opened = client.decrypt("one", &made.ciphertext, b"").await?;
    assert_eq!(*opened.plaintext, *made.plaintext);
    assert_eq!(client.hmac("one", b"message").await?.hmac, mac.hmac);
    assert_eq!(client.list_keys("").await?, ["one", "three", "two"]);
    let decrypt = format!("kes key decrypt two {ciphertext} Y29udGV4dA==");
    let expected = format!("{{\"plaintext\":{}}}", dek["plaintext"]);
    assert_eq!(site.folder.run(&decrypt)?.stdout, expected);
    server.stop()?;

    // A ciphertext of another key is no proof.
    site.folder.write("old.yml", &old)?;
    site.folder.write("proof", &format!("one {ciphertext}\n"))?;
    let migrate = "kes migrate --from old.yml --to config.yml --proof-ciphertext proof";
    let refused = site.folder.run(migrate)?;
    assert_eq!(refused.code, 1);
    let expected = "Error: no proof for 'one' (line 1): ciphertext is not authentic\n";
    assert!(refused.stderr.starts_with(expected), "{}", refused.stderr);
    Ok(())
}
