//! The listings of an enclave (MinIO KMS protocol, section 5.1; decisions D16, D28).

use keystead_wire_kms::message::{
    ListIdentitiesResponse, ListKeysResponse, ListPoliciesResponse, ListRequest,
};

use super::Enclave;
use super::page::page;

impl Enclave {
    /// A page of the keys with a visible name.
    #[must_use]
    pub fn list_keys(
        &self,
        request: &ListRequest,
        visible: impl Fn(&str) -> bool,
    ) -> ListKeysResponse {
        let page = page(&self.keys, request, visible);
        let latest = page
            .items
            .iter()
            .filter_map(|(name, key)| key.status(name, 0).ok());
        ListKeysResponse {
            keys: latest.collect(),
            continue_at: page.continue_at.to_owned(),
        }
    }

    /// A page of the policies with a visible name.
    #[must_use]
    pub fn list_policies(
        &self,
        request: &ListRequest,
        visible: impl Fn(&str) -> bool,
    ) -> ListPoliciesResponse {
        let page = page(&self.policies, request, visible);
        ListPoliciesResponse {
            policies: page
                .items
                .iter()
                .map(|(name, it)| it.status(name))
                .collect(),
            continue_at: page.continue_at.to_owned(),
        }
    }

    /// A page of the identities whose text is visible.
    #[must_use]
    pub fn list_identities(
        &self,
        request: &ListRequest,
        visible: impl Fn(&str) -> bool,
    ) -> ListIdentitiesResponse {
        let page = page(&self.identities, request, visible);
        let items = page.items.iter().map(|(name, it)| self.describe(name, it));
        ListIdentitiesResponse {
            identities: items.collect(),
            continue_at: page.continue_at.to_owned(),
        }
    }
}
