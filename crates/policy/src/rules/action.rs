use std::fmt;

/// What a policy allows or denies: a command of the protocol.
///
/// The code alone tells actions apart; the name is for people.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Action {
    /// The number of the command in a frame.
    pub code: u16,
    /// Its name in policies and logs, such as `KEY:GENERATE`.
    pub name: &'static str,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
