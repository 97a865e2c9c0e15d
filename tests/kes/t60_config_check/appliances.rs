//! Key stores that hide what they deny, or have rights that depend on each other.

use anyhow::{Context, Result, ensure};
use keystead_doubles::{
    Authority, CipherTrust, CipherTrustSettings, Fortanix, FortanixSettings, Server, Tls,
};
use keystead_tests::Site;

use crate::{CHECK, outcomes, with_status};

/// What is expected if a right is missing: the checks that fail, what has to be granted
/// for the first of them, and whether the key is left behind.
type Expected<'e> = (&'static str, &'e [&'static str], &'static str, bool);

/// Takes one right away at a time with `deny`. `is_there` tells whether there is a key;
/// `secret` is never printed.
fn missing_rights(
    site: &Site,
    secret: &str,
    expected: &[Expected<'_>],
    deny: impl Fn(&'static str),
    is_there: impl Fn(&str) -> bool,
) -> Result<()> {
    for (action, failing, granted, is_left) in expected {
        deny(action);
        let done = site.folder.run(CHECK)?;
        let found = outcomes(&done)?;
        ensure!(
            with_status(&found, "failed") == *failing,
            "{action}: {found:?}"
        );
        ensure!(
            done.code == i32::from(!failing.is_empty()),
            "{action}: {done:?}"
        );
        let failure = found.iter().find(|found| found["status"] == "failed");
        if let Some(failure) = failure {
            let text = failure["grant"]["text"].as_str().context("no grant")?;
            ensure!(text.contains(granted), "{action}: {text}");
        }
        let left = found.iter().find_map(|found| found["left_behind"].as_str());
        ensure!(left.is_some() == *is_left, "{action}: {found:?}");
        ensure!(
            left.is_none_or(&is_there),
            "{action}: {left:?} is not there"
        );
        ensure!(!(done.stdout + &done.stderr).contains(secret));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ciphertrust_hides_what_it_denies() -> Result<()> {
    let settings = CipherTrustSettings::default();
    let token = settings.refresh_tokens.first().context("no token")?.clone();
    let authority = Authority::new()?;
    let appliance = CipherTrust::new(settings);
    let answering = appliance.clone();
    let answer = move |request: &_| answering.answer(request);
    let server = Server::start(&authority, Tls::On, answer).await?;
    let site = Site::new("")?;
    site.keep_keys_in(&format!(
        "keystore:\n  gemalto:\n    keysecure:\n      endpoint: {}\n      \
         credentials: {{ token: '{token}' }}\n      tls: {{ ca: {} }}\n",
        server.url(),
        authority.file().display(),
    ))?;
    missing_rights(
        &site,
        &token,
        &[
            ("create", &["create"], "CreateKey", false),
            ("export", &["read"], "ExportKey", false),
            ("list", &["list"], "ReadKey", false),
            ("delete", &["delete"], "DeleteKey", true),
            ("nothing", &[], "", false),
        ],
        |action| appliance.set(|settings| settings.denied = [action].into()),
        |name| appliance.secret(name).is_some(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn fortanix_exports_what_it_deletes() -> Result<()> {
    let settings = FortanixSettings::default();
    let key = settings.keys.first().context("no API key")?.clone();
    let authority = Authority::new()?;
    let service = Fortanix::new(settings);
    let answering = service.clone();
    let answer = move |request: &_| answering.answer(request);
    let server = Server::start(&authority, Tls::On, answer).await?;
    let site = Site::new("")?;
    site.keep_keys_in(&format!(
        "keystore:\n  fortanix:\n    sdkms:\n      endpoint: {}\n      \
         credentials: {{ key: '{key}' }}\n      tls: {{ ca: {} }}\n",
        server.url(),
        authority.file().display(),
    ))?;
    missing_rights(
        &site,
        &key,
        &[
            ("create", &["create"], "Manage", false),
            ("export", &["read", "delete"], "Export", true),
            ("list", &["list"], "membership", false),
            ("delete", &["delete"], "Manage and Export", true),
            ("nothing", &[], "", false),
        ],
        |action| service.set(|settings| settings.denied = [action].into()),
        |name| service.object(name).is_some(),
    )
}
