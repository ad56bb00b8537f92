//! Disks of a few megabytes, full and read-only ones: real file systems, where this user may mount them.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

/// A file system in memory that is gone when this is dropped.
pub struct Disk {
    path: PathBuf,
}

impl Disk {
    /// Mounts one of so many kilobytes on this directory. None where mounting is not permitted, which is said.
    pub fn of(path: &Path, kilobytes: u64) -> Option<Self> {
        std::fs::create_dir_all(path).unwrap();
        let size = format!("size={kilobytes}k,mode=0700");
        mounted(&["-t", "tmpfs", "-o", &size, "tmpfs", path.to_str().unwrap()]).then(|| Self { path: path.to_owned() })
    }

    /// Shows this directory once more, at the same place, for reading only.
    pub fn read_only(path: &Path) -> Option<Self> {
        let place = path.to_str().unwrap();
        if !mounted(&["--bind", place, place]) {
            return None;
        }
        let disk = Self { path: path.to_owned() };
        mounted(&["-o", "bind,remount,ro", place]).then_some(disk)
    }

    /// Takes all of it but so many kilobytes.
    pub fn fill(&self, kilobytes_left: u64) {
        let mut ballast = std::fs::File::create(self.ballast()).unwrap();
        // Written until nothing more goes in: then the end is cut off.
        let block = vec![1; 4_096];
        let mut written = 0_u64;
        while ballast.write_all(&block).is_ok() {
            written += block.len() as u64;
        }
        let kept = written.saturating_sub(kilobytes_left * 1_024);
        ballast.set_len(kept).unwrap();
        ballast.sync_all().unwrap();
    }

    pub fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.path.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: what still holds a file of it lets go later.
        let _ = Command::new("umount").arg("-l").arg(&self.path).status();
    }
}

fn mounted(words: &[&str]) -> bool {
    let done = Command::new("mount").args(words).output();
    let mounted = done.as_ref().is_ok_and(|done| done.status.success());
    if !mounted {
        // Not by `eprintln`, which tests keep to themselves.
        let said = format!("SKIPPED: this test mounts a file system, and may not here: {done:?}\n");
        let _ = std::io::stderr().write_all(said.as_bytes());
    }
    mounted
}
