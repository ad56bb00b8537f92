//! A document as a person reads it: its text as Markdown, an outline, what stands around it, and where its links lead.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    AccountId, ContentId, DocumentId, Error, FeedId, IndexId, Result, SpaceId,
    address::Place,
    document::{Body, DocumentKind, Held},
    file_text::FileText,
    store::DocumentRow,
};
use extract::{Block, People, Span, Surroundings, Target};

use crate::App;

/// So much text is rendered in less time than another thread takes to begin.
const BYTES_IN_PLACE: usize = 16 << 10;
/// The most people of one text whose names are looked up.
const PEOPLE_MAX: usize = 2_000;
/// The most links of one text that are looked for in the index; the others lead to Confluence.
const LINKS_MAX: usize = 1_000;
/// The most comments, and the most attachments, that are shown with a page; more are counted.
pub const HANGING_MAX: usize = 50;
/// The longest title, in characters, of a link that is looked for: no document has a longer one.
const TITLE_CHARS_MAX: usize = domain::document::TITLE_CHARS_MAX;

/// What a person reads of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Without the title.
    pub markdown: String,
    /// What of an attached file was left out, in a sentence; none when all of it was read.
    pub left_out: Option<String>,
    pub outline: Vec<Heading>,
    /// From the top of the space down to the parent.
    pub above: Vec<Above>,
    pub attachments: Hanging,
    pub comments: Hanging,
    /// The addresses in the Markdown that lead to a document of this index.
    pub links: BTreeMap<String, DocumentId>,
}

/// A heading of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heading {
    /// 1 to 6.
    pub level: u8,
    pub text: String,
    /// The id that Confluence gives it.
    pub anchor: String,
}

/// A page above a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Above {
    pub title: String,
    /// None when it is not found in this index.
    pub document: Option<DocumentId>,
}

/// What hangs on a page, of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hanging {
    /// Oldest first, at most [`HANGING_MAX`].
    pub rows: Vec<DocumentRow>,
    pub total: u64,
}

/// A document as Markdown, below its title.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    pub markdown: String,
    /// As in [`Reading`].
    pub left_out: Option<String>,
}

/// What is made of a body.
struct Text {
    markdown: String,
    left_out: Option<String>,
    outline: Vec<Heading>,
    links: Vec<(String, Target)>,
}

/// Where a passage of this document is opened, and its text; none when it has no passage of this place.
pub fn passage(held: &Held, ordinal: u32) -> Option<(String, String)> {
    let passages = extract::passages(held);
    let passage = passages.into_iter().find(|passage| passage.ordinal == ordinal)?;
    Some((passage.url, passage.text))
}

impl App {
    /// What there is to read of a document that this caller was given.
    pub async fn reading(&self, index: IndexId, held: Held) -> Result<(Held, Reading)> {
        let (held, text) = self.text(held).await?;
        let shown = Shown {
            app: self,
            feed: held.feed,
            hidden: self.store().suspended_spaces(index).await?,
        };
        let reading = Reading {
            markdown: text.markdown,
            left_out: text.left_out,
            outline: text.outline,
            above: shown.above(&held).await?,
            attachments: shown.hanging(&held, DocumentKind::Attachment).await?,
            comments: shown.hanging(&held, DocumentKind::Comment).await?,
            links: shown.links(&held, text.links).await?,
        };
        Ok((held, reading))
    }

    /// The document's text as Markdown, below its title.
    pub async fn markdown(&self, held: Held) -> Result<String> {
        Ok(self.written(held).await?.markdown)
    }

