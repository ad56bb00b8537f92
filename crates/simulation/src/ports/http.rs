//! The way to Atlassian: the fake, called in process, through the gate and with what goes wrong on the line.

use ::http::{Request, Response, header};
use async_trait::async_trait;
use bytes::Bytes;
use confluence::http::{Http, Unanswered};
use domain::Error;
use fake_atlassian::FakeAtlassian;
use serde_json::{Value, json};

use crate::{
    board::{Effect, Gate, HttpFault, Port},
    judge::Judge,
};

/// The line of whoever sets the world up: nothing goes wrong on it.
pub struct Direct(pub FakeAtlassian);

#[async_trait]
impl Http for Direct {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        Ok(self.0.answer(request).await)
    }
}

/// The line of one process.
pub struct GatedHttp {
    pub gate: Gate,
    pub fake: FakeAtlassian,
    pub judge: Judge,
    /// The most rows that any listing of this world's Atlassian answers with: it gives fewer than were asked for when it
    /// likes (facts.md §5), and small worlds have listings of several answers.
    pub rows_max: usize,
}

#[async_trait]
impl Http for GatedHttp {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, Unanswered> {
        let what = format!("{} {}", request.method(), request.uri());
        let of_token = request.uri().path() == "/oauth/token";
        let sending = async {
            self.judge.asked(self.gate.life, &request);
            let fault = self.gate.board.http_fault(of_token);
            if let Some(fault) = fault {
                self.gate.board.mention(format!("the answer is spoiled: {fault:?}"));
            }
            Ok(self.answered(self.with_fewer_rows(request), fault, of_token).await)
        };
        let passed = self.gate.pass(Port::Http, what, Effect::Reads, sending).await;
        passed.map_err(Unanswered::Lost)?
    }
}

impl GatedHttp {
    async fn answered(
        &self,
        request: Request<Bytes>,
        fault: Option<HttpFault>,
        of_token: bool,
    ) -> Result<Response<Bytes>, Unanswered> {
        let has_cursor = request.uri().query().is_some_and(|query| query.contains("cursor="));
        match fault {
            Some(HttpFault::Unreachable) => {
                return Err(Unanswered::NeverSent(Error::unavailable(
                    "Atlassian could not be reached",
                )));
            }
            Some(HttpFault::Status { status, retry_after }) => return refusal(status, retry_after),
            Some(HttpFault::ExpiredCursor) if has_cursor => return refusal(400, None),
            _ => {}
        }
        let answer = self.fake.answer(request).await;
        if matches!(fault, Some(HttpFault::DroppedNext | HttpFault::BadRow)) {
            self.judge.misled(self.gate.life);
        }
        let good = answer.status().is_success();
        if of_token && good {
            self.judge.token_answered(self.gate.life, fault == Some(HttpFault::Cut));
        }
        match fault {
            Some(HttpFault::Cut) => Err(Unanswered::Lost(Error::unavailable("the line to Atlassian was cut"))),
            Some(HttpFault::Malformed) if good && !of_token => Ok(halved(answer)),
            Some(HttpFault::Duplicate) if good => Ok(rewritten(answer, duplicated)),
            Some(HttpFault::BadRow) if good => Ok(rewritten(answer, bad)),
            Some(HttpFault::DroppedNext) if good => Ok(rewritten(answer, ended)),
            _ => Ok(answer),
        }
    }

    fn with_fewer_rows(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        let uri = request.uri().to_string();
        // What is named by id or chosen is answered at once.
        let named = uri.contains("/spaces?") || uri.contains("?id=") || uri.contains("&id=") || uri.contains("/user/");
        if named {
            return request;
        }
        let Some(at) = uri.find("limit=").map(|at| at + "limit=".len()) else {
            return request;
        };
        let digits = uri[at..].bytes().take_while(u8::is_ascii_digit).count();
        let asked: usize = uri[at..at + digits].parse().unwrap_or(usize::MAX);
        if asked > self.rows_max {
            let fewer = format!("{}{}{}", &uri[..at], self.rows_max, &uri[at + digits..]);
            if let Ok(fewer) = fewer.parse() {
                *request.uri_mut() = fewer;
            }
        }
        request
    }
}

fn refusal(status: u16, retry_after: Option<i64>) -> Result<Response<Bytes>, Unanswered> {
    let mut answer = Response::builder().status(status);
    if let Some(seconds) = retry_after {
        answer = answer.header(header::RETRY_AFTER, seconds);
    }
    answer
        .body(Bytes::from_static(b"{}"))
        .map_err(|error| Unanswered::NeverSent(Error::internal("a refusal could not be made").because(error)))
}

fn halved(answer: Response<Bytes>) -> Response<Bytes> {
    answer.map(|body| body.slice(..body.len() / 2))
}

fn rewritten(answer: Response<Bytes>, change: fn(&mut Value)) -> Response<Bytes> {
    answer.map(|body| match serde_json::from_slice::<Value>(&body) {
        Ok(mut value) => {
            change(&mut value);
            Bytes::from(value.to_string())
        }
        Err(_) => body,
    })
}

fn duplicated(value: &mut Value) {
    if let Some(rows) = value.get_mut("results").and_then(Value::as_array_mut)
        && let Some(first) = rows.first().cloned()
    {
        rows.push(first);
    }
}

fn bad(value: &mut Value) {
    if let Some(rows) = value.get_mut("results").and_then(Value::as_array_mut)
        && let Some(first) = rows.first_mut()
        && let Some(title) = first.get_mut("title")
    {
        *title = json!({ "not": "a title" });
    }
}

fn ended(value: &mut Value) {
    if let Some(next) = value.get_mut("_links").and_then(|links| links.get_mut("next")) {
        *next = json!(null);
    }
}
