//! A document's text, as programs read it.

use axum::body::Body;
use domain::{
    AccountId, ContentId, DocumentId, FeedId, SpaceId, Timestamp,
    document::{Body as Markup, Document, DocumentKind, FileFacts, Person},
    file_text::{Content, FileText, LeftOut, Piece},
    store::{FileOutcome, FileRecord, FileRecording, Recording},
    sync_run::{RunKind, Spent, Trigger},
};
use http::{Request, StatusCode, header::AUTHORIZATION};
use serde_json::json;

use super::{
    walk::imported,
    world::{Answered, World},
};

const NOW: Timestamp = Timestamp(1_760_000_000_000);

/// Writes what a run brought.
async fn bring(world: &World, feed: &str, documents: Vec<Document>, name: &str) {
    let feed: FeedId = feed.parse().unwrap();
    let run = world
        .store
        .open_run(feed, RunKind::Import, Trigger::Person, NOW)
        .await
        .unwrap();
    let noor = AccountId::new("acc-noor");
    let recording = Recording {
        mentions: [(ContentId::new("7"), [noor.clone()].into())].into(),
        documents,
        people: vec![Person {
            account: noor,
            name: name.into(),
        }],
        ..Recording::empty(run.id, NOW)
    };
    world.store.record(feed, &recording).await.unwrap();
}

async fn runbook(world: &World, index: &str) -> Document {
    let held = world
        .store
        .document(index.parse().unwrap(), &"site-1:2".parse().unwrap())
        .await
        .unwrap();
    let body = "<h1>Steps</h1><p>Ask <ac:link><ri:user ri:account-id=\"acc-noor\"/></ac:link> <script>x</script></p>\
                <h2>After *it*</h2><ac:task-list><ac:task><ac:task-status>incomplete</ac:task-status>\
                <ac:task-body>Close the valve</ac:task-body></ac:task></ac:task-list>";
    Document {
        id: "site-1:7".parse().unwrap(),
        parent: Some(ContentId::new("2")),
        title: "Valves & *pumps*".into(),
        body: Markup::Storage(body.into()),
        ..held.document
    }
}

async fn markdown(world: &World, index: &str, tag: Option<&str>) -> Answered {
    let request = Request::get(format!("/api/v1/indexes/{index}/documents/site-1:7/markdown"))
        .header(AUTHORIZATION, format!("Bearer {}", world.key.expose()))
        .header("if-none-match", tag.unwrap_or("\"another\""));
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_document_is_read_as_markdown_and_not_sent_again_while_it_is_the_same() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;
    let page = runbook(&world, &index).await;
    bring(&world, &feed, vec![page.clone()], "Noor Lie").await;
    let first = markdown(&world, &index, None).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(first.headers["content-type"], "text/markdown; charset=utf-8");
    assert_eq!(
        first.text,
        "# Valves & \\*pumps\\*\n\n# Steps\n\nAsk @Noor Lie\n\n## After \\*it\\*\n\n- [ ] Close the valve\n"
    );
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    for known in [tag.clone(), format!("\"x\", W/{tag}"), "*".to_owned()] {
        let again = markdown(&world, &index, Some(&known)).await;
        assert_eq!(
            (again.status, again.text.as_str()),
            (StatusCode::NOT_MODIFIED, ""),
            "{known}"
        );
        assert_eq!(again.headers["etag"], tag.as_str());
    }

    // Who is mentioned is called otherwise: another text, though the page is the same.
    bring(&world, &feed, vec![page], "Noor Roe").await;
    let renamed = markdown(&world, &index, Some(&tag)).await;
    assert_eq!(renamed.status, StatusCode::OK);
    assert!(renamed.text.contains("Ask @Noor Roe"), "{}", renamed.text);
    assert_ne!(renamed.headers["etag"], tag.as_str());
}

