//! `circuit doctor`: goes through what Circuit needs and says what to mend.

use std::sync::Arc;

use bytes::Bytes;
use confluence::http::Http;
use domain::{Error, Result, embedder::Purpose};
use store::{SealingKey, SealingKeys, backup::prove};

use crate::{
    cli::Settings,
    config::{self, Config},
    data_dir::{DATABASE, DataDir, KEY, kept_key},
    reading, serve,
    socket::Socket,
    wiring,
};

pub async fn doctor(settings: &Settings) -> Result<()> {
    let mut ill = 0;
    let mut say = |what: &str, found: std::result::Result<String, String>| match found {
        Ok(fine) => println!("ok    {what}: {fine}"),
        Err(why) => {
            ill += 1;
            println!("FAIL  {what}: {why}");
        }
    };
    let mut config = match config::read(settings) {
        Ok(config) => config,
        Err(error) => {
            say("configuration", Err(error.to_string()));
            return Err(Error::invalid("mend the configuration first"));
        }
    };
    say("configuration", Ok("is understood".into()));
    if let Some(program) = config.files.ocr.first() {
        let there = reading::found(&config.files.ocr).map_err(|error| error.to_string());
        say(
            "words in pictures",
            there.clone().map(|()| format!("{program} reads them")),
        );
        if there.is_err() {
            // The rest can be looked at without it.
            config.files.ocr.clear();
        }
    }
    say(
        "address",
        match serve::listen(config.address).await {
            Ok(_) => Ok(format!("{} is free", config.address)),
            Err(error) => Err(error.to_string()),
        },
    );
    let http: Arc<dyn Http> = Arc::new(Socket::new()?);
    match DataDir::open(&config.data_dir) {
        Err(error) => say("data directory", Err(error.to_string())),
        Ok(data) => {
            drop(data);
            match wiring::wired(&config, "http://localhost".into(), http.clone()).await {
                Err(error) => say("data directory", Err(error.to_string())),
                Ok(wired) => {
                    say(
                        "data directory",
                        wired
                            .app
                            .ready()
                            .await
                            .map(|()| format!("{} is whole and can be written", config.data_dir.display()))
                            .map_err(|error| error.to_string()),
                    );
                    say("store", whole(&config).await);
                    let app = match (&config.atlassian.app, wired.store.atlassian_app().await) {
                        (Some(_), _) => Ok("client id and secret come from the configuration".into()),
                        (None, Ok(Some(_))) => Ok("client id and secret were entered in the app".into()),
                        (None, Ok(None)) => Err("Circuit does not know its Atlassian app: set CIRCUIT_ATLASSIAN_CLIENT_ID and CIRCUIT_ATLASSIAN_CLIENT_SECRET, or enter them in the app".into()),
                        (None, Err(error)) => Err(error.to_string()),
                    };
                    say("Atlassian app", app);
                    say("search by meaning", understood(&wired).await);
                }
            }
        }
    }
    for (what, url) in [
        ("Atlassian sign-in", &config.atlassian.auth_url),
        ("Atlassian API", &config.atlassian.api_url),
    ] {
        say(what, reached(&*http, url).await);
    }
    match ill {
        0 => Ok(()),
        1 => Err(Error::unavailable("one thing is to be mended, see above")),
        n => Err(Error::unavailable(format!("{n} things are to be mended, see above"))),
    }
}

/// Reads the whole database, and opens every secret in it.
async fn whole(config: &Config) -> std::result::Result<String, String> {
    let key = match &config.secret_key {
        Some(key) => Some(key.clone()),
        None => kept_key(&config.data_dir.join(KEY)).map_err(|error| error.to_string())?,
    };
    let key = key.map(|key| SealingKey::from_base64(key.expose())).transpose();
    let keys = key.map_err(|error| error.to_string())?.map(SealingKeys::new);
    let whole = prove(&config.data_dir.join(DATABASE), keys.as_ref()).await;
    whole
        .map(|whole| format!("every page of the database is readable; {} documents", whole.documents))
        .map_err(|error| error.to_string())
}

/// Reads, downloads or reaches the model, and has it read a question.
async fn understood(wired: &wiring::Wired) -> std::result::Result<String, String> {
    let Some(models) = wired.app.models() else {
        return Ok("no model is set, so search is by words alone; semantic.model sets one".into());
    };
    let asked = async {
        let embedder = models.current().await?;
        embedder
            .embed(Purpose::Question, &["does it answer?".to_owned()])
            .await?;
        Ok(embedder.model().clone())
    };
    match asked.await {
        Ok(model) => Ok(format!(
            "the model {} answers with {} dimensions",
            model.name, model.dimensions
        )),
        Err(error) => {
            let error: Error = error;
            Err(format!("{error}; until then search is by words alone"))
        }
    }
}

/// Any answer will do: it proves that name, route and certificate are right.
async fn reached(http: &dyn Http, url: &str) -> std::result::Result<String, String> {
    let request = http::Request::get(url)
        .body(Bytes::new())
        .map_err(|error| format!("{url} is not a URL: {error}"))?;
    match http.send(request).await {
        Ok(answer) => Ok(format!("{url} answers ({})", answer.status())),
        Err(unanswered) => {
            let error = Error::from(unanswered);
            Err(format!("{error}; check the network, the proxy and the firewall"))
        }
    }
}
