use std::fmt;
use std::str::FromStr;

use crate::Error;

/// What a frame asks for (MinIO KMS protocol, section 3.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u16)]
pub enum Command {
    /// `CLUSTER:ADDNODE`
    AddNode = 1,
    /// `CLUSTER:REMOVENODE`
    RemoveNode = 2,
    /// `CLUSTER:STATUS`
    ClusterStatus = 3,
    /// `CLUSTER:EDIT`
    EditCluster = 4,
    /// `CLUSTER:ADDHSM`
    AddHsm = 5,
    /// `CLUSTER:REMOVEHSM`
    RemoveHsm = 6,
    /// `ENCLAVE:CREATE`
    CreateEnclave = 101,
    /// `ENCLAVE:DELETE`
    DeleteEnclave = 102,
    /// `ENCLAVE:STATUS`
    EnclaveStatus = 103,
    /// `ENCLAVE:LIST`
    ListEnclaves = 104,
    /// `KEY:CREATE`
    CreateKey = 201,
    /// `KEY:DELETE`
    DeleteKey = 202,
    /// `KEY:IMPORT`, a name that the official client does not know.
    ImportKey = 203,
    /// `KEY:STATUS`
    KeyStatus = 204,
    /// `KEY:ENCRYPT`
    Encrypt = 205,
    /// `KEY:DECRYPT`
    Decrypt = 206,
    /// `KEY:GENERATE`
    GenerateKey = 207,
    /// `KEY:LIST`
    ListKeys = 208,
    /// `KEY:LISTVERSIONS`
    ListKeyVersions = 209,
    /// `KEY:MAC`
    Mac = 210,
    /// `POLICY:CREATE`
    CreatePolicy = 301,
    /// `POLICY:DELETE`
    DeletePolicy = 302,
    /// `POLICY:ASSIGN`
    AssignPolicy = 303,
    /// `POLICY:GET`
    GetPolicy = 304,
    /// `POLICY:STATUS`
    PolicyStatus = 305,
    /// `POLICY:LIST`
    ListPolicies = 306,
    /// `IDENTITY:CREATE`
    CreateIdentity = 401,
    /// `IDENTITY:DELETE`
    DeleteIdentity = 402,
    /// `IDENTITY:STATUS`
    IdentityStatus = 403,
    /// `IDENTITY:LIST`
    ListIdentities = 404,
}

/// What the official client writes in a policy for [`Command::ImportKey`], for which it
/// has no name (decision D29).
const IMPORT_OF_GO_CLIENTS: &str = "!INVALID:203";

// === impl Command ===

impl Command {
    /// Every command, by ascending code.
    pub const ALL: [Self; 30] = [
        Self::AddNode,
        Self::RemoveNode,
        Self::ClusterStatus,
        Self::EditCluster,
        Self::AddHsm,
        Self::RemoveHsm,
        Self::CreateEnclave,
        Self::DeleteEnclave,
        Self::EnclaveStatus,
        Self::ListEnclaves,
        Self::CreateKey,
        Self::DeleteKey,
        Self::ImportKey,
        Self::KeyStatus,
        Self::Encrypt,
        Self::Decrypt,
        Self::GenerateKey,
        Self::ListKeys,
        Self::ListKeyVersions,
        Self::Mac,
        Self::CreatePolicy,
        Self::DeletePolicy,
        Self::AssignPolicy,
        Self::GetPolicy,
        Self::PolicyStatus,
        Self::ListPolicies,
        Self::CreateIdentity,
        Self::DeleteIdentity,
        Self::IdentityStatus,
        Self::ListIdentities,
    ];

    /// The command of a code.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|command| command.code() == code)
    }

    /// The number at the head of a frame.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the representation of the enum")]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The name in policies and logs, in upper case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AddNode => "CLUSTER:ADDNODE",
            Self::RemoveNode => "CLUSTER:REMOVENODE",
            Self::ClusterStatus => "CLUSTER:STATUS",
            Self::EditCluster => "CLUSTER:EDIT",
            Self::AddHsm => "CLUSTER:ADDHSM",
            Self::RemoveHsm => "CLUSTER:REMOVEHSM",
            Self::CreateEnclave => "ENCLAVE:CREATE",
            Self::DeleteEnclave => "ENCLAVE:DELETE",
            Self::EnclaveStatus => "ENCLAVE:STATUS",
            Self::ListEnclaves => "ENCLAVE:LIST",
            Self::CreateKey => "KEY:CREATE",
            Self::DeleteKey => "KEY:DELETE",
            Self::ImportKey => "KEY:IMPORT",
            Self::KeyStatus => "KEY:STATUS",
            Self::Encrypt => "KEY:ENCRYPT",
            Self::Decrypt => "KEY:DECRYPT",
            Self::GenerateKey => "KEY:GENERATE",
            Self::ListKeys => "KEY:LIST",
            Self::ListKeyVersions => "KEY:LISTVERSIONS",
            Self::Mac => "KEY:MAC",
            Self::CreatePolicy => "POLICY:CREATE",
            Self::DeletePolicy => "POLICY:DELETE",
            Self::AssignPolicy => "POLICY:ASSIGN",
            Self::GetPolicy => "POLICY:GET",
            Self::PolicyStatus => "POLICY:STATUS",
            Self::ListPolicies => "POLICY:LIST",
            Self::CreateIdentity => "IDENTITY:CREATE",
            Self::DeleteIdentity => "IDENTITY:DELETE",
            Self::IdentityStatus => "IDENTITY:STATUS",
            Self::ListIdentities => "IDENTITY:LIST",
        }
    }

    /// Whether the command changes the state.
    #[must_use]
    pub const fn is_write(self) -> bool {
        matches!(
            self,
            Self::AddNode
                | Self::RemoveNode
                | Self::EditCluster
                | Self::AddHsm
                | Self::RemoveHsm
                | Self::CreateEnclave
                | Self::DeleteEnclave
                | Self::CreateKey
                | Self::DeleteKey
                | Self::ImportKey
                | Self::CreatePolicy
                | Self::DeletePolicy
                | Self::AssignPolicy
                | Self::CreateIdentity
                | Self::DeleteIdentity
        )
    }

    /// Whether the command concerns the cluster, so that the path names no enclave.
    #[must_use]
    pub const fn is_cluster_wide(self) -> bool {
        self.code() < Self::CreateKey.code()
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names are read in any case.
impl FromStr for Command {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        if text.eq_ignore_ascii_case(IMPORT_OF_GO_CLIENTS) {
            return Ok(Self::ImportKey);
        }
        Self::ALL
            .into_iter()
            .find(|command| command.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| Error::CommandName { text: text.into() })
    }
}