#[tokio::test]
async fn a_document_comes_with_its_outline_and_what_stands_around_it() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;
    let page = runbook(&world, &index).await;
    let file = |number: usize| Document {
        id: DocumentId::new(&page.id.site, format!("att{number}")),
        kind: DocumentKind::Attachment,
        parent: Some(ContentId::new("7")),
        title: format!("plan-{number}.pdf"),
        created_at: Timestamp(number as i64),
        body: Markup::None,
        ..page.clone()
    };
    let documents = [page.clone()].into_iter().chain((0..60).map(file)).collect();
    bring(&world, &feed, documents, "Noor Lie").await;
    let document = world.get(&format!("/indexes/{index}/documents/site-1:7")).await.ok();
    let text = "# Steps\n\nAsk @Noor Lie\n\n## After \\*it\\*\n\n- [ ] Close the valve";
    assert_eq!(document["markdown"], text);
    assert_eq!(
        document["outline"],
        json!([
            { "level": 1, "text": "Steps", "anchor": "Steps" },
            { "level": 2, "text": "After *it*", "anchor": "After-*it*" },
        ])
    );
    assert_eq!(
        document["ancestors"],
        json!([{ "id": "site-1:1", "title": "Pumps" }, { "id": "site-1:2", "title": "Pump runbook" }])
    );
    let files = &document["attachments"];
    assert_eq!(
        (&files["total"], files["documents"].as_array().unwrap().len()),
        (&json!(60), 50)
    );
    assert_eq!(files["documents"][0]["title"], "plan-0.pdf");
    assert_eq!(document["comments"], json!({ "total": 0, "documents": [] }));
    let story = world
        .get(&format!("/indexes/{index}/documents/site-1:7/story"))
        .await
        .ok();
    assert_eq!(story["document"]["markdown"], json!(null));

    // What is above and no longer found keeps its name, and leads nowhere.
    world.delete(&format!("/indexes/{index}/documents/site-1:1")).await.ok();
    let document = world.get(&format!("/indexes/{index}/documents/site-1:7")).await.ok();
    assert_eq!(document["ancestors"][0], json!({ "id": null, "title": "Pumps" }));
}

#[tokio::test]
async fn what_is_not_held_and_what_may_not_be_read_are_answered_alike() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;
    let page = runbook(&world, &index).await;
    bring(&world, &feed, vec![page.clone()], "Noor Lie").await;
    let path = |id: &str| format!("/indexes/{index}/documents/{id}/markdown");
    let never = world.get(&path("site-1:99")).await.problem(404);
    let space = SpaceId::new("10");
    let feed: FeedId = feed.parse().unwrap();
    world.store.set_space_suspended(feed, &space, Some(NOW)).await.unwrap();
    let hidden = world.get(&path("site-1:7")).await.problem(404);
    assert_eq!(never["title"], hidden["title"]);
    // Who knew it before is not told that it is still the same.
    let answer = markdown(&world, &index, Some("*")).await;
    answer.problem(404);
    world.store.set_space_suspended(feed, &space, None).await.unwrap();
    assert_eq!(world.get(&path("site-1:7")).await.status, StatusCode::OK);
    world.delete(&format!("/indexes/{index}/documents/site-1:7")).await.ok();
    world.get(&path("site-1:7")).await.problem(404);
}

#[tokio::test]
async fn a_file_says_why_it_has_no_text_or_what_of_it_was_left_out() {
    let world = World::new().await;
    let (index, feed) = imported(&world).await;
    let page = runbook(&world, &index).await;
    let file = |id: &str| Document {
        id: format!("site-1:{id}").parse().unwrap(),
        kind: DocumentKind::Attachment,
        parent: Some(ContentId::new("7")),
        title: format!("{id}.pdf"),
        body: Markup::None,
        file: Some(FileFacts {
            media_type: None,
            size_bytes: None,
            file_id: None,
        }),
        ..page.clone()
    };
    bring(
        &world,
        &feed,
        vec![page.clone(), file("att1"), file("att2")],
        "Noor Lie",
    )
    .await;
    let text = FileText {
        left_out: Some(LeftOut::Pages { read: 5_000, of: 5_001 }),
        pieces: vec![Piece {
            place: None,
            content: Content::Paragraph("Zyzzyva".into()),
        }],
        ..FileText::default()
    };
    let locked = FileOutcome::Unread {
        why: "password-protected".into(),
    };
    let record = |(id, outcome): (&str, FileOutcome)| FileRecord {
        id: ContentId::new(id),
        version: page.version,
        outcome,
    };
    let feed: FeedId = feed.parse().unwrap();
    let run = world
        .store
        .open_run(feed, RunKind::Files, Trigger::Schedule, NOW)
        .await
        .unwrap();
    let outcomes = [("att1", locked), ("att2", FileOutcome::Read(text.into_body().unwrap()))];
    let recording = FileRecording {
        run: run.id,
        files: outcomes.into_iter().map(record).collect(),
        failures: Vec::new(),
        spent: Spent::default(),
        now: NOW,
    };
    world.store.record_files(feed, &recording).await.unwrap();
    let told = async |path: &str| {
        let answer = world
            .get(&format!("/indexes/{index}/documents/site-1:{path}"))
            .await
            .ok();
        let file = match path.ends_with("/story") {
            true => answer["document"]["file"].clone(),
            false => answer["file"].clone(),
        };
        (file["unread"].clone(), file["left_out"].clone())
    };
    assert_eq!(told("att1").await, (json!("password-protected"), json!(null)));
    assert_eq!(told("att1/story").await, (json!("password-protected"), json!(null)));
    assert_eq!(
        told("att2").await,
        (json!(null), json!("Only the first 5,000 of its 5,001 pages were read."))
    );
}
