//! The driver: looks at who waits when nobody moves, draws who goes next, lets things happen, and asks the judge.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

use app::App;
use domain::{
    Error, FeedId, IndexId, Result,
    budget::Hour,
    query::{LIMIT_MAX, Query},
};
use store::{SealingKey, SealingKeys, SqlStore};
use sync::indexer::index_changes;
use tokio::{runtime::Runtime, task::JoinHandle};

use crate::{
    board::{Port, Stage, Waiting},
    chance::{among, scattered},
    event::{Event, Kind},
    judge::{Found, Rule, Violation},
    planted::Plant,
    ports::MemoryEngine,
    process::{INDEXER, start},
    script::{Schedule, Script},
    world::{CLIENT, Making, World},
};

/// Processes of Circuit on the one store: two workers and the indexer.
const PROCESSES: usize = INDEXER + 1;
/// Before one rest in so many, people are given back the spaces that they lost.
const GIVEN_BACK_ONE_IN: usize = 2;
/// A process stays down for fewer steps than this.
const DOWN_MAX: u64 = 40;
/// A doomed process makes fewer writes than this before.
const DOOMED_WRITES_MAX: usize = 3;
/// One result in so many is held back.
const HELD_ONE_IN: usize = 6;
const HOUR_MS: i64 = 3_600_000;
/// Every pass is due after this.
const ALL_DUE_MS: i64 = 25 * HOUR_MS;
/// When all is well, so many rounds of all passes bring everything in order: a second one must agree before much is
/// removed.
const ROUNDS_MAX: usize = 4;
/// Of a hundred first rounds so many are walks that people ask for, which takes half of the steps of all passes.
const ASKED_PERCENT: usize = 50;
/// A round that takes more steps does not come to its end.
const ROUND_STEPS_MAX: u64 = 8_000;
/// Tokens and points are compared every so many steps.
const AUDIT_EVERY: u64 = 64;
/// What calls may cost that were promised in the hour before.
const POINTS_ON_THE_TURN: u64 = 50;
/// While nobody works, time goes on by at least this at once.
const IDLE_MS: i64 = 60_000;
/// One key for all worlds: making one takes longer than using it, and nothing here is secret.
const SEALING_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
/// The most lines of a trace that are kept.
const TRACE_MAX: usize = 100_000;

/// How a script is played.
#[derive(Clone, Copy, Debug, Default)]
pub struct Playing {
    pub plant: Option<Plant>,
    pub real_engine: bool,
    pub traced: bool,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Played {
    pub violation: Option<Violation>,
    pub steps: u64,
    pub runs: u64,
    pub calls: u64,
    /// Tells two plays apart in which anything happened in another order.
    pub digest: u64,
    pub trace: Vec<String>,
}

/// Where worlds are played one after the other: a runtime, and a store that is emptied for each. Making them takes as long
/// as a third of a world.
pub struct Theatre {
    runtime: Runtime,
    store: SqlStore,
}

impl Theatre {
    pub fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(|error| Error::internal("a runtime could not be made").because(error))?;
        let keys = SealingKeys::new(SealingKey::from_base64(SEALING_KEY)?);
        let store = runtime.block_on(SqlStore::in_memory(keys))?;
        Ok(Self { runtime, store })
    }

    /// Plays a script in a world of its own.
    pub fn play(&self, script: &Script, playing: Playing) -> Result<Played> {
        self.runtime.block_on(giving_way(async {
            let store = self.store.clone().emptied().await?;
            let mut driver = Driver::new(script, playing, store).await?;
            let played = driver.play(&script.events).await;
            driver.end().await;
            played.map(|()| driver.played())
        }))
    }
}

/// The same, and while it waits, whoever else has work on this core goes on: the database's thread, which is waited for at
/// almost every step. To sleep and be woken by it would take half of a world's time.
async fn giving_way<T>(playing: impl Future<Output = T>) -> T {
    let mut playing = std::pin::pin!(playing);
    std::future::poll_fn(|cx| {
        let polled = playing.as_mut().poll(cx);
        if polled.is_pending() {
            cx.waker().wake_by_ref();
            std::thread::yield_now();
        }
        polled
    })
    .await
}

