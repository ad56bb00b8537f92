//! `circuit demo` and `circuit fake-atlassian`.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use app::{App, Caller, connections::Callback};
use domain::{
    Error, FeedId, IndexId, Result, Secret, SiteId,
    budget::{Allowance, QUOTA_POINTS_MAX},
    feed::FeedState,
    user::{KeyLimits, KeyRight},
};
use fake_atlassian::{FakeAtlassian, Options as FakeOptions};
use serde_json::json;
use server::{Options, local_only, router};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    cli,
    config::{Atlassian, Config, Files, Log, Semantic},
    log, serve,
    socket::Socket,
    stop,
    wiring::{Wired, wired},
};

const CLIENT_ID: &str = "circuit-demo";
/// The port that people will remember; another is taken when it is occupied.
const PORT: u16 = 8470;
/// How long an import may take before `--connected` gives up: a million pages at a thousand a second, and some.
const IMPORT_TIME_MAX: Duration = Duration::from_secs(3 * 3600);

/// A generated site is imported in one go, however large: the fake Atlassian enforces no quota.
fn allowance(demo: &cli::Demo) -> Result<Allowance> {
    match demo.pages {
        Some(_) => Allowance::new(QUOTA_POINTS_MAX, 100),
        None => Ok(Allowance::default()),
    }
}

pub async fn demo(demo: &cli::Demo) -> Result<()> {
    log::begin(&Log {
        filter: demo.log.clone().unwrap_or_else(|| "warn".into()),
        json: false,
    })?;
    let requests = stop::Requests::heard()?;
    let temporary = tempfile::Builder::new().prefix("circuit-demo-").tempdir();
    let temporary =
        temporary.map_err(|error| Error::unavailable(format!("no temporary directory can be made: {error}")))?;
    let data_dir = demo.data_dir.clone().unwrap_or_else(|| temporary.path().join("data"));
    refuse_used(&data_dir)?;

    let fake_listener = serve::listen(loopback(0)).await?;
    let base = base_of(&fake_listener)?;
    let secret = domain::Secret::new(random_word()?);
    let fake = fake(&base, &secret, demo.pages, demo.latency)?;
    let listener = match demo.port {
        Some(port) => serve::listen(loopback(port)).await?,
        None => match serve::listen(loopback(PORT)).await {
            Ok(listener) => listener,
            Err(_) => serve::listen(loopback(0)).await?,
        },
    };
    let url = base_of(&listener)?;
    let config = Config {
        data_dir,
        address: loopback(0),
        public_url: Some(url.clone()),
        log: Log {
            filter: "warn".into(),
            json: false,
        },
        atlassian: Atlassian {
            app: Some((CLIENT_ID.into(), secret)),
            auth_url: base.clone(),
            api_url: base.clone(),
            scopes: None,
            allowance: allowance(demo)?,
        },
        files: Files::default(),
        semantic: Semantic::default(),
        secret_key: None,
    };
    let wired = wired(&config, url.clone(), Arc::new(Socket::new()?)).await?;
    let administrator = Administrator::made(&wired.app).await?;
    let options = Options {
        demo_session: Some((administrator.link.clone(), administrator.session.clone())),
        ..serve::options(&url)
    };
    let doors = local_only(router(wired.app.clone(), options), &url);
    let sign_in_url = format!("{url}/sign-in/demo?token={}", administrator.link.expose());

    let (tell, told) = watch::channel(false);
    let mut fake_told = told.clone();
    let fake_ends = async move {
        let _ = fake_told.wait_for(|stop| *stop).await;
    };
    let work = async {
        let serving = async {
            let (fake_served, served) = tokio::join!(
                fake.clone().serve(fake_listener, fake_ends),
                serve::run(&wired, listener, doors, told)
            );
            fake_served.map_err(|error| Error::internal("the fake Atlassian failed").because(error))?;
            served
        };
        let greeting = async {
            let connected = match demo.connected {
                true => Some(connected(&wired, &administrator, &fake, demo.json).await?),
                false => None,
            };
            greet(demo, &url, &sign_in_url, &base, &administrator, connected);
            Ok(())
        };
        tokio::try_join!(serving, greeting).map(|_| ())
    };
    stop::until_asked(work, tell, requests).await?;
    Ok(())
}

