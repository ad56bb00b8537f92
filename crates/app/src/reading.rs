//! A document as its text is read.

use domain::{Error, Result, document::Held};
use extract::{Block, People, Span, Surroundings};

use crate::App;

/// So much text is rendered in less time than another thread takes to begin.
const BYTES_IN_PLACE: usize = 16 << 10;

/// Where a passage of this document is opened, and its text; none when it has no passage of this place.
pub fn passage(held: &Held, ordinal: u32) -> Option<(String, String)> {
    let passages = extract::passages(held);
    let passage = passages.into_iter().find(|passage| passage.ordinal == ordinal)?;
    Some((passage.url, passage.text))
}

impl App {
    /// The document's text as Markdown, below its title.
    pub async fn markdown(&self, held: Held) -> Result<String> {
        match held.document.body.text().len() {
            ..=BYTES_IN_PLACE => Ok(markdown(&held)),
            _ => tokio::task::spawn_blocking(move || markdown(&held))
                .await
                .map_err(|panic| Error::internal("the document could not be rendered").because(panic)),
        }
    }
}

fn markdown(held: &Held) -> String {
    let people: People = held
        .author
        .iter()
        .chain(&held.editor)
        .map(|person| (person.account.clone(), person.name.clone()))
        .collect();
    let title = held.document.title.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut blocks = vec![Block::Heading {
        level: 1,
        anchor: String::new(),
        spans: vec![Span::words(title)],
    }];
    blocks.extend(extract::blocks(&held.document));
    extract::markdown(&blocks, &Surroundings::of(held, &people)) + "\n"
}
