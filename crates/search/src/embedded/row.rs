//! A passage as bytes and back: what a hit shows, beside the index's own columns.

use domain::{
    AccountId, ContentId, DocumentId, Error, FeedId, Result, SiteId, SpaceId, Timestamp,
    document::{DocumentKind, Person},
    passage::Passage,
};
use tantivy::{DocAddress, Searcher, TantivyDocument, schema::Value};

use super::handle::{Handle, failed};

pub fn written(passage: &Passage) -> Vec<u8> {
    let mut row = Vec::with_capacity(passage.text.len() + 256);
    for number in [
        passage.feed.0,
        i64::from(passage.ordinal),
        passage.created_at.0,
        passage.modified_at.0,
    ] {
        row.extend(number.to_le_bytes());
    }
    for text in [
        passage.document.site.as_str(),
        passage.document.content.as_str(),
        passage.kind.word(),
        passage.space.as_str(),
        &passage.space_key,
        &passage.space_name,
        &passage.title,
        &passage.url,
        &passage.text,
    ] {
        put(&mut row, text);
    }
    for person in [&passage.author, &passage.editor] {
        put(&mut row, person.as_ref().map_or("", |person| person.account.as_str()));
        put(&mut row, person.as_ref().map_or("", |person| &person.name));
    }
    for list in [&passage.breadcrumb, &passage.headings, &passage.labels] {
        row.extend((list.len() as u32).to_le_bytes());
        list.iter().for_each(|text| put(&mut row, text));
    }
    row
}

fn put(row: &mut Vec<u8>, text: &str) {
    row.extend((text.len() as u32).to_le_bytes());
    row.extend(text.as_bytes());
}

/// The passage in this place.
pub fn of(handle: &Handle, searcher: &Searcher, passage: DocAddress) -> Result<Passage> {
    let stored: TantivyDocument = searcher.doc(passage).map_err(failed)?;
    let shown = stored.get_first(handle.fields.shown);
    read(shown.and_then(|value| value.as_bytes()).unwrap_or_default())
}

pub fn read(row: &[u8]) -> Result<Passage> {
    read_row(row)
        .ok_or_else(|| Error::internal("a row of the search index is damaged; rebuild it with `circuit reindex`"))
}

fn read_row(row: &[u8]) -> Option<Passage> {
    let mut rest = row;
    let feed = FeedId(number(&mut rest)?);
    let ordinal = u32::try_from(number(&mut rest)?).ok()?;
    let created_at = Timestamp(number(&mut rest)?);
    let modified_at = Timestamp(number(&mut rest)?);
    let document = DocumentId {
        site: SiteId::new(text(&mut rest)?),
        content: ContentId::new(text(&mut rest)?),
    };
    let kind = DocumentKind::from_word(&text(&mut rest)?).ok()?;
    let space = SpaceId::new(text(&mut rest)?);
    let space_key = text(&mut rest)?;
    let space_name = text(&mut rest)?;
    let title = text(&mut rest)?;
    let url = text(&mut rest)?;
    let words = text(&mut rest)?;
    let author = person(&mut rest)?;
    let editor = person(&mut rest)?;
    Some(Passage {
        feed,
        document,
        ordinal,
        kind,
        space,
        space_key,
        space_name,
        title,
        breadcrumb: list(&mut rest)?,
        headings: list(&mut rest)?,
        text: words,
        author,
        editor,
        labels: list(&mut rest)?,
        created_at,
        modified_at,
        url,
    })
}

fn number(rest: &mut &[u8]) -> Option<i64> {
    let (head, tail) = rest.split_first_chunk::<8>()?;
    *rest = tail;
    Some(i64::from_le_bytes(*head))
}

fn length(rest: &mut &[u8]) -> Option<usize> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    usize::try_from(u32::from_le_bytes(*head)).ok()
}

fn text(rest: &mut &[u8]) -> Option<String> {
    let length = length(rest)?;
    let (head, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    String::from_utf8(head.to_vec()).ok()
}

fn person(rest: &mut &[u8]) -> Option<Option<Person>> {
    let (account, name) = (text(rest)?, text(rest)?);
    Some((!account.is_empty()).then(|| Person {
        account: AccountId::new(account),
        name,
    }))
}

fn list(rest: &mut &[u8]) -> Option<Vec<String>> {
    let count = length(rest)?;
    (0..count).map(|_| text(rest)).collect()
}