/// When a process is to die.
#[derive(Clone, Copy, Debug)]
struct Doom {
    /// So many of its writes still come to their end.
    writes: usize,
    /// The next one happens, and nobody is told of it.
    after: bool,
    down_for: u64,
}

struct Driver {
    world: World,
    seed: u64,
    schedule: Schedule,
    handles: BTreeMap<usize, JoinHandle<()>>,
    incarnations: u32,
    /// Processes that are down, until this step.
    down: BTreeMap<usize, u64>,
    /// Processes that die when they write.
    doomed: BTreeMap<usize, Doom>,
    step: u64,
    /// Nothing goes wrong just now, and nobody dies: nothing is held back.
    resting: bool,
    /// The last hour in which this machine's clock was not Atlassian's: which hour it is, they may see differently.
    skewed: Hour,
    digest: u64,
    traced: bool,
    trace: Vec<String>,
}

impl Driver {
    async fn new(script: &Script, playing: Playing, store: SqlStore) -> Result<Self> {
        let making = Making {
            seed: script.seed,
            plant: playing.plant,
            real_engine: playing.real_engine,
        };
        let world = World::made(making, Arc::new(store)).await?;
        world.judge.turn_to(0, world.site_time());
        world.look();
        let mut driver = Self {
            world,
            seed: script.seed,
            schedule: script.schedule,
            handles: BTreeMap::new(),
            incarnations: 0,
            down: BTreeMap::new(),
            doomed: BTreeMap::new(),
            step: 0,
            resting: false,
            skewed: Hour::default(),
            digest: 0,
            traced: playing.traced,
            trace: Vec::new(),
        };
        for process in 0..PROCESSES {
            driver.start(process)?;
        }
        Ok(driver)
    }

    /// Nobody works any more.
    async fn end(&mut self) {
        for (process, handle) in std::mem::take(&mut self.handles) {
            self.world.board.kill(process);
            handle.abort();
            // It was told to end; how it ended is of no interest.
            let _ = handle.await;
        }
    }

    fn played(self) -> Played {
        let figures = self.world.judge.figures();
        Played {
            violation: self.world.judge.violation(),
            steps: self.step,
            runs: figures.runs,
            calls: figures.calls,
            digest: self.digest,
            trace: self.trace,
        }
    }

    fn broken(&self) -> bool {
        self.world.judge.violation().is_some()
    }

    async fn play(&mut self, events: &[Event]) -> Result<()> {
        let mut busy = 0;
        for event in events {
            while busy < event.at {
                self.step().await?;
                busy += 1;
                if self.broken() {
                    return Ok(());
                }
            }
            self.happen(*event).await?;
            if self.broken() {
                return Ok(());
            }
        }
        self.rest().await
    }

    async fn happen(&mut self, event: Event) -> Result<()> {
        self.world.board.settled().await;
        self.note(|| format!("* {} {} {}", event.kind.word(), event.a, event.b));
        match event.kind {
            Kind::Crash => {
                let (process, down_for) = (event.a % PROCESSES, event.b as u64 % DOWN_MAX);
                let process = match self.world.judge.at_work() {
                    Some(worker) if process != INDEXER => worker,
                    _ => process,
                };
                match event.b % 4 {
                    0 => self.crash(process, down_for).await,
                    after => {
                        let doom = Doom {
                            writes: event.b / 4 % DOOMED_WRITES_MAX,
                            after: after == 1,
                            down_for,
                        };
                        self.doomed.insert(process, doom);
                    }
                }
            }
            Kind::Settle => self.settle().await?,
            Kind::Jump => self.world.board.advance(crate::event::jump_ms(event)),
            Kind::Quiet => self.rest().await?,
            _ => self.world.happen(event).await?,
        }
        Ok(())
    }

    fn start(&mut self, process: usize) -> Result<()> {
        self.incarnations += 1;
        let handle = start(&self.world, process, self.incarnations)?;
        self.handles.insert(process, handle);
        self.down.remove(&process);
        Ok(())
    }

    async fn crash(&mut self, process: usize, for_steps: u64) {
        let Some(handle) = self.handles.remove(&process) else {
            return;
        };
        self.doomed.remove(&process);
        self.world.board.kill(process);
        handle.abort();
        // It was told to end; how it ended is of no interest.
        let _ = handle.await;
        self.world.judge.crashed(process);
        self.down.insert(process, self.step + for_steps);
        self.note(|| format!("process {process} is no more"));
    }

