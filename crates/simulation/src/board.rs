//! The board on which every call of a port waits for its turn, and the clock that only turns here.
//!
//! A process that wants something from a port writes a ticket and sleeps. The driver looks at the tickets when nobody
//! moves any more, draws one, and lets it go; until that one operation has landed nobody else moves. So the order of all
//! that happens follows from the seed, though the database works on a thread of its own.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use domain::{Clock, Error, Result, Timestamp, time::Slept};

/// The beginning of every world's time: 2026-03-02, a Monday, eight o'clock in UTC.
pub const BEGINNING_MS: i64 = 1_772_438_400_000;

/// A process of Circuit, from its start to its crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Life {
    pub process: usize,
    pub incarnation: u32,
}

/// Which port an operation goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Port {
    Store,
    Http,
    Engine,
    Clock,
}

/// What an operation does to what is behind its port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Reads,
    Writes,
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Nothing has happened yet.
    Before,
    /// It happened, and its result is held back.
    Held,
    /// Until the steady clock shows this.
    Asleep(i64),
}

/// What a ticket is given.
#[derive(Clone, Copy, Debug)]
struct Turn {
    /// The result waits for another turn.
    hold: bool,
}

struct Ticket {
    life: Life,
    port: Port,
    what: String,
    writes: bool,
    stage: Stage,
    turn: Option<Turn>,
    waker: Option<Waker>,
}

/// A ticket, as the driver sees it.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub number: u64,
    pub life: Life,
    pub port: Port,
    pub what: String,
    pub writes: bool,
    pub stage: Stage,
}

/// What goes wrong with an answer of Atlassian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// Nobody is there: the request was never read.
    Unreachable,
    /// The request was read and done, and the answer is lost.
    Cut,
    /// Not done; this status, with a `Retry-After` of so many seconds.
    Status { status: u16, retry_after: Option<i64> },
    /// Done, and half of the answer arrives as if it were whole.
    Malformed,
    /// A row comes twice.
    Duplicate,
    /// A row is not as it should be.
    BadRow,
    /// The cursor is refused.
    ExpiredCursor,
    /// The listing says that it is at its end though it is not.
    DroppedNext,
}

impl HttpFault {
    /// The answer arrives and can be read, and does not show all as it is.
    fn is_soft(self) -> bool {
        match self {
            Self::Duplicate | Self::BadRow | Self::DroppedNext => true,
            Self::Unreachable | Self::Cut | Self::Status { .. } | Self::Malformed | Self::ExpiredCursor => false,
        }
    }
}

/// Which answer a fault waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    Any,
    /// One in the midst of a listing.
    Midway,
}

#[derive(Default)]
struct Inner {
    steady_ms: i64,
    skew_ms: i64,
    tickets: BTreeMap<u64, Ticket>,
    next_ticket: u64,
    /// Tickets that were given a turn and have not taken it up.
    given: usize,
    in_flight: usize,
    /// Grows whenever anything moves.
    moves: u64,
    alive: BTreeMap<usize, u32>,
    driver: Option<Waker>,
    http_faults: VecDeque<(HttpFault, Aim)>,
    token_faults: VecDeque<HttpFault>,
    /// So many writing operations find the disk full.
    full_disk: u32,
    /// What is worth a line of the trace.
    mentions: Vec<String>,
}

/// Shared by everything in a world.
pub struct Board {
    inner: Mutex<Inner>,
    /// What Atlassian's clock shows; follows the steady one.
    pub site_clock: Arc<AtomicI64>,
}

