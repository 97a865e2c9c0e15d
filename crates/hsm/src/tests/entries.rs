//! Sealed entries: damaged ones, foreign ones, and several at once.

use std::slice;

use keystead_crypto::SystemRandom;

use super::{Answer, double, renamed, soft};
use crate::{Error, RootKey, SealedEntry, SoftHsm, open_any};

const KEY: &str = "hsm:aes256:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const CHACHA: &str = "hsm:chacha20:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const OTHER: &str = "hsm:aes256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[tokio::test]
async fn every_damaged_byte_is_noticed() {
    let key = RootKey::generate(&SystemRandom).unwrap();
    for text in [KEY, CHACHA] {
        let hsm = soft(text);
        let entry = key.seal_with(&*hsm).await.unwrap();
        for at in 0..entry.sealed.len() {
            for bit in 0..8 {
                let mut damaged = entry.clone();
                damaged.sealed[at] ^= 1 << bit;
                let error = RootKey::unseal_with(&*hsm, &damaged).await.err().unwrap();
                assert!(matches!(error, Error::NotAuthentic), "{at}: {error}");
            }
            let cut = SealedEntry {
                sealed: entry.sealed[..at].to_vec(),
                ..entry.clone()
            };
            let error = RootKey::unseal_with(&*hsm, &cut).await.err().unwrap();
            assert!(matches!(error, Error::NotAuthentic));
        }
        let mut longer = entry.clone();
        longer.sealed.push(0);
        assert!(RootKey::unseal_with(&*hsm, &longer).await.is_err());
        assert!(RootKey::unseal_with(&*hsm, &entry).await.is_ok());
    }
}

#[tokio::test]
async fn an_entry_belongs_to_one_key_one_cipher_and_one_name() {
    let key = RootKey::generate(&SystemRandom).unwrap();
    let entry = key.seal_with(&*soft(KEY)).await.unwrap();
    for other in [CHACHA, OTHER] {
        let error = RootKey::unseal_with(&*soft(other), &entry).await.err();
        assert!(matches!(error, Some(Error::NotAuthentic)));
    }
    let hsm = soft(KEY);
    let foreign = hsm.unseal(&entry.sealed, b"keystead/minkms/v1/rek-entry:hsm:pkcs11");
    assert!(matches!(foreign.await, Err(Error::NotAuthentic)));
}

#[tokio::test]
async fn what_an_hsm_gives_back_is_checked() {
    let key = RootKey::generate(&SystemRandom).unwrap();
    let other = key.successor(&SystemRandom).unwrap();
    assert_eq!(other.cluster(), key.cluster());
    assert_ne!(other.id(), key.id());
    let entry = key.seal_with(&*double("d", Answer::Hang)).await.unwrap();
    let unseal = |bytes: &[u8]| {
        let hsm = double("d", Answer::Give(bytes.to_vec()));
        let entry = entry.clone();
        async move { RootKey::unseal_with(&*hsm, &entry).await }
    };
    let good = key.encode();
    assert_eq!(unseal(&good).await.unwrap().encode(), good);
    let error = unseal(&other.encode()).await.err();
    assert!(matches!(error, Some(Error::OtherRootKey)));
    let mut damaged = good.clone();
    damaged[0] ^= 1;
    for wrong in [
        &damaged[..],
        &good[..55],
        &good[1..],
        &[&good[..], b"\0"].concat(),
        b"",
    ] {
        let error = unseal(wrong).await.err();
        assert!(matches!(error, Some(Error::NotRootKey)));
    }
    for at in 8..56 {
        let mut damaged = good.clone();
        damaged[at] ^= 1;
        let error = unseal(&damaged).await.err();
        assert!(matches!(error, Some(Error::OtherRootKey)), "{at}");
    }
}

#[tokio::test]
async fn any_hsm_opens_and_one_that_hangs_does_not_delay() {
    let key = RootKey::generate(&SystemRandom).unwrap();
    let soft = soft(KEY);
    let entry = key.seal_with(&*soft).await.unwrap();
    let entries = [
        renamed(&entry, "hsm:hangs"),
        renamed(&entry, "hsm:fails"),
        entry,
        renamed(&key.seal_with(&*soft).await.unwrap(), "hsm:absent"),
    ];
    let hangs = double("hsm:hangs", Answer::Hang);
    let fails = double("hsm:fails", Answer::Fail(|| Error::NotAuthentic));
    let opened = open_any(&entries, &[hangs, fails, soft]).await.unwrap();
    assert_eq!(opened.hsm, SoftHsm::NAME);
    assert_eq!(opened.key.encode(), key.encode());
    let failed: Vec<_> = opened
        .failures
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(failed, ["hsm:fails"]);
}

#[tokio::test]
async fn the_operator_learns_what_to_do() {
    let key = RootKey::generate(&SystemRandom).unwrap();
    let entry = key.seal_with(&*soft(KEY)).await.unwrap();
    let refused = || Error::Refused("403: permission denied".into());
    let vault = || double("hsm:hashicorp:vault", Answer::Fail(refused));
    let vault_entry = renamed(&entry, "hsm:hashicorp:vault");

    let wrong_key = open_any(slice::from_ref(&entry), &[soft(OTHER)])
        .await
        .err()
        .unwrap();
    assert_eq!(
        wrong_key.to_string(),
        "no HSM opens the root encryption key (entries: hsm:minio:soft; configured: \
         hsm:minio:soft); hsm:minio:soft: sealed by another key, or damaged; put back the HSM key \
         that this data folder was made with, or configure another HSM that holds an entry"
    );
    let not_configured = open_any(slice::from_ref(&entry), &[vault()])
        .await
        .err()
        .unwrap();
    assert_eq!(
        not_configured.to_string(),
        "no HSM opens the root encryption key (entries: hsm:minio:soft; configured: \
         hsm:hashicorp:vault); configure the HSM that sealed it, one of: hsm:minio:soft \
         (hsm:minio:soft is configured by MINIO_KMS_HSM_KEY)"
    );
    let down = open_any(&[vault_entry.clone(), entry], &[vault(), soft(OTHER)]).await;
    assert_eq!(
        down.err().unwrap().to_string(),
        "no HSM opens the root encryption key (entries: hsm:hashicorp:vault, hsm:minio:soft; \
         configured: hsm:hashicorp:vault, hsm:minio:soft); hsm:hashicorp:vault: the HSM refuses: \
         403: permission denied; hsm:minio:soft: sealed by another key, or damaged; mend the HSM, \
         or configure another one that holds an entry; the data is intact"
    );
    let nothing = open_any(&[], &[soft(KEY)]).await.err().unwrap();
    assert!(
        nothing
            .to_string()
            .contains("(entries: none; configured: hsm:minio:soft)")
    );
    assert!(nothing.to_string().contains("holds no sealed root key"));
    let none = open_any(&[vault_entry], &[]).await.err().unwrap();
    assert!(none.to_string().ends_with("one of: hsm:hashicorp:vault"));
}

#[tokio::test]
async fn the_software_hsm_is_always_there() {
    let hsm = soft(KEY);
    hsm.probe().await.unwrap();
    hsm.close().await;
    let sealed = hsm.seal(b"any length", b"").await.unwrap();
    assert_eq!(*hsm.unseal(&sealed, b"").await.unwrap(), b"any length");
    assert_ne!(hsm.seal(b"any length", b"").await.unwrap(), sealed);
}
