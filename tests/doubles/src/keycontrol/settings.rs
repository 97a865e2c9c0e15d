use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;

use super::failure::Refusal;

/// What a test may change at any time.
#[derive(Clone, Debug)]
pub struct KeyControlSettings {
    /// UUID of the only vault.
    pub vault_id: String,
    /// The only account.
    pub username: String,
    /// Its password.
    pub password: String,
    /// UUID of the only box.
    pub box_id: String,
    /// Name of the only box.
    pub box_name: String,
    /// How long tokens live.
    pub token_life: Duration,
    /// Whether `expires_at` is in the answer.
    pub tells_expiry: bool,
    /// Whether a token ends when it is renewed.
    pub revokes_renewed: bool,
    /// Whether every node accepts the tokens of the others.
    pub shares_tokens: bool,
    /// How much the appliance's clock is ahead of ours.
    pub clock: SignedDuration,
    /// The answer to a request with a token that is missing, wrong or too old.
    pub unauthenticated: Refusal,
    /// The status of success.
    pub success: StatusCode,
    /// Actions for which the account has no right.
    pub denied: BTreeSet<&'static str>,
    /// What a checkout comes to.
    pub checkout: Checkout,
    /// Whether a list never ends.
    pub repeats_pages: bool,
}

/// What the settings of a box make of a checkout.
#[derive(Clone, Debug)]
pub enum Checkout {
    /// Checkout duration unset: no lease.
    Plain,
    /// Checkout duration set: a lease that ends so long from now.
    Leased(SignedDuration),
    /// Exclusive checkout held by another user, or approval pending.
    Refused(Refusal),
}

/// The roles of an account.
#[derive(Clone, Copy, Debug)]
pub enum KeyControlRole {
    /// Everything.
    VaultAdmin,
    /// Reads and lists.
    VaultUser,
    /// All but reading.
    BoxAdmin,
}

// === impl KeyControlSettings ===

impl KeyControlSettings {
    /// Gives the account a role.
    pub fn role(&mut self, role: KeyControlRole) {
        let denied: &[&str] = match role {
            KeyControlRole::VaultAdmin => &[],
            KeyControlRole::VaultUser => &["GetBox", "CreateSecret", "DeleteSecret"],
            KeyControlRole::BoxAdmin => &["CheckoutSecret"],
        };
        self.denied = denied.iter().copied().collect();
    }
}

impl Default for KeyControlSettings {
    fn default() -> Self {
        Self {
            vault_id: "e30497c1-bff7-4e81-beb7-fb35c4b7410c".into(),
            username: "kes-tenant-1@my-org.com".into(),
            password: "c0rrect-h0rse \"battery\"".into(),
            box_id: "7c2f2d2c-33e5-4ad8-8b1c-0a2c3a7b9d10".into(),
            box_name: "tenant-1".into(),
            token_life: Duration::from_secs(300),
            tells_expiry: true,
            revokes_renewed: false,
            shares_tokens: true,
            clock: SignedDuration::ZERO,
            unauthenticated: Refusal::new(401, "Authentication failure"),
            success: StatusCode::OK,
            denied: BTreeSet::new(),
            checkout: Checkout::Plain,
            repeats_pages: false,
        }
    }
}
