//! The models that the settings name, and those that they named before.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use domain::{
    Error, Result, Secret,
    embedder::{Embedder, Models},
};
use embed::{
    http::Http,
    hub,
    local::LocalEmbedder,
    remote::{Endpoint, RemoteEmbedder},
};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::config::{Model, Semantic};

/// What is known of models used before, in the models' directory.
const KNOWN: &str = "known.json";
/// The most bytes and models of it.
const KNOWN_BYTES_MAX: u64 = 64 << 10;
const KNOWN_MAX: usize = 16;

/// Models from directories, from a hub and from endpoints.
pub struct ConfiguredModels {
    model: Model,
    threads: usize,
    /// Where downloaded models are kept.
    directory: PathBuf,
    http: Arc<dyn Http>,
    name: String,
}

/// A model as it is found again; never its key.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Known {
    Local {
        directory: PathBuf,
        name: String,
    },
    Remote {
        url: String,
        model: String,
        dimensions: Option<usize>,
    },
}

impl ConfiguredModels {
    /// None when the settings name no model.
    pub fn new(settings: &Semantic, directory: PathBuf, http: Arc<dyn Http>) -> Option<Self> {
        let model = settings.model.clone()?;
        let name = match &model {
            Model::Directory(path) => path
                .file_name()
                .unwrap_or(path.as_os_str())
                .to_string_lossy()
                .into_owned(),
            Model::Id { id, .. } => id.as_str().to_owned(),
            Model::Remote { model, .. } => model.clone(),
        };
        Some(Self {
            model,
            threads: settings.threads,
            directory,
            http,
            name,
        })
    }

    async fn had(&self, known: &Known, key: Option<Secret>) -> Result<Arc<dyn Embedder>> {
        match known.clone() {
            Known::Local { directory, name } => {
                let threads = self.threads;
                let loading = tokio::task::spawn_blocking(move || LocalEmbedder::load(&directory, &name, threads));
                let loaded = loading
                    .await
                    .map_err(|panic| Error::internal("reading the model broke down").because(panic))?;
                Ok(Arc::new(loaded?))
            }
            Known::Remote { url, model, dimensions } => {
                let endpoint = Endpoint::new(&url, &model, key, dimensions)?;
                Ok(Arc::new(RemoteEmbedder::connect(self.http.clone(), endpoint).await?))
            }
        }
    }

    fn remember(&self, fingerprint: &str, known: Known) {
        let mut all = read_known(&self.directory);
        if all.get(fingerprint) == Some(&known) {
            return;
        }
        while all.len() >= KNOWN_MAX {
            all.pop_first();
        }
        all.insert(fingerprint.to_owned(), known);
        if let Err(error) = write_known(&self.directory, &all) {
            // Only a change of models will miss it.
            warn!("{} cannot be written: {error}", self.directory.join(KNOWN).display());
        }
    }
}

#[async_trait]
impl Models for ConfiguredModels {
    fn name(&self) -> &str {
        &self.name
    }

    async fn current(&self) -> Result<Arc<dyn Embedder>> {
        let (known, key) = match &self.model {
            Model::Directory(path) => {
                let (directory, name) = (path.clone(), self.name.clone());
                (Known::Local { directory, name }, None)
            }
            Model::Id { id, hub } => {
                let directory = hub::fetched(&*self.http, hub, &self.directory, id).await?;
                let name = self.name.clone();
                (Known::Local { directory, name }, None)
            }
            Model::Remote {
                url,
                model,
                key,
                dimensions,
            } => {
                let (url, model, dimensions) = (url.clone(), model.clone(), *dimensions);
                (Known::Remote { url, model, dimensions }, key.clone())
            }
        };
        let embedder = self.had(&known, key).await?;
        self.remember(&embedder.model().fingerprint, known);
        Ok(embedder)
    }

    async fn former(&self, fingerprint: &str) -> Result<Option<Arc<dyn Embedder>>> {
        let Some(known) = read_known(&self.directory).remove(fingerprint) else {
            return Ok(None);
        };
        // A key goes to the endpoint that it was entered for, and to no other.
        let key = match (&known, &self.model) {
            (Known::Remote { url: former, .. }, Model::Remote { url, key, .. }) if former == url => key.clone(),
            _ => None,
        };
        let embedder = self.had(&known, key).await?;
        Ok((embedder.model().fingerprint == fingerprint).then_some(embedder))
    }
}

/// What cannot be read is as good as nothing: it only makes a change of models smoother.
fn read_known(directory: &Path) -> BTreeMap<String, Known> {
    let path = directory.join(KNOWN);
    let short = std::fs::metadata(&path).is_ok_and(|file| file.len() <= KNOWN_BYTES_MAX);
    let text = short.then(|| std::fs::read(&path).ok()).flatten().unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

fn write_known(directory: &Path, known: &BTreeMap<String, Known>) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let partial = directory.join(format!("{KNOWN}.partial"));
    std::fs::write(&partial, serde_json::to_vec_pretty(known)?)?;
    std::fs::rename(partial, directory.join(KNOWN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_used_before_are_remembered_without_their_key() {
        let directory = tempfile::tempdir().unwrap();
        let (http, settings) = (
            Arc::new(crate::socket::Streams::new().unwrap()),
            Semantic {
                model: Some(Model::Remote {
                    url: "http://localhost:1/v1".into(),
                    model: "m".into(),
                    key: Some(Secret::new("hunter2")),
                    dimensions: None,
                }),
                threads: 1,
            },
        );
        let models = ConfiguredModels::new(&settings, directory.path().join("models"), http).unwrap();
        for number in 0..KNOWN_MAX + 3 {
            let known = Known::Remote {
                url: format!("http://localhost:{number}/v1"),
                model: "m".into(),
                dimensions: None,
            };
            models.remember(&format!("{number:03}"), known);
        }
        let all = read_known(&directory.path().join("models"));
        assert_eq!(all.len(), KNOWN_MAX);
        assert!(all.contains_key("018") && !all.contains_key("000"));
        let text = std::fs::read_to_string(directory.path().join("models").join(KNOWN)).unwrap();
        assert!(!text.contains("hunter2"));
        std::fs::write(directory.path().join("models").join(KNOWN), "{").unwrap();
        assert!(read_known(&directory.path().join("models")).is_empty());
    }
}
