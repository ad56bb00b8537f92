//! Threads that read passages while the machine has time, and questions that do not wait for them.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread::JoinHandle,
    time::Duration,
};

use domain::{Error, Result};
use tokio::sync::oneshot;

use super::{encoder::Encoder, tokens::Tokens};

/// The most threads that read passages.
pub const THREADS_MAX: usize = 64;
/// As many tokens go through the encoder together: enough for its matrices, and over in a moment when Circuit stops.
const TOKENS_TOGETHER: usize = 1_024;
/// A passage waits so long for questions, and so often at most.
const PAUSE: Duration = Duration::from_millis(2);
const PAUSES_MAX: usize = 100;
/// How much lower than that of searches the priority of passages is, as `nice` counts.
#[cfg(unix)]
const NICENESS: i32 = 10;

struct Shared {
    tokens: Tokens,
    encoder: Encoder,
    /// Questions that are being read.
    questions: AtomicUsize,
}

type Vectors = Result<Vec<(usize, Vec<f32>)>>;

/// Some texts of a call, with their places in it.
struct Task {
    texts: Vec<(usize, Vec<u32>)>,
    /// Nobody waits for them any more.
    given_up: Arc<AtomicBool>,
    done: oneshot::Sender<Vec<(usize, Vec<f32>)>>,
}

pub struct Workers {
    shared: Arc<Shared>,
    queue: Option<mpsc::Sender<Task>>,
    threads: Vec<JoinHandle<()>>,
}

impl Workers {
    pub fn begin(tokens: Tokens, encoder: Encoder, threads: usize) -> Result<Self> {
        let shared = Arc::new(Shared {
            tokens,
            encoder,
            questions: AtomicUsize::new(0),
        });
        let (queue, tasks) = mpsc::channel::<Task>();
        let tasks = Arc::new(Mutex::new(tasks));
        let threads = (0..threads.clamp(1, THREADS_MAX))
            .map(|number| {
                let (shared, tasks) = (shared.clone(), tasks.clone());
                let thread = std::thread::Builder::new().name(format!("embed-{number}"));
                thread.spawn(move || shared.work(&tasks))
            })
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(|error| Error::unavailable("no thread could be started for the model").because(error))?;
        Ok(Self {
            shared,
            queue: Some(queue),
            threads,
        })
    }

    /// Vectors of passages, when the threads come to them.
    pub async fn read(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let shared = self.shared.clone();
        let mut tokens = blocking(move || shared.tokens(&texts)).await?;
        let count = tokens.len();
        let given_up = GivenUp(Arc::new(AtomicBool::new(false)));
        // Long ones first, so that no thread is left with one at the end.
        tokens.sort_by_key(|(place, tokens)| (std::cmp::Reverse(tokens.len()), *place));
        let mut answers = Vec::new();
        for texts in together(tokens) {
            let (done, answer) = oneshot::channel();
            let task = Task {
                texts,
                given_up: given_up.0.clone(),
                done,
            };
            let queue = self.queue.as_ref().ok_or_else(ended)?;
            queue.send(task).map_err(|_| ended())?;
            answers.push(answer);
        }
        let mut vectors = vec![Vec::new(); count];
        for answer in answers {
            for (place, vector) in answer.await.map_err(|_| ended())? {
                vectors[place] = vector;
            }
        }
        Ok(vectors)
    }

    /// Vectors of questions, at once.
    pub async fn answer(&self, texts: Vec<String>) -> Result<Vec<Vec<f32>>> {
        let shared = self.shared.clone();
        let mut vectors = blocking(move || -> Vectors {
            let _asking = Asking::new(&shared.questions);
            let mut vectors = Vec::new();
            for texts in together(shared.tokens(&texts)?) {
                vectors.extend(shared.vectors(texts));
            }
            Ok(vectors)
        })
        .await?;
        vectors.sort_by_key(|(place, _)| *place);
        Ok(vectors.into_iter().map(|(_, vector)| vector).collect())
    }
}

/// The threads end with the model, within one step of their work.
impl Drop for Workers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            // One that broke down has ended as well.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn work(&self, tasks: &Mutex<mpsc::Receiver<Task>>) {
        // Where the system refuses, passages are read as quickly as anything else.
        #[cfg(unix)]
        let _ = rustix::process::nice(NICENESS);
        loop {
            let next = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(task) = next else { return };
            self.give_way();
            if task.given_up.load(Ordering::Relaxed) {
                continue;
            }
            // Whoever asked may have gone meanwhile.
            let _ = task.done.send(self.vectors(task.texts));
        }
    }

    fn give_way(&self) {
        for _ in 0..PAUSES_MAX {
            if self.questions.load(Ordering::Relaxed) == 0 {
                return;
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn tokens(&self, texts: &[String]) -> Result<Vec<(usize, Vec<u32>)>> {
        let tokens = texts.iter().map(|text| self.tokens.of(text));
        tokens.enumerate().map(|(place, tokens)| Ok((place, tokens?))).collect()
    }

    fn vectors(&self, texts: Vec<(usize, Vec<u32>)>) -> Vec<(usize, Vec<f32>)> {
        let (places, texts): (Vec<usize>, Vec<Vec<u32>>) = texts.into_iter().unzip();
        places.into_iter().zip(self.encoder.vectors(&texts)).collect()
    }
}

/// Cut into pieces of about [`TOKENS_TOGETHER`].
fn together(texts: Vec<(usize, Vec<u32>)>) -> Vec<Vec<(usize, Vec<u32>)>> {
    let mut pieces: Vec<Vec<_>> = Vec::new();
    let mut room = 0;
    for text in texts {
        match pieces.last_mut() {
            Some(piece) if room >= text.1.len() => {
                room -= text.1.len();
                piece.push(text);
            }
            _ => {
                room = TOKENS_TOGETHER.saturating_sub(text.1.len());
                pieces.push(vec![text]);
            }
        }
    }
    pieces
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|panic| Error::internal("the model broke down over a text").because(panic))?
}

fn ended() -> Error {
    Error::internal("the model broke down over a text")
}

/// Tells the threads when the call that waits for them is dropped.
struct GivenUp(Arc<AtomicBool>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A question that is being read, for as long as this lives.
struct Asking<'a>(&'a AtomicUsize);

impl<'a> Asking<'a> {
    fn new(questions: &'a AtomicUsize) -> Self {
        questions.fetch_add(1, Ordering::Relaxed);
        Self(questions)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
