//! From a directory to a node that serves.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use keystead_crypto::Random;
use keystead_identity::{KmsApiKey, KmsIdentity};
use openraft::{ChangeMembers, Config, ServerState, SnapshotPolicy, Vote};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::lock::Lock;
use super::propose::Proposer;
use super::{Inner, OpenError, Opened, Options, ProposeError, Stop, Store};
use crate::disk::{Disk, Folder, blocking};
use crate::log::{self, Database, Log, Positions};
use crate::raft::{Alone, Engine, Inbound, LogId, Machine, NodeId, Peer, Peers};
use crate::seal::{self, Seal, Unsealed};
use crate::tables::{self, Applied, Tables};
use crate::{Operation, State};

/// Entries after which the log is cut: so many are read again when the tables are
/// lost in a crash, and so many fill the log at most, with those that are kept.
const ENTRIES: u64 = 1024;

/// Entries that stay in the log for nodes that are a little behind.
const KEPT: u64 = 256;

/// What the files of a directory hold.
struct Data {
    log: Database,
    positions: Positions,
    tables: Tables,
    state: State,
    applied: Applied,
}

// === impl Store ===

impl Store {
    /// Opens the store of a directory, or makes one in an empty directory: a cluster of
    /// one node, with a root key that every HSM of the options seals.
    ///
    /// # Errors
    /// [`OpenError`]; nothing of the data was served or changed.
    pub async fn open(options: Options) -> Result<Opened, OpenError> {
        let disk = Arc::new(Folder::new(options.dir.clone()));
        Self::open_on(disk, options).await
    }

    /// As [`open`](Self::open), with the database files of `disk`.
    pub(crate) async fn open_on(
        disk: Arc<dyn Disk>,
        options: Options,
    ) -> Result<Opened, OpenError> {
        prepare(&options.dir).map_err(|source| OpenError::Directory {
            path: options.dir.clone(),
            source,
        })?;
        let lock = Lock::acquire(&options.dir)?;
        check_files(&options.dir, &*disk, None)?;
        let Unsealed { seal, warnings } = Seal::open_or_create(
            options.dir.clone(),
            options.host.clone(),
            options.hsms,
            options.random.clone(),
        )
        .await?;
        check_files(&options.dir, &*disk, Some(seal.is_initialised()))?;
        if !seal.is_initialised() {
            // An interrupted first start: nothing in them was ever confirmed, and a
            // database that was cut off while it was made does not open.
            for file in [log::FILE, tables::FILE] {
                disk.remove(file).map_err(|source| OpenError::Directory {
                    path: options.dir.join(file),
                    source,
                })?;
            }
        }

        let data = Data::open(disk, &seal, options.random.clone()).await?;
        data.check()?;
        let positions = data.positions;
        let stop = Arc::new(Stop::default());
        let state = Arc::new(ArcSwap::from_pointee(data.state));
        let tables = Arc::new(data.tables);
        let log = Log::new(data.log, data.positions, stop.clone());
        let machine = Machine::new(tables.clone(), state.clone(), data.applied, stop.clone());
        let peers = Peers {
            network: Arc::new(Alone),
            keys: seal.keys().clone(),
            random: options.random.clone(),
        };
        let engine = Engine::new(
            seal.node(),
            Arc::new(config(options.heartbeat)?),
            peers,
            log.clone(),
            machine,
        )
        .await
        .map_err(|error| failed(&stop, &error))?;

        let mut tasks = JoinSet::new();
        let (proposer, work) = Proposer::new(engine.clone(), stop.clone());
        tasks.spawn(work);
        tasks.spawn(watch(engine.clone(), stop.clone()));
        let store = Self {
            inner: Arc::new(Inner {
                inbound: Inbound::new(engine.clone(), seal.keys().clone()),
                seal,
                state,
                admin: options.admin,
                random: options.random,
                engine,
                proposer,
                log,
                tables,
                stop,
                tasks: Mutex::new(tasks),
                lock,
            }),
        };
        store.come_up(&options.host, positions).await?;
        let initialised = !store.inner.seal.is_initialised();
        let root_api_key = match initialised {
            true => store.initialise(options.root_api_key).await?,
            false => None,
        };
        if store.inner.seal.root_count() > 1 {
            store.spawn_reseal().await;
        }
        Ok(Opened {
            store,
            initialised,
            root_api_key,
            warnings,
        })
    }

