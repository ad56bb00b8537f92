//! Given a feed, gives which of its documents the index holds: read from its terms and rows, not by a search.

use std::collections::BTreeSet;

use domain::{
    DocumentId, FeedId, Result,
    engine::{Findable, Which},
};
use tantivy::{
    DocAddress, DocSet, Searcher, SegmentOrdinal, TERMINATED, Term, postings::SegmentPostings,
    schema::IndexRecordOption,
};

use super::{
    handle::{Handle, failed},
    row,
};

pub fn findable(handle: &Handle, feed: FeedId, which: &Which) -> Result<Vec<Findable>> {
    let searcher = handle.reader.searcher();
    let documents: BTreeSet<DocumentId> = match which {
        Which::These(documents) => documents.iter().cloned().collect(),
        Which::After { after, limit } => next(handle, &searcher, feed, after.as_ref(), *limit)?,
    };
    let mut found = Vec::with_capacity(documents.len());
    for document in &documents {
        found.extend(one(handle, &searcher, feed, document)?);
    }
    Ok(found)
}

/// All passages of a document, as one.
fn one(handle: &Handle, searcher: &Searcher, feed: FeedId, document: &DocumentId) -> Result<Option<Findable>> {
    let term = handle.fields.document_term(feed, document);
    let mut found: Option<Findable> = None;
    for (segment, reader) in (0..).zip(searcher.segment_readers()) {
        let index = reader.inverted_index(handle.fields.document).map_err(failed)?;
        let postings = index.read_postings(&term, IndexRecordOption::Basic);
        let Some(mut postings) = postings.map_err(|error| failed(error.into()))? else {
            continue;
        };
        while let Some(address) = alive(searcher, segment, &mut postings) {
            let passage = row::of(handle, searcher, address)?;
            match &mut found {
                Some(found) => found.add(&passage),
                None => found = Some(Findable::new(&passage)),
            }
        }
    }
    Ok(found)
}

/// The next passage that was not deleted.
fn alive(searcher: &Searcher, segment: SegmentOrdinal, postings: &mut SegmentPostings) -> Option<DocAddress> {
    let reader = searcher.segment_reader(segment);
    while postings.doc() != TERMINATED {
        let doc = postings.doc();
        postings.advance();
        if !reader.is_deleted(doc) {
            return Some(DocAddress::new(segment, doc));
        }
    }
    None
}

/// The ids of the feed that follow, at most `limit`: the first of those with which each segment goes on.
fn next(
    handle: &Handle,
    searcher: &Searcher,
    feed: FeedId,
    after: Option<&DocumentId>,
    limit: usize,
) -> Result<BTreeSet<DocumentId>> {
    let (first, past) = bounds(handle, feed);
    let from = after.map(|after| handle.fields.document_term(feed, after));
    let mut ids = BTreeSet::new();
    for (segment, reader) in (0..).zip(searcher.segment_readers()) {
        let index = reader.inverted_index(handle.fields.document).map_err(failed)?;
        let range = index.terms().range().lt(past.serialized_value_bytes());
        let range = match &from {
            Some(from) => range.gt(from.serialized_value_bytes()),
            None => range.ge(first.serialized_value_bytes()),
        };
        let mut terms = range.into_stream().map_err(|error| failed(error.into()))?;
        let mut taken = 0;
        while taken < limit && terms.advance() {
            let postings = index.read_postings_from_terminfo(terms.value(), IndexRecordOption::Basic);
            let mut postings = postings.map_err(|error| failed(error.into()))?;
            if alive(searcher, segment, &mut postings).is_none() {
                continue;
            }
            let key = terms
                .key()
                .get(first.serialized_value_bytes().len()..)
                .unwrap_or_default();
            // What is no id was never written.
            if let Some(id) = std::str::from_utf8(key).ok().and_then(|id| id.parse().ok()) {
                ids.insert(id);
                taken += 1;
            }
        }
    }
    Ok(ids.into_iter().take(limit).collect())
}

/// Between these are the terms of a feed: `{feed}|…`, and the character after `|`.
fn bounds(handle: &Handle, feed: FeedId) -> (Term, Term) {
    let term = |end: char| Term::from_field_text(handle.fields.document, &format!("{feed}{end}"));
    (term('|'), term('}'))
}
