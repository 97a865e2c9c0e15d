//! `compat`

use crate::read::Section;

/// `compat`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CompatConfig {
    /// Answer with the error texts that MinIO releases of mid 2021 to early
    /// 2022 expect (KES protocol, D41).
    pub historic_errors: bool,
}

impl CompatConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        Self {
            historic_errors: section
                .truth("historic_errors")
                .is_some_and(|field| field.value),
        }
    }
}
