use std::fs;

use async_trait::async_trait;
use keystead_hsm::{Error as AnswerError, RootKey};
use keystead_wire_kms::ApiError;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::*;
use crate::node::HsmError;

const OTHER_KEY: &str = "hsm:aes256:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// A software HSM under another name, and with a plug to pull.
struct Other {
    inner: Arc<dyn Hsm>,
    down: bool,
}

#[async_trait]
impl Hsm for Other {
    fn name(&self) -> &str {
        "hsm:other"
    }

    async fn seal(&self, plaintext: &[u8], context: &[u8]) -> Result<Vec<u8>, AnswerError> {
        self.probe().await?;
        self.inner.seal(plaintext, context).await
    }

    async fn unseal(
        &self,
        sealed: &[u8],
        context: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, AnswerError> {
        self.probe().await?;
        self.inner.unseal(sealed, context).await
    }

    async fn probe(&self) -> Result<(), AnswerError> {
        match self.down {
            true => Err(AnswerError::Unavailable("unplugged".into())),
            false => Ok(()),
        }
    }
}

fn other(down: bool) -> Arc<dyn Hsm> {
    Arc::new(Other {
        inner: soft(OTHER_KEY),
        down,
    })
}

fn with(dir: &Path, hsms: Vec<Arc<dyn Hsm>>) -> Options {
    Options {
        hsms,
        ..options(dir)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_right_key_nothing_opens() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    store.propose(create_enclave()).await.unwrap();
    store.close().await;
    let before = fs::read(folder.path().join("seal.json")).unwrap();

    let cases = [
        (vec![], "no HSM provided"),
        (vec![soft(OTHER_KEY)], "put back the HSM key"),
        (vec![other(false)], "configure the HSM that sealed it"),
        (vec![other(true)], "configure the HSM that sealed it"),
    ];
    for (hsms, expected) in cases {
        let opened = Store::open(with(folder.path(), hsms)).await;
        let text = opened.err().unwrap().to_string();
        assert!(text.contains(expected), "{text}");
    }
    assert_eq!(fs::read(folder.path().join("seal.json")).unwrap(), before);
    let store = open(folder.path()).await;
    assert!(store.state().enclave(ENCLAVE).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_needs_every_hsm() {
    let folder = TempDir::new().unwrap();
    let opened = Store::open(with(folder.path(), vec![soft(HSM_KEY), other(true)])).await;
    let text = opened.err().unwrap().to_string();
    assert!(
        text.contains("hsm:other cannot seal the root key"),
        "{text}"
    );
    open(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_hsm_seals_at_start_and_opens_alone_then() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await.close().await;
    let both = || with(folder.path(), vec![soft(HSM_KEY), other(false)]);
    let opened = Store::open(both()).await.unwrap();
    assert_eq!(opened.warnings, [""; 0]);
    let sealed = opened.store.status().sealed_hsms;
    assert_eq!(sealed, ["hsm:minio:soft", "hsm:other"]);
    opened.store.close().await;

    let alone = with(folder.path(), vec![other(false)]);
    let store = Store::open(alone).await.unwrap().store;
    let status = store.status();
    assert_eq!(status.sealed_hsms, ["hsm:minio:soft", "hsm:other"]);
    assert_eq!(status.configured_hsms, ["hsm:other"]);
    store.close().await;

    // One that is down, or has another key now, is a warning as long as another opens.
    let half = with(folder.path(), vec![soft(HSM_KEY), other(true)]);
    let opened = Store::open(half).await.unwrap();
    assert_eq!(opened.warnings.len(), 1);
    assert!(opened.warnings[0].starts_with("hsm:other cannot open its entry"));
    opened.store.close().await;
    let changed = with(folder.path(), vec![soft(OTHER_KEY), other(false)]);
    let opened = Store::open(changed).await.unwrap();
    let [warning] = &opened.warnings[..] else {
        panic!("{:?}", opened.warnings)
    };
    assert!(
        warning.contains("minkms add-hsm --overwrite hsm:minio:soft"),
        "{warning}"
    );

    // And mended online.
    let again = opened.store.add_hsm("hsm:minio:soft", false).await;
    assert!(matches!(again, Err(HsmError::Api(ApiError { status, .. })) if status == 409));
    opened.store.add_hsm("hsm:minio:soft", true).await.unwrap();
    opened.store.close().await;
    let store = Store::open(with(folder.path(), vec![soft(OTHER_KEY)])).await;
    store.unwrap().store.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_are_removed_but_not_the_last() {
    let folder = TempDir::new().unwrap();
    let both = || with(folder.path(), vec![soft(HSM_KEY), other(false)]);
    let store = Store::open(both()).await.unwrap().store;
    let api = |result: Result<(), HsmError>| match result {
        Err(HsmError::Api(error)) => error,
        other => panic!("{other:?}"),
    };
    let unknown = store.remove_hsm("hsm:unknown", false).await;
    assert_eq!(api(unknown), ApiError::HSM_NOT_FOUND);
    let unknown = store.add_hsm("hsm:unknown", true).await;
    assert_eq!(api(unknown), ApiError::HSM_NOT_FOUND);
    store.remove_hsm("hsm:other", false).await.unwrap();
    let last = store.remove_hsm("hsm:minio:soft", false).await;
    assert_eq!(api(last), ApiError::LAST_HSM);
    store.close().await;

    // What was removed stays removed.
    let opened = Store::open(both()).await.unwrap();
    assert_eq!(opened.store.status().sealed_hsms, ["hsm:minio:soft"]);
    assert!(opened.warnings[0].contains("minkms add-hsm hsm:other"));
    opened.store.add_hsm("hsm:other", false).await.unwrap();
    opened.store.close().await;

    // An entry that only an HSM could open that is not configured does not count.
    let store = Store::open(with(folder.path(), vec![other(false)])).await;
    let store = store.unwrap().store;
    let last = store.remove_hsm("hsm:other", false).await;
    assert_eq!(api(last), ApiError::LAST_HSM);
    store.remove_hsm("hsm:other", true).await.unwrap();
    store.close().await;
    open(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_is_who_the_first_start_recorded() {
    let derived = || {
        HsmKey::parse(HSM_KEY)
            .unwrap()
            .root_api_key(Default::default())
            .unwrap()
    };
    let admin = || Some(KmsIdentity::from_bytes([7; 32]));

    // From the software HSM key; a restart without it changes nothing.
    let folder = TempDir::new().unwrap();
    let mut first = options(folder.path());
    first.root_api_key = Some(derived());
    let opened = Store::open(first).await.unwrap();
    assert_eq!(opened.root_api_key.unwrap().to_text(), derived().to_text());
    assert_eq!(opened.store.root(), derived().identity());
    opened.store.close().await;
    let opened = Store::open(options(folder.path())).await.unwrap();
    assert_eq!(opened.store.root(), derived().identity());
    opened.store.close().await;
    // The configuration wins as long as it says something.
    let mut configured = options(folder.path());
    configured.admin = admin();
    let opened = Store::open(configured).await.unwrap();
    assert_eq!(opened.store.root(), admin().unwrap());
    opened.store.close().await;
    assert_eq!(open(folder.path()).await.root(), derived().identity());

    // Drawn, and told once.
    let folder = TempDir::new().unwrap();
    let opened = Store::open(options(folder.path())).await.unwrap();
    let drawn = opened.root_api_key.unwrap().identity();
    assert_eq!(opened.store.root(), drawn);

    // Nobody needs to be told what the configuration says.
    let folder = TempDir::new().unwrap();
    let mut configured = options(folder.path());
    configured.admin = admin();
    let opened = Store::open(configured).await.unwrap();
    assert!(opened.root_api_key.is_none());
    assert_eq!(opened.store.state().root(), admin());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_seal_of_another_cluster_opens_nothing() {
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    for folder in &folders {
        let store = open(folder.path()).await;
        store.propose(create_enclave()).await.unwrap();
        store.close().await;
    }
    let seal = |index: usize| folders[index].path().join("seal.json");
    fs::copy(seal(0), seal(1)).unwrap();
    let error = Store::open(options(folders[1].path())).await.err().unwrap();
    assert!(
        error
            .to_string()
            .contains("root key that seal.json does not have"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_seal_is_refused() {
    let folder = TempDir::new().unwrap();
    open(folder.path()).await.close().await;
    let path = folder.path().join("seal.json");
    let right = fs::read_to_string(&path).unwrap();
    let damaged = [
        String::new(),
        right[..right.len() / 2].to_owned(),
        right.replace("localhost", "localhast"),
        right.replace("\"node\": 0", "\"node\": 1"),
    ];
    for text in damaged {
        fs::write(&path, text).unwrap();
        let error = Store::open(options(folder.path())).await.err().unwrap();
        assert!(
            error.to_string().contains("seal.json is damaged"),
            "{error}"
        );
    }
    fs::write(&path, right).unwrap();
    open(folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_key_is_for_backups_and_nodes() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    let [entry] = &store.sealed_entries()[..] else {
        panic!("one HSM, one entry")
    };
    let opened = RootKey::unseal_with(&*soft(HSM_KEY), entry).await.unwrap();
    assert_eq!(opened.id(), store.root_key().id());
    assert_eq!(opened.cluster(), store.cluster());
}
