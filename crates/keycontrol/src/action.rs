use std::fmt;

/// What the API can be asked to do, under its names (key stores, section 5.2).
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A token for name and password.
    Login,
    /// A token for a token.
    Renew,
    /// What a box is like.
    GetBox,
    /// A new secret.
    CreateSecret,
    /// The value of a secret.
    CheckoutSecret,
    /// The end of a secret.
    DeleteSecret,
    /// The names of the secrets in a box.
    ListSecretIds,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
