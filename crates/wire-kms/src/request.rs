use prost::Message;

use crate::message::{
    AddClusterNodeRequest, AddHsmRequest, AssignPolicyRequest, ClusterStatusRequest,
    CreateEnclaveRequest, CreateIdentityRequest, CreateKeyRequest, CreatePolicyRequest,
    DecryptRequest, DeleteEnclaveRequest, DeleteIdentityRequest, DeleteKeyRequest,
    DeletePolicyRequest, EditClusterRequest, EnclaveStatusRequest, EncryptRequest,
    GenerateKeyRequest, IdentityRequest, ImportKeyRequest, KeyStatusRequest, ListRequest,
    MacRequest, PolicyRequest, RemoveClusterNodeRequest, RemoveHsmRequest,
};
use crate::{Command, Error, Frame};

/// A command with its message.
pub enum Request {
    /// `CLUSTER:ADDNODE`
    AddNode(AddClusterNodeRequest),
    /// `CLUSTER:REMOVENODE`
    RemoveNode(RemoveClusterNodeRequest),
    /// `CLUSTER:STATUS`
    ClusterStatus,
    /// `CLUSTER:EDIT`
    EditCluster(EditClusterRequest),
    /// `CLUSTER:ADDHSM`
    AddHsm(AddHsmRequest),
    /// `CLUSTER:REMOVEHSM`
    RemoveHsm(RemoveHsmRequest),
    /// `ENCLAVE:CREATE`
    CreateEnclave(CreateEnclaveRequest),
    /// `ENCLAVE:DELETE`
    DeleteEnclave(DeleteEnclaveRequest),
    /// `ENCLAVE:STATUS`
    EnclaveStatus(EnclaveStatusRequest),
    /// `ENCLAVE:LIST`
    ListEnclaves(ListRequest),
    /// `KEY:CREATE`
    CreateKey(CreateKeyRequest),
    /// `KEY:DELETE`
    DeleteKey(DeleteKeyRequest),
    /// `KEY:IMPORT`
    ImportKey(ImportKeyRequest),
    /// `KEY:STATUS`
    KeyStatus(KeyStatusRequest),
    /// `KEY:ENCRYPT`
    Encrypt(EncryptRequest),
    /// `KEY:DECRYPT`
    Decrypt(DecryptRequest),
    /// `KEY:GENERATE`
    GenerateKey(GenerateKeyRequest),
    /// `KEY:LIST`
    ListKeys(ListRequest),
    /// `KEY:LISTVERSIONS`
    ListKeyVersions(ListRequest),
    /// `KEY:MAC`
    Mac(MacRequest),
    /// `POLICY:CREATE`
    CreatePolicy(CreatePolicyRequest),
    /// `POLICY:DELETE`
    DeletePolicy(DeletePolicyRequest),
    /// `POLICY:ASSIGN`
    AssignPolicy(AssignPolicyRequest),
    /// `POLICY:GET`
    GetPolicy(PolicyRequest),
    /// `POLICY:STATUS`
    PolicyStatus(PolicyRequest),
    /// `POLICY:LIST`
    ListPolicies(ListRequest),
    /// `IDENTITY:CREATE`
    CreateIdentity(CreateIdentityRequest),
    /// `IDENTITY:DELETE`
    DeleteIdentity(DeleteIdentityRequest),
    /// `IDENTITY:STATUS`
    IdentityStatus(IdentityRequest),
    /// `IDENTITY:LIST`
    ListIdentities(ListRequest),
}

// === impl Request ===

impl Request {
    /// Reads a frame.
    ///
    /// # Errors
    ///
    /// [`Error::CommandCode`] and [`Error::Payload`].
    pub fn decode(frame: Frame<'_>) -> Result<Self, Error> {
        let code = frame.code;
        let command = Command::from_code(code).ok_or(Error::CommandCode { code })?;
        let invalid = |_| Error::Payload {
            command: command.name(),
        };
        Self::decode_as(command, frame.payload).map_err(invalid)
    }

