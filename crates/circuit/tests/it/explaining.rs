//! Why is this page missing, is the index what the site is, and one document read again: over the real wiring.

use app::{
    explain::{Because, Explanation, Offer},
    progress::FeedPicture,
};
use std::collections::BTreeMap;

use domain::{
    DocumentId, RunId,
    engine::EngineBatch,
    passage::Passage,
    store::DocumentFilter,
    sync_run::{Difference, Differs, Outcome, RunKind},
};
use serde_json::{Value, json};

use crate::{
    comparing::{asked, change, held, truth, world},
    setting::{Begun, Setting},
    working::{Working, company, space},
};

/// One space, imported.
async fn imported() -> (Setting, Begun, Working) {
    let (setting, begun) = company().await;
    let circuit = Working::new(&setting, &begun).await;
    let ops = space(&begun, "OPS");
    circuit.app.add_spaces(&circuit.caller, begun.feed, &ops).await.unwrap();
    circuit.up_to_date(begun.feed).await;
    (setting, begun, circuit)
}

async fn told(circuit: &Working, begun: &Begun, address: &str) -> Explanation {
    circuit
        .app
        .explain(&circuit.caller, begun.index, address)
        .await
        .unwrap()
}

/// Addresses below the site's.
async fn site_url(circuit: &Working, begun: &Begun) -> String {
    let feed = circuit.app.feed(&circuit.caller, begun.feed).await.unwrap();
    feed.site.unwrap().url
}

/// What the person sees of this kind in a space.
async fn seen(setting: &Setting, begun: &Begun, space: &str, kind: &str) -> Vec<Value> {
    let path = format!(
        "/_world/truth?cloud_id={}&account={}&space={space}",
        begun.site, setting.person
    );
    let rows = world(&setting.fake, &path).await;
    let of_kind = |row: &&Value| row["kind"] == kind;
    rows.as_array().unwrap().iter().filter(of_kind).cloned().collect()
}

fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

/// Waits for a run of this kind, later than `after`, to end.
async fn ended(circuit: &Working, begun: &Begun, kind: RunKind, after: RunId) -> FeedPicture {
    let ended = |picture: &FeedPicture| {
        let last = picture.last.as_ref();
        let passed = last.is_some_and(|run| run.kind == kind && run.id > after && run.outcome.is_some());
        passed && picture.running.is_none() && picture.searchable
    };
    circuit.until(begun.feed, "ended", ended).await
}

async fn newest(circuit: &Working, begun: &Begun) -> RunId {
    circuit.app.runs(&circuit.caller, begun.feed).await.unwrap()[0].id
}

async fn walked(circuit: &Working, begun: &Begun) -> RunId {
    let before = newest(circuit, begun).await;
    circuit.app.resync(&circuit.caller, begun.feed).await.unwrap();
    ended(circuit, begun, RunKind::Walk, before).await.last.unwrap().id
}

async fn verified(circuit: &Working, begun: &Begun) -> (FeedPicture, Vec<Difference>) {
    let run = circuit.app.verify(&circuit.caller, begun.feed).await.unwrap().id;
    let picture = ended(circuit, begun, RunKind::Verify, RunId(run.0 - 1)).await;
    let differences = circuit.app.differences(&circuit.caller, run, None).await.unwrap();
    assert_eq!(picture.last.as_ref().unwrap().id, run);
    (picture, differences)
}

