use super::PolicyEntry;

/// What a caller may do in an enclave.
#[derive(Clone, Copy)]
pub enum Rights<'a> {
    /// Everything everywhere. No enclave gives these; who is root is decided before.
    Root,
    /// Everything in the enclave.
    Admin,
    /// What a policy allows.
    Policy {
        /// The name of the policy.
        name: &'a str,
        /// The policy.
        policy: &'a PolicyEntry,
    },
    /// Nothing: registered without a policy.
    None,
}
