use std::sync::Arc;

use keystead_identity::KmsIdentity;
use zeroize::Zeroizing;

use super::{Enclave, IdentityEntry, IdentityName, KeyEntry, PolicyEntry, State, load, record};
use crate::{Change, OperationId, Outcome, Table};

/// A state under change. Maps, digest and the list of changed records stay in step,
/// because nothing else changes any of them.
///
/// Whoever edits has decided before that the change is possible: nothing here fails,
/// and there is no way back.
pub(crate) struct Edit {
    state: State,
    changes: Vec<Change>,
}

// === impl Edit ===

impl Edit {
    pub(crate) fn new(state: &State) -> Self {
        Self {
            state: state.clone(),
            changes: Vec::new(),
        }
    }

    pub(crate) fn state(&self) -> &State {
        &self.state
    }

    /// Counts a change that was applied.
    pub(crate) fn count(&mut self) {
        self.state.commit = self.state.commit.saturating_add(1);
    }

    pub(crate) fn remember(&mut self, id: OperationId, outcome: &Outcome) {
        self.changes.push(self.state.recent.remember(id, outcome));
    }

    /// The new state and its changed records, the head included.
    pub(crate) fn finish(mut self) -> (State, Vec<Change>) {
        self.changes.push(load::head(&self.state).into());
        (self.state, self.changes)
    }

    pub(crate) fn set_root(&mut self, root: Option<KmsIdentity>) {
        let bytes = |root: Option<KmsIdentity>| root.map(|root| root.as_bytes().to_vec().into());
        let old = bytes(self.state.root);
        self.state.root = root;
        self.record(Table::Root, Vec::new(), old, bytes(root));
    }

    pub(crate) fn put_enclave(&mut self, enclave: Enclave) {
        let key = enclave.name().as_bytes().to_vec();
        let value = enclave.encode();
        let name = Arc::clone(&enclave.name);
        let old = self.state.enclaves.insert(name, Arc::new(enclave));
        let old = old.map(|old| old.encode());
        self.record(Table::Enclave, key, old, Some(value));
    }

    /// Removes an enclave with everything in it.
    pub(crate) fn remove_enclave(&mut self, name: &str) {
        let Some(enclave) = self.state.enclaves.get(name).map(Arc::clone) else {
            return;
        };
        for (key, _) in enclave.keys.iter() {
            self.remove_key(name, key);
        }
        for (policy, _) in enclave.policies.iter() {
            self.remove_policy(name, policy);
        }
        for (identity, _) in enclave.identities.iter() {
            self.remove_identity(name, *identity);
        }
        self.state.enclaves.remove(name);
        let key = name.as_bytes().to_vec();
        self.record(Table::Enclave, key, Some(enclave.encode()), None);
    }

    pub(crate) fn put_key(&mut self, enclave: &str, name: &str, entry: KeyEntry) {
        let value = entry.encode();
        let Some(enclave) = self.enclave(enclave) else {
            return;
        };
        let key = record::key_in(&enclave.name, name.as_bytes());
        let old = enclave.keys.insert(name.into(), Arc::new(entry));
        let old = old.map(|old| old.encode());
        self.record(Table::Key, key, old, Some(value));
    }

    pub(crate) fn remove_key(&mut self, enclave: &str, name: &str) {
        let Some(enclave) = self.enclave(enclave) else {
            return;
        };
        let key = record::key_in(&enclave.name, name.as_bytes());
        let old = enclave.keys.remove(name).map(|old| old.encode());
        self.record(Table::Key, key, old, None);
    }

    pub(crate) fn put_policy(&mut self, enclave: &str, name: &str, entry: PolicyEntry) {
        let value = entry.encode();
        let Some(enclave) = self.enclave(enclave) else {
            return;
        };
        let key = record::key_in(&enclave.name, name.as_bytes());
        let old = enclave.policies.insert(name.into(), Arc::new(entry));
        let old = old.map(|old| old.encode());
        self.record(Table::Policy, key, old, Some(value));
    }

    pub(crate) fn remove_policy(&mut self, enclave: &str, name: &str) {
        let Some(enclave) = self.enclave(enclave) else {
            return;
        };
        let key = record::key_in(&enclave.name, name.as_bytes());
        let old = enclave.policies.remove(name).map(|old| old.encode());
        self.record(Table::Policy, key, old, None);
    }

    /// Registers an identity and makes it known to its parent, and no longer to the
    /// one it had.
    pub(crate) fn put_identity(&mut self, enclave: &str, name: IdentityName, entry: IdentityEntry) {
        let value = entry.encode();
        let parent = entry.parent();
        let Some(enclave) = self.enclave(enclave) else {
            return;
        };
        let key = record::key_in(&enclave.name, name.as_str().as_bytes());
        let old = enclave.identities.insert(name, Arc::new(entry));
        if let Some(parent) = old.as_ref().and_then(|old| old.parent()) {
            enclave.unlink(&parent, &name);
        }
        if let Some(parent) = parent {
            enclave.link(&parent, name);
        }
        if old.is_none() {
            self.state.register(name);
        }
        let old = old.map(|old| old.encode());
        self.record(Table::Identity, key, old, Some(value));
    }

    /// Removes one identity; its service accounts are removed by whoever asks for this.
    pub(crate) fn remove_identity(&mut self, enclave: &str, name: IdentityName) {
        let Some(enclave) = self.enclave(enclave) else {
            return;
        };
        let key = record::key_in(&enclave.name, name.as_str().as_bytes());
        let Some(old) = enclave.identities.remove(&name) else {
            return;
        };
        if let Some(parent) = old.parent() {
            enclave.unlink(&parent, &name);
        }
        self.state.deregister(&name);
        self.record(Table::Identity, key, Some(old.encode()), None);
    }

    /// Takes over the content of another state. What becomes of operations that are
    /// proposed again stays known.
    pub(crate) fn replace(&mut self, other: &State) {
        for old in load::content(&self.state) {
            self.changes.push(Change {
                table: old.table,
                key: old.key,
                value: None,
            });
        }
        self.changes.extend(load::content(other).map(Change::from));
        self.state = State {
            recent: self.state.recent.clone(),
            commit: self.state.commit,
            ..other.clone()
        };
    }

    fn enclave(&mut self, name: &str) -> Option<&mut Enclave> {
        self.state.enclaves.get_mut(name).map(Arc::make_mut)
    }

    fn record(
        &mut self,
        table: Table,
        key: Vec<u8>,
        old: Option<Zeroizing<Vec<u8>>>,
        value: Option<Zeroizing<Vec<u8>>>,
    ) {
        if let Some(old) = old {
            self.state.digest.remove(table, &key, &old);
        }
        if let Some(value) = &value {
            self.state.digest.add(table, &key, value);
        }
        self.changes.push(Change { table, key, value });
    }
}