    /// Waits until this node leads and everything that was ever confirmed is applied.
    async fn come_up(&self, host: &str, log: Positions) -> Result<(), OpenError> {
        let Inner {
            engine, stop, seal, ..
        } = &*self.inner;
        let peer = Peer {
            host: host.to_owned(),
        };
        let started = async {
            if !engine.is_initialized().await.map_err(text)? {
                let members = BTreeMap::from([(seal.node(), peer.clone())]);
                engine.initialize(members).await.map_err(text)?;
            } else if !log.vote.is_some_and(|vote| is_won(&vote, seal.node())) {
                // Whoever was elected before it ended goes on as leader by itself.
                engine.trigger().elect().await.map_err(text)?;
            }
            let up =
                |state, applied: Option<LogId>| state == ServerState::Leader && applied >= log.last;
            let metrics = engine
                .wait(None)
                .metrics(|it| up(it.state, it.last_applied), "start")
                .await
                .map_err(text)?;
            Ok(metrics.membership_config)
        };
        let members = tokio::select! {
            members = started => members.map_err(OpenError::Engine)?,
            stopped = stop.stopped() => return Err(OpenError::Engine(stopped.reason().to_owned())),
        };

        let known = members.membership().get_node(&seal.node());
        if known == Some(&peer) {
            return Ok(());
        }
        if members.nodes().count() > 1 {
            return Err(OpenError::Host {
                host: host.to_owned(),
                known: known.map(ToString::to_string).unwrap_or_default(),
            });
        }
        // Nobody else has to find this node, so it may call itself anything.
        let members = BTreeMap::from([(seal.node(), peer)]);
        engine
            .change_membership(ChangeMembers::SetNodes(members), true)
            .await
            .map_err(|error| failed(stop, &error))?;
        seal.set_host(host).await?;
        Ok(())
    }

    /// Records who is root (decision D3), and that the first start is over. Whatever
    /// an earlier, interrupted first start recorded was never shown to anybody.
    async fn initialise(&self, derived: Option<KmsApiKey>) -> Result<Option<KmsApiKey>, OpenError> {
        let inner = &*self.inner;
        let (identity, key) = first_root(inner.admin, derived, &*inner.random)?;
        self.propose(Operation::SetRoot { identity })
            .await
            .map_err(|error: ProposeError| OpenError::Engine(error.to_string()))?;
        inner.seal.set_initialised().await?;
        Ok(key)
    }
}

// === impl Data ===

impl Data {
    async fn open(
        disk: Arc<dyn Disk>,
        seal: &Seal,
        random: Arc<dyn Random>,
    ) -> Result<Self, OpenError> {
        let keys = seal.keys().clone();
        let (log_disk, log_keys, log_random) = (disk.clone(), keys.clone(), random.clone());
        let (log, positions) = blocking(log::FILE, move || {
            Database::open(&*log_disk, log_keys, log_random)
        })
        .await?;
        let (tables, state, applied) = blocking(tables::FILE, move || {
            let tables = Tables::open(&*disk, keys, random)?;
            let (state, applied) = tables.load()?;
            Ok((tables, state, applied))
        })
        .await?;
        Ok(Self {
            log,
            positions,
            tables,
            state,
            applied,
        })
    }

