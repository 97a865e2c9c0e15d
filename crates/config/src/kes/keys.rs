//! `keys`

use std::collections::HashSet;

use keystead_wire_kes::{Name, Subject};

use super::name;
use crate::read::Section;

/// The keys to create at start, without the faulty ones.
pub(super) fn read(root: &Section<'_>) -> Vec<Name> {
    let mut seen = HashSet::new();
    let items = root.items("keys", |item| {
        let missing = "invalid key config: no name specified";
        let advice = "write '- name: my-key'";
        let field = item
            .require("name", item.text("name"), missing, advice)
            .ok()?;
        if !seen.insert(field.value.clone()) {
            let name = &field.value;
            let message = format!("invalid key config: key '{name}' is defined multiple times");
            item.wrong(&field.place, message, "remove one of the two");
        }
        name::check(item, Subject::Key, field)
    });
    items.into_iter().flatten().collect()
}
