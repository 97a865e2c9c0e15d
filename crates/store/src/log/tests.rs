use std::sync::Arc;

use arc_swap::ArcSwap;
use keystead_crypto::SystemRandom;
use keystead_hsm::RootKey;
use openraft::testing::{StoreBuilder, Suite};
use zeroize::Zeroizing;

use super::{Database, Log};
use crate::State;
use crate::disk::faulty::FaultyDisk;
use crate::node::Stop;
use crate::raft::{Failure, Machine, Types};
use crate::seal::RecordKeys;
use crate::tables::Tables;

struct Builder;

impl StoreBuilder<Types, Log, Machine, FaultyDisk> for Builder {
    async fn build(&self) -> Result<(FaultyDisk, Log, Machine), Failure> {
        let disk = FaultyDisk::default();
        let random = Arc::new(SystemRandom);
        let root = RootKey::generate(&*random).unwrap();
        let keys = RecordKeys::new(0, Zeroizing::new([1; 32]), &root, &[]);
        let keys = Arc::new(ArcSwap::from_pointee(keys));
        let stop = Arc::new(Stop::default());
        let (log, positions) = Database::open(&disk, keys.clone(), random.clone()).unwrap();
        let tables = Arc::new(Tables::open(&disk, keys, random).unwrap());
        let (_, applied) = tables.load().unwrap();
        let state = Arc::new(ArcSwap::from_pointee(State::default()));
        Ok((
            disk,
            Log::new(log, positions, stop.clone()),
            Machine::new(tables, state, applied, stop),
        ))
    }
}

#[test]
fn the_engine_finds_what_it_expects() {
    Suite::test_all(Builder).unwrap();
}
