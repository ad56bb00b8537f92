//! `circuit login` and `circuit logout`.

use std::io::{BufRead, IsTerminal, Read};

use domain::{Error, Result, Secret};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use crate::{
    cli::{Login, Logout},
    config,
    logins::Logins,
    mcp::key_in,
    remote::Remote,
    terminal::shown,
};

/// The longest key that is read, in bytes, with what may stand around it in a file.
const KEY_BYTES_MAX: u64 = 64 << 10;

/// `circuit login`.
pub async fn login(asked: &Login) -> Result<()> {
    let url = config::checked_public_url(&asked.url)?;
    let directory = config::user_directory()?;
    let mut logins = Logins::read(&directory)?;
    let key = Secret::new(key(asked, &url)?);
    let remote = Remote::new((url.clone(), Secret::new(key.expose())))?;
    let me = remote.get("/me").await?;
    logins.put(&url, &key);
    let path = logins.write(&directory)?;
    let who = shown(me["name"].as_str().unwrap_or("somebody"));
    println!(
        "{who} is logged in to {url} ({}); commands ask it from now on. The key is kept in {}.",
        me["role"].as_str().unwrap_or("reader"),
        path.display()
    );
    Ok(())
}

/// `circuit logout`.
pub fn logout(asked: &Logout) -> Result<()> {
    let directory = config::user_directory()?;
    let mut logins = Logins::read(&directory)?;
    let url = match &asked.url {
        Some(url) => Some(config::checked_public_url(url)?),
        None => logins.last.clone(),
    };
    let url =
        url.ok_or_else(|| Error::not_found("you are not logged in; name the Circuit whose key is to be forgotten"))?;
    if !logins.forget(&url) {
        return Err(Error::not_found(format!("no API key is kept for {url}")));
    }
    logins.write(&directory)?;
    println!(
        "The API key for {url} is forgotten here. Whoever has it can use it until it is revoked under Account in the app."
    );
    Ok(())
}

fn key(asked: &Login, url: &str) -> Result<String> {
    let unread = |error: std::io::Error| Error::invalid(format!("the API key cannot be read: {error}"));
    let mut text = String::new();
    match &asked.key_file {
        Some(path) if path.as_os_str() != "-" => {
            let file = std::fs::File::open(path).map_err(unread)?;
            file.take(KEY_BYTES_MAX).read_to_string(&mut text).map_err(unread)?;
        }
        None if std::io::stdin().is_terminal() => {
            eprint!("API key for {url} (it is not shown): ");
            let _hidden = Hidden::begin();
            let mut input = std::io::stdin().lock().take(KEY_BYTES_MAX);
            input.read_line(&mut text).map_err(unread)?;
            eprintln!();
        }
        Some(_) | None => {
            let input = std::io::stdin().lock();
            input.take(KEY_BYTES_MAX).read_to_string(&mut text).map_err(unread)?;
        }
    }
    key_in(&text).map_err(|_| Error::invalid("no API key was given; make one under Account in the app"))
}

/// A terminal that does not show what is typed, until this goes.
struct Hidden(Option<rustix::termios::Termios>);

impl Hidden {
    fn begin() -> Self {
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(mut modes) = before.clone() {
            modes.local_modes.remove(LocalModes::ECHO);
            // One that refuses shows what is typed, which is better than no way to log in.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &modes);
        }
        Self(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, before);
        }
    }
}
