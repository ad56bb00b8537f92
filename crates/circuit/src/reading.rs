//! The port that reads files, over the sandbox: each file in a child that is this program again.

use std::path::PathBuf;

use async_trait::async_trait;
use domain::{
    Error, Result,
    file_text::{FileText, Unread},
    files::FileReader,
};
use files::{
    Hints, Limits,
    sandbox::{Bounds, Reader},
};

/// The command of such a child; it asks nobody for configuration and writes no log.
pub const READ_FILE: &str = "read-file";
/// This very program, also after another was put in its place on disk.
#[cfg(target_os = "linux")]
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Reads files in children of their own.
pub struct SandboxedReader(Reader);

impl SandboxedReader {
    /// One whose children are `program`, or this program when none is named, and read files of up to `bytes_max` bytes.
    pub fn new(program: Option<PathBuf>, bytes_max: u64) -> Result<Self> {
        let program = match program {
            Some(program) => program,
            None => this_program()?,
        };
        let limits = Limits {
            file_bytes_max: usize::try_from(bytes_max).unwrap_or(usize::MAX),
            ..Limits::default()
        };
        let arguments = vec![READ_FILE.into()];
        Ok(Self(Reader::new(program, arguments, limits, Bounds::default())))
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
        let read = self.0.read(bytes, &hints).await;
        read.map_err(|error| Error::unavailable("no process could be started to read a file in").because(error))
    }
}
