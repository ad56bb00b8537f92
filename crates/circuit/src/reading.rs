//! The port that reads files, over the sandbox: each file in a child that is this program again; and pictures by a program of
//! the operator's, if there is one.

use std::path::PathBuf;

use async_trait::async_trait;
use domain::{
    Error, Result,
    file_text::{FileText, Unread},
    files::FileReader,
};
use files::{
    Hints, Limits,
    ocr::Ocr,
    sandbox::{Bounds, Reader},
};

use crate::config;

/// The command of such a child; it asks nobody for configuration and writes no log.
pub const READ_FILE: &str = "read-file";
/// This very program, also after another was put in its place on disk.
#[cfg(target_os = "linux")]
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Reads files in children of their own.
pub struct SandboxedReader {
    reader: Reader,
    ocr: Option<Ocr>,
}

impl SandboxedReader {
    /// One whose children are `program`, or this program when none is named, and read files of up to `bytes_max` bytes. `ocr`
    /// is a program with its arguments that reads pictures; one that is not there is refused.
    pub fn new(program: Option<PathBuf>, bytes_max: u64, ocr: &[String]) -> Result<Self> {
        let program = match program {
            Some(program) => program,
            None => this_program()?,
        };
        let limits = Limits {
            file_bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            ..Limits::default()
        };
        found(ocr)?;
        let ocr = Ocr::new(ocr, config::others(), limits.clone(), Ocr::bounds(&limits));
        let arguments = vec![READ_FILE.into()];
        Ok(Self {
            reader: Reader::new(program, arguments, limits, Bounds::default()),
            ocr,
        })
    }
}

/// Whether the program that is to read pictures, if any, is there: a file, or one on the `PATH`.
pub fn found(ocr: &[String]) -> Result<()> {
    let Some(program) = ocr.first() else { return Ok(()) };
    match config::is_program(program) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "files.ocr names the program {program:?}, which is not there or not on the PATH; install it, or take the setting away"
        ))),
    }
}

fn this_program() -> Result<PathBuf> {
    #[cfg(target_os = "linux")]
    if std::path::Path::new(THIS_PROGRAM).exists() {
        return Ok(THIS_PROGRAM.into());
    }
    std::env::current_exe().map_err(|error| {
        Error::internal("the system does not say which program this is, so files cannot be read").because(error)
    })
}

#[async_trait]
impl FileReader for SandboxedReader {
    async fn read(
        &self,
        bytes: &[u8],
        name: &str,
        media_type: Option<&str>,
    ) -> Result<std::result::Result<FileText, Unread>> {
        let hints = Hints {
            name: name.to_owned(),
            media_type: media_type.map(str::to_owned),
        };
        let read = self.reader.read(bytes, &hints).await;
        let read =
            read.map_err(|error| Error::unavailable("no process could be started to read a file in").because(error))?;
        match (&self.ocr, read) {
            (Some(ocr), Ok(file)) => ocr.added_to(file, bytes).await.map_err(|error| {
                Error::unavailable("the program of files.ocr, which reads pictures, could not be started")
                    .because(error)
            }),
            (_, read) => Ok(read),
        }
    }
}
