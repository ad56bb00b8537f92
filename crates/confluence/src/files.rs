//! The bytes of attachments: the gateway answers with a signed address on another host, which is read without the token
//! (facts.md §8).

use ::http::{Response, StatusCode, header};
use async_trait::async_trait;
use bytes::Bytes;
use domain::{
    Error, ErrorKind, Result,
    files::{Downloaded, FileSource, Wanted},
    source::Reach,
    sync_run::Spent,
};

use crate::{
    capabilities::DOWNLOAD_SCOPES,
    client::{Call, Client, Price, Readable, Refused},
    limits,
    source::ConfluenceSource,
};

/// How often an answer may send a reader on before it is given up.
const HOPS_MAX: usize = 3;
/// How often a signed address is asked for anew: it may have expired on the way, or the host was busy.
const ATTEMPTS_MAX: usize = 3;

/// What the gateway says of a file: usually where it is.
enum Whereabouts {
    /// A signed address: a secret.
    Elsewhere(String),
    Here(Bytes),
}

impl Readable for Whereabouts {
    fn is_good(status: StatusCode) -> bool {
        status == StatusCode::OK || status.is_redirection()
    }

    fn read(answer: &Response<Bytes>, what: &str) -> Result<Self> {
        if answer.status() == StatusCode::OK {
            return Ok(Self::Here(answer.body().clone()));
        }
        location(answer)
            .map(Self::Elsewhere)
            .ok_or_else(|| Error::unavailable(format!("Atlassian did not say where {what} is")))
    }

    fn paid_rows(&self) -> u64 {
        1
    }
}

fn location(answer: &Response<Bytes>) -> Option<String> {
    let location = answer.headers().get(header::LOCATION)?;
    location.to_str().ok().map(str::to_owned)
}

#[async_trait]
impl FileSource for ConfluenceSource {
    async fn download(&self, reach: &Reach, wanted: &Wanted) -> Result<Downloaded> {
        let mut attempt = 0;
        let (bytes, spent) = loop {
            attempt += 1;
            match once(self.client(), reach, wanted).await {
                Err(error) if error.kind == ErrorKind::Unavailable && attempt < ATTEMPTS_MAX => {}
                other => break other?,
            }
        };
        if bytes.len() as u64 > wanted.bytes_max {
            return Err(too_large(wanted));
        }
        Ok(Downloaded {
            bytes: bytes.into(),
            spent,
        })
    }
}

async fn once(client: &Client, reach: &Reach, wanted: &Wanted) -> Result<(Bytes, Spent)> {
    let version = wanted.version.to_string();
    let path = [
        "rest",
        "api",
        "content",
        wanted.holder.as_str(),
        "child",
        "attachment",
        wanted.attachment.as_str(),
        "download",
    ];
    let call = Call {
        what: "a file",
        path: &path,
        query: &[("version", &version)],
        scopes: &DOWNLOAD_SCOPES,
        price: Price::of_rows(1, 1),
    };
    let answered = match client.get::<Whereabouts>(reach, &call).await {
        Ok(answered) => answered,
        Err(Refused::TooMuch) => return Err(too_large(wanted)),
        Err(refused) => return Err(refused.into_error("a file")),
    };
    let bytes = match answered.value {
        Whereabouts::Here(bytes) => bytes,
        Whereabouts::Elsewhere(location) => follow(client, reach, &path, location, wanted).await?,
    };
    Ok((bytes, answered.spent))
}

/// Reads a signed address, without the token, which is nobody else's business.
async fn follow(client: &Client, reach: &Reach, path: &[&str], location: String, wanted: &Wanted) -> Result<Bytes> {
    let mut base = client.endpoints().confluence(&reach.site.id, path);
    let mut location = location;
    for _ in 0..HOPS_MAX {
        let Some(url) = client.endpoints().elsewhere(&base, &location) else {
            return Err(Error::invalid(
                "Atlassian's answer for a file leads to an address that Circuit does not follow",
            ));
        };
        let answer = match client.send_bare(&url).await {
            // The port's word for an answer that is too large.
            Err(error) if error.kind == ErrorKind::Invalid => return Err(too_large(wanted)),
            other => other?,
        };
        if answer.status() == StatusCode::OK {
            return Ok(answer.into_body());
        }
        match location_of(&answer) {
            Some(next) => (base, location) = (url, next),
            None => return Err(refused(client, &answer)),
        }
    }
    Err(Error::unavailable(
        "Atlassian's address of a file leads from one to the next",
    ))
}

