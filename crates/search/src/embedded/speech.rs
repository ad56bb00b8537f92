//! Given the passages of a commit, gives its documents, each whole, with the language it is in.

use std::collections::BTreeMap;

use domain::{DocumentId, FeedId, SpaceId, passage::Passage};

use crate::analysis::{Speech, detected};

/// As much of a document is looked at, in bytes: its first passages.
const LOOKED_AT_BYTES: usize = 1_500;

/// A document's passages, in their order.
pub struct Spoken<'a> {
    pub passages: Vec<&'a Passage>,
    pub speech: Speech,
}

/// A short text is taken to be in the language that most of its space's documents of the same commit are in, and where
/// there are none, in English: file names and headings of technical wikis are.
pub fn documents(passages: &[Passage]) -> Vec<Spoken<'_>> {
    let mut grouped: BTreeMap<(FeedId, &DocumentId), Vec<&Passage>> = BTreeMap::new();
    for passage in passages {
        let document = (passage.feed, &passage.document);
        grouped.entry(document).or_default().push(passage);
    }
    let mut votes: BTreeMap<&SpaceId, BTreeMap<Speech, usize>> = BTreeMap::new();
    let mut told = Vec::with_capacity(grouped.len());
    for passages in grouped.into_values() {
        let speech = detected(&beginning(&passages));
        if let Some(speech) = speech {
            let space = votes.entry(&passages[0].space).or_default();
            *space.entry(speech).or_default() += 1;
        }
        told.push((passages, speech));
    }
    let most = |space: &SpaceId| {
        let votes = votes.get(space)?;
        votes.iter().max_by_key(|(_, votes)| **votes).map(|(speech, _)| *speech)
    };
    told.into_iter()
        .map(|(passages, speech)| Spoken {
            speech: speech.or_else(|| most(&passages[0].space)).unwrap_or(Speech::English),
            passages,
        })
        .collect()
}

fn beginning(passages: &[&Passage]) -> String {
    let mut text = passages[0].title.clone();
    for passage in passages {
        if text.len() >= LOOKED_AT_BYTES {
            break;
        }
        text.push('\n');
        text.push_str(&passage.text);
    }
    text
}
