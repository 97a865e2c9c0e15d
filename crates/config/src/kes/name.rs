//! The rules for names of keys and policies, and for identities in policies.

use keystead_wire_kes::{Name, Subject};

use crate::read::{Field, Section};

/// The name, or a fault.
pub(super) fn check(section: &Section<'_>, subject: Subject, field: Field<String>) -> Option<Name> {
    match Name::parse(field.value) {
        Ok(name) => Some(name),
        Err(fault) => {
            let advice = "write 1 to 80 of the characters 0-9 A-Z a-z _ -, with no - at either \
                          end, and not _ alone";
            section.wrong(&field.place, format!("{subject} {fault}"), advice);
            None
        }
    }
}
