use keystead_wire_kms::Command;
use keystead_wire_kms::message::{
    AssignPolicyRequest, CreatePolicyRequest, DeletePolicyRequest, ListPoliciesResponse,
    ListRequest, PolicyRequest, PolicyResponse, PolicyStatusResponse,
};

use crate::{Enclave, Error};

/// Policies.
impl Enclave {
    /// Makes a policy, or replaces one.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn create_policy(&self, request: &CreatePolicyRequest) -> Result<(), Error> {
        self.client
            .write(&self.path, Command::CreatePolicy, request)
            .await
    }

    /// Deletes a policy.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn delete_policy(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        let request = DeletePolicyRequest { name };
        self.client
            .write(&self.path, Command::DeletePolicy, &request)
            .await
    }

    /// Gives an identity a policy; an empty name takes it away.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn assign_policy(&self, policy: &str, identity: &str) -> Result<(), Error> {
        let request = AssignPolicyRequest {
            identity: identity.to_owned(),
            policy: policy.to_owned(),
        };
        self.client
            .write(&self.path, Command::AssignPolicy, &request)
            .await
    }

    /// The rules of policies, in the order of `names`.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave); one that does not
    /// exist fails them all.
    pub async fn get_policies(
        &self,
        names: &[impl AsRef<str>],
    ) -> Result<Vec<PolicyResponse>, Error> {
        self.client
            .read(&self.path, Command::GetPolicy, &requests(names))
            .await
    }

    /// Tells about policies, in the order of `names`.
    ///
    /// # Errors
    ///
    /// As [`Enclave::get_policies`].
    pub async fn policy_status(
        &self,
        names: &[impl AsRef<str>],
    ) -> Result<Vec<PolicyStatusResponse>, Error> {
        self.client
            .read(&self.path, Command::PolicyStatus, &requests(names))
            .await
    }

    /// One page of policies, sorted by name.
    ///
    /// # Errors
    ///
    /// As [`Client::create_enclave`](crate::Client::create_enclave).
    pub async fn list_policies(&self, page: ListRequest) -> Result<ListPoliciesResponse, Error> {
        self.client
            .read_one(&self.path, Command::ListPolicies, page)
            .await
    }
}

fn requests(names: &[impl AsRef<str>]) -> Vec<PolicyRequest> {
    let requests = names.iter().map(|name| PolicyRequest {
        name: name.as_ref().to_owned(),
    });
    requests.collect()
}
