//! Given a listener, gives the fake over HTTP, where a cut answer really ends in the middle.

use std::{future::Future, io, sync::Arc};

use axum::{Router, body::Body, extract::Request, response::Response, serve::ListenerExt};
use bytes::Bytes;
use futures::stream::{self, StreamExt};
use http::StatusCode;
use tokio::net::TcpListener;

use crate::fake::Fake;

/// The largest request read: an attachment put in through `/_world/attach` in base64.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

pub async fn serve(
    fake: Arc<Fake>,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let router = Router::new().fallback(move |request: Request| {
        let fake = fake.clone();
        async move { respond(&fake, request).await }
    });
    let listener = listener.tap_io(|stream| {
        // Without it the end of an answer may wait for the client's delayed acknowledgement. A failure costs only that.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).with_graceful_shutdown(shutdown).await
}

async fn respond(fake: &Fake, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = match axum::body::to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => body,
        Err(_) => {
            let mut response = Response::new(Body::from("the request is too large or was cut"));
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            return response;
        }
    };
    let reply = fake.reply(http::Request::from_parts(parts, body)).await;
    let response = reply.answer.into_response();
    match reply.cut {
        false => response.map(Body::from),
        true => response.map(cut_in_the_middle),
    }
}

fn cut_in_the_middle(body: Bytes) -> Body {
    let half = body.slice(..body.len() / 2);
    let begun = stream::once(async move { Ok(half) });
    let broken = stream::once(async {
        // What was written goes out before the line breaks.
        tokio::task::yield_now().await;
        Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut on request"))
    });
    Body::from_stream(begun.chain(broken))
}
