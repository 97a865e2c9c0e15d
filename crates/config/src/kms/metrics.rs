//! `metrics`

use keystead_identity::KmsIdentity;

use super::identity;
use crate::read::{Expansion, Section};

/// `metrics`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsConfig {
    /// Anybody may read them.
    pub public: bool,
    /// Who may read them besides the root identity.
    pub identities: Vec<KmsIdentity>,
}

impl MetricsConfig {
    pub(super) fn read(section: &Section<'_>) -> Self {
        let public = section.truth("public");
        let identities = section.texts("identities", Expansion::Variables);
        let identities = identities.iter();
        Self {
            public: public.is_some_and(|field| field.value),
            identities: identities
                .filter_map(|field| identity::parse(section, field))
                .collect(),
        }
    }
}