    /// The same, with what of it was left out.
    pub async fn written(&self, held: Held) -> Result<Written> {
        let title = vec![Block::Heading {
            level: 1,
            anchor: String::new(),
            spans: vec![Span::words(
                held.document.title.split_whitespace().collect::<Vec<_>>().join(" "),
            )],
        }];
        let title = extract::markdown(&title, &Surroundings::none());
        let (_, text) = self.text(held).await?;
        let parts: Vec<&str> = [title.as_str(), text.markdown.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        Ok(Written {
            markdown: parts.join("\n\n") + "\n",
            left_out: text.left_out,
        })
    }

    async fn text(&self, held: Held) -> Result<(Held, Text)> {
        let bytes = held.document.body.text().len();
        let (held, blocks) = aside(bytes, move || {
            let blocks = blocks(&held);
            (held, blocks)
        })
        .await?;
        let mentioned: BTreeSet<AccountId> = extract::mentioned(&blocks).into_iter().take(PEOPLE_MAX).collect();
        let mut people = match mentioned.is_empty() {
            true => People::new(),
            false => self.store().names(&held.document.id.site, &mentioned).await?,
        };
        for person in held.author.iter().chain(&held.editor) {
            people
                .entry(person.account.clone())
                .or_insert_with(|| person.name.clone());
        }
        aside(bytes, move || {
            let text = text(&held, &blocks, &people);
            (held, text)
        })
        .await
    }
}

/// Large work is done where nobody waits for it.
async fn aside<T: Send + 'static>(bytes: usize, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    match bytes {
        ..=BYTES_IN_PLACE => Ok(work()),
        _ => tokio::task::spawn_blocking(work)
            .await
            .map_err(|panic| Error::internal("the document could not be rendered").because(panic)),
    }
}

/// The body's blocks, after what a comment quotes.
fn blocks(held: &Held) -> Vec<Block> {
    let document = &held.document;
    let quoted = document.comment.as_ref().and_then(|comment| comment.quoted.as_deref());
    let quoted = quoted.map(|quoted| quoted.split_whitespace().collect::<Vec<_>>().join(" "));
    let quote = |words: String| Block::Quote(vec![Block::Paragraph(vec![Span::words(words)])]);
    let mut blocks: Vec<Block> = quoted
        .filter(|words| !words.is_empty())
        .map(quote)
        .into_iter()
        .collect();
    blocks.extend(extract::blocks(document));
    blocks
}

fn text(held: &Held, blocks: &[Block], people: &People) -> Text {
    let surroundings = surroundings(held, people);
    let heading = |entry: extract::OutlineEntry| Heading {
        level: entry.level,
        text: entry.text,
        anchor: entry.anchor,
    };
    let mut links = BTreeMap::new();
    for target in extract::spans(blocks).filter_map(|span| span.manner.link.as_deref()) {
        if links.len() >= LINKS_MAX {
            break;
        }
        if let Some(address) = surroundings.address(target) {
            links.entry(address).or_insert_with(|| target.clone());
        }
    }
    Text {
        markdown: extract::markdown(blocks, &surroundings),
        left_out: left_out(&held.document.body),
        outline: extract::outline(blocks, people).into_iter().map(heading).collect(),
        links: links.into_iter().collect(),
    }
}

/// What of a file was left out, in a sentence.
fn left_out(body: &Body) -> Option<String> {
    match body {
        Body::File(json) => FileText::left_out_of_body(json).map(|left_out| left_out.to_string()),
        Body::Storage(_) | Body::Adf(_) | Body::None => None,
    }
}

/// A comment names the files of its page.
fn surroundings<'a>(held: &'a Held, people: &'a People) -> Surroundings<'a> {
    let own = Surroundings::of(held, people);
    let document = &held.document;
    match (document.kind, &document.parent) {
        (DocumentKind::Comment, Some(page)) => Surroundings {
            page: page.as_str(),
            ..own
        },
        (DocumentKind::Comment | DocumentKind::Page | DocumentKind::BlogPost | DocumentKind::Attachment, _) => own,
    }
}

/// What of a feed may be shown.
struct Shown<'a> {
    app: &'a App,
    feed: FeedId,
    hidden: BTreeSet<(FeedId, SpaceId)>,
}

