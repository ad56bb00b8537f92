//! Given a status and a body, gives what goes over the wire, with what it costs.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response};
use serde_json::{Value, json};

/// An answer before it becomes HTTP.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    /// What it costs beyond the one point that every call costs.
    pub points: u64,
}

impl Answer {
    pub fn json(status: u16, body: &Value) -> Self {
        // A `Value` has only string keys, so it always has a spelling.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self::bytes(status, "application/json", body)
    }

    pub fn html(status: u16, body: String) -> Self {
        Self::bytes(status, "text/html; charset=utf-8", body)
    }

    pub fn bytes(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("content-type", content_type.to_owned())],
            body: body.into(),
            points: 0,
        }
    }

    pub fn redirect(location: String) -> Self {
        Self {
            status: 302,
            headers: vec![("location", location)],
            body: Bytes::new(),
            points: 0,
        }
    }

    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn costing(mut self, points: u64) -> Self {
        self.points = points;
        self
    }

    pub fn is_json(&self) -> bool {
        self.headers.contains(&("content-type", "application/json".to_owned()))
    }

    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = http::StatusCode::from_u16(self.status).unwrap_or(http::StatusCode::OK);
        for (name, value) in self.headers {
            // A header that cannot be spelled is left out, as a real proxy would.
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// The shape of v2's errors.
pub fn v2_error(status: u16, code: &str, title: &str) -> Answer {
    Answer::json(
        status,
        &json!({ "errors": [{ "status": status, "code": code, "title": title, "detail": null }] }),
    )
}

/// v2's 404, which names the thing.
pub fn v2_missing(what: &str, id: &str) -> Answer {
    v2_error(404, "NOT_FOUND", &format!("Cannot find a {what} with id [{id}]"))
}

/// The shape of v1's errors.
pub fn v1_error(status: u16, exception: &str, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({
            "statusCode": status,
            "data": { "authorized": true, "valid": true, "errors": [], "successful": true },
            "message": format!("com.atlassian.confluence.api.service.exceptions.{exception}: {message}"),
        }),
    )
}

/// The gateway's own errors.
pub fn gateway_error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({ "code": status, "message": message }))
}
