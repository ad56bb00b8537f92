//! Which adapter stands behind which port.

use std::sync::Arc;

use app::{App, Parts, Scopes, budget::PointsKeeper, clock::SystemClock, grants::GrantKeeper};
use async_trait::async_trait;
use confluence::{
    capabilities,
    http::Http,
    oauth::{Atlassian3lo, ClientCredentials, Endpoints},
    source::ConfluenceSource,
};
use domain::{Clock, Error, Result, Secret, embedder::Models, engine::SearchEngine, store::Store};
use search::EmbeddedEngine;
use store::{SealingKey, SealingKeys, SqlStore};

use sync::files::{FileLimits, FilePorts};

use crate::{
    config::Config, data_dir::DataDir, reading::SandboxedReader, semantic::ConfiguredModels, socket::Streams, stop,
};

/// An app, and the data directory that it holds.
pub struct Wired {
    pub app: App,
    pub store: Arc<dyn Store>,
    pub engine: Arc<dyn SearchEngine>,
    database: Arc<SqlStore>,
    _data: DataDir,
}

impl Wired {
    /// Ends the store, once nothing works with it any more: all of it is in the one file then. A process that is killed
    /// before leaves the rest in the log beside that file, and nothing is lost.
    pub async fn close(&self) {
        // What holds a connection still is cut off by the end of the process.
        let _ = tokio::time::timeout(stop::LAST_MOMENT, self.database.close()).await;
    }
}

/// Opens the data directory and puts the app together.
pub async fn wired(config: &Config, public_url: String, http: Arc<dyn Http>) -> Result<Wired> {
    wired_at(config, public_url, http, Arc::new(SystemClock)).await
}

/// The same with another clock, for tests that cannot wait an hour.
pub async fn wired_at(
    config: &Config,
    public_url: String,
    http: Arc<dyn Http>,
    clock: Arc<dyn Clock>,
) -> Result<Wired> {
    let data = DataDir::open(&config.data_dir)?;
    let key = match &config.secret_key {
        Some(key) => key.clone(),
        None => data.secret_key(|| SealingKey::generate().to_secret())?,
    };
    let keys = SealingKeys::new(SealingKey::from_base64(key.expose())?);
    let database = Arc::new(SqlStore::open(&data.database(), keys).await?);
    let store: Arc<dyn Store> = database.clone();
    // The data directory is locked, so whoever held a lease is dead.
    store.free_leases().await?;
    let engine: Arc<dyn SearchEngine> = Arc::new(EmbeddedEngine::open(data.search())?);
    let endpoints = Endpoints::parse(&config.atlassian.auth_url, &config.atlassian.api_url)?;
    let client = Arc::new(AppRegistration {
        configured: config.atlassian.app.clone(),
        store: store.clone(),
    });
    let authority = Arc::new(Atlassian3lo::new(
        http.clone(),
        endpoints.clone(),
        client,
        clock.clone(),
    ));
    let tokens = Arc::new(GrantKeeper::new(store.clone(), authority.clone(), clock.clone()));
    let budget = Arc::new(PointsKeeper::new(
        store.clone(),
        clock.clone(),
        config.atlassian.allowance,
        config.atlassian.app.as_ref().map(|(client_id, _)| client_id.clone()),
    ));
    let source = Arc::new(ConfluenceSource::new(
        http,
        endpoints,
        tokens.clone(),
        budget.clone(),
        clock.clone(),
    ));
    let app = App::new(Parts {
        store: store.clone(),
        engine: engine.clone(),
        models: models(config, &data)?,
        files: file_ports(config, source.clone())?,
        source,
        budget,
        authority,
        tokens,
        clock,
        scopes: scopes(config),
        public_url,
        atlassian_app_configured: config.atlassian.app.is_some(),
    });
    Ok(Wired {
        app,
        store,
        engine,
        database,
        _data: data,
    })
}

/// The models that the settings name; none when they name none. Nothing is read or reached yet.
fn models(config: &Config, data: &DataDir) -> Result<Option<Arc<dyn Models>>> {
    if config.semantic.model.is_none() {
        return Ok(None);
    }
    let models = ConfiguredModels::new(&config.semantic, data.models(), Arc::new(Streams::new()?));
    Ok(models.map(|models| Arc::new(models) as Arc<dyn Models>))
}

fn file_ports(config: &Config, source: Arc<ConfluenceSource>) -> Result<Option<FilePorts>> {
    let files = &config.files;
    if !files.enabled {
        return Ok(None);
    }
    Ok(Some(FilePorts {
        source,
        reader: Arc::new(SandboxedReader::new(files.reader.clone(), files.bytes_max, &files.ocr)?),
        limits: FileLimits {
            bytes_max: files.bytes_max,
            skip_types: files.skip_types.clone(),
        },
    }))
}

fn scopes(config: &Config) -> Scopes {
    let known = capabilities::DEFAULT_SCOPES
        .iter()
        .map(|known| (known.scope.to_owned(), known.reason.to_owned()));
    let requested = match &config.atlassian.scopes {
        None => known.collect(),
        Some(named) => {
            let known: Vec<(String, String)> = known.collect();
            let reason = |scope: &String| {
                let found = known.iter().find(|(known, _)| known == scope);
                found.map_or_else(
                    || "Asked for by this Circuit's configuration.".to_owned(),
                    |(_, reason)| reason.clone(),
                )
            };
            named.iter().map(|scope| (scope.clone(), reason(scope))).collect()
        }
    };
    Scopes {
        requested,
        missing_for_import: capabilities::missing_for_import,
        degraded: capabilities::degraded,
    }
}

/// Client id and secret of the Atlassian app: from the configuration, else what an administrator entered.
struct AppRegistration {
    configured: Option<(String, Secret)>,
    store: Arc<dyn Store>,
}

#[async_trait]
impl ClientCredentials for AppRegistration {
    async fn credentials(&self) -> Result<(String, Secret)> {
        if let Some(configured) = &self.configured {
            return Ok(configured.clone());
        }
        let kept = self.store.atlassian_app().await?;
        kept.map(|app| (app.client_id, app.client_secret)).ok_or_else(|| {
            Error::misconfigured(
                "Circuit does not know its Atlassian app yet; enter client id and secret under \"Atlassian app\" in the navigation",
            )
        })
    }
}