#[tokio::test(flavor = "multi_thread")]
async fn each_reason_why_a_page_is_missing_is_told_by_its_name() {
    let (setting, begun, circuit) = imported().await;
    let fake = &setting.fake;
    let site = site_url(&circuit, &begun).await;
    let at = |path: &str| format!("{site}/wiki{path}");
    let pages = seen(&setting, &begun, "OPS", "page").await;
    let page = id(&pages[0]);

    assert_eq!(
        told(&circuit, &begun, "pump runbook").await.because,
        Because::NotAnAddress
    );
    let other = told(&circuit, &begun, "https://other.atlassian.net/wiki/spaces/OPS/pages/1").await;
    let host = "other.atlassian.net".to_owned();
    assert_eq!(other.because, Because::OtherSite { host });
    let found = told(&circuit, &begun, &at(&format!("/pages/viewpage.action?pageId={page}"))).await;
    let here = DocumentId::new(&begun.site, page.clone());
    assert!(matches!(found.because, Because::Found { .. }), "{found:?}");
    assert_eq!(found.document, Some(here));
    let carried = told(&circuit, &begun, &at("/spaces/OPS/overview")).await;
    assert!(matches!(carried.because, Because::Carried { .. }), "{carried:?}");
    let titled = at("/display/OPS/No+such+title");
    let titled = told(&circuit, &begun, &titled).await;
    assert!(matches!(titled.because, Because::NoSuchTitle { .. }), "{titled:?}");

    // Nothing above had to be asked of Atlassian, nor has this.
    let before = asked(fake).await.len();
    let elsewhere = id(&seen(&setting, &begun, "ENG", "page").await[0]);
    let unselected = told(
        &circuit,
        &begun,
        &at(&format!("/spaces/ENG/pages/{elsewhere}/Some+title")),
    )
    .await;
    assert_eq!(unselected.because, Because::NotSelected { key: "ENG".into() });
    assert_eq!(unselected.offer, Some(Offer::AddSpaces));
    let comment = at(&format!("/spaces/OPS/pages/{page}/T?focusedCommentId=123456789"));
    let comment = told(&circuit, &begun, &comment).await;
    assert!(matches!(comment.because, Because::OnlyItsPage { .. }), "{comment:?}");
    assert_eq!(asked(fake).await.len(), before, "Atlassian was asked");

    // By a number alone it may be of any space: it is asked for in the chosen ones only, and looks like one that is gone.
    for number in [elsewhere.as_str(), "9223372036854775807"] {
        let unseen = told(&circuit, &begun, number).await;
        assert!(matches!(unseen.because, Because::NotVisible { .. }), "{unseen:?}");
        assert!(
            unseen.spent.calls <= 3 && unseen.spent.points <= 5,
            "{:?}",
            unseen.spent
        );
    }
    let chosen = format!("space-id={}", space(&begun, "OPS")[0]);
    for path in asked(fake).await.into_iter().skip(before) {
        assert!(
            path.contains(&chosen) || path.contains("/user/current"),
            "asked for {path}"
        );
    }

    let new = json!({ "space": "OPS", "title": "Quokka notes", "body": "<p>quokka</p>" });
    change(fake, "create", new).await;
    let rows = seen(&setting, &begun, "OPS", "page").await;
    let new = id(rows.iter().find(|row| row["title"] == "Quokka notes").unwrap());
    let unread = told(&circuit, &begun, &at(&format!("/spaces/OPS/pages/{new}"))).await;
    assert!(matches!(unread.because, Because::NotSeenYet { .. }), "{unread:?}");
    assert_eq!(unread.offer, Some(Offer::Retry));

    change(fake, "trash", json!({ "id": page })).await;
    let run = walked(&circuit, &begun).await;
    let removed = told(&circuit, &begun, &page).await;
    assert_eq!(removed.because.run(), Some(run), "{removed:?}");
    assert!(
        matches!(removed.because, Because::Removed { since: Some(_), .. }),
        "{removed:?}"
    );

    circuit.app.pause(&circuit.caller, begun.feed).await.unwrap();
    let waiting = told(&circuit, &begun, "9223372036854775807").await;
    assert!(matches!(waiting.because, Because::Waiting { .. }), "{waiting:?}");
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_atlassian_does_not_answer_is_an_answer_too() {
    let (setting, begun, circuit) = imported().await;
    let trouble =
        json!({ "path": "/pages?", "n": 20, "status": 429, "headers": { "retry-after": "1800" }, "body": "" });
    change(&setting.fake, "faults", json!({ "next_n": trouble })).await;
    let spent = told(&circuit, &begun, "9223372036854775807").await;
    assert!(matches!(spent.because, Because::BudgetSpent { .. }), "{spent:?}");
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_could_not_be_read_is_explained_and_read_when_a_person_says_so() {
    let (setting, begun, circuit) = imported().await;
    let fake = &setting.fake;
    let new = json!({ "space": "OPS", "title": "Numbat notes", "body": "<p>numbat</p>" });
    change(fake, "create", new).await;
    let rows = seen(&setting, &begun, "OPS", "page").await;
    let page = id(rows.iter().find(|row| row["title"] == "Numbat notes").unwrap());
    // A row that makes no sense in the answer with its text.
    let garbled = format!(r#"{{"results": [{{"id": "{page}", "title": "Numbat notes", "version": "none"}}]}}"#);
    let garbled =
        |times: u32| json!({ "next_n": { "path": "body-format=storage", "n": times, "status": 200, "body": garbled } });
    change(fake, "faults", garbled(1)).await;
    walked(&circuit, &begun).await;
    let failed = told(&circuit, &begun, &page).await;
    assert!(matches!(failed.because, Because::Failed { .. }), "{failed:?}");
    assert_eq!(failed.offer, Some(Offer::Retry));

    // It still cannot be read: the new run lists it anew.
    let document = DocumentId::new(&begun.site, page.clone());
    let retried = async || {
        let before = newest(&circuit, &begun).await;
        circuit
            .app
            .retry(&circuit.caller, begun.index, &document)
            .await
            .unwrap();
        ended(&circuit, &begun, RunKind::Changes, before).await.last.unwrap()
    };
    // By its id, and among the changes that the same run reads.
    change(fake, "faults", garbled(2)).await;
    let run = retried().await;
    assert_eq!(run.counts.failed, 2, "{run:?}");
    assert_eq!(told(&circuit, &begun, &page).await.because.run(), Some(run.id));
    retried().await;
    assert_eq!(circuit.finds(&begun, "numbat").await, 1);
    let story = circuit
        .app
        .document_story(&circuit.caller, begun.index, &document)
        .await
        .unwrap();
    assert!(story.failures.is_empty() && !story.touches.is_empty(), "{story:?}");

    // What nobody can see is listed with its reason, and not asked for again and again.
    let nowhere = DocumentId::new(&begun.site, "9223372036854775807");
    let before = newest(&circuit, &begun).await;
    circuit.app.retry(&circuit.caller, begun.index, &nowhere).await.unwrap();
    let run = ended(&circuit, &begun, RunKind::Changes, before).await.last.unwrap();
    let failures = circuit.app.failures(&circuit.caller, run.id).await.unwrap();
    assert!(
        failures[0].why.contains("not visible to it, or no longer there"),
        "{failures:?}"
    );
    let hostile = DocumentId::new(&begun.site, "9' or 1=1");
    assert!(circuit.app.retry(&circuit.caller, begun.index, &hostile).await.is_err());
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verify_finds_nothing_when_all_is_well_and_each_difference_when_not_and_changes_neither() {
    let (setting, begun, circuit) = imported().await;
    let fake = &setting.fake;
    let (picture, differences) = verified(&circuit, &begun).await;
    let run = picture.last.unwrap();
    assert_eq!((run.outcome, differences), (Some(Outcome::Complete), Vec::new()));
    let whole = held(&circuit.app, &circuit.caller, begun.index).await;
    assert!(run.counts.seen >= whole.len() as u64, "{:?}", run.counts);

    // Written before the verify begins, and a while before the next look at changes.
    circuit.app.pause(&circuit.caller, begun.feed).await.unwrap();
    let pages = seen(&setting, &begun, "OPS", "page").await;
    let page = |place: usize| id(&pages[pages.len() - 1 - place]);
    change(
        fake,
        "create",
        json!({ "space": "OPS", "title": "Bilby notes", "body": "<p>x</p>" }),
    )
    .await;
    change(fake, "rename", json!({ "id": page(0), "to": "Axolotl care" })).await;
    change(fake, "label", json!({ "id": page(1), "labels": ["zyzzyva"] })).await;
    change(fake, "trash", json!({ "id": page(2) })).await;
    let file = id(&seen(&setting, &begun, "OPS", "attachment").await[0]);
    change(fake, "purge", json!({ "id": file })).await;
    circuit.later(&setting, 2).await;
    circuit.app.resume(&circuit.caller, begun.feed).await.unwrap();
    let (_, differences) = verified(&circuit, &begun).await;
    let differs = |of: Differs| differences.iter().filter(|row| row.differs == of).count();
    let of = |id: &str| {
        differences
            .iter()
            .find(|row| row.id.as_str() == id)
            .map(|row| row.differs)
    };
    assert_eq!(of(&page(1)), Some(Differs::OtherLabels), "{differences:?}");
    assert_eq!(of(&page(2)), Some(Differs::NotOnSite), "{differences:?}");
    assert_eq!(of(&file), Some(Differs::NotOnSite), "{differences:?}");
    assert_eq!(differs(Differs::NotInIndex), 1, "{differences:?}");
    assert_eq!(
        held(&circuit.app, &circuit.caller, begun.index).await,
        whole,
        "a verify changes nothing"
    );

    walked(&circuit, &begun).await;
    let (_, differences) = verified(&circuit, &begun).await;
    assert_eq!(differences, Vec::new(), "a re-sync brings the index up to the site");
    assert_eq!(
        held(&circuit.app, &circuit.caller, begun.index).await,
        truth(&setting, &begun, &["OPS"]).await
    );
    let filter = DocumentFilter {
        limit: 1,
        ..DocumentFilter::default()
    };
    assert!(
        circuit
            .app
            .documents(&circuit.caller, begun.index, &filter)
            .await
            .unwrap()
            .1
            > 0
    );
    circuit.end().await;
}

/// What search holds of these documents is replaced behind the indexer's back.
async fn damaged(circuit: &Working, begun: &Begun, documents: Vec<DocumentId>, passages: Vec<Passage>) {
    let batch = EngineBatch {
        documents: documents.into_iter().map(|id| (begun.feed, id)).collect(),
        passages,
        ..EngineBatch::default()
    };
    let reached = circuit.engine.watermark(begun.index).await.unwrap();
    circuit.engine.commit(begun.index, batch, reached).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verify_tells_what_search_lost_keeps_or_finds_as_it_was_and_a_reindex_mends_it() {
    let (setting, begun, circuit) = imported().await;
    let everything = circuit.store.changed_after(begun.index, 0, 1_000).await.unwrap();
    let cut = everything.iter().map(|held| (held, extract::passages(held)));
    let (long, passages) = cut.clone().find(|(_, passages)| passages.len() > 2).unwrap();
    let others: Vec<_> = cut.filter(|(held, _)| held.document.id != long.document.id).collect();
    let (lost, stale, removed) = (&others[0], &others[1], &others[2]);
    let id = |held: &domain::document::Held| held.document.id.clone();

    // One of many passages is lost, a whole document is, and one is found as it was before its present version.
    damaged(
        &circuit,
        &begun,
        vec![id(long)],
        passages[..passages.len() - 1].to_vec(),
    )
    .await;
    damaged(&circuit, &begun, vec![id(lost.0)], Vec::new()).await;
    let before = stale.1.iter().map(|passage| Passage {
        text: "as it was".into(),
        ..passage.clone()
    });
    damaged(&circuit, &begun, vec![id(stale.0)], before.collect()).await;
    // One that a person deleted, and one that was never held, are found.
    circuit
        .app
        .delete_documents(&circuit.caller, begun.index, &[id(removed.0)])
        .await
        .unwrap();
    circuit.app.index_all().await.unwrap();
    damaged(&circuit, &begun, vec![id(removed.0)], removed.1.clone()).await;
    let ghost = Passage {
        document: DocumentId::new(&begun.site, "99999999"),
        title: "Ghost".into(),
        ..passages[0].clone()
    };
    damaged(&circuit, &begun, vec![ghost.document.clone()], vec![ghost.clone()]).await;

    let (picture, differences) = verified(&circuit, &begun).await;
    let told: BTreeMap<String, String> = differences
        .iter()
        .map(|row| {
            let told = format!("{}: {} / {}", row.differs.word(), row.held, row.other);
            (row.id.to_string(), told)
        })
        .collect();
    let version = |held: &domain::document::Held| held.document.version;
    let count = |passages: usize| match passages {
        1 => "1 passage".to_owned(),
        many => format!("{many} passages"),
    };
    let (long_count, stale_count) = (passages.len(), count(stale.1.len()));
    let expected = BTreeMap::from([
        (
            id(long).content.to_string(),
            format!(
                "other_in_search: version {}, {long_count} passages / {}",
                version(long),
                count(long_count - 1)
            ),
        ),
        (
            id(lost.0).content.to_string(),
            format!("not_in_search: version {}, {} / ", version(lost.0), count(lost.1.len())),
        ),
        (
            id(stale.0).content.to_string(),
            format!(
                "other_in_search: version {}, {stale_count} / {stale_count}, not as they are held",
                version(stale.0)
            ),
        ),
        (
            id(removed.0).content.to_string(),
            format!("left_in_search: removed / {}", count(removed.1.len())),
        ),
        (
            ghost.document.content.to_string(),
            "left_in_search:  / 1 passage".into(),
        ),
    ]);
    assert_eq!(told, expected);
    assert_eq!(picture.last.unwrap().counts.differing, 5);

    circuit.app.reindex().await.unwrap();
    assert_eq!(verified(&circuit, &begun).await.1, Vec::new());
    drop(setting);
    circuit.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verify_that_meets_trouble_goes_on_where_it_was() {
    let (setting, begun, circuit) = imported().await;
    let trouble =
        json!({ "path": "/blogposts?", "n": 1, "status": 429, "headers": { "retry-after": "1800" }, "body": "" });
    change(&setting.fake, "faults", json!({ "next_n": trouble })).await;
    let run = circuit.app.verify(&circuit.caller, begun.feed).await.unwrap().id;
    // The feed is parked a moment before its run is closed.
    let parked = |picture: &FeedPicture| {
        let closed = picture.last.as_ref().is_some_and(|last| last.id == run);
        picture.headline == "paused by quota" && closed
    };
    let waits = circuit.until(begun.feed, "parked", parked).await.last.unwrap();
    assert!(matches!(waits.outcome, Some(Outcome::Parked { .. })), "{waits:?}");
    circuit.later(&setting, 61).await;
    let complete = |picture: &FeedPicture| {
        let last = picture.last.as_ref();
        last.is_some_and(|last| last.id == run && last.outcome == Some(Outcome::Complete))
    };
    let run = circuit.until(begun.feed, "compared", complete).await.last.unwrap();
    assert_eq!((run.outcome, run.counts.differing), (Some(Outcome::Complete), 0));
    circuit.end().await;
}