fn location_of(answer: &Response<Bytes>) -> Option<String> {
    location(answer).filter(|_| answer.status().is_redirection())
}

/// What the host of the bytes says has nothing to do with the grant: a refusal there is an address that expired.
fn refused(client: &Client, answer: &Response<Bytes>) -> Error {
    match answer.status() {
        StatusCode::TOO_MANY_REQUESTS => limits::failure(answer, client.clock.now(), "a file"),
        status => Error::unavailable(format!("Atlassian did not give a file ({})", status.as_u16())),
    }
}

fn too_large(wanted: &Wanted) -> Error {
    Error::invalid(format!("larger than {} MB", wanted.bytes_max >> 20))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use domain::ContentId;

    use super::*;
    use crate::tests::{Said, Script, reach, source, text};

    const SIGNED: &str = "https://media.example.com/file/1?token=hunter2";

    fn wanted(bytes_max: u64) -> Wanted {
        Wanted {
            holder: ContentId::new("7"),
            attachment: ContentId::new("att9"),
            version: 3,
            bytes_max,
        }
    }

    fn redirect(to: &str) -> Said {
        Ok(Response::builder()
            .status(302)
            .header(header::LOCATION, to)
            .body(Bytes::new())
            .unwrap())
    }

    /// URL and whether a token was shown, of each request.
    fn asked(script: &Arc<Script>) -> Vec<(String, bool)> {
        let asked = script.asked.lock().unwrap();
        asked
            .iter()
            .map(|request| {
                (
                    request.uri().to_string(),
                    request.headers().contains_key("authorization"),
                )
            })
            .collect()
    }

    #[tokio::test]
    async fn the_bytes_come_from_the_signed_address_and_the_token_is_not_shown_there() {
        let script = Script::of(vec![redirect(SIGNED), text(200, "bytes")]);
        let downloaded = source(&script).download(&reach(), &wanted(100)).await.unwrap();
        assert_eq!(
            (downloaded.bytes.as_slice(), downloaded.spent.calls),
            (b"bytes".as_slice(), 1)
        );
        let gateway = "https://api.example/ex/confluence/cloud-1/wiki/rest/api/content/7/child/attachment/att9/download?version=3";
        assert_eq!(asked(&script), [(gateway.to_owned(), true), (SIGNED.to_owned(), false)]);
    }

    #[tokio::test]
    async fn an_address_that_has_expired_is_asked_for_anew_a_few_times_and_never_named() {
        let expired = || [redirect(SIGNED), text(403, "{}")];
        let script = Script::of(
            expired()
                .into_iter()
                .chain([redirect(SIGNED), text(200, "bytes")])
                .collect(),
        );
        assert_eq!(
            source(&script).download(&reach(), &wanted(100)).await.unwrap().bytes,
            b"bytes"
        );

        let script = Script::of((0..ATTEMPTS_MAX).flat_map(|_| expired()).collect());
        let error = source(&script).download(&reach(), &wanted(100)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }

    #[tokio::test]
    async fn an_address_that_could_be_in_our_own_network_is_not_followed() {
        let script = Script::of(vec![redirect("https://169.254.169.254/latest?token=hunter2")]);
        let error = source(&script).download(&reach(), &wanted(100)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
        let script = Script::of((0..ATTEMPTS_MAX * (HOPS_MAX + 1)).map(|_| redirect(SIGNED)).collect());
        let error = source(&script).download(&reach(), &wanted(100)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn a_file_that_is_larger_than_wanted_is_said_to_be_and_one_that_is_gone_is_not_found() {
        let script = Script::of(vec![redirect(SIGNED), text(200, &"x".repeat(2 << 20))]);
        let error = source(&script).download(&reach(), &wanted(1 << 20)).await.unwrap_err();
        assert_eq!(
            (error.kind, error.message.as_str()),
            (ErrorKind::Invalid, "larger than 1 MB")
        );
        let script = Script::of(vec![text(404, r#"{"statusCode":404,"message":"no"}"#)]);
        let error = source(&script).download(&reach(), &wanted(100)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound);
    }
}
