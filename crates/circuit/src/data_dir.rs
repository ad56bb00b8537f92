//! The data directory: made, locked, and the key that seals what is secret in it.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind as IoKind, Read, Write},
    path::{Path, PathBuf},
};

use domain::{Error, Result, Secret};

/// A data directory that belongs to this process until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    /// The lock lives as long as the open file.
    _lock: File,
}

/// The largest key file that is read, in bytes.
const KEY_BYTES_MAX: u64 = 1_000;

impl DataDir {
    /// Makes the directory if needed (readable by its owner only) and locks it.
    pub fn open(path: &Path) -> Result<Self> {
        make(path)?;
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|error| unusable(path, "cannot be written", &error))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(fs::TryLockError::WouldBlock) => {
                return Err(Error::conflict(format!(
                    "the data directory {} is in use by another Circuit; stop that one, or choose another with --data-dir",
                    path.display()
                )));
            }
            Err(fs::TryLockError::Error(error)) => return Err(unusable(path, "cannot be locked", &error)),
        }
        let dir = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        dir.prove_writable()?;
        Ok(dir)
    }

    pub fn database(&self) -> PathBuf {
        self.path.join("circuit.db")
    }

    pub fn search(&self) -> PathBuf {
        self.path.join("search")
    }

    /// The sealing key kept beside the database; made at the first start.
    pub fn secret_key(&self, make: impl FnOnce() -> Secret) -> Result<Secret> {
        let path = self.path.join("secret.key");
        match read_bounded(&path) {
            Ok(text) => {
                closed_to_others(&path, 0o600)?;
                Ok(Secret::new(text.trim()))
            }
            Err(error) if error.kind() == IoKind::NotFound => {
                if self.database().exists() {
                    return Err(Error::invalid(format!(
                        "{} is missing, and the tokens in {} are sealed with it; put it back, or set CIRCUIT_SECRET_KEY_FILE \
                         to where it is kept. If it is lost, move the database away and start anew",
                        path.display(),
                        self.database().display()
                    )));
                }
                let key = make();
                write_private(&path, key.expose())
                    .map_err(|error| unusable(&self.path, "cannot be written", &error))?;
                Ok(key)
            }
            Err(error) => Err(unusable(&path, "cannot be read", &error)),
        }
    }

    /// A file written and taken away again: a full or read-only disk shows now and not in the midst of an import.
    fn prove_writable(&self) -> Result<()> {
        let probe = self.path.join("probe");
        let written = write_private(&probe, &"circuit".repeat(1_000));
        let removed = fs::remove_file(&probe);
        written
            .and(removed)
            .map_err(|error| unusable(&self.path, "cannot be written", &error))
    }
}

fn make(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| unusable(path, "cannot be made", &error))?;
    closed_to_others(path, 0o700)
}

/// What stood there before may be open to every account of the machine; what is in it is a company's.
#[cfg(unix)]
fn closed_to_others(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let refused = |error: std::io::Error| unusable(path, "cannot be closed to other users", &error);
    let permissions = fs::metadata(path).map_err(refused)?.permissions();
    match permissions.mode() & 0o077 {
        0 => Ok(()),
        _ => fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(refused),
    }
}

#[cfg(not(unix))]
fn closed_to_others(_: &Path, _: u32) -> Result<()> {
    Ok(())
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(KEY_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn unusable(path: &Path, what: &str, error: &std::io::Error) -> Error {
    let advice = match error.kind() {
        IoKind::StorageFull | IoKind::QuotaExceeded => "the disk is full; make room and start again",
        IoKind::PermissionDenied => "this user may not; change the owner or choose another directory with --data-dir",
        IoKind::ReadOnlyFilesystem => "the file system is read-only; choose another directory with --data-dir",
        IoKind::NotADirectory | IoKind::AlreadyExists => {
            "a file stands in its way; choose another directory with --data-dir"
        }
        _ => "choose another directory with --data-dir",
    };
    Error::unavailable(format!("{} {what} ({error}): {advice}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_circuit_on_the_same_directory_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataDir::open(dir.path()).unwrap();
        let error = DataDir::open(dir.path()).unwrap_err();
        assert!(error.to_string().contains("another Circuit"), "{error}");
        drop(first);
        DataDir::open(dir.path()).unwrap();
    }

    #[test]
    fn the_key_is_made_once_and_readable_by_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        assert_eq!(data.secret_key(|| Secret::new("first")).unwrap().expose(), "first");
        assert_eq!(data.secret_key(|| Secret::new("second")).unwrap().expose(), "first");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(dir.path().join("secret.key"))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_lost_key_is_not_silently_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path()).unwrap();
        fs::write(data.database(), "x").unwrap();
        let error = data.secret_key(|| Secret::new("new")).unwrap_err();
        assert!(error.to_string().contains("secret.key"), "{error}");
    }

    #[test]
    fn a_file_in_the_way_of_the_directory_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        let error = DataDir::open(&file).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
}
