//! Several indexes whose hits are scripted.

use std::sync::Mutex;

use domain::{
    DocumentId, Error, FeedId, IndexId, Result, SiteId, SpaceId, Timestamp,
    document::DocumentKind,
    hit::{Explanation, Facets, Hit, Hits, SpaceCount},
    index::Index,
    passage::Passage,
    query::{Filter, Sort},
};

use super::{
    HitsOfSeveral, Place,
    merge::{Lane, merged},
    together::together,
};

fn hit(title: &str, score: f32, modified: i64) -> Hit {
    let passage = Passage {
        feed: FeedId(1),
        document: DocumentId::new(&SiteId::new("site"), title),
        ordinal: 0,
        kind: DocumentKind::Page,
        space: SpaceId::new("10"),
        space_key: "ENG".into(),
        space_name: "Engineering".into(),
        title: title.into(),
        breadcrumb: Vec::new(),
        headings: Vec::new(),
        text: String::new(),
        author: None,
        editor: None,
        labels: Vec::new(),
        created_at: Timestamp(0),
        modified_at: Timestamp(modified),
        url: String::new(),
    };
    Hit::of(passage, score)
}

/// Of each index its hits, or that it cannot answer.
struct Shelves {
    hits: Vec<Option<Vec<Hit>>>,
    /// The most that one answer had.
    longest: Mutex<usize>,
}

impl Shelves {
    fn of(hits: Vec<Option<Vec<Hit>>>) -> Self {
        Self {
            hits,
            longest: Mutex::new(0),
        }
    }

    fn answer(&self, index: IndexId, offset: usize, limit: usize) -> Result<Hits> {
        let Some(all) = &self.hits[index.0 as usize] else {
            return Err(Error::unavailable("its disk is full"));
        };
        let hits: Vec<Hit> = all.iter().skip(offset).take(limit).cloned().collect();
        let mut longest = self.longest.lock().unwrap();
        *longest = (*longest).max(hits.len());
        let documents = all.len() as u64;
        let space = SpaceCount {
            space: SpaceId::new("10"),
            key: "ENG".into(),
            name: "Engineering".into(),
            documents,
        };
        Ok(Hits {
            hits,
            total: documents,
            facets: Facets {
                spaces: vec![space],
                kinds: vec![("page".into(), documents)],
                ..Facets::default()
            },
            ..Hits::default()
        })
    }

    async fn page(&self, sort: Sort, passed: usize, limit: usize, places: Option<&[Place]>) -> HitsOfSeveral {
        let lanes = (0..self.hits.len()).map(|number| {
            let index = Index {
                id: IndexId(number as i64),
                name: format!("Index {number}"),
                description: String::new(),
                created_at: Timestamp(0),
            };
            let place = places.and_then(|places| places.iter().find(|place| place.index == index.id));
            Lane::new(index, Filter::default(), place.copied())
        });
        let ask = |index, _, offset, limit| async move { self.answer(index, offset, limit) };
        together(merged(lanes.collect(), passed, limit, sort, ask).await)
    }
}

fn titles(found: &HitsOfSeveral) -> Vec<String> {
    found.hits.iter().map(|hit| hit.hit.passage.title.clone()).collect()
}

fn falling(name: &str, from: f32, by: f32, count: usize) -> Option<Vec<Hit>> {
    let hits = (0..count).map(|at| hit(&format!("{name}{at}"), from - by * at as f32, 1_000 - at as i64));
    Some(hits.collect())
}

#[tokio::test]
async fn hits_stand_by_their_share_of_the_best_score_of_their_index() {
    // The same documents, but where the word is rare everything scores ten times as much.
    let shelves = Shelves::of(vec![
        Some(vec![
            hit("common best", 2.0, 1),
            hit("common good", 1.8, 1),
            hit("common bad", 0.2, 1),
        ]),
        Some(vec![
            hit("rare best", 20.0, 1),
            hit("rare fair", 14.0, 1),
            hit("rare bad", 1.0, 1),
        ]),
    ]);
    let found = shelves.page(Sort::Relevance, 0, 10, None).await;
    assert_eq!(
        titles(&found),
        [
            "rare best",
            "common best",
            "common good",
            "rare fair",
            "common bad",
            "rare bad"
        ]
    );
    assert_eq!((found.total, found.more, found.after(6)), (6, false, None));
}

#[tokio::test]
async fn an_index_that_has_only_some_of_the_words_begins_below_one_that_has_all() {
    let partly = |title: &str, score: f32| {
        let mut hit = hit(title, score, 1);
        hit.explanation = Explanation {
            coverage: 0.9,
            ..Explanation::default()
        };
        hit
    };
    let shelves = Shelves::of(vec![
        Some(vec![partly("half", 30.0), partly("half less", 29.0)]),
        Some(vec![hit("whole", 3.0, 1), hit("whole less", 2.8, 1)]),
    ]);
    let found = shelves.page(Sort::Relevance, 0, 10, None).await;
    assert_eq!(titles(&found), ["whole", "whole less", "half", "half less"]);
}

