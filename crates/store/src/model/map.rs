use std::borrow::Borrow;
use std::ops::Bound;

use imbl::OrdMap;

/// A sorted map that shares its parts with its clones, so that the next state costs
/// what changed and not what there is.
#[derive(Clone)]
pub(crate) struct Map<K, V>(OrdMap<K, V>);

// === impl Map ===

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    pub(crate) fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    pub(crate) fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    pub(crate) fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.remove(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.0.iter()
    }

    /// From the first key that is not below `start`.
    pub(crate) fn starting_at<Q: Ord + ?Sized>(&self, start: &Q) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        let range = (Bound::Included(start), Bound::Unbounded);
        self.0.range::<_, Q>(range)
    }
}

impl<K, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(OrdMap::new())
    }
}