impl Shown<'_> {
    fn is_hidden(&self, space: &SpaceId) -> bool {
        self.hidden.contains(&(self.feed, space.clone()))
    }

    async fn above(&self, held: &Held) -> Result<Vec<Above>> {
        let Some(parent) = &held.document.parent else {
            return Ok(Vec::new());
        };
        let ancestors = self.app.store().ancestors(self.feed, parent).await?;
        let above = ancestors.into_iter().map(|ancestor| {
            let shown = ancestor.removed.is_none() && !self.is_hidden(&ancestor.space);
            Above {
                document: shown.then(|| beside(held, &ancestor.id)),
                title: ancestor.title,
            }
        });
        Ok(above.collect())
    }

    async fn hanging(&self, held: &Held, kind: DocumentKind) -> Result<Hanging> {
        if held.document.kind.is_optional() {
            return Ok(Hanging::default());
        }
        let on = &held.document.id.content;
        let (rows, total) = self.app.store().hanging(self.feed, on, kind, HANGING_MAX).await?;
        Ok(Hanging { rows, total })
    }

    /// Those of the links that lead to what this index shows: one query for the ids, and one for the titles of each space.
    async fn links(&self, held: &Held, links: Vec<(String, Target)>) -> Result<BTreeMap<String, DocumentId>> {
        let mut led = BTreeMap::new();
        if links.is_empty() {
            return Ok(led);
        }
        let site = self.app.source().address(&held.document.url).and_then(|own| own.host);
        let spaces = self.app.store().feed_spaces(self.feed).await?;
        let of_key = |key: &str| {
            let mut spaces = spaces.iter();
            let space = spaces.find(|space| space.space.key.eq_ignore_ascii_case(key))?;
            Some(space.space.id.clone())
        };
        let mut by_id: BTreeMap<ContentId, Vec<String>> = BTreeMap::new();
        let mut by_title: BTreeMap<SpaceId, BTreeMap<String, Vec<String>>> = BTreeMap::new();
        for (address, target) in links {
            match self.named(&target, site.as_deref()) {
                Some(Named::Id(id)) => by_id.entry(id).or_default().push(address),
                Some(Named::Title { key, title }) => {
                    let space = match key {
                        Some(key) => of_key(&key),
                        None => Some(held.document.space.clone()),
                    };
                    if let Some(space) = space.filter(|_| title.chars().count() <= TITLE_CHARS_MAX) {
                        let titles = by_title.entry(space).or_default();
                        titles.entry(title).or_default().push(address);
                    }
                }
                None => {}
            }
        }
        let ids: Vec<ContentId> = by_id.keys().cloned().collect();
        for (id, known) in self.app.store().known(self.feed, &ids).await? {
            if known.removed.is_none() && !self.is_hidden(&known.space) {
                let addresses = by_id.remove(&id).unwrap_or_default();
                led.extend(addresses.into_iter().map(|address| (address, beside(held, &id))));
            }
        }
        for (space, mut addresses) in by_title {
            if self.is_hidden(&space) {
                continue;
            }
            let titles = addresses.keys().cloned().collect();
            for (title, id) in self.app.store().titled(self.feed, &space, &titles).await? {
                let addresses = addresses.remove(&title).unwrap_or_default();
                led.extend(addresses.into_iter().map(|address| (address, beside(held, &id))));
            }
        }
        Ok(led)
    }

    /// The document that a link names, if it is one of this site that may be held.
    fn named(&self, target: &Target, site: Option<&str>) -> Option<Named> {
        match target {
            Target::Page { id: Some(id), .. } => Some(Named::Id(ContentId::new(id.as_str()))),
            Target::Page { space, title, .. } => Some(Named::Title {
                key: space.clone(),
                title: title.clone(),
            }),
            Target::Url(url) => {
                let address = self.app.source().address(url)?;
                if address.host.is_none() || address.host.as_deref() != site {
                    return None;
                }
                match address.place {
                    Place::Content(named) => Some(Named::Id(named.id)),
                    Place::Titled { key, title } => Some(Named::Title { key: Some(key), title }),
                    Place::File { .. } | Place::Space { .. } | Place::NotCarried { .. } | Place::Elsewhere => None,
                }
            }
            Target::Attachment { .. } | Target::Space(_) | Target::Person(_) | Target::Anchor(_) | Target::Issue(_) => {
                None
            }
        }
    }
}

/// A document as a link names it.
enum Named {
    Id(ContentId),
    Title { key: Option<String>, title: String },
}

fn beside(held: &Held, id: &ContentId) -> DocumentId {
    DocumentId {
        site: held.document.id.site.clone(),
        content: id.clone(),
    }
}
