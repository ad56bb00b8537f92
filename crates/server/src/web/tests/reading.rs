//! What a person reads of a document.

use domain::{
    ContentId, IndexId, SpaceId, Timestamp,
    document::{Body, CommentPlace, Document, DocumentKind},
    file_text::{Content, FileText, LeftOut, Piece},
    store::{Feeds, FileOutcome, FileRecord, FileRecording, Files, SyncRuns},
    sync_run::{RunKind, Spent, Trigger},
};
use http::StatusCode;

use super::world::{Browser, World, document, hit};
use crate::web::markdown::SHOWN_BYTES_MAX;

fn page(id: &str, title: &str, parent: Option<&str>, body: &str) -> Document {
    Document {
        id: format!("cloud-1:{id}").parse().unwrap(),
        parent: parent.map(ContentId::new),
        body: Body::Storage(body.into()),
        ..document(title, DocumentKind::Page)
    }
}

async fn read(browser: &Browser, id: &str) -> String {
    let page = browser.get(&format!("/indexes/1/documents/cloud-1:{id}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.text
}

fn holds(page: &str, text: &str) {
    assert!(page.contains(text), "{text} is not in {page}");
}

#[tokio::test]
async fn a_document_reads_like_a_page() {
    let (world, browser) = World::with_ann().await;
    let body = "<h1>Steps</h1><p>Ask <ac:link><ri:user ri:account-id=\"ann author\"/></ac:link>.</p>\
                <h3>After</h3><table><tr><th>a</th></tr><tr><td>1</td></tr></table>\
                <p><ac:link><ri:page ri:content-title=\"valves\"/></ac:link> <a href=\"https://other.example/\">away</a> \
                <a href=\"https://acme.example/wiki/spaces/OPS/pages/1/Runbooks#Top\">up</a></p>\
                <ac:image><ri:url ri:value=\"https://other.example/x.png\"/></ac:image>";
    let file = Document {
        kind: DocumentKind::Attachment,
        body: Body::None,
        ..page("att5", "plan.pdf", Some("2"), "")
    };
    let documents = vec![
        page("1", "Runbooks", None, ""),
        page("2", "Pump <b>", Some("1"), body),
        page("3", "Valves", Some("1"), ""),
        file,
    ];
    world.bring(&browser, documents).await;
    let shown = read(&browser, "2").await;
    for text in [
        "<h1>Pump &#60;b&#62;</h1>",
        "<a href=\"/indexes/1/documents?space=100\">Operations</a>",
        "<a href=\"/indexes/1/documents/cloud-1:1\">Runbooks</a>",
        "<h2 id=\"Steps\">Steps</h2><p>Ask @Ann Author.</p>",
        "<h3 id=\"After\">After</h3>",
        "<a href=\"#After\">After</a>",
        "<div class=\"scroll\"",
        "<a href=\"/indexes/1/documents/cloud-1:3\">valves</a>",
        "<a href=\"/indexes/1/documents/cloud-1:1#Top\">up</a>",
        "rel=\"noopener noreferrer nofollow\" href=\"https://other.example/\">away</a>",
        "<h2 id=\"attachments.\">1 attachment</h2>",
        "<a href=\"/indexes/1/documents/cloud-1:att5\">plan.pdf</a>",
        "Open in Confluence",
        "By Ann Author",
        "About this document",
    ] {
        holds(&shown, text);
    }
    assert!(!shown.contains("<img"), "nothing is loaded from elsewhere: {shown}");
    let file = read(&browser, "att5").await;
    holds(
        &file,
        "On the page <a href=\"/indexes/1/documents/cloud-1:2\">Pump &#60;b&#62;</a>",
    );
    holds(&file, "There is no text to read here.");
}

#[tokio::test]
async fn a_comment_shows_what_it_is_about_and_its_page() {
    let (world, browser) = World::with_ann().await;
    let comment = Document {
        kind: DocumentKind::Comment,
        comment: Some(CommentPlace {
            inline: true,
            reply_to: None,
            resolution: None,
            quoted: Some("the *old* pump".into()),
        }),
        ..page("4", "Pump", Some("2"), "<p>which one?</p>")
    };
    world
        .bring(&browser, vec![page("2", "Pump", None, "<p>x</p>"), comment])
        .await;
    let shown = read(&browser, "4").await;
    holds(&shown, "<h1>Comment on Pump</h1>");
    holds(
        &shown,
        "<blockquote><p>the *old* pump</p></blockquote><p>which one?</p>",
    );
    holds(
        &shown,
        "On the page <a href=\"/indexes/1/documents/cloud-1:2\">Pump</a>",
    );
    holds(
        &read(&browser, "2").await,
        "<a href=\"/indexes/1/documents/cloud-1:4\">Comment by Ed Editor</a>",
    );
}

#[tokio::test]
async fn what_is_not_found_shows_no_text_and_no_link_leads_to_it() {
    let (world, browser) = World::with_ann().await;
    let body = "<p>secret words <ac:link><ri:page ri:content-title=\"Valves\"/></ac:link></p>";
    let documents = vec![
        page("2", "Pump", None, body),
        page("3", "Valves", Some("2"), "<p>valve</p>"),
    ];
    world.bring(&browser, documents).await;
    holds(
        &read(&browser, "2").await,
        "secret words <a href=\"/indexes/1/documents/cloud-1:3\">Valves</a>",
    );
    browser
        .post("/indexes/1/documents/delete", &[("only", "cloud-1:3")])
        .await;
    let shown = read(&browser, "2").await;
    holds(
        &shown,
        "href=\"https://acme.example/wiki/display/OPS/Valves\">Valves</a>",
    );
    assert!(!shown.contains("cloud-1:3"), "{shown}");

    let feed = world.store.0.feeds(domain::IndexId(1)).await.unwrap()[0].id;
    let space = SpaceId::new("100");
    world
        .store
        .0
        .set_space_suspended(feed, &space, Some(Timestamp(1)))
        .await
        .unwrap();
    let hidden = read(&browser, "2").await;
    holds(&hidden, "Its text is not shown.");
    assert!(!hidden.contains("secret words"), "{hidden}");
}

#[tokio::test]
async fn a_very_long_document_is_cut_and_says_so() {
    let (world, browser) = World::with_ann().await;
    let body = "<p>pump pump pump</p>".repeat(SHOWN_BYTES_MAX / 10);
    world.bring(&browser, vec![page("2", "Pump", None, &body)]).await;
    let shown = read(&browser, "2").await;
    holds(&shown, "the first 512 of ");
    holds(&shown, "Read all of it in Confluence");
    holds(&shown, "The rest is left out.");
}

#[tokio::test]
async fn a_hit_leads_to_confluence_and_to_its_page_here() {
    let (world, browser) = World::with_ann().await;
    world.import(&browser, "Pump", DocumentKind::Page).await;
    world.found(vec![hit(
        "Pump",
        "https://acme.example/wiki/spaces/OPS/pages/1#Restart-it",
    )]);
    let found = browser.get("/indexes/1?q=pump").await.text;
    holds(
        &found,
        "<a href=\"https://acme.example/wiki/spaces/OPS/pages/1#Restart-it\" target=\"_blank\"",
    );
    holds(
        &found,
        "<a href=\"/indexes/1/documents/cloud-1:4p#Restart-it\" data-title>Pump</a>",
    );
}

#[tokio::test]
async fn a_file_says_why_it_has_no_text_or_what_of_it_was_left_out() {
    let (world, browser) = World::with_ann().await;
    let file = |id: &str, title: &str| Document {
        kind: DocumentKind::Attachment,
        body: Body::None,
        ..page(id, title, Some("1"), "")
    };
    let documents = vec![
        page("1", "Runbooks", None, ""),
        file("att2", "film.mp4"),
        file("att3", "long.txt"),
        file("att4", "whole.txt"),
    ];
    world.bring(&browser, documents).await;
    let text = |left_out: Option<LeftOut>| {
        let text = FileText {
            left_out,
            pieces: vec![Piece {
                place: None,
                content: Content::Paragraph("Zyzzyva".into()),
            }],
            ..FileText::default()
        };
        FileOutcome::Read(text.into_body().unwrap())
    };
    let film = FileOutcome::Unread {
        why: "type not read: video/mp4".into(),
    };
    let outcomes = [
        ("att2", film),
        ("att3", text(Some(LeftOut::Text { bytes: 8 << 20 }))),
        ("att4", text(None)),
    ];
    let store = &world.store.0;
    let feed = store.feeds(IndexId(1)).await.unwrap()[0].id;
    let run = store
        .open_run(feed, RunKind::Files, Trigger::Schedule, Timestamp(9))
        .await
        .unwrap();
    let record = |(id, outcome): (&str, FileOutcome)| FileRecord {
        id: ContentId::new(id),
        version: 1,
        outcome,
    };
    let recording = FileRecording {
        run: run.id,
        files: outcomes.into_iter().map(record).collect(),
        failures: Vec::new(),
        spent: Spent::default(),
        now: Timestamp(9),
    };
    store.record_files(feed, &recording).await.unwrap();

    let unread = "Its text was not read: type not read: video/mp4. It is found by its name.";
    let left_out = "Only the first 8 MB of its text were read. What was left out is not found.";
    let (film, long, whole) = (
        read(&browser, "att2").await,
        read(&browser, "att3").await,
        read(&browser, "att4").await,
    );
    holds(&film, unread);
    holds(&long, left_out);
    holds(&long, "Zyzzyva");
    assert!(!long.contains("was not read") && !film.contains("Only the first"));
    assert!(!whole.contains("was not read") && !whole.contains("Only the first"));
}