    fn decode_as(command: Command, payload: &[u8]) -> Result<Self, prost::DecodeError> {
        fn read<M: Message + Default>(payload: &[u8]) -> Result<M, prost::DecodeError> {
            M::decode(payload)
        }
        Ok(match command {
            Command::AddNode => Self::AddNode(read(payload)?),
            Command::RemoveNode => Self::RemoveNode(read(payload)?),
            Command::ClusterStatus => {
                let ClusterStatusRequest {} = read(payload)?;
                Self::ClusterStatus
            }
            Command::EditCluster => Self::EditCluster(read(payload)?),
            Command::AddHsm => Self::AddHsm(read(payload)?),
            Command::RemoveHsm => Self::RemoveHsm(read(payload)?),
            Command::CreateEnclave => Self::CreateEnclave(read(payload)?),
            Command::DeleteEnclave => Self::DeleteEnclave(read(payload)?),
            Command::EnclaveStatus => Self::EnclaveStatus(read(payload)?),
            Command::ListEnclaves => Self::ListEnclaves(read(payload)?),
            Command::CreateKey => Self::CreateKey(read(payload)?),
            Command::DeleteKey => Self::DeleteKey(read(payload)?),
            Command::ImportKey => Self::ImportKey(read(payload)?),
            Command::KeyStatus => Self::KeyStatus(read(payload)?),
            Command::Encrypt => Self::Encrypt(read(payload)?),
            Command::Decrypt => Self::Decrypt(read(payload)?),
            Command::GenerateKey => Self::GenerateKey(read(payload)?),
            Command::ListKeys => Self::ListKeys(read(payload)?),
            Command::ListKeyVersions => Self::ListKeyVersions(read(payload)?),
            Command::Mac => Self::Mac(read(payload)?),
            Command::CreatePolicy => Self::CreatePolicy(read(payload)?),
            Command::DeletePolicy => Self::DeletePolicy(read(payload)?),
            Command::AssignPolicy => Self::AssignPolicy(read(payload)?),
            Command::GetPolicy => Self::GetPolicy(read(payload)?),
            Command::PolicyStatus => Self::PolicyStatus(read(payload)?),
            Command::ListPolicies => Self::ListPolicies(read(payload)?),
            Command::CreateIdentity => Self::CreateIdentity(read(payload)?),
            Command::DeleteIdentity => Self::DeleteIdentity(read(payload)?),
            Command::IdentityStatus => Self::IdentityStatus(read(payload)?),
            Command::ListIdentities => Self::ListIdentities(read(payload)?),
        })
    }

    /// The command.
    #[must_use]
    pub const fn command(&self) -> Command {
        match self {
            Self::AddNode(_) => Command::AddNode,
            Self::RemoveNode(_) => Command::RemoveNode,
            Self::ClusterStatus => Command::ClusterStatus,
            Self::EditCluster(_) => Command::EditCluster,
            Self::AddHsm(_) => Command::AddHsm,
            Self::RemoveHsm(_) => Command::RemoveHsm,
            Self::CreateEnclave(_) => Command::CreateEnclave,
            Self::DeleteEnclave(_) => Command::DeleteEnclave,
            Self::EnclaveStatus(_) => Command::EnclaveStatus,
            Self::ListEnclaves(_) => Command::ListEnclaves,
            Self::CreateKey(_) => Command::CreateKey,
            Self::DeleteKey(_) => Command::DeleteKey,
            Self::ImportKey(_) => Command::ImportKey,
            Self::KeyStatus(_) => Command::KeyStatus,
            Self::Encrypt(_) => Command::Encrypt,
            Self::Decrypt(_) => Command::Decrypt,
            Self::GenerateKey(_) => Command::GenerateKey,
            Self::ListKeys(_) => Command::ListKeys,
            Self::ListKeyVersions(_) => Command::ListKeyVersions,
            Self::Mac(_) => Command::Mac,
            Self::CreatePolicy(_) => Command::CreatePolicy,
            Self::DeletePolicy(_) => Command::DeletePolicy,
            Self::AssignPolicy(_) => Command::AssignPolicy,
            Self::GetPolicy(_) => Command::GetPolicy,
            Self::PolicyStatus(_) => Command::PolicyStatus,
            Self::ListPolicies(_) => Command::ListPolicies,
            Self::CreateIdentity(_) => Command::CreateIdentity,
            Self::DeleteIdentity(_) => Command::DeleteIdentity,
            Self::IdentityStatus(_) => Command::IdentityStatus,
            Self::ListIdentities(_) => Command::ListIdentities,
        }
    }

    /// What the patterns of a policy are compared with (decision D27); the prefix of a
    /// listing, whose items are compared one by one.
    #[must_use]
    pub fn argument(&self) -> &str {
        match self {
            Self::ClusterStatus => "",
            Self::AddNode(request) => &request.host,
            Self::RemoveNode(request) => &request.host,
            Self::EditCluster(request) => &request.host,
            Self::AddHsm(request) => &request.name,
            Self::RemoveHsm(request) => &request.name,
            Self::CreateEnclave(request) => &request.name,
            Self::DeleteEnclave(request) => &request.name,
            Self::EnclaveStatus(request) => &request.name,
            Self::CreateKey(request) => &request.name,
            Self::DeleteKey(request) => &request.name,
            Self::ImportKey(request) => &request.name,
            Self::KeyStatus(request) => &request.name,
            Self::Encrypt(request) => &request.name,
            Self::Decrypt(request) => &request.name,
            Self::GenerateKey(request) => &request.name,
            Self::Mac(request) => &request.name,
            Self::CreatePolicy(request) => &request.name,
            Self::DeletePolicy(request) => &request.name,
            Self::AssignPolicy(request) => &request.policy,
            Self::GetPolicy(request) | Self::PolicyStatus(request) => &request.name,
            Self::CreateIdentity(request) => &request.identity,
            Self::DeleteIdentity(request) => &request.identity,
            Self::IdentityStatus(request) => &request.identity,
            Self::ListEnclaves(request)
            | Self::ListKeys(request)
            | Self::ListKeyVersions(request)
            | Self::ListPolicies(request)
            | Self::ListIdentities(request) => &request.prefix,
        }
    }
}
