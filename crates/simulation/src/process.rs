//! One process of Circuit: the app over gated ports, either as a worker of its queue or as its indexer. The indexer reads
//! text on another thread between two operations; alone in its process, the board sees when it does.

use std::{sync::Arc, time::Duration};

use app::App;
use domain::{Clock, Result};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

use crate::{
    board::{Alive, Gate, GatedClock},
    planted::{Plant, PlantedStore},
    ports::{GatedEngine, GatedHttp, GatedStore, JudgedSource},
    world::{AppPorts, CLIENT, World},
};

/// How often the queue is looked at. Longer than in the product: each look is a step here.
const LOOK_AGAIN: Duration = Duration::from_secs(60);
/// How often the search index is brought up to the store when nobody rings.
const INDEX_AGAIN: Duration = Duration::from_secs(120);

/// The process that brings the search index up to the store; those before it are workers.
pub const INDEXER: usize = 2;

/// Starts a process; it works until it is killed.
pub fn start(world: &World, process: usize, incarnation: u32) -> Result<JoinHandle<()>> {
    let gate = Gate {
        board: world.board.clone(),
        life: world.board.born(process, incarnation),
    };
    let clock: Arc<dyn Clock> = Arc::new(GatedClock(gate.clone()));
    let app = over(world, &gate, clock.clone())?;
    Ok(tokio::spawn(live(app, gate, clock, world.bell.clone())))
}

fn over(world: &World, gate: &Gate, clock: Arc<dyn Clock>) -> Result<App> {
    let planted = PlantedStore::new(world.plant);
    let judge = world.judge.clone();
    let store = GatedStore {
        gate: gate.clone(),
        real: world.store.clone(),
        judge: judge.clone(),
        planted: planted.clone(),
        bell: world.bell.clone(),
    };
    let engine = GatedEngine {
        gate: gate.clone(),
        real: world.engine.clone(),
        judge: judge.clone(),
        planted: planted.clone(),
    };
    let http = GatedHttp {
        gate: gate.clone(),
        fake: world.fake.clone(),
        judge: judge.clone(),
        rows_max: world.rows_max,
    };
    let life = gate.life;
    let ports = AppPorts {
        http: Arc::new(http),
        store: Arc::new(store),
        engine: Arc::new(engine),
        clock,
        allowance: world.allowance,
        unpriced: world.plant == Some(Plant::PriceNotReserved),
        counted_for: match world.plant {
            Some(Plant::BudgetNotShared) => format!("{CLIENT}-{}", life.process),
            _ => CLIENT.into(),
        },
        probes: world.probes,
    };
    ports.app(|real| {
        Arc::new(JudgedSource {
            real,
            judge,
            life,
            planted,
            unreadable: Default::default(),
            told: Default::default(),
        })
    })
}

async fn live(app: App, gate: Gate, clock: Arc<dyn Clock>, bell: Arc<Notify>) {
    let _alive = Alive(gate.clone());
    let (_running, stop) = watch::channel(false);
    match gate.life.process {
        INDEXER => follow(&app, &*clock, &bell).await,
        _ => work(&app, &*clock, stop).await,
    }
}

async fn work(app: &App, clock: &dyn Clock, stop: watch::Receiver<bool>) {
    // A disk that is full now is no reason not to begin.
    let _ = app.take_up_again().await;
    loop {
        match app.work_once(stop.clone()).await {
            Ok(Some(_)) => {}
            Ok(None) | Err(_) => clock.sleep(LOOK_AGAIN).await,
        }
    }
}

/// The search index follows the store.
async fn follow(app: &App, clock: &dyn Clock, bell: &Notify) {
    loop {
        // What could not be written now is tried again.
        let _ = app.index_all().await;
        tokio::select! {
            biased;
            () = bell.notified() => {}
            () = clock.sleep(INDEX_AGAIN) => {}
        }
    }
}
