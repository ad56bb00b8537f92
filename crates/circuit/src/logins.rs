//! The API keys that `circuit login` keeps, by Circuit, in a file that its owner alone can read.

use std::{
    collections::BTreeMap,
    io::Write,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use domain::{Error, Result, Secret};
use serde::{Deserialize, Serialize};

/// The file's name in the directory of Circuit's configuration.
const FILE: &str = "logins.json";
/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// Bits of a file's mode that let others in.
const OTHERS: u32 = 0o077;

/// What is kept.
#[derive(Default, Deserialize, Serialize)]
pub struct Logins {
    /// The Circuit that was logged in to last.
    pub last: Option<String>,
    keys: BTreeMap<String, String>,
}

impl Logins {
    /// None are kept in a directory that is not there.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(FILE);
        let metadata = match std::fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(unusable(&path, "cannot be read").because(error)),
        };
        if metadata.permissions().mode() & OTHERS != 0 {
            return Err(unusable(
                &path,
                "can be read by others; `chmod 600` it, and revoke the keys if that may have happened",
            ));
        }
        if metadata.len() > FILE_BYTES_MAX {
            return Err(unusable(&path, "is too large"));
        }
        let text = std::fs::read(&path).map_err(|error| unusable(&path, "cannot be read").because(error))?;
        serde_json::from_slice(&text)
            .map_err(|_| unusable(&path, "is not what `circuit login` wrote; delete it and log in again"))
    }

    pub fn key(&self, url: &str) -> Option<Secret> {
        self.keys.get(url).map(Secret::new)
    }

    /// Keeps a key; this Circuit is the last one from now on.
    pub fn put(&mut self, url: &str, key: &Secret) {
        self.keys.insert(url.to_owned(), key.expose().to_owned());
        self.last = Some(url.to_owned());
    }

    /// Whether there was one.
    pub fn forget(&mut self, url: &str) -> bool {
        if self.last.as_deref() == Some(url) {
            self.last = None;
        }
        self.keys.remove(url).is_some()
    }

    /// Written whole or not at all.
    pub fn write(&self, directory: &Path) -> Result<PathBuf> {
        let path = directory.join(FILE);
        let failed = |error: std::io::Error| unusable(&path, "cannot be written").because(error);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
        // Made for its owner alone (0600).
        let mut file = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::internal("logins cannot be written").because(error))?;
        file.write_all(&text).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        Ok(path)
    }
}

fn unusable(path: &Path, why: &str) -> Error {
    Error::internal(format!("the file of API keys ({}) {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_kept_for_their_owner_alone() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("a/circuit");
        let mut logins = Logins::read(&directory).unwrap();
        logins.put("https://one.example", &Secret::new("circuit_1"));
        logins.put("https://two.example", &Secret::new("circuit_2"));
        let path = logins.write(&directory).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut read = Logins::read(&directory).unwrap();
        assert_eq!(read.key("https://one.example").unwrap().expose(), "circuit_1");
        assert_eq!(read.last.as_deref(), Some("https://two.example"));
        assert!(read.forget("https://two.example") && !read.forget("https://two.example"));
        assert_eq!(read.last, None);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Logins::read(&directory).err().unwrap().message.contains("chmod 600"));
    }
}
