//! Several nodes in one process, over a network that can be cut.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use jiff::Timestamp;
use keystead_crypto::{SecretKey, SystemRandom};
use keystead_hsm::{ClusterId, RootKey};
use keystead_identity::KmsIdentity;
use openraft::{Config, ServerState};
use zeroize::Zeroizing;

use super::{Call, Engine, Inbound, LogId, Machine, Network, NetworkError, Peer, Peers};
use crate::disk::faulty::FaultyDisk;
use crate::log::{Database, Log};
use crate::node::Stop;
use crate::seal::RecordKeys;
use crate::tables::Tables;
use crate::{Batch, Created, Operation, OperationId, State};

/// Enough for anything that happens here.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(30));

#[derive(Clone, Default)]
struct Wire(Arc<Mutex<Wires>>);

#[derive(Default)]
struct Wires {
    nodes: BTreeMap<String, Arc<Inbound>>,
    cut: BTreeSet<String>,
    snapshots: usize,
}

/// A node's end of the wire.
struct End {
    host: String,
    wire: Wire,
}

struct Node {
    engine: Engine,
    state: Arc<ArcSwap<State>>,
}

#[async_trait]
impl Network for End {
    async fn call(
        &self,
        peer: &Peer,
        call: Call,
        body: Zeroizing<Vec<u8>>,
    ) -> Result<Zeroizing<Vec<u8>>, NetworkError> {
        let target = {
            let mut wires = self.wire.0.lock().unwrap();
            wires.snapshots += usize::from(call == Call::Snapshot);
            let cut = [&self.host, &peer.host];
            let cut = cut.into_iter().any(|host| wires.cut.contains(host));
            wires.nodes.get(&peer.host).filter(|_| !cut).cloned()
        };
        match target {
            Some(inbound) => inbound.answer(call, &body).await,
            None => Err(NetworkError("the wire is cut".into())),
        }
    }
}

impl Wire {
    async fn node(&self, id: u64) -> Node {
        let disk = FaultyDisk::default();
        let random = Arc::new(SystemRandom);
        let cluster = ClusterId::from_bytes([1; 16]);
        let root = RootKey::new(cluster, SecretKey::from_bytes([2; 32])).unwrap();
        let keys = RecordKeys::new(id, Zeroizing::new([3; 32]), &root, &[]);
        let keys = Arc::new(ArcSwap::from_pointee(keys));
        let stop = Arc::new(Stop::default());
        let (log, positions) = Database::open(&disk, keys.clone(), random.clone()).unwrap();
        let log = Log::new(log, positions, stop.clone());
        let tables = Tables::open(&disk, keys.clone(), random.clone()).unwrap();
        let (state, applied) = tables.load().unwrap();
        let state = Arc::new(ArcSwap::from_pointee(state));
        let machine = Machine::new(Arc::new(tables), state.clone(), applied, stop);
        let config = Config {
            heartbeat_interval: 50,
            election_timeout_min: 200,
            election_timeout_max: 400,
            max_in_snapshot_log_to_keep: 0,
            ..Config::default()
        };
        let peers = Peers {
            network: Arc::new(End {
                host: host(id),
                wire: self.clone(),
            }),
            keys: keys.clone(),
            random,
        };
        let config = Arc::new(config.validate().unwrap());
        let engine = Engine::new(id, config, peers, log, machine).await.unwrap();
        let inbound = Arc::new(Inbound::new(engine.clone(), keys));
        self.0.lock().unwrap().nodes.insert(host(id), inbound);
        Node { engine, state }
    }

    fn cut(&self, id: u64) {
        self.0.lock().unwrap().cut.insert(host(id));
    }

    fn heal(&self) {
        self.0.lock().unwrap().cut.clear();
    }
}

fn host(id: u64) -> String {
    format!("node-{id}")
}

fn peer(id: u64) -> Peer {
    Peer { host: host(id) }
}