    /// Whether the state goes on where the log begins, and not beyond its end.
    fn check(&self) -> Result<(), OpenError> {
        let Positions { purged, last, .. } = self.positions;
        let state = self.applied.log_id;
        let too_old = state < purged;
        let too_new = state > last.max(purged) && !self.applied.installed;
        if !too_old && !too_new {
            return Ok(());
        }
        let text = |id: Option<LogId>| id.map_or("none".to_owned(), |id| id.index.to_string());
        Err(OpenError::Mismatch {
            state: text(state),
            log: match (purged, last) {
                (None, None) => "no entries".to_owned(),
                (purged, last) => format!("entries after {} to {}", text(purged), text(last)),
            },
        })
    }
}

/// Whether `node` won the election of this vote.
fn is_won(vote: &Vote<NodeId>, node: NodeId) -> bool {
    vote.committed && vote.leader_id.node_id == node
}

/// The identity to record as root, and its key if somebody has to be told.
fn first_root(
    admin: Option<KmsIdentity>,
    derived: Option<KmsApiKey>,
    random: &dyn Random,
) -> Result<(KmsIdentity, Option<KmsApiKey>), OpenError> {
    let key = match (derived, admin) {
        (Some(key), Some(_)) => return Ok((key.identity(), None)),
        (None, Some(admin)) => return Ok((admin, None)),
        (Some(key), None) => key,
        (None, None) => {
            KmsApiKey::generate(random).map_err(|error| OpenError::Engine(error.to_string()))?
        }
    };
    Ok((key.identity(), Some(key)))
}

/// Makes the directory, or takes the rights of others on it away.
fn prepare(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    let mut permissions = fs::metadata(dir)?.permissions();
    if permissions.mode() & 0o077 != 0 {
        permissions.set_mode(0o700);
        fs::set_permissions(dir, permissions)?;
    }
    Ok(())
}

/// Refuses a directory of which a part is missing. `initialised` is what `seal.json`
/// says, if it was read.
fn check_files(dir: &Path, disk: &dyn Disk, initialised: Option<bool>) -> Result<(), OpenError> {
    let missing = |file: &str, witness| OpenError::Missing {
        path: dir.join(file),
        witness,
    };
    let databases = [log::FILE, tables::FILE];
    let present = databases.into_iter().find(|file| disk.has(file));
    let lost = databases.into_iter().find(|file| !disk.has(file));
    match (initialised, present, lost) {
        (None, Some(witness), _) if !dir.join(seal::FILE).exists() => {
            Err(missing(seal::FILE, witness))
        }
        (Some(true), _, Some(file)) => Err(missing(file, seal::FILE)),
        _ => Ok(()),
    }
}

fn config(heartbeat: Duration) -> Result<Config, OpenError> {
    let heartbeat = u64::try_from(heartbeat.as_millis()).unwrap_or(u64::MAX);
    let config = Config {
        cluster_name: "keystead".to_owned(),
        heartbeat_interval: heartbeat,
        election_timeout_min: heartbeat.saturating_mul(3),
        election_timeout_max: heartbeat.saturating_mul(6),
        snapshot_policy: SnapshotPolicy::LogsSinceLast(ENTRIES),
        max_in_snapshot_log_to_keep: KEPT,
        ..Config::default()
    };
    config
        .validate()
        .map_err(|error| OpenError::Engine(error.to_string()))
}

/// Stops the node when the engine stops for a reason that nobody else has noticed.
async fn watch(engine: Engine, stop: Arc<Stop>) {
    let mut metrics = engine.metrics();
    loop {
        let state = metrics.borrow_and_update().running_state.clone();
        if let Err(error) = state {
            stop.stop(&error);
            return;
        }
        if metrics.changed().await.is_err() {
            stop.stop(&"the consensus engine has ended");
            return;
        }
    }
}

fn failed(stop: &Stop, error: &dyn std::fmt::Display) -> OpenError {
    match stop.check() {
        Err(stopped) => OpenError::Engine(stopped.reason().to_owned()),
        Ok(()) => OpenError::Engine(error.to_string()),
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
