use std::sync::{Arc, Mutex, PoisonError};

use openraft::{RaftSnapshotBuilder, Snapshot, SnapshotMeta};

use super::{Failure, NodeId, Peer, Types, write_failure};
use crate::State;
use crate::disk::blocking;
use crate::node::Stop;
use crate::tables::{Applied, FILE, Tables};

pub(crate) type Meta = SnapshotMeta<NodeId, Peer>;

/// The state that another node gets instead of entries that are gone.
///
/// On the node that has it, it is a reference: nothing is copied before it travels.
#[derive(Clone, Debug, Default)]
pub(crate) struct SnapshotData(pub(super) Arc<State>);

/// The last snapshot of a node, shared by the machine and what builds snapshots.
#[derive(Clone, Default)]
pub(super) struct Last(Arc<Mutex<Option<(Meta, SnapshotData)>>>);

/// Makes a snapshot of one moment: makes it durable and keeps a reference.
pub(crate) struct SnapshotBuilder {
    pub(super) tables: Arc<Tables>,
    pub(super) state: Arc<State>,
    pub(super) applied: Applied,
    pub(super) last: Last,
    pub(super) stop: Arc<Stop>,
}

// === impl Last ===

impl Last {
    pub(super) fn get(&self) -> Option<Snapshot<Types>> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (meta, data) = last.as_ref()?;
        Some(Snapshot {
            meta: meta.clone(),
            snapshot: Box::new(data.clone()),
        })
    }

    pub(super) fn set(&self, meta: Meta, data: SnapshotData) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((meta, data));
    }
}

// === impl SnapshotBuilder ===

impl RaftSnapshotBuilder<Types> for SnapshotBuilder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<Types>, Failure> {
        // The engine removes entries up to here from the log, so the state has to be on
        // the disk. More than this moment's is as good.
        let tables = self.tables.clone();
        blocking(FILE, move || tables.checkpoint())
            .await
            .map_err(|error| {
                self.stop.stop(&error);
                write_failure(&error)
            })?;
        let meta = Meta {
            last_log_id: self.applied.log_id,
            last_membership: self.applied.membership.clone(),
            snapshot_id: match self.applied.log_id {
                Some(id) => id.to_string(),
                None => "empty".to_owned(),
            },
        };
        let data = SnapshotData(self.state.clone());
        self.last.set(meta.clone(), data.clone());
        Ok(Snapshot {
            meta,
            snapshot: Box::new(data),
        })
    }
}
