use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use keystead_keystore::{Error, KeyStore};
use tokio::time::sleep;
use zeroize::Zeroizing;

/// How long every call takes.
const LATENCY: Duration = Duration::from_millis(10);

/// A store in memory that fails where it is told to.
#[derive(Default)]
pub(super) struct Fake {
    keys: Mutex<BTreeMap<String, Vec<u8>>>,
    faults: Mutex<Vec<Fault>>,
    calls: Mutex<Vec<String>>,
    busy: AtomicUsize,
    /// The most calls that were under way at once.
    busiest: AtomicUsize,
}

/// What goes wrong with a call.
pub(super) struct Fault {
    /// The call with its name, such as `create key-001`, or the beginning of that.
    pub(super) call: &'static str,
    pub(super) times: usize,
    pub(super) kind: Kind,
}

#[derive(Clone)]
pub(super) enum Kind {
    Away,
    /// The call is carried out, and nobody learns of it.
    LostAnswer,
    Fails,
    Hangs,
    Exists,
    NotFound,
    /// The value that is read has another last byte.
    Garbled,
    /// Something else happens just before.
    After(std::sync::Arc<dyn Fn() + Send + Sync>),
}

// === impl Fake ===

impl Fake {
    pub(super) fn put(&self, name: &str, value: &[u8]) {
        let mut keys = self.keys.lock().unwrap();
        keys.insert(name.to_owned(), value.to_vec());
    }

    pub(super) fn value(&self, name: &str) -> Option<Vec<u8>> {
        self.keys.lock().unwrap().get(name).cloned()
    }

    pub(super) fn values(&self) -> BTreeMap<String, Vec<u8>> {
        self.keys.lock().unwrap().clone()
    }

    pub(super) fn plan(&self, call: &'static str, times: usize, kind: Kind) {
        let mut faults = self.faults.lock().unwrap();
        faults.push(Fault { call, times, kind });
    }

    /// Everything works again.
    pub(super) fn heal(&self) {
        self.faults.lock().unwrap().clear();
    }

    /// The calls so far that begin with `call`.
    pub(super) fn called(&self, call: &str) -> usize {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|made| made.starts_with(call)).count()
    }

    pub(super) fn busiest(&self) -> usize {
        self.busiest.load(Ordering::Relaxed)
    }

    async fn call<T>(
        &self,
        call: String,
        carry_out: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> Result<T, Error>,
    ) -> Result<(T, bool), Error> {
        let busy = self.busy.fetch_add(1, Ordering::Relaxed) + 1;
        self.busiest.fetch_max(busy, Ordering::Relaxed);
        sleep(LATENCY).await;
        self.busy.fetch_sub(1, Ordering::Relaxed);
        let fault = self.fault(&call);
        self.calls.lock().unwrap().push(call);
        match &fault {
            Some(Kind::Away) => return Err(Error::unreachable("connection refused")),
            Some(Kind::Fails) => return Err(Error::failed("permission denied")),
            Some(Kind::Exists) => return Err(Error::KeyExists),
            Some(Kind::NotFound) => return Err(Error::KeyNotFound),
            Some(Kind::Hangs) => std::future::pending().await,
            Some(Kind::After(event)) => event(),
            Some(Kind::LostAnswer | Kind::Garbled) | None => {}
        }
        let result = carry_out(&mut self.keys.lock().unwrap());
        match fault {
            Some(Kind::LostAnswer) => Err(Error::unreachable("connection reset")),
            Some(Kind::Garbled) => Ok((result?, true)),
            _ => Ok((result?, false)),
        }
    }

    fn fault(&self, call: &str) -> Option<Kind> {
        let mut faults = self.faults.lock().unwrap();
        let fault = faults
            .iter_mut()
            .find(|fault| fault.times > 0 && call.starts_with(fault.call))?;
        fault.times -= 1;
        Some(fault.kind.clone())
    }
}

#[async_trait]
impl KeyStore for Fake {
    fn description(&self) -> String {
        "Fake".to_owned()
    }

    async fn status(&self) -> Result<Duration, Error> {
        Ok(LATENCY)
    }

    async fn create(&self, name: &str, value: &[u8]) -> Result<(), Error> {
        let created = self.call(format!("create {name}"), |keys| {
            if keys.contains_key(name) {
                return Err(Error::KeyExists);
            }
            keys.insert(name.to_owned(), value.to_vec());
            Ok(())
        });
        created.await.map(|_| ())
    }

    async fn get(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
        let read = self.call(format!("get {name}"), |keys| {
            keys.get(name).cloned().ok_or(Error::KeyNotFound)
        });
        let (mut value, is_garbled) = read.await?;
        if is_garbled && let Some(last) = value.last_mut() {
            *last ^= 1;
        }
        Ok(Zeroizing::new(value))
    }

    async fn delete(&self, name: &str) -> Result<(), Error> {
        let deleted = self.call(format!("delete {name}"), |keys| {
            keys.remove(name).map(drop).ok_or(Error::KeyNotFound)
        });
        deleted.await.map(|_| ())
    }

    async fn list(&self, prefix: &str, start: &str, limit: usize) -> Result<Vec<String>, Error> {
        let listed = self.call(format!("list {start}"), |keys| {
            let names = keys.range(start.to_owned()..).map(|(name, _)| name);
            let names = names.filter(|name| name.starts_with(prefix));
            Ok(names.take(limit).cloned().collect())
        });
        listed.await.map(|(names, _)| names)
    }

    async fn close(&self) {}
}
