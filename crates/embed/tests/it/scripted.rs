//! A network whose answers are written down.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{Error, Result};
use embed::http::{Body, Http};
use futures::{StreamExt, stream};
use http::{Request, Response};

type Answer = Box<dyn Fn(&Request<Bytes>) -> Result<Response<Body>> + Send + Sync>;

/// Answers with what `answer` says, or with the scripted answers one after the other.
pub struct Scripted {
    answers: Mutex<VecDeque<Answer>>,
    always: Option<Answer>,
    pub asked: Mutex<Vec<Request<Bytes>>>,
}

impl Scripted {
    pub fn always(answer: impl Fn(&Request<Bytes>) -> Result<Response<Body>> + Send + Sync + 'static) -> Arc<Self> {
        Self::with(Vec::new(), Some(Box::new(answer)))
    }

    /// First these, then `always`.
    pub fn first(
        answers: Vec<Answer>,
        always: impl Fn(&Request<Bytes>) -> Result<Response<Body>> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Self::with(answers, Some(Box::new(always)))
    }

    fn with(answers: Vec<Answer>, always: Option<Answer>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into()),
            always,
            asked: Mutex::default(),
        })
    }

    pub fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Http for Scripted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>> {
        self.asked.lock().unwrap().push(request.clone());
        let next = self.answers.lock().unwrap().pop_front();
        match (next, &self.always) {
            (Some(answer), _) => answer(&request),
            (None, Some(answer)) => answer(&request),
            (None, None) => Err(Error::unavailable("nobody is there")),
        }
    }
}

/// An answer in pieces of 1,000 bytes.
pub fn answer(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Result<Response<Body>> {
    let body: Vec<u8> = body.into();
    let pieces: Vec<Result<Bytes>> = body
        .chunks(1_000)
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(stream::iter(pieces).boxed()).unwrap())
}

pub fn boxed(answer: impl Fn(&Request<Bytes>) -> Result<Response<Body>> + Send + Sync + 'static) -> Answer {
    Box::new(answer)
}
