use prost::Message;
use zeroize::Zeroizing;

use crate::Error;
use crate::raft::codec::{LogIdRecord, MembershipRecord};
use crate::raft::{LogId, Membership};

/// How far a state goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Applied {
    /// The last entry in it.
    pub(crate) log_id: Option<LogId>,
    /// Who was a member after that entry.
    pub(crate) membership: Membership,
    /// The number of changes in it, which ties this record to the others.
    pub(crate) commit: u64,
    /// Whether it came as a whole from another node, so that the log may be behind.
    pub(crate) installed: bool,
}

#[derive(Clone, PartialEq, Message)]
struct AppliedRecord {
    #[prost(message, optional, tag = "1")]
    log_id: Option<LogIdRecord>,
    #[prost(message, optional, tag = "2")]
    membership: Option<MembershipRecord>,
    #[prost(uint64, tag = "3")]
    commit: u64,
    #[prost(bool, tag = "4")]
    installed: bool,
}

// === impl Applied ===

impl Applied {
    pub(super) fn encode(&self) -> Zeroizing<Vec<u8>> {
        let record = AppliedRecord {
            log_id: self.log_id.map(Into::into),
            membership: Some((&self.membership).into()),
            commit: self.commit,
            installed: self.installed,
        };
        Zeroizing::new(record.encode_to_vec())
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let malformed = Error::Malformed {
            what: "position of the state",
        };
        let record = AppliedRecord::decode(bytes).map_err(|_| malformed)?;
        Ok(Self {
            log_id: record.log_id.map(Into::into),
            membership: record.membership.map(Into::into).unwrap_or_default(),
            commit: record.commit,
            installed: record.installed,
        })
    }
}
