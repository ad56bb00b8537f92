//! The port to the network of this crate: a request goes out, an answer comes back piece by piece.

use ::http::{Request, Response};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use domain::{Error, Result};
use futures::{StreamExt, stream::BoxStream};

/// The body of an answer.
pub type Body = BoxStream<'static, Result<Bytes>>;

/// Sends requests. Redirects are not followed. `Unavailable` when nobody answers, or an answer breaks off; any answer
/// with a status is `Ok`. No error names more of the address than the host.
#[async_trait]
pub trait Http: Send + Sync {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>>;
}

/// The whole body, which has at most so many bytes.
pub(crate) async fn whole(mut body: Body, bytes_max: usize, who: &str) -> Result<Bytes> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        if bytes.len() + piece.len() > bytes_max {
            return Err(Error::invalid(format!("{who} answered more than {bytes_max} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}
