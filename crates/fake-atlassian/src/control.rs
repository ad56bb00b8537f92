//! `/_world`: changes the world, makes things go wrong, and tells the truth. JSON in, JSON out; nobody is asked who they
//! are, because this listens where only its user can reach it.

mod access;
mod belongings;
mod change;
mod person;
mod space;
mod target;
mod watch;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::{answer::Answer, fake::Fake, query::Query};

/// Why a control request was not done.
pub struct Refused {
    pub status: u16,
    pub reason: String,
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self { status: 400, reason }
    }
}

impl From<&str> for Refused {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

pub fn missing(reason: String) -> Refused {
    Refused { status: 404, reason }
}

pub type Done = Result<Value, Refused>;

pub fn answer(fake: &Fake, request: &Request<Bytes>) -> Answer {
    let path = request.uri().path();
    let name = path.trim_start_matches("/_world").trim_matches('/');
    let query = Query::parsed(request.uri().query().unwrap_or_default());
    let done = match (request.method(), name) {
        (&Method::GET, "") => return Answer::html(200, HELP.to_owned()),
        (&Method::GET, "log") => Ok(fake.journal().rendered()),
        (&Method::DELETE, "log") => {
            fake.journal().clear();
            Ok(json!({ "cleared": true }))
        }
        (&Method::GET, "stats") => Ok(watch::stats(fake)),
        (&Method::GET, "truth") => watch::truth(fake, &query),
        (&Method::POST, name) => posted(fake, name, request.body()),
        (_, name) => Err(missing(format!(
            "there is no {} /_world/{name}; see GET /_world/",
            request.method()
        ))),
    };
    match done {
        Ok(value) => Answer::json(200, &value),
        Err(Refused { status, reason }) => Answer::json(status, &json!({ "error": reason })),
    }
}

fn posted(fake: &Fake, name: &str, body: &[u8]) -> Done {
    let asked: Value = match body.is_empty() {
        true => json!({}),
        false => serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))?,
    };
    asked_for(fake, name, asked)
}

/// What `POST /_world/{name}` does.
pub fn asked_for(fake: &Fake, name: &str, asked: Value) -> Done {
    if !asked.is_object() {
        return Err("the body must be a JSON object".into());
    }
    if let Some(done) = person::change(fake, name, &asked) {
        return done;
    }
    match name {
        "faults" => watch::faults(fake, asked),
        "clock" => watch::clock(fake, &asked),
        "quota" => watch::quota(fake, &asked),
        name => change::change(fake, name, &asked),
    }
}

const HELP: &str = include_str!("control/help.html");
