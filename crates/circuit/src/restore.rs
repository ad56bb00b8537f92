//! `circuit restore`: a backup put into an empty data directory, proven before it counts.

use std::{fs, path::Path};

use domain::{Error, Result, Secret};
use store::{
    SealingKey, SealingKeys,
    backup::{Whole, forget_tokens, prove},
};

use crate::{
    backup::{blocking, grown, said_meanwhile},
    cli, config,
    data_dir::{DATABASE, DataDir, KEY, PRIVATE, closed_to_others, kept_key, unusable, write_private},
    stop,
    sums::{Sums, settle, settle_names},
};

pub async fn restore(settings: &cli::Restore) -> Result<()> {
    let mut requests = stop::Requests::heard()?;
    let config = config::read(&(&settings.place).into())?;
    let sums = Sums::read(&settings.source)?;
    let key = match &settings.key {
        Some(path) => {
            Some(kept_key(path)?.ok_or_else(|| Error::not_found(format!("{} is not there", path.display())))?)
        }
        None => None,
    };
    let data = DataDir::open_empty(&config.data_dir)?;
    let key = Keys {
        installed: key,
        configured: config.secret_key,
    };
    tokio::select! {
        done = restored(settings, &data, &sums, key) => done,
        () = requests.next() => Err(Error::unavailable(format!(
            "the restore was broken off; run it again, or remove {}", data.restoring().display()
        ))),
    }
}

/// Where the key comes from, when not from the backup.
struct Keys {
    /// Given by hand, to be kept in the data directory.
    installed: Option<Secret>,
    /// Given by the configuration, also later.
    configured: Option<Secret>,
}

async fn restored(settings: &cli::Restore, data: &DataDir, sums: &Sums, keys: Keys) -> Result<()> {
    let partial = data.restoring();
    let (source, to, sums) = (settings.source.clone(), partial.clone(), sums.clone());
    let all_bytes = fs::metadata(source.join(DATABASE)).map_or(0, |file| file.len());
    let copying = blocking(move || {
        copied(&source, &to, &sums)?;
        sums.verify(&to)
    });
    said_meanwhile(copying, || grown(&partial.join(DATABASE), all_bytes)).await?;
    let installed = match keys.installed {
        Some(key) => {
            let path = partial.join(KEY);
            write_private(&path, key.expose()).map_err(|error| unusable(&path, "cannot be written", &error))?;
            Some(key)
        }
        None => kept_key(&partial.join(KEY))?,
    };
    let key = keys.configured.or(installed);
    let sealing = key
        .as_ref()
        .map(|key| SealingKey::from_base64(key.expose()))
        .transpose()?;
    let sealing = sealing.map(SealingKeys::new);
    let database = partial.join(DATABASE);
    let whole = said_meanwhile(prove(&database, sealing.as_ref()), || "Checking the copy…".to_owned()).await?;
    if settings.without_tokens {
        forget_tokens(&database).await?;
    }
    settle(&partial)?;
    moved(&partial, data.path(), KEY)?;
    // Last: with it the data directory is whole.
    moved(&partial, data.path(), DATABASE)?;
    fs::remove_dir_all(&partial).map_err(|error| unusable(&partial, "cannot be removed", &error))?;
    settle_names(data.path())?;
    println!("{}", told(data.path(), &whole, key.is_some(), settings.without_tokens));
    Ok(())
}

fn told(data: &Path, whole: &Whole, key: bool, without_tokens: bool) -> String {
    let mut text = format!("Restored {} documents into {}.", whole.documents, data.display());
    text += " Start Circuit: it builds the search index from them.";
    match (key, without_tokens, whole.secrets) {
        (_, true, _) => text += "\nThe tokens were deleted: reconnect each integration.",
        (false, false, 1..) => {
            text += "\nThe backup holds no key, and Circuit starts only with the one it had: put it at secret.key in the \
                     data directory, or name it in CIRCUIT_SECRET_KEY_FILE. If it is lost, give it a new one \
                     (`openssl rand -base64 32`), and reconnect each integration.";
        }
        (..) => text += "\nAn integration whose token was used since the backup says \"needs reconnect\".",
    }
    text
}

fn copied(source: &Path, partial: &Path, sums: &Sums) -> Result<()> {
    fs::create_dir(partial).map_err(|error| unusable(partial, "cannot be made", &error))?;
    for name in sums.0.keys() {
        let to = partial.join(name);
        // The data directory is closed to others, so nobody reads it before this file is, too.
        fs::copy(source.join(name), &to).map_err(|error| {
            unusable(
                &source.join(name),
                &format!("cannot be copied to {}", to.display()),
                &error,
            )
        })?;
        closed_to_others(&to, PRIVATE)?;
    }
    Ok(())
}

fn moved(from: &Path, to: &Path, name: &str) -> Result<()> {
    let source = from.join(name);
    if !source.exists() {
        return Ok(());
    }
    fs::rename(&source, to.join(name)).map_err(|error| unusable(&to.join(name), "cannot be put in place", &error))
}