    /// One turn of one operation.
    async fn step(&mut self) -> Result<()> {
        let board = self.world.board.clone();
        board.settled().await;
        for line in board.mentions() {
            self.note(|| line);
        }
        for process in 0..PROCESSES {
            if self.handles.contains_key(&process) && !board.is_alive(process) {
                self.world
                    .judge
                    .violate(Rule::Alive, format!("process {process} ended by itself"));
                return Ok(());
            }
        }
        if self.world.judge.is_to_search() {
            self.search().await?;
        }
        if self.step.is_multiple_of(AUDIT_EVERY) {
            self.audit().await?;
        }
        let risen: Vec<usize> = self
            .down
            .iter()
            .filter(|(_, until)| **until <= self.step)
            .map(|(process, _)| *process)
            .collect();
        for process in risen {
            self.start(process)?;
            board.settled().await;
        }
        self.strike_doomed().await;
        self.step += 1;
        self.world.judge.turn_to(self.step, self.world.site_time());
        match self.next() {
            Some(next) => self.go(&next),
            // Everybody is down, until the next step.
            None => board.advance(IDLE_MS),
        }
        Ok(())
    }

    /// Those who are to die now do.
    async fn strike_doomed(&mut self) {
        if self.doomed.is_empty() {
            return;
        }
        for waiting in self.world.board.waiting() {
            let process = waiting.life.process;
            let dies = self.doomed.get(&process).copied().filter(|doom| {
                let stage = if doom.after { Stage::Held } else { Stage::Before };
                is_deed(&waiting) && doom.writes == 0 && waiting.stage == stage
            });
            if let Some(doom) = dies {
                self.crash(process, doom.down_for).await;
                self.world.board.settled().await;
            }
        }
    }

    /// Whether the result of this write is never told: whoever wanted it dies first.
    fn is_last_deed(&mut self, next: &Waiting) -> bool {
        let Some(doom) = self.doomed.get_mut(&next.life.process) else {
            return false;
        };
        if !is_deed(next) || next.stage != Stage::Before {
            return false;
        }
        let last = doom.after && doom.writes == 0;
        doom.writes = doom.writes.saturating_sub(1);
        last
    }

    /// Who goes next; time goes on when all are asleep.
    fn next(&self) -> Option<Waiting> {
        let board = &self.world.board;
        let waiting = board.waiting();
        let may_go = |waiting: &&Waiting| match waiting.stage {
            Stage::Before | Stage::Held => true,
            Stage::Asleep(until) => until <= board.steady(),
        };
        let mut candidates: Vec<&Waiting> = waiting.iter().filter(may_go).collect();
        if candidates.is_empty() {
            let wakes = waiting.iter().filter_map(|waiting| match waiting.stage {
                Stage::Asleep(until) => Some(until),
                Stage::Before | Stage::Held => None,
            });
            let wakes = wakes.min()?;
            let idle = if self.world.judge.is_at_work() { 0 } else { IDLE_MS };
            board.advance((wakes - board.steady()).max(idle));
            candidates = waiting.iter().filter(may_go).collect();
        }
        let chosen = match self.schedule {
            Schedule::Drawn => among(self.draw(1), candidates.len()),
            Schedule::InOrder => 0,
        };
        candidates.get(chosen).map(|waiting| (*waiting).clone())
    }

    fn draw(&self, purpose: u64) -> u64 {
        scattered(self.seed ^ scattered(self.step.wrapping_mul(8).wrapping_add(purpose)))
    }

    fn go(&mut self, next: &Waiting) {
        let board = self.world.board.clone();
        let longest_ms = if next.port == Port::Http { 300 } else { 20 };
        board.advance(1 + among(self.draw(2), longest_ms) as i64);
        let may_hold = self.schedule == Schedule::Drawn && !self.resting && next.stage == Stage::Before;
        let hold = self.is_last_deed(next) || may_hold && among(self.draw(3), HELD_ONE_IN) == 0;
        self.digest = scattered(self.digest ^ digest(next));
        self.note(|| {
            let (life, what, stage) = (next.life, &next.what, next.stage);
            format!("process {} {:?} {what} {}", life.process, next.port, words(stage, hold))
        });
        board.give_turn(next.number, hold);
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if self.traced && self.trace.len() < TRACE_MAX {
            let at = self.world.board.wall();
            let line = format!("{:>5} {at} {}", self.step, line());
            self.trace.push(line);
        }
    }

