use std::fmt;
use std::str::FromStr;

use crate::Error;

/// What an identity may do in principle (MinIO KMS protocol, section 6.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Privilege {
    /// Everything, in all enclaves and in the cluster.
    SysAdmin,
    /// Everything inside its enclave.
    Admin,
    /// What its policy allows.
    User,
}

// === impl Privilege ===

impl Privilege {
    /// The privilege of a number in an answer.
    #[must_use]
    pub const fn from_number(number: u32) -> Option<Self> {
        match number {
            1 => Some(Self::SysAdmin),
            2 => Some(Self::Admin),
            3 => Some(Self::User),
            _ => None,
        }
    }

    /// The number in answers.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::SysAdmin => 1,
            Self::Admin => 2,
            Self::User => 3,
        }
    }

    /// The text in requests and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SysAdmin => "SysAdmin",
            Self::Admin => "Admin",
            Self::User => "User",
        }
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text of a request: exact case, empty for [`Privilege::User`].
impl FromStr for Privilege {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "SysAdmin" => Ok(Self::SysAdmin),
            "Admin" => Ok(Self::Admin),
            "User" | "" => Ok(Self::User),
            _ => Err(Error::Privilege { text: text.into() }),
        }
    }
}
