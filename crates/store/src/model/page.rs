use std::borrow::Borrow;

use keystead_wire_kms::message::ListRequest;

use super::Map;

/// The most items of a page, and what a request without a limit gets (decision D16).
pub const MAX_PAGE: u32 = 10_000;

/// Some neighbours of a map, and the name of the first one that is not among them.
pub(crate) struct Page<'a, V> {
    pub(crate) items: Vec<(&'a str, &'a V)>,
    /// Empty at the end.
    pub(crate) continue_at: &'a str,
}

/// The items whose names have the prefix and are visible, from `continue_at` on.
///
/// `continue_at` need not exist any more. What is not visible is never named, not even
/// as the place to continue at.
pub(crate) fn page<'a, K, V>(
    map: &'a Map<K, V>,
    request: &ListRequest,
    visible: impl Fn(&str) -> bool,
) -> Page<'a, V>
where
    K: Borrow<str> + Ord + Clone,
    V: Clone,
{
    let prefix = request.prefix.as_str();
    let start = match request.continue_at.as_str() {
        "" => prefix,
        other => other,
    };
    if !start.starts_with(prefix) {
        return Page {
            items: Vec::new(),
            continue_at: "",
        };
    }
    let mut rest = map
        .starting_at::<str>(start)
        .map(|(name, item)| -> (&'a str, &'a V) { (name.borrow(), item) })
        .take_while(|(name, _)| name.starts_with(prefix))
        .filter(|(name, _)| visible(name));
    let items = rest.by_ref().take(page_size(request.limit)).collect();
    let continue_at = rest.next().map_or("", |(name, _)| name);
    Page { items, continue_at }
}

/// The number of items for a limit of a request.
pub(crate) fn page_size(limit: u32) -> usize {
    let size = match limit {
        1..=MAX_PAGE => limit,
        _ => MAX_PAGE,
    };
    usize::try_from(size).unwrap_or(usize::MAX)
}
