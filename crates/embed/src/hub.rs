//! Given the id of a model at Hugging Face, gives a directory with its files: downloaded once, pinned to a commit.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use ::http::{Request, Response, header};
use bytes::Bytes;
use domain::{Error, Result};
use futures::StreamExt;
use sha2::{Digest, Sha256};
use tokio::{fs, io::AsyncWriteExt};
use tracing::info;
use url::Url;

use crate::{
    http::{Body, Http},
    local,
    remote::hexadecimal,
};

/// Where models are unless a setting says otherwise.
pub const PUBLIC: &str = "https://huggingface.co";
/// The branch whose commit is taken.
const BRANCH: &str = "main";
/// The hub sends large files from elsewhere, in one or two steps.
const REDIRECTS_MAX: usize = 5;
/// Until the next piece of a file.
const PIECE_TIME_MAX: Duration = Duration::from_secs(30);
/// Files by their largest size, in bytes.
const WEIGHTS_BYTES_MAX: u64 = 2 << 30;
const TOKENIZER_BYTES_MAX: u64 = 64 << 20;
const DESCRIPTION_BYTES_MAX: u64 = 1 << 20;
/// What is logged of a long download: one line for so many bytes.
const PROGRESS_BYTES: u64 = 32 << 20;
const NAME_CHARS_MAX: usize = 96;
const COMMIT_DIGITS: usize = 40;

/// `owner/name`: what Hugging Face calls a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelId(String);

impl ModelId {
    /// None when it is no such id.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |part: &str| {
            (1..=NAME_CHARS_MAX).contains(&part.len())
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        let (owner, name) = text.split_once('/')?;
        (plain(owner) && plain(name)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The address of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hub(Url);

impl Hub {
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid(format!(
                "semantic.hub is not the address of a hub; it looks like {PUBLIC}"
            ))
        };
        let mut url = Url::parse(text).map_err(|_| wrong())?;
        let plain = url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.has_host();
        if !plain || !matches!(url.scheme(), "http" | "https") {
            return Err(wrong());
        }
        let path = format!("{}/", url.path().trim_end_matches('/'));
        url.set_path(&path);
        Ok(Self(url))
    }
}

/// The directory with the model's files, if they were downloaded before.
pub fn downloaded(models: &Path, id: &ModelId) -> Option<PathBuf> {
    let entries = std::fs::read_dir(models.join(id.as_str())).ok()?;
    let mut commits: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_commit))
        .filter(|path| local::NEEDED.iter().all(|file| path.join(file).is_file()))
        .collect();
    commits.sort();
    commits.pop()
}

/// The same; downloads them if they are not there.
pub async fn fetched(http: &dyn Http, hub: &Hub, models: &Path, id: &ModelId) -> Result<PathBuf> {
    match downloaded(models, id) {
        Some(directory) => Ok(directory),
        None => download(http, hub, models, id).await,
    }
}

async fn download(http: &dyn Http, hub: &Hub, models: &Path, id: &ModelId) -> Result<PathBuf> {
    let place = models.join(id.as_str());
    let partial = place.join("partial");
    let written = |error: std::io::Error| {
        Error::unavailable(format!(
            "{} cannot be written ({error}); is the disk full?",
            place.display()
        ))
    };
    if fs::try_exists(&partial).await.map_err(written)? {
        fs::remove_dir_all(&partial).await.map_err(written)?;
    }
    fs::create_dir_all(&partial).await.map_err(written)?;
    let fetch = Fetch { http, hub, id };
    info!("Downloading the model {} from {}", id.as_str(), fetch.host());
    let commit = fetch.commit().await?;
    for (file, needed) in local::NEEDED
        .iter()
        .map(|file| (*file, true))
        .chain(local::OPTIONAL.iter().map(|file| (*file, false)))
    {
        let target = partial.join(file);
        if let Some(directory) = target.parent() {
            fs::create_dir_all(directory).await.map_err(written)?;
        }
        fetch.file(&commit, file, needed, &target).await?;
    }
    let directory = place.join(&commit);
    fs::rename(&partial, &directory).await.map_err(written)?;
    info!("Downloaded the model {} at commit {commit}", id.as_str());
    Ok(directory)
}

struct Fetch<'a> {
    http: &'a dyn Http,
    hub: &'a Hub,
    id: &'a ModelId,
}