    /// Tokens and points, as the store has them and as Atlassian does.
    async fn audit(&mut self) -> Result<()> {
        for feed in self.world.feeds.clone() {
            let Some(connection) = self.world.store.feed(feed).await?.connection else {
                continue;
            };
            self.world.judge.connection_is(feed, connection);
            let kept = self
                .world
                .store
                .grant(connection)
                .await
                .ok()
                .and_then(|grant| grant.refresh_token);
            let lives = kept.is_none_or(|token| self.world.fake.refresh_token_lives(token.expose()));
            if !lives && !self.world.judge.is_excused(feed) {
                let what = format!("feed {feed} keeps a refresh token that Atlassian no longer takes");
                self.world.judge.violate(Rule::Tokens, what);
            }
        }
        let hour = Hour::of(self.world.site_time());
        if self.world.board.skew() != 0 {
            self.skewed = hour;
        }
        let spent = self.world.fake.points_this_hour();
        // A call that was promised just before the hour turned may be made in the next.
        let before = self
            .world
            .store
            .hour_points(CLIENT, Hour(hour.0 - 1))
            .await?
            .committed();
        let known = self.world.store.hour_points(CLIENT, hour).await?.committed() + before;
        let allowed = self.world.allowance.points() + POINTS_ON_THE_TURN;
        if self.skewed != hour && (spent > known || spent > allowed) {
            let what = format!("{spent} points are spent in this hour; {known} are known of, {allowed} are allowed");
            self.world.judge.violate(Rule::Budget, what);
        }
        Ok(())
    }

    async fn search(&self) -> Result<()> {
        let mut found = BTreeSet::new();
        for index in &self.world.indexes {
            found.extend(found_by(&self.world.app, &self.world, *index).await?.into_keys());
        }
        self.world.judge.found(&found);
        Ok(())
    }

    /// Nothing goes wrong until what was begun is done and found.
    async fn settle(&mut self) -> Result<()> {
        self.resting = true;
        let first = self.step;
        let (mut began, mut over) = (false, false);
        while !over && !self.broken() && self.step - first < ROUND_STEPS_MAX {
            self.step().await?;
            self.world.board.settled().await;
            began |= self.world.judge.is_at_work();
            over = began && !self.world.judge.is_at_work() && self.everybody_sleeps() && self.is_indexed().await?;
        }
        self.resting = false;
        Ok(())
    }

    /// Nothing goes wrong any more; every pass is run until all is in order, or it never will be.
    async fn rest(&mut self) -> Result<()> {
        self.resting = true;
        let rested = self.rested().await;
        self.resting = false;
        rested
    }

    async fn rested(&mut self) -> Result<()> {
        self.world.board.settled().await;
        self.world.mend().await?;
        if among(self.draw(5), GIVEN_BACK_ONE_IN) == 0 {
            self.world.give_back();
        }
        for until in self.down.values_mut() {
            *until = self.step;
        }
        let mut difference = None;
        for round in 0..ROUNDS_MAX {
            let asked = round == 0 && among(self.draw(4), 100) < ASKED_PERCENT;
            self.round(asked).await?;
            if self.broken() {
                return Ok(());
            }
            difference = self.difference().await?;
            self.doomed.clear();
            self.world.board.heal_wholly();
            if difference.is_none() {
                break;
            }
            self.world.mend().await?;
        }
        if let Some(difference) = difference {
            self.world.judge.violate(Rule::Mirror, difference);
        }
        Ok(())
    }