fn greet(
    demo: &cli::Demo,
    url: &str,
    sign_in_url: &str,
    base: &str,
    administrator: &Administrator,
    connected: Option<(IndexId, FeedId)>,
) {
    if demo.json {
        let line = json!({
            "url": url,
            "sign_in_url": sign_in_url,
            "email": administrator.email,
            "password": administrator.password.expose(),
            "api_key": administrator.api_key.expose(),
            "fake": base,
            "control": format!("{base}/_world"),
            "index": connected.map(|(index, _)| index.to_string()),
            "feed": connected.map(|(_, feed)| feed.to_string()),
        });
        println!("{line}");
        return;
    }
    let next = match connected {
        Some((index, _)) => format!("Search here:  {url}/indexes/{index}  (after signing in)"),
        None => "Then: New index → Integrations → New integration → Import from Confluence.".to_owned(),
    };
    println!(
        "\nCircuit's demo is running.\n\n  Open  {sign_in_url}\n\n{next}\n\nThe link is good until you sign out; after that sign in as {} with {}\n\
         The Atlassian it talks to is a fake one, at {base}. Everything is gone when you press Ctrl-C.\n",
        administrator.email,
        administrator.password.expose()
    );
}

/// The demo's administrator, signed in already.
struct Administrator {
    email: String,
    password: Secret,
    session: Secret,
    /// What the sign-in link holds.
    link: Secret,
    api_key: Secret,
    caller: Caller,
}

impl Administrator {
    async fn made(app: &App) -> Result<Self> {
        let email = "demo@circuit.example".to_owned();
        let password = Secret::new(random_word()?);
        let session = app.set_up(&email, "Demo administrator", &password).await?;
        let caller = app
            .caller_by_session(session.expose())
            .await?
            .ok_or_else(|| Error::internal("the demo's administrator could not be signed in"))?;
        let (_, api_key) = app
            .create_api_key(&caller, "Demo", &KeyLimits::everywhere(KeyRight::Manage))
            .await?;
        Ok(Self {
            email,
            password,
            session,
            link: Secret::new(random_word()?),
            api_key,
            caller,
        })
    }
}

/// Goes the way a person goes: index, consent, site, spaces, import; comes back when all of it can be found.
async fn connected(
    wired: &Wired,
    administrator: &Administrator,
    fake: &FakeAtlassian,
    quiet: bool,
) -> Result<(IndexId, FeedId)> {
    let (app, caller) = (&wired.app, &administrator.caller);
    let index = app
        .create_index(
            caller,
            "Company knowledge",
            "Everything the demo's company wrote in Confluence.",
        )
        .await?;
    let start = app.begin_connect(caller, index.id).await?;
    let person = fake
        .people()
        .into_iter()
        .next()
        .ok_or_else(|| Error::internal("the fake Atlassian has no people"))?;
    let (code, state) = fake
        .consent(&start.url, &person.account_id)
        .await
        .map_err(|error| Error::internal(format!("the fake Atlassian did not consent: {error}")))?;
    let code = Secret::new(code);
    app.finish_connect(
        caller,
        Callback {
            state: &state,
            code: Some(&code),
            error: None,
        },
    )
    .await?;
    let site = fake.sites().into_iter().next();
    let site = site.ok_or_else(|| Error::internal("the fake Atlassian has no site"))?;
    app.choose_site(caller, start.feed, &SiteId::new(site.cloud_id)).await?;
    let spaces: Vec<_> = app
        .spaces(caller, start.feed)
        .await?
        .into_iter()
        .map(|space| space.id)
        .collect();
    app.add_spaces(caller, start.feed, &spaces).await?;
    tokio::time::timeout(IMPORT_TIME_MAX, imported(app, caller, start.feed, quiet))
        .await
        .map_err(|_| Error::unavailable("the demo's import took too long"))??;
    Ok((index.id, start.feed))
}

