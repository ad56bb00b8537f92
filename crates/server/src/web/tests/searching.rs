//! What a person searches and finds.

use domain::{
    DocumentId, Error, IndexId, SiteId, SpaceId,
    document::DocumentKind,
    hit::{Alike, DayCount, Facets, Hits, More, PersonCount, SpaceCount},
    query::{Query, Sort},
};
use http::StatusCode;

use super::world::{Browser, World, hit};

async fn shown(browser: &Browser, way: &str) -> String {
    let page = browser.get(way).await;
    assert_eq!(page.status, StatusCode::OK, "{way}: {}", page.text);
    page.text
}

fn holds(page: &str, texts: &[&str]) {
    for text in texts {
        assert!(page.contains(text), "{text} is not in {page}");
    }
}

fn space(id: &str, key: &str, name: &str, documents: u64) -> SpaceCount {
    SpaceCount {
        space: SpaceId::new(id),
        key: key.into(),
        name: name.into(),
        documents,
    }
}

/// An index with a document, so that there is something to search.
async fn handbook() -> (World, Browser) {
    let (world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    world.import(&browser, "An imported page", DocumentKind::Page).await;
    (world, browser)
}

#[tokio::test]
async fn a_hit_shows_what_one_wants_to_know_and_no_script_of_its_runs() {
    let (world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    world.found(vec![
        hit("Pump <script>alert(1)</script>", "https://acme.example/wiki/1"),
        hit("Sly", "javascript:alert(1)"),
    ]);
    world.import(&browser, "An imported page", DocumentKind::Page).await;
    let page = browser
        .get("/indexes/1?q=pump&kind=page&space=900&from=2026-01-02")
        .await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    for shown in [
        "&#60;script&#62;alert(1)",
        "<mark>pump</mark>",
        r#"<a href="https://acme.example/wiki/1" target="_blank" rel="noopener" data-confluence>"#,
        "By Ann Author",
        "Last edited by Ed Editor",
        "Operations",
        "Runbooks",
        "2 documents",
        r#"title="24 Nov 2026, "#,
        "#picture-page",
        r#"value="2026-01-02""#,
    ] {
        assert!(page.text.contains(shown), "{shown} is not in {}", page.text);
    }
    assert!(!page.text.contains("<script>alert") && !page.text.contains("javascript:"));
    let asked = world.asked();
    assert_eq!(
        (asked.text.as_str(), asked.filter.kinds.as_slice()),
        ("pump", [DocumentKind::Page].as_slice())
    );
    assert_eq!(asked.filter.spaces.len(), 1);
    assert!(
        page.text.contains(r#"value="900" form="search" checked"#),
        "a chosen filter stays to be taken away"
    );
}

#[tokio::test]
async fn comments_and_files_say_which_page_they_belong_to_and_blocks_stay_apart() {
    let (world, browser) = World::with_ann().await;
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    let mut comment = hit("Pump runbook", "https://acme.example/wiki/1");
    comment.passage.kind = DocumentKind::Comment;
    comment.passage.breadcrumb.push("Pump runbook".into());
    comment.passage.editor.clone_from(&comment.passage.author);
    comment.snippet[0].text = "\n- First block.\n\n- Second ".into();
    comment.snippet[2].text = " here\n".into();
    let mut file = hit("wiring.pdf", "https://acme.example/wiki/2");
    file.passage.kind = DocumentKind::Attachment;
    world.found(vec![comment, file]);
    world.import(&browser, "An imported page", DocumentKind::Page).await;
    let page = browser.get("/indexes/1?q=pump").await;
    for shown in [
        "data-title>Comment on Pump runbook</a>",
        r#">wiring.pdf</a></h3> <span class="on">on Runbooks</span>"#,
        "First block. · Second <mark>pump</mark> here</p>",
    ] {
        assert!(page.text.contains(shown), "{shown} is not in {}", page.text);
    }
    assert_eq!(
        page.text.matches("<span>Pump runbook</span>").count(),
        0,
        "the page is named once"
    );
    assert_eq!(
        page.text.matches("Last edited by").count(),
        1,
        "an author who alone wrote it is named once"
    );
}

#[tokio::test]
async fn a_title_is_read_here_and_the_link_beside_it_opens_confluence_at_the_heading() {
    let (world, browser) = handbook().await;
    let mut found = hit("Pump", "https://acme.example/wiki/1#Restart");
    found.more = vec![More {
        headings: vec!["Stop".into()],
        snippet: Vec::new(),
        url: "https://acme.example/wiki/1#Stop".into(),
    }];
    found.more_passages = 3;
    found.alike = vec![Alike {
        document: DocumentId::new(&SiteId::new("cloud-1"), "9"),
        title: "Copy".into(),
        space_name: "Archive".into(),
        url: "https://acme.example/wiki/9".into(),
    }];
    found.alike_documents = 1;
    let mut file = found.clone();
    file.passage.kind = DocumentKind::Attachment;
    let mut comment = found.clone();
    comment.passage.kind = DocumentKind::Comment;
    comment.passage.editor.clone_from(&comment.passage.author);
    world.found(vec![found, file, comment]);
    let page = shown(&browser, "/indexes/1?q=pump").await;
    holds(
        &page,
        &[
            r##"<a href="/indexes/1/documents/cloud-1:4p#Restart" data-title>Pump</a>"##,
            r##"<a href="https://acme.example/wiki/1#Restart" target="_blank" rel="noopener" data-confluence>Open in Confluence"##,
            r##"<a href="/indexes/1/documents/cloud-1:4p#Stop">Stop</a>"##,
            r##"href="https://acme.example/wiki/1#Stop""##,
            "<summary>3 more on this page</summary>",
            "<summary>3 more in this file</summary>",
            "<summary>3 more in this comment</summary>",
            "<summary>1 more like this</summary>",
            r#"<a href="/indexes/1/documents/cloud-1:9">Copy</a> in Archive"#,
            r#"<span class="unseen">Attachment in </span>"#,
            "Updated <time",
            "Created <time",
        ],
    );
}

#[tokio::test]
async fn what_is_chosen_can_be_widened_and_each_chip_takes_one_value_away() {
    let (world, browser) = handbook().await;
    world.answering(|_, query| {
        let narrowed = !query.filter.spaces.is_empty();
        let spaces = match narrowed {
            true => vec![space("1", "ENG", "Engineering", 3)],
            false => vec![
                space("2", "OPS", "Operations", 1_234),
                space("1", "ENG", "Engineering", 3),
            ],
        };
        Ok(Hits {
            total: spaces.iter().map(|count| count.documents).sum(),
            hits: vec![hit("Pump", "https://acme.example/wiki/1")],
            facets: Facets {
                spaces,
                people: vec![PersonCount {
                    account: domain::AccountId::new("ann"),
                    name: "Ann Author".into(),
                    documents: 2,
                }],
                labels: (0..9).map(|n| (format!("label-{n}"), 9 - n)).collect(),
                ..Facets::default()
            },
            ..Hits::default()
        })
    });
    let page = shown(&browser, "/indexes/1?q=pump&space=1&label=gone&person=ann&page=1").await;
    holds(
        &page,
        &[
            r#"value="1" form="search" checked><span>Engineering</span> <span class="count">3<"#,
            r#"value="2" form="search"><span>Operations</span> <span class="count">1,234<"#,
            "<summary>4 more</summary>",
            r#"value="gone" form="search" checked"#,
            r#"data-rest="label" open"#,
            r#"href="/indexes/1?q=pump&#38;label=gone&#38;person=ann" data-live><span class="quiet">Space:</span> Engineering"#,
            r#"href="/indexes/1?q=pump&#38;space=1&#38;label=gone" data-live><span class="quiet">By:</span> Ann Author"#,
            r#"href="/indexes/1?q=pump" data-live>Clear all"#,
            r#"href="/indexes/1?q=pump&#38;label=gone&#38;person=ann" data-live>1234 more in other spaces"#,
        ],
    );
}

#[tokio::test]
async fn how_new_a_document_is_is_counted_by_days_of_the_clock() {
    let (world, browser) = handbook().await;
    let today = world.app.now().0.div_euclid(86_400_000);
    world.answering(move |_, query| {
        let day = |ago: i64, documents| DayCount {
            day: today - ago,
            documents,
        };
        Ok(Hits {
            total: 1,
            hits: vec![hit("Pump", "https://acme.example/wiki/1")],
            facets: Facets {
                days: match query.filter.modified_from {
                    None => vec![day(0, 1), day(1, 2), day(7, 4), day(8, 8), day(365, 16), day(366, 32)],
                    Some(_) => Vec::new(),
                },
                ..Facets::default()
            },
            ..Hits::default()
        })
    });
    for way in ["/indexes/1?q=pump", "/indexes/1?q=pump&updated=week"] {
        let page = shown(&browser, way).await;
        holds(
            &page,
            &[
                "<span>Past day</span> <span class=\"count\">3<",
                "<span>Past week</span> <span class=\"count\">7<",
                "<span>Past month</span> <span class=\"count\">15<",
                "<span>Past year</span> <span class=\"count\">31<",
            ],
        );
        let chosen = r#"value="week" form="search" checked"#;
        assert_eq!(page.contains(chosen), way.ends_with("week"), "{page}");
    }
    let from = world.asked().filter.modified_from.unwrap().0;
    assert_eq!(from, (today - 7) * 86_400_000);
}

#[tokio::test]
async fn whoever_finds_nothing_is_told_where_there_is_something() {
    let (world, browser) = handbook().await;
    world.answering(|_, query| {
        let (text, filter) = (query.text.as_str(), &query.filter);
        let spaces = match (text, filter.spaces.is_empty(), filter.kinds.is_empty()) {
            ("pump", true, false) => vec![space("2", "OPS", "Operations", 4)],
            ("pump", true, true) => vec![space("2", "OPS", "Operations", 7)],
            ("pump dry", ..) => vec![space("2", "OPS", "Operations", 5)],
            _ => Vec::new(),
        };
        Ok(Hits {
            total: spaces.iter().map(|count| count.documents).sum(),
            facets: Facets {
                spaces,
                ..Facets::default()
            },
            ..Hits::default()
        })
    });
    let page = shown(&browser, "/indexes/1?q=pump&space=1&kind=page").await;
    holds(
        &page,
        &[
            "<h2>Nothing found in this space; 4 hits in other spaces</h2>",
            r#"<a href="/indexes/1?kind=page&#38;q=pump&#38;space=2" data-live>Search in Operations</a> <span class="count">4 documents</span>"#,
            r#"<a href="/indexes/1?kind=page&#38;q=pump" data-live>Search in all spaces</a> <span class="count">4 documents</span>"#,
            r#"<a href="/indexes/1?q=pump" data-live>The words alone, without any filter</a> <span class="count">7 documents</span>"#,
            "Looking for a page that should be here?",
        ],
    );
    assert!(!page.contains("Any type"), "there is nothing of another type: {page}");
    let page = shown(&browser, "/indexes/1?q=pump&space=100").await;
    holds(&page, &["<h2>Nothing found in Operations; 7 hits in other spaces</h2>"]);
    let page = shown(&browser, "/indexes/1?q=%22pump+dry%22").await;
    holds(
        &page,
        &[
            "<h2>No document matches</h2>",
            r#"<a href="/indexes/1?q=pump+dry" data-live>The words of the phrase in any place</a> <span class="count">5 documents</span>"#,
        ],
    );
}

#[tokio::test]
async fn an_empty_box_shows_what_is_new_and_how_to_search() {
    let (world, browser) = handbook().await;
    world.answering(|_, query| {
        assert_eq!((query.sort, query.text.as_str()), (Sort::Modified, ""));
        Ok(Hits {
            total: 1,
            hits: vec![hit("Pump", "https://acme.example/wiki/1")],
            facets: Facets {
                spaces: vec![space("3", "~abc", "Ann", 9), space("1", "ENG", "Engineering", 3)],
                labels: vec![("how-to".into(), 1)],
                ..Facets::default()
            },
            ..Hits::default()
        })
    });
    let page = shown(&browser, "/indexes/1").await;
    holds(
        &page,
        &[
            "Recently updated",
            "How to search",
            r#"href="/indexes/1?q=space%3AENG" data-live"#,
            "<code>label:&#34;how-to&#34;</code>",
        ],
    );
}

#[tokio::test]
async fn several_indexes_are_searched_at_once_and_each_hit_names_its_own() {
    let (world, browser) = handbook().await;
    browser.post("/indexes/new", &[("name", "Archive")]).await;
    world.answering(|index, _: &Query| match index {
        IndexId(3) => Err(Error::unavailable("its disk is full")),
        index => Ok(Hits {
            total: 1,
            hits: vec![hit(&format!("Pump {index}"), "https://acme.example/wiki/1")],
            ..Hits::default()
        }),
    });
    let page = shown(&browser, "/search?q=pump").await;
    holds(
        &page,
        &[
            "2 documents",
            r#"<span class="badge">Handbook</span>"#,
            r#"<span class="badge">Archive</span>"#,
            r#"<a href="/indexes/2/documents/cloud-1:6p" data-title>"#,
            r#"name="index" value="2" form="search"><span>Archive</span>"#,
            r#"data-completing="2 1""#,
        ],
    );
    let page = shown(&browser, "/search?q=pump&index=2").await;
    holds(
        &page,
        &[
            "1 document",
            r#"href="/search?q=pump" data-live><span class="quiet">Index:</span> Archive"#,
        ],
    );
    assert!(
        !page.contains(r#"<span class="badge">"#),
        "one index needs no name: {page}"
    );
    browser.post("/indexes/new", &[("name", "Broken")]).await;
    let page = shown(&browser, "/search?q=pump").await;
    holds(&page, &["2 documents", "Broken could not answer just now"]);
    for way in ["/search?index=99", "/search?index=x"] {
        assert_eq!(browser.get(way).await.status, StatusCode::NOT_FOUND, "{way}");
    }
    holds(
        &shown(&browser, "/indexes/1?q=pump").await,
        &[r#"<a href="/search?q=pump">Search all indexes</a>"#],
    );
}

#[tokio::test]
async fn without_an_index_or_a_document_the_page_says_what_to_do() {
    let (_world, browser) = World::with_ann().await;
    holds(
        &shown(&browser, "/search?q=pump").await,
        &["No index yet", r#"href="/indexes/new""#],
    );
    browser.post("/indexes/new", &[("name", "Handbook")]).await;
    holds(
        &shown(&browser, "/search").await,
        &["Nothing imported yet", r#"href="/indexes""#],
    );
    holds(
        &shown(&browser, "/indexes/1").await,
        &["Nothing imported yet", "/indexes/1/integrations"],
    );
}

#[tokio::test]
async fn pages_of_several_indexes_end_where_they_would_cost_too_much() {
    let (world, browser) = handbook().await;
    browser.post("/indexes/new", &[("name", "Archive")]).await;
    world.answering(|_, query| {
        Ok(Hits {
            total: 9_000,
            hits: (0..query.limit)
                .map(|_| hit("Pump", "https://acme.example/wiki/1"))
                .collect(),
            ..Hits::default()
        })
    });
    holds(&shown(&browser, "/search?q=pump&page=400").await, &["Page 51 of 51"]);
    holds(
        &shown(&browser, "/search?q=pump&page=400&index=1").await,
        &["Page 400 of 450"],
    );
}