impl Board {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: Mutex::default(),
            site_clock: Arc::new(AtomicI64::new(BEGINNING_MS)),
        })
    }

    fn locked(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the world began, never back.
    pub fn steady(&self) -> i64 {
        self.locked().steady_ms
    }

    /// What this machine's clock shows.
    pub fn wall(&self) -> Timestamp {
        let inner = self.locked();
        Timestamp(BEGINNING_MS + inner.steady_ms + inner.skew_ms)
    }

    pub fn skew(&self) -> i64 {
        self.locked().skew_ms
    }

    /// Sets this machine's clock before or behind Atlassian's.
    pub fn set_skew(&self, ms: i64) {
        self.locked().skew_ms = ms;
    }

    pub fn advance(&self, ms: i64) {
        let mut inner = self.locked();
        inner.steady_ms += ms.max(0);
        self.site_clock.store(BEGINNING_MS + inner.steady_ms, Ordering::Relaxed);
    }

    /// A new life of the process.
    pub fn born(&self, process: usize, incarnation: u32) -> Life {
        self.locked().alive.insert(process, incarnation);
        Life { process, incarnation }
    }

    /// From now on nothing that this process wants happens.
    pub fn kill(&self, process: usize) {
        let mut inner = self.locked();
        inner.alive.remove(&process);
        let wakers: Vec<Waker> = inner
            .tickets
            .values_mut()
            .filter(|ticket| ticket.life.process == process)
            .filter_map(|ticket| ticket.waker.take())
            .collect();
        drop(inner);
        wakers.into_iter().for_each(Waker::wake);
    }

    pub fn is_alive(&self, process: usize) -> bool {
        self.locked().alive.contains_key(&process)
    }

    pub fn spoil_answer(&self, fault: HttpFault, aim: Aim) {
        self.locked().http_faults.push_back((fault, aim));
    }

    pub fn spoil_token_answer(&self, fault: HttpFault) {
        self.locked().token_faults.push_back(fault);
    }

    pub fn fill_disk(&self, writes: u32) {
        self.locked().full_disk = writes;
    }

    /// No more faults but those that only spoil what an answer shows.
    pub fn heal(&self) {
        let mut inner = self.locked();
        inner.http_faults.retain(|(fault, _)| fault.is_soft());
        inner.token_faults.clear();
        inner.full_disk = 0;
        inner.skew_ms = 0;
    }

    /// No more faults at all.
    pub fn heal_wholly(&self) {
        self.heal();
        self.locked().http_faults.clear();
    }

    pub fn token_fault(&self) -> Option<HttpFault> {
        self.locked().token_faults.pop_front()
    }

    pub fn http_fault(&self, midway: bool) -> Option<(HttpFault, Aim)> {
        let faults = &mut self.locked().http_faults;
        let aimed = faults.iter().position(|(_, aim)| midway || *aim == Aim::Any)?;
        faults.remove(aimed)
    }

    /// Keeps a line for the trace.
    pub fn mention(&self, line: String) {
        self.locked().mentions.push(line);
    }

    /// The lines for the trace since this was last asked.
    pub fn mentions(&self) -> Vec<String> {
        std::mem::take(&mut self.locked().mentions)
    }

    /// Whether this writing operation finds the disk full.
    pub fn disk_is_full(&self) -> bool {
        let mut inner = self.locked();
        let full = inner.full_disk > 0;
        inner.full_disk = inner.full_disk.saturating_sub(1);
        full
    }

    /// The process ended by itself, which none should.
    fn ended(&self, life: Life) {
        let mut inner = self.locked();
        if inner.alive.get(&life.process) == Some(&life.incarnation) {
            inner.alive.remove(&life.process);
        }
        inner.moved();
    }

    /// Everything that waits, in the order it came.
    pub fn waiting(&self) -> Vec<Waiting> {
        let inner = self.locked();
        let shown = |(number, ticket): (&u64, &Ticket)| Waiting {
            number: *number,
            life: ticket.life,
            port: ticket.port,
            what: ticket.what.clone(),
            writes: ticket.writes,
            stage: ticket.stage,
        };
        inner.tickets.iter().map(shown).collect()
    }

    /// Lets it go on.
    pub fn give_turn(&self, number: u64, hold: bool) {
        let mut inner = self.locked();
        let Some(ticket) = inner.tickets.get_mut(&number) else {
            return;
        };
        if ticket.turn.replace(Turn { hold }).is_some() {
            return;
        }
        let waker = ticket.waker.take();
        inner.given += 1;
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Ends when every process waits for a turn and none is being taken.
    pub async fn settled(&self) {
        loop {
            std::future::poll_fn(|cx| self.poll_quiet(cx)).await;
            // A task that was woken by another, and not by the board, moves now if it can.
            let before = self.locked().moves;
            for _ in 0..YIELDS {
                tokio::task::yield_now().await;
            }
            let inner = self.locked();
            if inner.moves == before && inner.quiet() {
                return;
            }
        }
    }

    fn poll_quiet(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.locked();
        match inner.quiet() {
            true => Poll::Ready(()),
            false => {
                inner.driver = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

/// How often the runtime is let through all tasks that may move.
const YIELDS: usize = 1;

impl Inner {
    fn quiet(&self) -> bool {
        let waits = |(process, incarnation): (&usize, &u32)| {
            let life = Life {
                process: *process,
                incarnation: *incarnation,
            };
            self.tickets.values().any(|ticket| ticket.life == life)
        };
        self.in_flight == 0 && self.given == 0 && self.alive.iter().all(waits)
    }

    fn moved(&mut self) {
        self.moves += 1;
        if let Some(driver) = self.driver.take() {
            driver.wake();
        }
    }
}

/// One process's way to the board.
#[derive(Clone)]
pub struct Gate {
    pub board: Arc<Board>,
    pub life: Life,
}

impl Gate {
    /// Waits for a turn, lets `op` happen, and perhaps waits again with its result.
    pub async fn pass<T>(
        &self,
        port: Port,
        what: impl Into<String>,
        effect: Effect,
        op: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let (what, writes) = (what.into(), effect == Effect::Writes);
        let turn = self.turn(port, what.clone(), writes, Stage::Before).await?;
        let result = self.in_flight(effect, op).await;
        if let Err(error) = &result {
            self.board
                .mention(format!("process {} {what} failed: {error}", self.life.process));
        }
        if turn.hold {
            self.turn(port, what, writes, Stage::Held).await?;
        }
        result
    }

    async fn in_flight<T>(&self, effect: Effect, op: impl Future<Output = Result<T>>) -> Result<T> {
        self.board.locked().in_flight += 1;
        let _landing = Landing(&self.board);
        if effect != Effect::Reads && self.board.disk_is_full() {
            return Err(Error::unavailable("the disk of the data directory is full"));
        }
        op.await
    }

    fn turn(&self, port: Port, what: String, writes: bool, stage: Stage) -> impl Future<Output = Result<Turn>> + use<> {
        let mut inner = self.board.locked();
        let number = inner.next_ticket;
        inner.next_ticket += 1;
        inner.tickets.insert(
            number,
            Ticket {
                life: self.life,
                port,
                what,
                writes,
                stage,
                turn: None,
                waker: None,
            },
        );
        inner.moved();
        Held {
            board: self.board.clone(),
            life: self.life,
            number,
        }
    }
}

/// An operation that is over, however it ended.
struct Landing<'a>(&'a Board);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let mut inner = self.0.locked();
        inner.in_flight -= 1;
        inner.moved();
    }
}

/// A ticket in somebody's hand.
struct Held {
    board: Arc<Board>,
    life: Life,
    number: u64,
}

impl Future for Held {
    type Output = Result<Turn>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut inner = self.board.locked();
        if inner.alive.get(&self.life.process) != Some(&self.life.incarnation) {
            return Poll::Ready(Err(Error::internal("this process is no more")));
        }
        let Some(ticket) = inner.tickets.get_mut(&self.number) else {
            return Poll::Ready(Err(Error::internal("a turn was taken twice")));
        };
        match ticket.turn {
            Some(turn) => {
                inner.tickets.remove(&self.number);
                inner.given -= 1;
                inner.moved();
                Poll::Ready(Ok(turn))
            }
            None => {
                ticket.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut inner = self.board.locked();
        if let Some(ticket) = inner.tickets.remove(&self.number) {
            inner.given -= usize::from(ticket.turn.is_some());
            inner.moved();
        }
    }
}

/// Held by a process as long as it lives.
pub struct Alive(pub Gate);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.board.ended(self.0.life);
    }
}

/// Nobody wakes earlier: whoever waits for another's lease looks every few milliseconds, and each look is a step here.
const SLEEP_MS_MIN: u128 = 5_000;

/// The machine's clock, as one process sees it.
pub struct GatedClock(pub Gate);

impl Clock for GatedClock {
    fn now(&self) -> Timestamp {
        self.0.board.wall()
    }

    fn sleep(&self, duration: Duration) -> Slept {
        let until = self
            .0
            .board
            .steady()
            .saturating_add(i64::try_from(duration.as_millis().max(SLEEP_MS_MIN)).unwrap_or(i64::MAX));
        let turn = self.0.turn(Port::Clock, "sleep".into(), false, Stage::Asleep(until));
        Box::pin(async move {
            // A process that is no more sleeps for ever.
            if turn.await.is_err() {
                std::future::pending::<()>().await;
            }
        })
    }
}
