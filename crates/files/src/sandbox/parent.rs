//! The parent's side: starts children, a few at a time, and says of each what became of its file.

use std::{
    ffi::OsString,
    io,
    path::PathBuf,
    process::{ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::Semaphore,
    time::timeout,
};
use tracing::warn;

use super::{Answer, Confinement, Question};
use crate::{FileText, Hints, Limits, Unread};

/// What a child may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Address space, in bytes.
    pub memory_bytes_max: u64,
    /// From its start to its answer, on the wall's clock and on the processor's.
    pub time_max: Duration,
    /// The longest answer, in bytes.
    pub answer_bytes_max: usize,
    /// Children at once. With more than one, a slow file does not hold up the others.
    pub children_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            memory_bytes_max: 512 << 20,
            time_max: Duration::from_secs(30),
            answer_bytes_max: 10 << 20,
            children_max: 2,
        }
    }
}

/// What a child may say on its way down, in bytes. It is looked through for two sentences, and never shown.
const LAST_WORDS_BYTES_MAX: u64 = 4 << 10;

/// Reads files, each in a child process of its own.
pub struct Reader {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: Limits,
    bounds: Bounds,
    slots: Semaphore,
    told: AtomicBool,
}

impl Reader {
    /// A reader whose children are this program with these arguments; it must end in [`super::child`].
    ///
    /// Children die with the thread that started them, so call [`Reader::read`] on a runtime that lives on.
    pub fn new(program: PathBuf, arguments: Vec<OsString>, limits: Limits, bounds: Bounds) -> Self {
        let slots = Semaphore::new(bounds.children_max.max(1));
        Self {
            program,
            arguments,
            limits,
            bounds,
            slots,
            told: AtomicBool::new(false),
        }
    }

    /// The text of a file, or why there is none. The outer error is ours: no child could be started, and the file is not
    /// to blame.
    pub async fn read(&self, bytes: &[u8], hints: &Hints) -> io::Result<Result<FileText, Unread>> {
        if bytes.is_empty() {
            return Ok(Err(Unread::Empty));
        }
        if bytes.len() > self.limits.file_bytes_max {
            let megabytes = self.limits.file_bytes_max >> 20;
            return Ok(Err(Unread::TooLarge { megabytes }));
        }
        let _slot = self.slots.acquire().await.map_err(io::Error::other)?;
        let mut child = self.start()?;
        let Ok(ended) = timeout(self.bounds.time_max, self.converse(&mut child, bytes, hints)).await else {
            child.kill().await?;
            return Ok(Err(self.out_of_time()));
        };
        let (status, answer, last_words) = ended?;
        Ok(self.outcome(status, &answer, &last_words))
    }

    fn start(&self) -> io::Result<Child> {
        Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
    }

    /// Asks and listens at once: a child may answer, or die, before it has heard all.
    async fn converse(
        &self,
        child: &mut Child,
        bytes: &[u8],
        hints: &Hints,
    ) -> io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
        let question = Question {
            hints: hints.clone(),
            limits: self.limits.clone(),
            parent: std::process::id(),
            memory_bytes_max: self.bounds.memory_bytes_max,
            seconds_max: self.bounds.time_max.as_secs().max(1),
        };
        let mut line = serde_json::to_vec(&question)?;
        line.push(b'\n');
        let input = child.stdin.take();
        let ask = async {
            if let Some(mut input) = input {
                // A child that hung up says why by how it ends.
                let _ = input.write_all(&line).await;
                let _ = input.write_all(bytes).await;
            }
        };
        let answer_max = self.bounds.answer_bytes_max as u64 + 1;
        let (output, errors) = (child.stdout.take(), child.stderr.take());
        let ((), answer, last_words) =
            tokio::join!(ask, heard(output, answer_max), heard(errors, LAST_WORDS_BYTES_MAX));
        let answer = answer?;
        if answer.len() > self.bounds.answer_bytes_max {
            child.start_kill()?;
        }
        Ok((child.wait().await?, answer, last_words?))
    }

    fn outcome(&self, status: ExitStatus, answer: &[u8], last_words: &[u8]) -> Result<FileText, Unread> {
        if status.success() && answer.len() <= self.bounds.answer_bytes_max {
            let answer: Answer = serde_json::from_slice(answer).map_err(|_| Unread::Crashed)?;
            self.tell(answer.confinement);
            return answer.text;
        }
        let said = |words: &str| last_words.windows(words.len()).any(|window| window == words.as_bytes());
        match signal(status) {
            Some(signals::OUT_OF_CPU) => Err(self.out_of_time()),
            // Only the kernel, short of memory or of processor time, kills a child that is within its time.
            Some(signals::KILL) if answer.is_empty() => Err(self.out_of_memory()),
            _ if said("memory allocation of") => Err(self.out_of_memory()),
            _ => Err(Unread::Crashed),
        }
    }

    /// Says once what the kernel cannot keep from children.
    fn tell(&self, confinement: Confinement) {
        if !confinement.is_whole() && !self.told.swap(true, Ordering::Relaxed) {
            warn!(
                files.lacking = confinement.lacks(),
                "This system does not confine the reading of files entirely. Files are read in a process of their own all \
                 the same; a newer kernel would keep more from it"
            );
        }
    }

    fn out_of_time(&self) -> Unread {
        Unread::OutOfTime {
            seconds: self.bounds.time_max.as_secs(),
        }
    }

    fn out_of_memory(&self) -> Unread {
        Unread::OutOfMemory {
            megabytes: self.bounds.memory_bytes_max >> 20,
        }
    }
}

/// All that comes, up to a bound.
async fn heard(from: Option<impl AsyncRead + Unpin>, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        from.take(bytes_max).read_to_end(&mut bytes).await?;
    }
    Ok(bytes)
}

mod signals {
    pub const KILL: i32 = 9;
    /// The processor's time is used up.
    pub const OUT_OF_CPU: i32 = 24;
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt;
    status.signal()
}

#[cfg(not(unix))]
fn signal(_status: ExitStatus) -> Option<i32> {
    None
}
