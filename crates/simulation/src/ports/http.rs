//! The way to Atlassian: the fake, called in process, through the gate and with what goes wrong on the line.

use ::http::{Request, Response, header};
use async_trait::async_trait;
use bytes::Bytes;
use confluence::http::{Http, Unanswered};
use domain::Error;
use fake_atlassian::FakeAtlassian;
use serde_json::{Value, json};

use crate::{
    board::{Aim, Effect, Gate, HttpFault, Port},
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
            let fault = match of_token {
                true => self.gate.board.token_fault().map(|fault| (fault, Aim::Any)),
                false => self.gate.board.http_fault(is_midway(&request)),
            };
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
        fault: Option<(HttpFault, Aim)>,
        of_token: bool,
    ) -> Result<Response<Bytes>, Unanswered> {
        match fault {
            Some((HttpFault::Unreachable, _)) => {
                self.spoiled(HttpFault::Unreachable);
                return Err(Unanswered::NeverSent(Error::unavailable(
                    "Atlassian could not be reached",
                )));
            }
            Some((fault @ HttpFault::Status { status, retry_after }, _)) => {
                self.spoiled(fault);
                return refusal(status, retry_after);
            }
            Some((HttpFault::ExpiredCursor, _)) => {
                self.spoiled(HttpFault::ExpiredCursor);
                return refusal(400, None);
            }
            _ => {}
        }
        let answer = self.fake.answer(request).await;
        let good = answer.status().is_success();
        if of_token && good {
            let lost = fault.is_some_and(|(fault, _)| fault == HttpFault::Cut);
            self.judge.token_answered(self.gate.life, lost);
        }
        let Some((fault, aim)) = fault else {
            return Ok(answer);
        };
        let spoilt = match fault {
            HttpFault::Cut => {
                self.spoiled(fault);
                return Err(Unanswered::Lost(Error::unavailable("the line to Atlassian was cut")));
            }
            _ if of_token || !good => None,
            HttpFault::Malformed => Some(halved(&answer)),
            HttpFault::Duplicate => rewritten(&answer, duplicated),
            HttpFault::BadRow => rewritten(&answer, bad),
            HttpFault::DroppedNext => rewritten(&answer, ended),
            HttpFault::Unreachable | HttpFault::Status { .. } | HttpFault::ExpiredCursor => None,
        };
        let Some(spoilt) = spoilt else {
            // It waits for an answer that it can spoil.
            if !of_token {
                self.gate.board.spoil_answer(fault, aim);
            }
            return Ok(answer);
        };
        self.spoiled(fault);
        if matches!(fault, HttpFault::DroppedNext | HttpFault::BadRow) {
            self.judge.misled(self.gate.life);
        }
        Ok(answer.map(|_| spoilt))
    }

    fn spoiled(&self, fault: HttpFault) {
        self.gate.board.mention(format!("the answer is spoiled: {fault:?}"));
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

/// In the midst of a listing.
fn is_midway(request: &Request<Bytes>) -> bool {
    request.uri().query().is_some_and(|query| query.contains("cursor="))
}

fn halved(answer: &Response<Bytes>) -> Bytes {
    answer.body().slice(..answer.body().len() / 2)
}

/// None if there is nothing to change.
fn rewritten(answer: &Response<Bytes>, change: fn(&mut Value) -> Option<()>) -> Option<Bytes> {
    let mut value = serde_json::from_slice::<Value>(answer.body()).ok()?;
    change(&mut value)?;
    Some(Bytes::from(value.to_string()))
}

fn duplicated(value: &mut Value) -> Option<()> {
    let rows = value.get_mut("results")?.as_array_mut()?;
    rows.push(rows.first()?.clone());
    Some(())
}

fn bad(value: &mut Value) -> Option<()> {
    let first = value.get_mut("results")?.as_array_mut()?.first_mut()?;
    *first.get_mut("title")? = json!({ "not": "a title" });
    Some(())
}

fn ended(value: &mut Value) -> Option<()> {
    let next = value
        .get_mut("_links")?
        .get_mut("next")
        .filter(|next| !next.is_null())?;
    *next = json!(null);
    Some(())
}