impl Fetch<'_> {
    fn host(&self) -> &str {
        self.hub.0.host_str().unwrap_or_default()
    }

    fn wrong(&self, why: &str) -> Error {
        Error::unavailable(format!(
            "the model {} could not be downloaded: {} {why}; check semantic.model and semantic.hub, or put the files into a \
             directory and name that",
            self.id.as_str(),
            self.host()
        ))
    }

    fn address(&self, revision: &str, file: &str) -> Result<Url> {
        let path = format!("{}/resolve/{revision}/{file}", self.id.as_str());
        self.hub
            .0
            .join(&path)
            .map_err(|error| Error::internal("an address of the hub could not be made").because(error))
    }

    /// What the branch is at present.
    async fn commit(&self) -> Result<String> {
        let (answers, _) = self.followed(self.address(BRANCH, local::NEEDED[0])?).await?;
        let told = answers.iter().find_map(|headers| text(headers, "x-repo-commit"));
        match told {
            Some(commit) if is_commit(commit) => Ok(commit.to_owned()),
            Some(_) | None => Err(self.wrong("does not say which commit its files are of")),
        }
    }

    /// Downloads one file; one that need not be there may be missing.
    async fn file(&self, commit: &str, file: &str, needed: bool, target: &Path) -> Result<()> {
        let (answers, answer) = self.followed(self.address(commit, file)?).await?;
        match answer.status().as_u16() {
            200 => {}
            404 if !needed => return Ok(()),
            status => return Err(self.wrong(&format!("answered {status} for {file}"))),
        }
        let bytes_max = match file {
            "model.safetensors" => WEIGHTS_BYTES_MAX,
            "tokenizer.json" => TOKENIZER_BYTES_MAX,
            _ => DESCRIPTION_BYTES_MAX,
        };
        let written = |error: std::io::Error| {
            Error::unavailable(format!(
                "{} cannot be written ({error}); is the disk full?",
                target.display()
            ))
        };
        let expected = text(answer.headers(), "content-length").and_then(|length| length.parse::<u64>().ok());
        let mut out = fs::File::create(target).await.map_err(written)?;
        let (mut length, mut digest) = (0, Sha256::new());
        let mut body = answer.into_body();
        while let Some(piece) = self.in_time(body.next()).await? {
            let piece = piece?;
            let before = length;
            length += piece.len() as u64;
            if length > bytes_max {
                return Err(self.wrong(&format!("gives more than {bytes_max} bytes for {file}")));
            }
            digest.update(&piece);
            out.write_all(&piece).await.map_err(written)?;
            if before / PROGRESS_BYTES != length / PROGRESS_BYTES {
                let of = expected.map(|all| format!(" of {}", all >> 20)).unwrap_or_default();
                info!(
                    "Downloaded {}{of} MB of {file} of the model {}",
                    length >> 20,
                    self.id.as_str()
                );
            }
        }
        out.sync_all().await.map_err(written)?;
        if expected.is_some_and(|expected| expected != length) {
            return Err(self.wrong(&format!("broke off {file}")));
        }
        // Told of files that are kept by their digest.
        let told = answers.iter().find_map(|headers| text(headers, "x-linked-etag"));
        let told = told.map(|etag| etag.trim_matches('"')).filter(|etag| etag.len() == 64);
        match told.is_none_or(|told| told == hexadecimal(&digest.finalize())) {
            true => Ok(()),
            false => Err(self.wrong(&format!("gave a {file} that is not what it says it is"))),
        }
    }

    /// The answer at the end of all redirects, and the headers of every answer on the way.
    async fn followed(&self, mut url: Url) -> Result<(Vec<::http::HeaderMap>, Response<Body>)> {
        let mut answers = Vec::new();
        for _ in 0..=REDIRECTS_MAX {
            let request = Request::get(url.as_str()).body(Bytes::new());
            let request = request.map_err(|error| Error::internal("a request could not be made").because(error))?;
            let answer = self.in_time(self.http.send(request)).await??;
            answers.push(answer.headers().clone());
            if !answer.status().is_redirection() {
                return Ok((answers, answer));
            }
            let next = text(answer.headers(), header::LOCATION.as_str()).and_then(|to| url.join(to).ok());
            let next = next.ok_or_else(|| self.wrong("sends to an address that is none"))?;
            let safe = next.scheme() == "https" || next.scheme() == "http" && self.hub.0.scheme() == "http";
            if !safe {
                return Err(self.wrong("sends to an address that is not https"));
            }
            url = next;
        }
        Err(self.wrong("sends from one address to another without end"))
    }

    async fn in_time<T>(&self, what: impl Future<Output = T>) -> Result<T> {
        tokio::time::timeout(PIECE_TIME_MAX, what)
            .await
            .map_err(|_| self.wrong("does not answer"))
    }
}

fn text<'a>(headers: &'a ::http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_commit(text: &str) -> bool {
    text.len() == COMMIT_DIGITS
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_an_owner_and_a_name_and_nothing_that_leaves_the_directory() {
        for fine in [
            "sentence-transformers/all-MiniLM-L6-v2",
            "BAAI/bge-small-en-v1.5",
            "a/b",
        ] {
            assert!(ModelId::parse(fine).is_some(), "{fine}");
        }
        for wrong in [
            "", "a", "a/", "/b", "a/b/c", "../b", "a/..", "a/.b", "a b/c", "a/b?x", "ä/b", "a\\b/c",
        ] {
            assert!(ModelId::parse(wrong).is_none(), "{wrong}");
        }
    }
}