    /// Every feed is walked: because its people ask for it, or because every pass is due.
    async fn round(&mut self, asked: bool) -> Result<()> {
        match asked {
            true => {
                self.note(|| "* all walks are asked for".into());
                self.world.tend().await?;
                self.world.resync_all().await?;
            }
            false => {
                self.note(|| "* all passes are due".into());
                self.world.board.advance(ALL_DUE_MS);
                self.world.tend().await?;
            }
        }
        let walks: BTreeMap<FeedId, u64> = self
            .world
            .feeds
            .iter()
            .map(|feed| (*feed, self.world.judge.walks(*feed)))
            .collect();
        let first = self.step;
        while self.step - first < ROUND_STEPS_MAX {
            self.step().await?;
            self.world.board.settled().await;
            if self.broken() {
                return Ok(());
            }
            let walked = walks.iter().all(|(feed, walks)| self.world.judge.walks(*feed) > *walks);
            let idle = !self.world.judge.is_at_work() && self.everybody_sleeps() && self.is_indexed().await?;
            match (idle, walked) {
                (true, true) => return Ok(()),
                // What was under way when all became due was no walk.
                (true, false) if self.handles.len() == PROCESSES => {
                    self.world.board.advance(ALL_DUE_MS);
                    self.world.tend().await?;
                }
                _ => {}
            }
        }
        let states = self.states().await?;
        self.world.judge.violate(
            Rule::Rest,
            format!("after {ROUND_STEPS_MAX} steps there is still work: {states}"),
        );
        Ok(())
    }

    async fn states(&self) -> Result<String> {
        let mut states = Vec::new();
        for feed in &self.world.feeds {
            let state = self.world.store.feed(*feed).await?.state;
            let run = self.world.store.runs(*feed, 1).await?.into_iter().next();
            let run = run.map(|run| format!("{:?} {:?}", run.kind, run.outcome));
            states.push(format!("feed {feed} is {state:?}, last run {run:?}"));
        }
        Ok(states.join("; "))
    }

    fn everybody_sleeps(&self) -> bool {
        let sleeps = |waiting: &Waiting| matches!(waiting.stage, Stage::Asleep(_));
        self.world.board.waiting().iter().all(sleeps)
    }

    async fn is_indexed(&self) -> Result<bool> {
        for index in &self.world.indexes {
            let last = self.world.store.last_sequence(*index).await?;
            if self.world.engine.watermark(*index).await?.0 != last {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// In what the feeds differ from what their people see.
    async fn difference(&self) -> Result<Option<String>> {
        for index in &self.world.indexes {
            let found = found_by(&self.world.app, &self.world, *index).await?;
            if let Some(difference) = self.world.judge.difference(*index, &found) {
                return Ok(Some(difference));
            }
            let anew = Arc::new(MemoryEngine::default());
            index_changes(&*self.world.store, &*anew, *index).await?;
            let rebuilt = found_by(&self.world.app_over(anew)?, &self.world, *index).await?;
            if found != rebuilt {
                let what = format!("index {index} finds {found:?}, and built anew {rebuilt:?}");
                self.world.judge.violate(Rule::Rebuilt, what);
            }
        }
        Ok(None)
    }
}

/// Everything that a search for nothing in particular finds, with title and breadcrumb.
async fn found_by(app: &App, world: &World, index: IndexId) -> Result<Found> {
    let mut found = Found::new();
    loop {
        let query = Query {
            limit: LIMIT_MAX,
            offset: found.len(),
            ..Query::default()
        };
        let hits = app.search(&world.caller, index, &query).await?;
        let more = hits.hits.len();
        found.extend(hits.hits.into_iter().map(|hit| {
            let passage = hit.passage;
            (
                (passage.feed, passage.document.content.to_string()),
                (passage.title, passage.breadcrumb),
            )
        }));
        if more == 0 || found.len() as u64 >= hits.total {
            return Ok(found);
        }
    }
}

/// What a process may be doomed to die at.
const DEEDS: [&str; 5] = ["record", "apply", "commit", "save_grant", "set_changes_until"];

fn is_deed(waiting: &Waiting) -> bool {
    waiting.writes && DEEDS.contains(&waiting.what.as_str())
}

fn digest(next: &Waiting) -> u64 {
    let mut hash = DefaultHasher::new();
    (next.life, &next.what, next.stage).hash(&mut hash);
    hash.finish()
}

fn words(stage: Stage, hold: bool) -> &'static str {
    match (stage, hold) {
        (Stage::Before, false) => "",
        (Stage::Before, true) => "(held back)",
        (Stage::Held, _) => "is told",
        (Stage::Asleep(_), _) => "is over",
    }
}
