//! Given a request to any of Atlassian's hosts, gives the answer: what goes wrong on request first, then the host whose
//! path it is.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Map, Value, json};

use crate::{
    answer::{Answer, gateway_error},
    control,
    fake::Fake,
    journal::JournalRow,
    moment,
    oauth::Bearer,
    query::Query,
    world::Site,
};

/// The longest path, and the longest query, that the journal keeps, in bytes.
const JOURNAL_TEXT_MAX: usize = 4_096;
const API_PREFIX: &str = "/ex/confluence/";

/// An answer, and whether the line breaks while it is sent.
pub struct Reply {
    pub answer: Answer,
    pub cut: bool,
}

/// An answer with what the journal says of it.
pub struct Settled {
    pub answer: Answer,
    pub account: Option<String>,
    pub points: u64,
}

impl From<Answer> for Settled {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            account: None,
            points: 0,
        }
    }
}

impl Fake {
    pub async fn reply(&self, request: Request<Bytes>) -> Reply {
        let path = request.uri().path();
        if path == "/_world" || path.starts_with("/_world/") {
            let answer = control::answer(self, &request);
            return Reply { answer, cut: false };
        }
        let latency_ms = self.faults().latency_ms;
        self.take(latency_ms).await;
        let path_and_query = request.uri().path_and_query().map_or(path, |both| both.as_str());
        let instead = self.faults().instead(path_and_query);
        let throttled = match (&instead, path.starts_with(API_PREFIX)) {
            (None, true) => self.faults().throttles(),
            _ => None,
        };
        let mut settled = match instead.or(throttled) {
            Some(answer) => Settled::from(answer),
            None => self.settled(&request),
        };
        if settled.answer.status == 200 && settled.answer.is_json() {
            self.faults().spoil(&mut settled.answer.body);
        }
        self.note(&request, &settled);
        let cut = settled.answer.status == 200 && self.faults().cuts(path_and_query);
        Reply {
            answer: settled.answer.with_header("date", moment::http(self.now())),
            cut,
        }
    }

    fn settled(&self, request: &Request<Bytes>) -> Settled {
        let (method, path) = (request.method(), request.uri().path());
        let query = Query::parsed(request.uri().query().unwrap_or_default());
        if let Some(rest) = path.strip_prefix(API_PREFIX) {
            return self.through_gateway(request, rest, &query);
        }
        match (method, path) {
            (&Method::GET, "/authorize") => self.authorize_page(&query).into(),
            (&Method::POST, "/authorize") => self.authorize_answer(&form(request)).into(),
            (&Method::POST, "/oauth/token") => self.token(request).into(),
            (&Method::GET, "/oauth/token/accessible-resources") => self.accessible_resources(request),
            (&Method::GET, path) if path.starts_with("/media/file/") => {
                let file_id = path.trim_start_matches("/media/file/").trim_end_matches("/binary");
                self.media(file_id, &query, request.headers()).into()
            }
            _ => Answer::json(404, &json!({ "code": 404, "message": "Not Found" })).into(),
        }
    }

    fn note(&self, request: &Request<Bytes>, settled: &Settled) {
        let uri = request.uri();
        // Elsewhere than at the gateway a query holds a state, a code or a signature.
        let query = match uri.path().starts_with(API_PREFIX) {
            true => uri.query().unwrap_or_default(),
            false => "",
        };
        self.journal().note(JournalRow {
            at: self.now(),
            method: request.method().to_string(),
            path: noted(uri.path()),
            query: noted(query),
            status: settled.answer.status,
            points: settled.points,
            account: settled.account.clone(),
        });
    }

    pub fn bearer_of(&self, request: &Request<Bytes>) -> Option<Bearer> {
        let header = request.headers().get("authorization")?.to_str().ok()?;
        let (scheme, token) = header.split_once(' ')?;
        match scheme.eq_ignore_ascii_case("bearer") {
            true => self.oauth().bearer(token.trim(), self.now()),
            false => None,
        }
    }

    fn token(&self, request: &Request<Bytes>) -> Answer {
        let is_form = request
            .headers()
            .get("content-type")
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let asked = match is_form {
            true => {
                let fields = form(request);
                Value::Object(
                    fields
                        .pairs()
                        .map(|(name, value)| (name.to_owned(), json!(value)))
                        .collect::<Map<_, _>>(),
                )
            }
            false => match serde_json::from_slice(request.body()) {
                Ok(asked) => asked,
                Err(_) => {
                    let body = json!({ "error": "invalid_request", "error_description": "The body is not JSON" });
                    return Answer::json(400, &body);
                }
            },
        };
        let (refresh_error, now) = (self.faults().refresh_error.clone(), self.now());
        self.oauth().exchange(&asked, &refresh_error, now)
    }

    fn accessible_resources(&self, request: &Request<Bytes>) -> Settled {
        let Some(bearer) = self.bearer_of(request) else {
            return gateway_error(401, "Unauthorized").into();
        };
        let world = self.world();
        let every: Vec<&str> = ALL_SCOPES.to_vec();
        let resource = |site: &Site| {
            let scopes: Vec<&str> = match &bearer.grant {
                Some(grant) => grant
                    .scopes
                    .iter()
                    .map(String::as_str)
                    .filter(|scope| *scope != "offline_access")
                    .collect(),
                None => every.clone(),
            };
            json!({
                "id": site.cloud_id,
                "url": site.url(),
                "name": site.name,
                "scopes": scopes,
                "avatarUrl": "https://site-admin-avatar-cdn.prod.public.atl-paas.net/avatars/240/jersey.png",
            })
        };
        let person = world.person(&bearer.account);
        let theirs = |site: &&Site| {
            bearer.includes(&site.cloud_id) && person.is_some_and(|person| site.members.contains(&person))
        };
        let sites: Vec<Value> = world.sites.iter().filter(theirs).map(resource).collect();
        Settled {
            answer: Answer::json(200, &Value::Array(sites)),
            account: Some(bearer.account.clone()),
            points: 0,
        }
    }
}

/// As much of it as the journal keeps.
fn noted(text: &str) -> String {
    let end = (0..=JOURNAL_TEXT_MAX.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    text[..end.unwrap_or(0)].to_owned()
}

fn form(request: &Request<Bytes>) -> Query {
    Query::parsed(&String::from_utf8_lossy(request.body()))
}

/// What a ready token is said to have.
const ALL_SCOPES: [&str; 19] = [
    "read:confluence-content.all",
    "read:confluence-content.summary",
    "read:confluence-space.summary",
    "read:confluence-user",
    "search:confluence",
    "readonly:content.attachment:confluence",
    "read:space:confluence",
    "read:page:confluence",
    "read:blogpost:confluence",
    "read:comment:confluence",
    "read:attachment:confluence",
    "read:user:confluence",
    "read:group:confluence",
    "read:label:confluence",
    "read:folder:confluence",
    "read:hierarchical-content:confluence",
    "read:content.metadata:confluence",
    "read:content-details:confluence",
    "read:configuration:confluence",
];
