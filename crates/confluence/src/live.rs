//! Live docs: edited without being published, so that a listing may show them empty while an earlier version holds the
//! text (facts.md §7).

use domain::{
    ErrorKind, Result,
    document::{Body, Document},
    source::Reach,
    sync_run::Spent,
};

use crate::{
    client::{Call, Client, Price, Refused},
    pages,
    wire::PageRow,
};

/// How many versions back the text is looked for.
const VERSIONS_BACK_MAX: u32 = 3;

/// Whether it has no text, and had versions that may have had some.
pub fn is_hollow(document: &Document) -> bool {
    document.version > 1 && is_blank(&document.body)
}

fn is_blank(body: &Body) -> bool {
    match body {
        Body::None => true,
        Body::Storage(text) => matches!(text.trim(), "" | "<p />" | "<p/>" | "<p></p>"),
        Body::Adf(text) | Body::File(text) => text.trim().is_empty(),
    }
}

/// The newest text of the versions before this one, if there is any, and what looking cost.
pub async fn earlier_body(client: &Client, reach: &Reach, document: &Document) -> Result<(Option<Body>, Spent)> {
    let mut spent = Spent::default();
    let id = document.id.content.as_str();
    let oldest = document.version.saturating_sub(VERSIONS_BACK_MAX).max(1);
    for version in (oldest..document.version).rev() {
        let number = version.to_string();
        let call = Call {
            what: "an earlier version of a live doc",
            path: &["api", "v2", "pages", id],
            query: &[("version", &number), ("body-format", "storage")],
            scopes: &["read:page:confluence"],
            price: Price::of_rows(1, 1),
        };
        match client.get::<PageRow>(reach, &call).await {
            Ok(answered) => {
                spent = spent.plus(answered.spent);
                let (body, _) = pages::body(answered.value.body, id, &document.title);
                if !is_blank(&body) {
                    return Ok((Some(body), spent));
                }
            }
            // Gone meanwhile: the walk will see.
            Err(Refused::Because(error)) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => break,
            Err(refused) => return Err(refused.into_error(call.what)),
        }
    }
    Ok((None, spent))
}
