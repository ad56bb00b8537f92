//! A fake Atlassian on loopback, a data directory, and a feed whose person has consented and chosen a site.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use app::clock::SystemClock;
use app::{Caller, connections::Callback};
use circuit::{
    config::{Atlassian, Config, Files, Log, Semantic},
    socket::Socket,
    wiring::{Wired, wired_at},
};
use domain::{
    Clock, FeedId, IndexId, Secret, SiteId, SpaceId,
    budget::Allowance,
    user::{KeyLimits, KeyRight},
};
use fake_atlassian::{FakeAtlassian, Options};
use tokio::net::TcpListener;

pub const CLIENT: &str = "circuit-test";
pub const CLIENT_SECRET: &str = "client-hunter2";
pub const PUBLIC_URL: &str = "http://localhost:1";
pub const PASSWORD: &str = "correct horse battery staple";

pub struct Setting {
    pub fake: FakeAtlassian,
    pub fake_base: String,
    pub person: String,
    pub data_dir: PathBuf,
    pub allowance: Allowance,
    /// Asked for instead of the default scopes.
    pub scopes: Option<Vec<String>>,
    /// Whether files are read, and by which program; none: by `circuit read-file`.
    pub files: bool,
    /// A script of `sh` that reads pictures.
    pub ocr: Option<&'static str>,
    pub reader: Option<PathBuf>,
    /// Gone when this is dropped.
    _folder: tempfile::TempDir,
}

/// What a person holds after the first steps.
pub struct Begun {
    pub key: String,
    pub index: IndexId,
    pub feed: FeedId,
    pub site: SiteId,
    /// By key.
    pub spaces: Vec<(String, SpaceId)>,
}

impl Setting {
    /// Serves the fake that `make` makes of its options.
    pub async fn new(make: impl FnOnce(Options) -> FakeAtlassian) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let fake_base = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let fake = make(Options {
            base_url: fake_base.clone(),
            client_id: CLIENT.into(),
            client_secret: CLIENT_SECRET.into(),
            ..Options::default()
        });
        tokio::spawn(fake.clone().serve(listener, std::future::pending()));
        let folder = tempfile::tempdir().unwrap();
        Self {
            person: fake.people()[0].account_id.clone(),
            fake,
            fake_base,
            data_dir: folder.path().join("data"),
            allowance: Allowance::default(),
            scopes: None,
            files: false,
            ocr: None,
            reader: None,
            _folder: folder,
        }
    }

    pub fn settings(&self) -> [(&'static str, &str); 6] {
        [
            (
                "CIRCUIT_FILES_ENABLED",
                match self.files {
                    true => "true",
                    false => "false",
                },
            ),
            ("CIRCUIT_PUBLIC_URL", PUBLIC_URL),
            ("CIRCUIT_ATLASSIAN_CLIENT_ID", CLIENT),
            ("CIRCUIT_ATLASSIAN_CLIENT_SECRET", CLIENT_SECRET),
            ("CIRCUIT_ATLASSIAN_AUTH_URL", &self.fake_base),
            ("CIRCUIT_ATLASSIAN_API_URL", &self.fake_base),
        ]
    }

    /// The same wiring as the binary's, in this process. The data directory is free again when it is dropped.
    pub async fn wired(&self) -> Wired {
        self.wired_at(Arc::new(SystemClock)).await
    }

    pub async fn wired_at(&self, clock: Arc<dyn Clock>) -> Wired {
        self.wired_of(&self.data_dir, clock).await.unwrap()
    }

    /// The same over another data directory.
    pub async fn wired_in(&self, data_dir: &Path) -> Wired {
        self.wired_of(data_dir, Arc::new(SystemClock)).await.unwrap()
    }

    pub async fn wired_of(&self, data_dir: &Path, clock: Arc<dyn Clock>) -> domain::Result<Wired> {
        let mut config = configured(data_dir, &self.fake_base, self.allowance);
        config.atlassian.scopes = self.scopes.clone();
        config.files.enabled = self.files;
        if self.reader.is_some() {
            config.files.reader.clone_from(&self.reader);
        }
        if let Some(script) = self.ocr {
            config.files.ocr = ["sh", "-c", script].map(str::to_owned).to_vec();
            config.files.skip_types.clear();
        }
        wired_at(&config, PUBLIC_URL.into(), Arc::new(Socket::new().unwrap()), clock).await
    }

    /// Account, key, index, consent, site.
    pub async fn begun(&self) -> Begun {
        let wired = self.wired().await;
        let (app, caller) = administrator(&wired).await;
        let (_, key) = app
            .create_api_key(&caller, "test", &KeyLimits::everywhere(KeyRight::Manage))
            .await
            .unwrap();
        let index = app.create_index(&caller, "Knowledge", "").await.unwrap().id;
        let start = app.begin_connect(&caller, index).await.unwrap();
        let (code, state) = self.fake.consent(&start.url, &self.person).await.unwrap();
        let code = Secret::new(code);
        let callback = Callback {
            state: &state,
            code: Some(&code),
            error: None,
        };
        app.finish_connect(&caller, callback).await.unwrap();
        let site = SiteId::new(self.fake.sites().remove(0).cloud_id);
        app.choose_site(&caller, start.feed, &site).await.unwrap();
        let spaces = app.spaces(&caller, start.feed).await.unwrap();
        Begun {
            key: key.expose().to_owned(),
            index,
            feed: start.feed,
            site,
            spaces: spaces.into_iter().map(|space| (space.key, space.id)).collect(),
        }
    }
}

/// What a Circuit over this data directory is told, which knows the fake by this address.
pub fn configured(data_dir: &Path, fake_base: &str, allowance: Allowance) -> Config {
    Config {
        data_dir: data_dir.to_owned(),
        address: ([127, 0, 0, 1], 0).into(),
        public_url: Some(PUBLIC_URL.into()),
        log: Log {
            filter: "warn".into(),
            json: false,
        },
        atlassian: Atlassian {
            app: Some((CLIENT.into(), Secret::new(CLIENT_SECRET))),
            auth_url: fake_base.to_owned(),
            api_url: fake_base.to_owned(),
            scopes: None,
            allowance,
        },
        // Most tests are about what is listed: nothing is downloaded beside it.
        files: Files {
            enabled: false,
            reader: Some(env!("CARGO_BIN_EXE_circuit").into()),
            ..Files::default()
        },
        semantic: Semantic::default(),
        secret_key: None,
    }
}

/// The first account, signed in.
pub async fn administrator(wired: &Wired) -> (app::App, Caller) {
    let app = wired.app.clone();
    let session = app
        .set_up("ann@example.org", "Ann", &Secret::new(PASSWORD))
        .await
        .unwrap();
    let caller = app.caller_by_session(session.expose()).await.unwrap().unwrap();
    (app, caller)
}
