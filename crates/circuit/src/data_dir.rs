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
/// The names of what is kept; the operator's guide has the same table.
pub const DATABASE: &str = "circuit.db";
pub const KEY: &str = "secret.key";
/// Modes of files and directories that are for their owner only.
pub const PRIVATE: u32 = 0o600;
pub const PRIVATE_DIRECTORY: u32 = 0o700;
const LOCK: &str = "lock";
/// Where a restore puts what it has not proven yet.
const RESTORING: &str = "restore.partial";
/// What every new file system may hold.
const LOST_AND_FOUND: &str = "lost+found";

impl DataDir {
    /// Makes the directory if needed (readable by its owner only) and locks it.
    pub fn open(path: &Path) -> Result<Self> {
        let dir = Self::claimed(path)?;
        dir.refuse_half_restored()?;
        dir.refuse_lost_database()?;
        dir.prove_writable()?;
        Ok(dir)
    }

    /// The same for a directory that a backup is to be restored into: it must hold nothing, except what a restore left
    /// that was broken off.
    pub fn open_empty(path: &Path) -> Result<Self> {
        let unread = |error: std::io::Error| unusable(path, "cannot be read", &error);
        let dir = Self::claimed(path)?;
        for entry in fs::read_dir(path).map_err(unread)? {
            let name = entry.map_err(unread)?.file_name();
            let ours = [LOCK, RESTORING, LOST_AND_FOUND].iter().any(|ours| name == **ours);
            let half = name == *KEY && dir.restoring().exists();
            if !ours && !half {
                return Err(Error::conflict(format!(
                    "{} is not empty: there is {}; restore into a new directory, or move what is there away first",
                    path.display(),
                    name.to_string_lossy()
                )));
            }
        }
        if dir.restoring().exists() {
            fs::remove_dir_all(dir.restoring()).map_err(|error| unusable(path, "cannot be emptied", &error))?;
        }
        dir.prove_writable()?;
        Ok(dir)
    }

    fn claimed(path: &Path) -> Result<Self> {
        make(path)?;
        let lock_path = path.join(LOCK);
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
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    pub fn restoring(&self) -> PathBuf {
        self.path.join(RESTORING)
    }

    pub fn search(&self) -> PathBuf {
        self.path.join("search")
    }

    /// Models that were downloaded.
    pub fn models(&self) -> PathBuf {
        self.path.join("models")
    }

    /// The sealing key kept beside the database; made at the first start.
    pub fn secret_key(&self, make: impl FnOnce() -> Secret) -> Result<Secret> {
        let path = self.path.join(KEY);
        match kept_key(&path)? {
            Some(key) => {
                closed_to_others(&path, PRIVATE)?;
                Ok(key)
            }
            None => {
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
        }
    }

    /// A restore moves the database last; what it leaves behind after that is of no use.
    fn refuse_half_restored(&self) -> Result<()> {
        let (here, left) = (self.database().exists(), self.restoring());
        if !left.exists() {
            return Ok(());
        }
        if here && !left.join(DATABASE).exists() {
            return fs::remove_dir_all(&left).map_err(|error| unusable(&left, "cannot be removed", &error));
        }
        Err(Error::conflict(format!(
            "a restore into {} was broken off, so it holds no whole store; run `circuit restore` again",
            self.path.display()
        )))
    }

    /// A store that was here and is gone must not pass for a first start: everything would seem to be lost.
    fn refuse_lost_database(&self) -> Result<()> {
        let length = |name: &str| fs::metadata(self.path.join(name)).map_or(0, |file| file.len());
        let searchable = fs::read_dir(self.search()).is_ok_and(|mut indexes| indexes.next().is_some());
        let left = length(&format!("{DATABASE}-wal")) > 0 || searchable;
        match length(DATABASE) {
            0 if left => Err(Error::internal(format!(
                "{} is missing or empty, and what else is in {} shows that there was one; restore a backup into a new \
                 directory with `circuit restore`, or remove the rest to begin with nothing",
                self.database().display(),
                self.path.display()
            ))),
            _ => Ok(()),
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
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, PRIVATE_DIRECTORY);
    builder
        .create(path)
        .map_err(|error| unusable(path, "cannot be made", &error))?;
    closed_to_others(path, PRIVATE_DIRECTORY)
}

/// What stood there before may be open to every account of the machine; what is in it is a company's.
#[cfg(unix)]
pub fn closed_to_others(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let refused = |error: std::io::Error| unusable(path, "cannot be closed to other users", &error);
    let permissions = fs::metadata(path).map_err(refused)?.permissions();
    match permissions.mode() & 0o077 {
        0 => Ok(()),
        _ => fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(refused),
    }
}

#[cfg(not(unix))]
pub fn closed_to_others(_: &Path, _: u32) -> Result<()> {
    Ok(())
}

/// The key in this file; none when there is no such file.
pub fn kept_key(path: &Path) -> Result<Option<Secret>> {
    match read_bounded(path) {
        Ok(text) => Ok(Some(Secret::new(text.trim()))),
        Err(error) if error.kind() == IoKind::NotFound => Ok(None),
        Err(error) => Err(unusable(path, "cannot be read", &error)),
    }
}

fn read_bounded(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(KEY_BYTES_MAX).read_to_string(&mut text)?;
    Ok(text)
}

/// Writes a file that its owner alone can read; on disk when it returns.
pub fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, PRIVATE);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// What a failure of the file system means for this path.
pub fn unusable(path: &Path, what: &str, error: &std::io::Error) -> Error {
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
    fn a_store_that_is_gone_does_not_pass_for_a_first_start() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("search/1")).unwrap();
        let error = DataDir::open(dir.path()).unwrap_err();
        assert!(error.message.contains("circuit restore"), "{error}");
        fs::write(dir.path().join("circuit.db"), "").unwrap();
        assert!(DataDir::open(dir.path()).is_err());
        fs::write(dir.path().join("circuit.db"), "x").unwrap();
        DataDir::open(dir.path()).unwrap();
        fs::remove_file(dir.path().join("circuit.db")).unwrap();
        fs::remove_dir_all(dir.path().join("search")).unwrap();
        fs::write(dir.path().join("circuit.db-wal"), "x").unwrap();
        assert!(DataDir::open(dir.path()).is_err());
    }

    #[test]
    fn a_restore_that_was_broken_off_is_neither_served_nor_in_the_way_of_the_next() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("restore.partial")).unwrap();
        fs::write(dir.path().join("secret.key"), "x").unwrap();
        let error = DataDir::open(dir.path()).unwrap_err();
        assert!(error.message.contains("circuit restore"), "{error}");
        DataDir::open_empty(dir.path()).unwrap();
        let error = DataDir::open_empty(dir.path()).unwrap_err();
        assert!(error.message.contains("secret.key"), "{error}");
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
