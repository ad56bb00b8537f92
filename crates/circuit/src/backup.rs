//! `circuit backup`: a consistent copy of the store and its key, while Circuit runs or not.

use std::{ffi::OsString, fs, path::Path, time::Duration};

use domain::{Error, Result, Secret};
use store::{
    SealingKey, SealingKeys,
    backup::{Whole, copy, prove, size_bytes},
};
use tokio::time::MissedTickBehavior;

use crate::{
    cli,
    config::{self, Config},
    data_dir::{DATABASE, KEY, PRIVATE, PRIVATE_DIRECTORY, closed_to_others, kept_key, unusable, write_private},
    stop,
    sums::{SUMS, Sums, settle, settle_names},
};

/// How often it is said how far it is; what ends before says nothing.
const SAY_EVERY: Duration = Duration::from_secs(2);
const MEGABYTE: u64 = 1_000_000;

pub async fn backup(settings: &cli::Backup) -> Result<()> {
    let mut requests = stop::Requests::heard()?;
    let config = config::read(&(&settings.place).into())?;
    tokio::select! {
        done = made(&config, &settings.destination, settings.without_key) => done,
        // What is there by then is taken away when it is dropped.
        () = requests.next() => Err(Error::unavailable("the backup was broken off, and nothing of it is left")),
    }
}

async fn made(config: &Config, destination: &Path, without_key: bool) -> Result<()> {
    let database = config.data_dir.join(DATABASE);
    if !database.is_file() {
        return Err(Error::not_found(format!(
            "there is no store in {}; name Circuit's data directory with --data-dir",
            config.data_dir.display()
        )));
    }
    refuse_existing(destination)?;
    let partial = beside(destination)?;
    let copied = partial.path().join(DATABASE);
    let all_bytes = size_bytes(&database).await?;
    said_meanwhile(copy(&database, &copied), || grown(&copied, all_bytes)).await?;
    closed_to_others(&copied, PRIVATE)?;

    let key = key(config)?;
    let kept = match (without_key, &config.secret_key, &key) {
        (true, ..) => "without the key: keep secret.key in another place, or every integration must reconnect",
        (false, Some(_), _) => "without the key, which your configuration gives: keep that, too",
        (false, None, Some(key)) => {
            let path = partial.path().join(KEY);
            write_private(&path, key.expose()).map_err(|error| unusable(&path, "cannot be written", &error))?;
            "with the key, which opens the tokens in it: let nobody else read it"
        }
        (false, None, None) => "without the key: there is none in the data directory",
    };
    // Without its key a backup is worth as much whichever key it is sealed with.
    let key = key.filter(|_| !without_key);
    let keys = key.map(|key| SealingKey::from_base64(key.expose())).transpose()?;
    let checking = || "Checking the copy…".to_owned();
    let whole = said_meanwhile(prove(&copied, keys.map(SealingKeys::new).as_ref()), checking).await?;
    let folder = partial.path().to_owned();
    said_meanwhile(blocking(move || sealed(&folder)), checking).await?;
    refuse_existing(destination)?;
    fs::rename(partial.path(), destination).map_err(|error| unusable(destination, "cannot be made", &error))?;
    // It has another name now.
    let _ = partial.keep();
    settle_names(parent(destination))?;
    println!("{}", told(destination, &whole, kept));
    Ok(())
}

/// Writes the checksums, last, and makes all of it survive a power cut.
fn sealed(folder: &Path) -> Result<()> {
    let mut sums = Sums::default();
    sums.add(folder, DATABASE)?;
    if folder.join(KEY).exists() {
        sums.add(folder, KEY)?;
    }
    let list = folder.join(SUMS);
    write_private(&list, &sums.text()).map_err(|error| unusable(&list, "cannot be written", &error))?;
    settle(folder)
}

fn told(destination: &Path, whole: &Whole, kept: &str) -> String {
    let bytes = fs::metadata(destination.join(DATABASE)).map_or(0, |file| file.len());
    format!(
        "Backed up {} documents ({} MB) to {}, {kept}.",
        whole.documents,
        bytes.div_ceil(MEGABYTE),
        destination.display()
    )
}

/// The key that the store is sealed with, where it is known.
fn key(config: &Config) -> Result<Option<Secret>> {
    match &config.secret_key {
        Some(key) => Ok(Some(key.clone())),
        None => kept_key(&config.data_dir.join(KEY)),
    }
}

fn refuse_existing(destination: &Path) -> Result<()> {
    match fs::symlink_metadata(destination) {
        Ok(_) => Err(Error::conflict(format!(
            "{} exists already and is not touched; name a directory that does not, such as {}",
            destination.display(),
            destination.join("circuit-monday").display()
        ))),
        Err(_) => Ok(()),
    }
}

/// A directory with a name of its own beside the destination, on the same file system; gone when it is dropped.
fn beside(destination: &Path) -> Result<tempfile::TempDir> {
    let name = destination.file_name().ok_or_else(|| {
        Error::invalid(format!(
            "{} has no name; name the directory to make, such as /backup/monday",
            destination.display()
        ))
    })?;
    let mut prefix = OsString::from(name);
    prefix.push(".partial-");
    let partial = tempfile::Builder::new()
        .prefix(&prefix)
        .tempdir_in(parent(destination))
        .map_err(|error| unusable(parent(destination), "cannot be written", &error))?;
    closed_to_others(partial.path(), PRIVATE_DIRECTORY)?;
    Ok(partial)
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Does the work and says, every other second, how far it is.
pub async fn said_meanwhile<T>(work: impl Future<Output = Result<T>>, how_far: impl Fn() -> String) -> Result<T> {
    let mut ticks = tokio::time::interval(SAY_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick comes at once.
    ticks.tick().await;
    tokio::pin!(work);
    loop {
        tokio::select! {
            done = &mut work => return done,
            _ = ticks.tick() => eprintln!("{}", how_far()),
        }
    }
}

/// How much of a file is there, for people.
pub fn grown(file: &Path, all_bytes: u64) -> String {
    let here = fs::metadata(file).map_or(0, |file| file.len());
    format!(
        "Copied {} of about {} MB…",
        here.div_ceil(MEGABYTE),
        all_bytes.div_ceil(MEGABYTE)
    )
}

/// Work with files on a thread that may block, so that a request to stop is heard meanwhile.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|panic| Error::internal("working with files broke down").because(panic))?
}
