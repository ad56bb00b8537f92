//! Checksums of the files of a backup, as `sha256sum` writes and checks them.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::Path,
};

use domain::{Error, Result};
use sha2::{Digest, Sha256};

use crate::data_dir::{DATABASE, KEY, unusable};

/// Its presence says that a backup is whole: it is written last.
pub const SUMS: &str = "SHA256SUMS";
/// Read at once, in bytes: large databases do not fit into memory.
const BLOCK_BYTES: usize = 1 << 20;
/// The largest list that is read, in bytes: two lines.
const SUMS_BYTES_MAX: u64 = 1_000;

/// Checksum, in hexadecimal, of each file by its name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sums(pub BTreeMap<String, String>);

impl Sums {
    /// Adds a file of this directory.
    pub fn add(&mut self, directory: &Path, name: &str) -> Result<()> {
        self.0.insert(name.to_owned(), sum(&directory.join(name))?);
        Ok(())
    }

    pub fn text(&self) -> String {
        self.0.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect()
    }

    /// Reads the list of a backup. `Invalid` when there is none, or it names other files than a backup has.
    pub fn read(directory: &Path) -> Result<Self> {
        let path = directory.join(SUMS);
        let mut text = String::new();
        File::open(&path)
            .and_then(|file| file.take(SUMS_BYTES_MAX).read_to_string(&mut text))
            .map_err(|error| {
                Error::invalid(format!(
                    "{} is not a whole backup of `circuit backup`: {SUMS} cannot be read ({error})",
                    directory.display()
                ))
            })?;
        let sums = parsed(&text).filter(|sums| sums.0.contains_key(DATABASE));
        sums.ok_or_else(|| Error::invalid(format!("{} is not a list that `circuit backup` wrote", path.display())))
    }

    /// `Internal` when a file of this directory is not what it was, or is gone.
    pub fn verify(&self, directory: &Path) -> Result<()> {
        for (name, expected) in &self.0 {
            if sum(&directory.join(name))? != *expected {
                return Err(Error::internal(format!(
                    "{name} of the backup is not what was backed up: its checksum differs; use another backup"
                )));
            }
        }
        Ok(())
    }
}

fn parsed(text: &str) -> Option<Sums> {
    let mut sums = Sums::default();
    for line in text.lines() {
        let (sum, name) = line.split_once("  ")?;
        let known = [DATABASE, KEY].contains(&name);
        let shaped = sum.len() == 64 && sum.bytes().all(|c| c.is_ascii_hexdigit());
        if !known || !shaped || sums.0.insert(name.to_owned(), sum.to_ascii_lowercase()).is_some() {
            return None;
        }
    }
    Some(sums)
}

fn sum(path: &Path) -> Result<String> {
    let unread = |error: std::io::Error| unusable(path, "cannot be read", &error);
    let mut file = File::open(path).map_err(unread)?;
    let mut digest = Sha256::new();
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match file.read(&mut block).map_err(unread)? {
            0 => break,
            bytes => digest.update(&block[..bytes]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Makes names and contents of this directory survive a power cut.
pub fn settle(directory: &Path) -> Result<()> {
    let unsettled = |error: std::io::Error| unusable(directory, "cannot be written", &error);
    for entry in fs::read_dir(directory).map_err(unsettled)? {
        let path = entry.map_err(unsettled)?.path();
        if path.is_file() {
            File::open(path).and_then(|file| file.sync_all()).map_err(unsettled)?;
        }
    }
    settle_names(directory)
}

/// The same for the names alone.
pub fn settle_names(directory: &Path) -> Result<()> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(|error| unusable(directory, "cannot be written", &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_survives_being_written_and_read_and_names_nothing_else() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(DATABASE), "x").unwrap();
        let mut sums = Sums::default();
        sums.add(directory.path(), DATABASE).unwrap();
        assert_eq!(
            sums.text(),
            "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  circuit.db\n"
        );
        fs::write(directory.path().join(SUMS), sums.text()).unwrap();
        assert_eq!(Sums::read(directory.path()).unwrap(), sums);
        sums.verify(directory.path()).unwrap();
        fs::write(directory.path().join(DATABASE), "y").unwrap();
        assert!(sums.verify(directory.path()).is_err());
        for text in [
            "",
            "00  circuit.db\n",
            &sums.text().replace("circuit.db", "../circuit.db"),
        ] {
            fs::write(directory.path().join(SUMS), text).unwrap();
            assert!(Sums::read(directory.path()).is_err(), "{text}");
        }
    }
}
