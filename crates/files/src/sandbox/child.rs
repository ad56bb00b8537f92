//! The child's side: given a question on its input, answers on its output.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::ExitCode,
};

use super::{Answer, Question, confine::confine};
use crate::read;

/// The longest question, in bytes; a name and a few numbers.
const QUESTION_BYTES_MAX: u64 = 64 << 10;

/// Answers one question and ends. Nothing of the file is read before the process is confined.
pub fn child() -> ExitCode {
    // What a panic says may hold what the file says; the answer tells that there was one.
    std::panic::set_hook(Box::new(|_| {}));
    match answer() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be listening any more.
            let _ = writeln!(std::io::stderr(), "no file was read: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answer() -> std::io::Result<()> {
    let mut input = BufReader::new(std::io::stdin().lock());
    let mut line = Vec::new();
    input.by_ref().take(QUESTION_BYTES_MAX).read_until(b'\n', &mut line)?;
    let question: Question = serde_json::from_slice(&line)?;
    let confinement = confine(question.memory_bytes_max, question.seconds_max);
    // The kernel kills an orphan only if it was told before the parent died.
    if is_orphan(question.parent) {
        return Err(std::io::Error::other("nobody waits for the answer"));
    }
    let mut bytes = Vec::new();
    input
        .take(question.limits.file_bytes_max as u64 + 1)
        .read_to_end(&mut bytes)?;
    let text = read(&bytes, &question.hints, &question.limits);
    drop(bytes);
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    serde_json::to_writer(&mut output, &Answer { confinement, text })?;
    output.flush()
}

#[cfg(unix)]
fn is_orphan(parent: u32) -> bool {
    std::os::unix::process::parent_id() != parent
}

#[cfg(not(unix))]
fn is_orphan(_parent: u32) -> bool {
    false
}
