use crate::Error;

/// The longest name, in bytes.
const MAX_LEN: usize = 128;

/// The longest name that the vendor's Kubernetes resources take, in bytes.
const MAX_PORTABLE_LEN: usize = 63;

/// What a name is the name of; each has its characters (decision D15).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Name {
    /// 1 to 128 of `A-Z a-z 0-9 - _ .`
    Enclave,
    /// As an enclave's, and `/ : @ + =`
    Key,
    /// As an enclave's.
    Policy,
}

// === impl Name ===

impl Name {
    /// Whether `text` is such a name.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] if it breaks a rule.
    pub fn check(self, text: &str) -> Result<(), Error> {
        let legal = (1..=MAX_LEN).contains(&text.len())
            && text != "."
            && text != ".."
            && text.bytes().all(|byte| self.may_contain(byte));
        legal.then_some(()).ok_or(Error::Name)
    }

    /// Whether a name also fits the vendor's Kubernetes resources.
    #[must_use]
    pub fn is_portable(text: &str) -> bool {
        text.len() <= MAX_PORTABLE_LEN && text.bytes().all(|byte| Self::Policy.may_contain(byte))
    }

    const fn may_contain(self, byte: u8) -> bool {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => true,
            b'/' | b':' | b'@' | b'+' | b'=' => matches!(self, Self::Key),
            _ => false,
        }
    }
}