#[tokio::test]
async fn the_newest_stand_first_whatever_they_score() {
    let shelves = Shelves::of(vec![
        Some(vec![hit("June", 1.0, 6), hit("March", 9.0, 3)]),
        Some(vec![hit("May", 9.0, 5), hit("April", 1.0, 4), hit("January", 1.0, 1)]),
    ]);
    let found = shelves.page(Sort::Modified, 0, 10, None).await;
    assert_eq!(titles(&found), ["June", "May", "April", "March", "January"]);
    // Without words nothing scores, and the engine gives the newest.
    let shelves = Shelves::of(vec![
        Some(vec![hit("June", 0.0, 6), hit("March", 0.0, 3)]),
        Some(vec![hit("May", 0.0, 5)]),
    ]);
    let found = shelves.page(Sort::Relevance, 0, 10, None).await;
    assert_eq!(titles(&found), ["June", "May", "March"]);
}

#[tokio::test]
async fn every_way_of_cutting_gives_the_same_order_once() {
    let shelves = Shelves::of(vec![
        falling("a", 9.0, 0.05, 90),
        falling("b", 3.0, 0.02, 130),
        Some(Vec::new()),
        falling("c", 0.5, 0.2, 2),
        falling("d", 7.0, 0.0, 40),
    ]);
    for sort in [Sort::Relevance, Sort::Modified] {
        let mut whole = titles(&shelves.page(sort, 0, 100, None).await);
        whole.extend(titles(&shelves.page(sort, 100, 100, None).await));
        whole.extend(titles(&shelves.page(sort, 200, 100, None).await));
        assert_eq!(whole.len(), 262);
        let distinct: std::collections::BTreeSet<_> = whole.iter().collect();
        assert_eq!(distinct.len(), 262);
        for limit in [1, 7, 33, 100] {
            // By its number.
            for passed in [0, 1, 50, 255, 300] {
                let found = shelves.page(sort, passed, limit, None).await;
                let expected: Vec<_> = whole.iter().skip(passed).take(limit).cloned().collect();
                assert_eq!(titles(&found), expected, "{limit} from {passed}");
                assert_eq!(found.more, passed + limit < 262, "{limit} from {passed}");
                assert_eq!(found.total, 262);
            }
            // By places, of which not all that an answer had are given.
            let (mut read, mut places) = (Vec::new(), None);
            loop {
                let found = shelves.page(sort, 0, limit, places.as_deref()).await;
                assert!(!found.hits.is_empty(), "an answer without hits");
                let given = found.hits.len().div_ceil(2);
                read.extend(titles(&found).into_iter().take(given));
                places = found.after(given);
                if places.is_none() {
                    break;
                }
            }
            assert_eq!(read, whole, "by {limit}");
        }
    }
    assert!(*shelves.longest.lock().unwrap() <= domain::query::LIMIT_MAX);
}

#[tokio::test]
async fn totals_and_facets_are_added_up_and_who_cannot_answer_is_named() {
    let shelves = Shelves::of(vec![falling("a", 9.0, 0.5, 3), None, falling("b", 9.0, 0.5, 4)]);
    let found = shelves.page(Sort::Relevance, 0, 2, None).await;
    assert_eq!(found.total, 7);
    assert_eq!(found.facets.spaces.len(), 1);
    assert_eq!(
        (found.facets.spaces[0].documents, &found.facets.kinds),
        (7, &vec![("page".to_owned(), 7)])
    );
    let answered: Vec<_> = found.answered.iter().map(|of| (of.index.0, of.total)).collect();
    assert_eq!(answered, [(0, 3), (2, 4)]);
    let unanswered: Vec<_> = found
        .unanswered
        .iter()
        .map(|of| (of.index_name.as_str(), of.reason.as_str()))
        .collect();
    assert_eq!(unanswered, [("Index 1", "its disk is full")]);
    // It stays in the question: it may be back at the next answer.
    let places = found.after(2).unwrap();
    assert_eq!(places.iter().map(|place| place.given).sum::<usize>(), 2);
    let back = Shelves::of(vec![
        falling("a", 9.0, 0.5, 3),
        falling("z", 5.0, 0.0, 1),
        falling("b", 9.0, 0.5, 4),
    ]);
    let found = back.page(Sort::Relevance, 0, 10, Some(&places)).await;
    assert_eq!((found.hits.len(), found.unanswered.len(), found.total), (6, 0, 8));
    // When only it is left, nothing follows.
    let found = shelves.page(Sort::Relevance, 0, 10, Some(&places)).await;
    assert_eq!((found.hits.len(), found.after(5)), (5, None));
}