async fn imported(app: &App, caller: &Caller, feed: FeedId, quiet: bool) -> Result<()> {
    let mut changed = app.watch_feeds();
    loop {
        let picture = app.feed_picture(caller, feed).await?;
        let done = picture.spaces.iter().all(|space| space.imported_at.is_some());
        if done && picture.searchable && picture.running.is_none() {
            if !quiet {
                eprintln!("\rImported {} documents.                    ", picture.documents);
            }
            return Ok(());
        }
        if let FeedState::Parked(_) = picture.feed.state {
            return Err(Error::internal(format!(
                "the demo's import stopped: {}",
                picture.headline
            )));
        }
        if !quiet {
            eprint!("\rImporting: {} documents…", picture.documents);
        }
        // A missed change is no harm: the next look shows it.
        let _ = tokio::time::timeout(Duration::from_millis(500), changed.recv()).await;
    }
}

pub async fn fake_atlassian(settings: &cli::FakeAtlassian) -> Result<()> {
    log::begin(&Log {
        filter: settings.log.clone().unwrap_or_else(|| "warn".into()),
        json: false,
    })?;
    let requests = stop::Requests::heard()?;
    let listener = serve::listen(loopback(settings.port)).await?;
    let base = base_of(&listener)?;
    let secret = Secret::new("circuit-demo-secret");
    let fake = fake(&base, &secret, settings.pages, settings.latency)?;
    greet_fake(settings, &base, &secret, &fake);
    let (tell, mut told) = watch::channel(false);
    let ends = async move {
        let _ = told.wait_for(|stop| *stop).await;
    };
    let serving = async {
        fake.serve(listener, ends)
            .await
            .map_err(|error| Error::internal("the fake Atlassian failed").because(error))
    };
    stop::until_asked(serving, tell, requests).await?;
    Ok(())
}

fn greet_fake(settings: &cli::FakeAtlassian, base: &str, secret: &Secret, fake: &FakeAtlassian) {
    let people: Vec<_> = fake
        .people()
        .into_iter()
        .filter(|person| person.active)
        .map(|person| {
            let token = fake.token_for(&person.account_id);
            json!({ "account_id": person.account_id, "name": person.name, "email": person.email, "access_token": token })
        })
        .collect();
    if settings.json {
        let line = json!({
            "base": base,
            "auth": base,
            "api": base,
            "control": format!("{base}/_world"),
            "client_id": CLIENT_ID,
            "client_secret": secret.expose(),
            "sites": fake.sites().iter().map(|site| json!({ "cloud_id": site.cloud_id, "name": site.name })).collect::<Vec<_>>(),
            "people": people,
        });
        println!("{line}");
        return;
    }
    println!(
        "A fake Atlassian is at {base} (client id {CLIENT_ID}, secret {}).",
        secret.expose()
    );
    for site in fake.sites() {
        println!("Site {}: {base}/ex/confluence/{}", site.name, site.cloud_id);
    }
    println!("Run with --json for tokens. It ends with Ctrl-C.");
}

fn fake(base: &str, secret: &Secret, pages: Option<u64>, latency: u64) -> Result<FakeAtlassian> {
    let options = FakeOptions {
        base_url: base.to_owned(),
        client_id: CLIENT_ID.into(),
        client_secret: secret.expose().to_owned(),
        latency: Duration::from_millis(latency),
        ..FakeOptions::default()
    };
    Ok(match pages {
        Some(pages) => FakeAtlassian::generated(pages, options),
        None => FakeAtlassian::new(fake_atlassian::demo::sites(), options),
    })
}

fn refuse_used(data_dir: &PathBuf) -> Result<()> {
    let used = std::fs::read_dir(data_dir).is_ok_and(|mut entries| entries.next().is_some());
    match used {
        true => Err(Error::conflict(format!(
            "{} is not empty; the demo begins with fresh data",
            data_dir.display()
        ))),
        false => Ok(()),
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn base_of(listener: &TcpListener) -> Result<String> {
    let bound = listener
        .local_addr()
        .map_err(|error| Error::internal("the bound address is unknown").because(error))?;
    Ok(format!("http://localhost:{}", bound.port()))
}

fn random_word() -> Result<String> {
    use base64::Engine;
    let mut bytes = [0_u8; 24];
    rand::Rng::fill_bytes(&mut rand::rng(), &mut bytes);
    Ok(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes))
}