fn create(name: &str) -> Batch {
    let mut id = [0; 16];
    id[..name.len()].copy_from_slice(name.as_bytes());
    let operation = Operation::CreateEnclave {
        name: name.to_owned(),
        created: Created {
            at: Timestamp::UNIX_EPOCH,
            by: KmsIdentity::NOBODY,
        },
    };
    Batch {
        operations: vec![(OperationId(id), operation)],
    }
}

impl Node {
    async fn write(&self, name: &str) -> LogId {
        let written = self.engine.client_write(create(name)).await.unwrap();
        assert!(written.data.0[0].is_done());
        written.log_id
    }

    async fn leads(&self) {
        let wait = self.engine.wait(PATIENCE);
        wait.state(ServerState::Leader, "leads").await.unwrap();
    }

    async fn has(&self, name: &str) -> Arc<State> {
        let deadline = tokio::time::Instant::now() + PATIENCE.unwrap();
        let mut metrics = self.engine.metrics();
        loop {
            let state = self.state.load_full();
            if state.enclave(name).is_some() {
                return state;
            }
            let changed = tokio::time::timeout_at(deadline, metrics.changed());
            changed.await.expect("in time").unwrap();
        }
    }
}

/// A leader of three, all of which vote.
async fn three(wire: &Wire) -> [Node; 3] {
    let nodes = [wire.node(0).await, wire.node(1).await, wire.node(2).await];
    let leader = &nodes[0].engine;
    leader
        .initialize(BTreeMap::from([(0, peer(0))]))
        .await
        .unwrap();
    nodes[0].leads().await;
    for id in [1, 2] {
        leader.add_learner(id, peer(id), true).await.unwrap();
    }
    let voters = BTreeSet::from([0, 1, 2]);
    leader.change_membership(voters, false).await.unwrap();
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_end_with_the_same_state() {
    let wire = Wire::default();
    let nodes = three(&wire).await;
    for number in 0..20 {
        nodes[0].write(&format!("enclave-{number}")).await;
    }
    let expected = nodes[0].state.load().digest();
    for node in &nodes {
        assert_eq!(node.has("enclave-19").await.digest(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_cut_off_confirms_nothing() {
    let wire = Wire::default();
    let nodes = three(&wire).await;
    nodes[0].write("before").await;
    wire.cut(0);
    let lost = nodes[0]
        .engine
        .client_write_ff(create("lost"))
        .await
        .unwrap();
    let new = tokio::select! {
        () = nodes[1].leads() => &nodes[1],
        () = nodes[2].leads() => &nodes[2],
    };
    new.write("after").await;
    assert!(nodes[0].state.load().enclave("lost").is_none());
    wire.heal();
    let state = nodes[0].has("after").await;
    assert!(state.enclave("lost").is_none());
    assert_eq!(state.digest(), new.state.load().digest());
    // Whoever waited is told that it did not happen, or nothing.
    assert!(!matches!(lost.await, Ok(Ok(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_a_snapshot_of_what_the_log_has_lost() {
    let wire = Wire::default();
    let first = wire.node(0).await;
    let members = BTreeMap::from([(0, peer(0))]);
    first.engine.initialize(members).await.unwrap();
    first.leads().await;
    let mut last = None;
    for number in 0..10 {
        last = Some(first.write(&format!("enclave-{number}")).await);
    }
    first.engine.trigger().snapshot().await.unwrap();
    let wait = first.engine.wait(PATIENCE);
    wait.purged(last, "purged").await.unwrap();

    let newcomer = wire.node(1).await;
    first.engine.add_learner(1, peer(1), true).await.unwrap();
    let state = newcomer.has("enclave-9").await;
    assert_eq!(state.digest(), first.state.load().digest());
    assert_eq!(state.commit(), first.state.load().commit());
    assert!(wire.0.lock().unwrap().snapshots > 0);
    first.write("later").await;
    newcomer.has("later").await;
}
