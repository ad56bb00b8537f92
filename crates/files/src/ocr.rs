//! Given a picture, asks a program of the operator's choice for the words in it: it is given the picture on its input and
//! gives text on its output, as `tesseract - -` does.

use std::{
    ffi::OsString,
    io,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, Command},
    sync::Semaphore,
    time::timeout,
};

use crate::{FileText, LeftOut, Limits, Unread, image::Image, pieces::Pieces, sandbox::Bounds};

/// What the program may take of memory, in bytes of address space: more than a child of ours, for it holds pixels.
const MEMORY_BYTES_MAX: u64 = 2 << 30;
/// How long it may take for a picture.
const TIME_MAX: Duration = Duration::from_secs(60);

/// Reads the words in pictures by a program.
pub struct Ocr {
    program: String,
    arguments: Vec<String>,
    environment: Vec<(OsString, OsString)>,
    limits: Limits,
    bounds: Bounds,
    slots: Semaphore,
}

impl Ocr {
    /// What a program may take unless somebody says otherwise: two at once, each 60 seconds, 2 GB of memory, and as much text
    /// as is kept of a file.
    pub fn bounds(limits: &Limits) -> Bounds {
        Bounds {
            memory_bytes_max: MEMORY_BYTES_MAX,
            time_max: TIME_MAX,
            answer_bytes_max: limits.text_bytes_max,
            ..Bounds::default()
        }
    }

    /// By this program with its arguments; without any, nothing reads. It sees these variables and no others.
    pub fn new(
        command: &[String],
        environment: Vec<(OsString, OsString)>,
        limits: Limits,
        bounds: Bounds,
    ) -> Option<Self> {
        let (program, arguments) = command.split_first()?;
        let slots = Semaphore::new(bounds.children_max.max(1));
        Some(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            environment,
            limits,
            bounds,
            slots,
        })
    }

    /// The same file, and when it is a picture of pixels, the words in it; or why there are none. The outer error is the
    /// operator's to mend: the program could not be started.
    pub async fn added_to(&self, file: FileText, bytes: &[u8]) -> io::Result<Result<FileText, Unread>> {
        if !Image::of(bytes).is_some_and(|image| image.may_hold_words()) {
            return Ok(Ok(file));
        }
        let _slot = self.slots.acquire().await.map_err(io::Error::other)?;
        let mut child = self.start()?;
        bound(&child, &self.bounds)?;
        let Ok(ended) = timeout(self.bounds.time_max, self.converse(&mut child, bytes)).await else {
            end(&mut child).await?;
            let seconds = self.bounds.time_max.as_secs();
            return Ok(Err(Unread::OutOfTime { seconds }));
        };
        let (status, words) = ended?;
        let whole = words.len() <= self.bounds.answer_bytes_max;
        if whole && !status.success() {
            return Ok(Err(Unread::broken("the program that reads pictures gave it up")));
        }
        Ok(Ok(self.with_words(file, &words, whole)))
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        // Ended with all that it started itself.
        #[cfg(unix)]
        command.process_group(0);
        command
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
    }

    /// Gives the picture and listens at once: a program may have heard enough before its end.
    async fn converse(&self, child: &mut Child, bytes: &[u8]) -> io::Result<(ExitStatus, Vec<u8>)> {
        let (input, output) = (child.stdin.take(), child.stdout.take());
        let give = async {
            if let Some(mut input) = input {
                // One that hung up says why by how it ends.
                let _ = input.write_all(bytes).await;
            }
        };
        let hear = async {
            let mut words = Vec::new();
            if let Some(output) = output {
                let most = self.bounds.answer_bytes_max as u64 + 1;
                output.take(most).read_to_end(&mut words).await?;
            }
            io::Result::Ok(words)
        };
        let ((), words) = tokio::join!(give, hear);
        let words = words?;
        if words.len() > self.bounds.answer_bytes_max {
            end(child).await?;
        }
        Ok((child.wait().await?, words))
    }

    fn with_words(&self, file: FileText, words: &[u8], whole: bool) -> FileText {
        let mut pieces = Pieces::new(&self.limits);
        let words = String::from_utf8_lossy(words).replace("\r\n", "\n");
        words.split("\n\n").for_each(|paragraph| pieces.paragraph(paragraph));
        if !whole {
            let bytes = self.bounds.answer_bytes_max;
            pieces.leave_out(LeftOut::Text { bytes });
        }
        let read = pieces.finish(&file.kind);
        FileText {
            pieces: file.pieces.into_iter().chain(read.pieces).collect(),
            left_out: file.left_out.or(read.left_out),
            ..file
        }
    }
}

/// Ends a program and what it started.
async fn end(child: &mut Child) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if let Some(group) = process(child) {
        // It may have come to its end by itself.
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    child.kill().await
}

#[cfg(target_os = "linux")]
fn process(child: &Child) -> Option<rustix::process::Pid> {
    rustix::process::Pid::from_raw(child.id()?.cast_signed())
}

/// Bounds what a program takes that has just begun, and so has taken nothing yet.
#[cfg(target_os = "linux")]
fn bound(child: &Child, bounds: &Bounds) -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, prlimit};
    let Some(process) = process(child) else {
        return Ok(());
    };
    let most = [
        (Resource::As, bounds.memory_bytes_max),
        (Resource::Cpu, bounds.time_max.as_secs().max(1)),
        (Resource::Core, 0),
    ];
    for (resource, most) in most {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        prlimit(Some(process), resource, limit)?;
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn bound(_child: &Child, _bounds: &Bounds) -> io::Result<()> {
    Ok(())
}
