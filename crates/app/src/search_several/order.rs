//! Which of two hits of different indexes stands first.
//!
//! BM25 counts how rare a word is in *its* index, so that scores of different indexes are no common measure: a word that
//! one index is full of is worth little there, and a lot where it is rare. So a hit is compared by its share of the best
//! score that its own index has for the question, times how many of the words that best hit has at all
//! ([`Explanation::coverage`](domain::hit::Explanation)): an index that holds both words of two begins above one that
//! holds only one of them. The best hits of equal indexes then stand together at the top, and each index goes on as fast
//! as its scores fall. Among equals the higher score stands first, then the newer document. Newest first is a common
//! measure: there only the dates count.
//!
//! The scale is found at the first hit of all, and is kept with the place where an answer ends. So the order does not
//! depend on how it is cut into answers.

use std::cmp::Ordering;

use domain::{hit::Hit, query::Sort};

/// What scores of an index are multiplied with, by its best hit.
pub fn scale(best: &Hit) -> f32 {
    let scale = best.explanation.coverage / best.score;
    match scale.is_finite() && best.score > 0.0 {
        true => scale,
        // Without words nothing scores.
        false => 0.0,
    }
}

/// A hit at the head of its index's hits.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub hit: &'a Hit,
    pub scale: f32,
    /// How many of its index's hits stand before it.
    pub rank: usize,
}

/// `Less` when `a` stands first. Of those that are equal in all, the one of the index that was asked first does.
pub fn compared(sort: Sort, a: Head<'_>, b: Head<'_>) -> Ordering {
    let newest = || b.hit.passage.modified_at.cmp(&a.hit.passage.modified_at);
    match sort {
        Sort::Modified => newest().then(a.rank.cmp(&b.rank)),
        Sort::Relevance => (b.hit.score * b.scale)
            .total_cmp(&(a.hit.score * a.scale))
            .then_with(|| b.hit.score.total_cmp(&a.hit.score))
            .then_with(newest)
            .then(a.rank.cmp(&b.rank)),
    }
}
