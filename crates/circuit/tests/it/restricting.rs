//! A page that is restricted while everybody searches.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use app::App;
use domain::{DocumentId, query::Query};
use serde_json::json;

use crate::{
    comparing::change,
    setting::Begun,
    working::{Working, company, space},
};

/// Searches in all, by so many people at once.
const SEARCHES: usize = 10_000;
const PEOPLE: usize = 8;
/// Pages that are restricted one after the other: each has a moment of its own between store and search index.
const PAGES: usize = 4;
/// Of the searches for a page so many begin after it was taken away.
const SEARCHES_AFTER: usize = SEARCHES / PAGES / 2;

/// What everybody knows of one page.
#[derive(Default)]
struct Watched {
    /// Whether the store said, to anybody, that the page was taken away: from here on nobody may find it.
    taken: AtomicBool,
    begun: AtomicUsize,
    begun_after: AtomicUsize,
    found_before: AtomicUsize,
    found_after: AtomicUsize,
}

impl Watched {
    fn goes_on(&self) -> bool {
        let enough = self.begun_after.load(Ordering::SeqCst) >= SEARCHES_AFTER;
        !(enough && self.begun.load(Ordering::SeqCst) >= SEARCHES / PAGES)
    }
}

/// Searches until enough was searched. Whether the page is taken away is asked before each search begins, so that no search
/// after that moment goes unjudged.
async fn search(
    app: App,
    key: String,
    begun_index: domain::IndexId,
    page: DocumentId,
    word: String,
    watched: Arc<Watched>,
) {
    let caller = app.caller_by_api_key(&key).await.unwrap().unwrap();
    let query = Query {
        text: word,
        limit: 10,
        ..Query::default()
    };
    while watched.goes_on() {
        if !watched.taken.load(Ordering::SeqCst) {
            let gone = match app.document(&caller, begun_index, &page).await {
                Ok(held) => held.removed.is_some(),
                Err(error) if error.is_not_found() => true,
                Err(error) => panic!("{error}"),
            };
            watched.taken.fetch_or(gone, Ordering::SeqCst);
        }
        let taken = watched.taken.load(Ordering::SeqCst);
        let hits = app.search(&caller, begun_index, &query).await.unwrap();
        let found = hits.hits.iter().any(|hit| hit.passage.document == page);
        watched.begun.fetch_add(1, Ordering::SeqCst);
        watched.begun_after.fetch_add(usize::from(taken), Ordering::SeqCst);
        match taken {
            true => watched.found_after.fetch_add(usize::from(found), Ordering::SeqCst),
            false => watched.found_before.fetch_add(usize::from(found), Ordering::SeqCst),
        };
    }
}

/// Restricts a page to nobody while everybody searches for it, and has the site walked.
async fn restricted(
    setting: &crate::setting::Setting,
    circuit: &Working,
    begun: &Begun,
    page: &DocumentId,
    word: &str,
) -> Watched {
    let watched = Arc::new(Watched::default());
    let people: Vec<_> = (0..PEOPLE)
        .map(|_| {
            let (app, key) = (circuit.app.clone(), begun.key.clone());
            tokio::spawn(search(
                app,
                key,
                begun.index,
                page.clone(),
                word.to_owned(),
                watched.clone(),
            ))
        })
        .collect();
    while watched.found_before.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    let nobody = json!({ "id": page.content.as_str(), "accounts": [] });
    change(&setting.fake, "restrict", nobody).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    for person in people {
        person.await.unwrap();
    }
    Arc::into_inner(watched).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_moment_that_a_restriction_is_noticed_none_of_ten_thousand_searches_finds_the_page() {
    let (setting, begun) = company().await;
    for number in 0..PAGES {
        let new =
            json!({ "space": "OPS", "title": format!("Quokka {number}"), "body": format!("<p>{}</p>", word(number)) });
        change(&setting.fake, "create", new).await;
    }
    let circuit = Working::new(&setting, &begun).await;
    let added = circuit
        .app
        .add_spaces(&circuit.caller, begun.feed, &space(&begun, "OPS"))
        .await;
    added.unwrap();
    circuit.up_to_date(begun.feed).await;
    let mut searches = 0;
    for number in 0..PAGES {
        let query = Query {
            text: word(number),
            limit: 10,
            ..Query::default()
        };
        let hits = circuit
            .app
            .search(&circuit.caller, begun.index, &query)
            .await
            .unwrap()
            .hits;
        let page = hits[0].passage.document.clone();
        let watched = restricted(&setting, &circuit, &begun, &page, &word(number)).await;
        assert!(watched.found_before.into_inner() > 0, "it is found until then");
        let (after, found) = (watched.begun_after.into_inner(), watched.found_after.into_inner());
        assert_eq!(found, 0, "{found} of {after} searches that began later found the page");
        searches += watched.begun.into_inner();
    }
    assert!(searches >= SEARCHES, "{searches}");
    circuit.end().await;
}

/// A word of its own for each page, none like another: a search forgives a letter.
fn word(number: usize) -> String {
    ["zyzzyva", "numbat", "wombat", "bilby"][number].to_owned()
}
