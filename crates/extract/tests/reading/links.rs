//! What a page links to, however it names it.

use domain::{ContentId, document::Body, link::Link};
use extract::{People, passages_and_links};

use crate::promises::held;

fn links(body: &str) -> Vec<String> {
    let (_, links) = passages_and_links(&held(Body::Storage(body.to_owned())), &People::new());
    let shown = links.into_iter().map(|link| match link {
        Link::Document(id) => id.to_string(),
        Link::Titled { space_key, title } => format!("{space_key}/{title}"),
    });
    shown.collect()
}

#[test]
fn pages_are_linked_by_title_by_id_and_by_address_each_once() {
    let page = r#"<p><ac:link><ri:page ri:content-title="Pump Runbook"/></ac:link>
        <ac:link><ri:page ri:content-title="pump runbook " ri:space-key="ENG"/></ac:link>
        <ac:link><ri:page ri:content-title="Rota" ri:space-key="OPS"/></ac:link>
        <ac:link><ri:page ri:content-id="42" ri:content-title="By id"/></ac:link>
        <a href="https://acme.atlassian.net/wiki/spaces/ENG/pages/43/By+address?focusedCommentId=1#x">a</a>
        <a href="/wiki/pages/viewpage.action?spaceKey=ENG&amp;pageId=44#y">b</a>
        <a href="https://acme.atlassian.net/wiki/spaces/ENG/blog/2026/03/01/45/Post">c</a>
        <a href="https://acme.atlassian.net/wiki/display/ENG/Oil+%26+filter">d</a></p>
        <table><tbody><tr><td><a href="/wiki/spaces/ENG/pages/46">e</a></td></tr></tbody></table>"#;
    assert_eq!(
        links(page),
        [
            "42",
            "43",
            "44",
            "45",
            "46",
            "eng/oil & filter",
            "eng/pump runbook",
            "ops/rota"
        ]
    );
}

#[test]
fn itself_other_sites_and_what_is_no_document_are_not_linked() {
    let page = r##"<p><a href="https://acme.atlassian.net/wiki/spaces/ENG/pages/4711/Pumps">itself</a>
        <ac:link><ri:page ri:content-title="Pumps"/></ac:link><ac:link ac:anchor="x"/>
        <a href="https://other.example/wiki/spaces/ENG/pages/43">a</a>
        <a href="https://acme.atlassian.net/wiki/spaces/ENG/overview">b</a>
        <a href="https://acme.atlassian.net/wiki/spaces/ENG/pages/many/x">c</a>
        <a href="https://acme.atlassian.net/wikis/spaces/ENG/pages/43">d</a>
        <a href="/wiki/spaces/ENG/pages/999999999999999999999999999">e</a>
        <ac:link><ri:attachment ri:filename="a.pdf"/></ac:link></p>"##;
    assert!(links(page).is_empty(), "{:?}", links(page));
}

#[test]
fn a_list_of_everything_links_to_so_many_and_no_more() {
    let many: String = (0..1_000)
        .map(|id| format!(r#"<p><a href="/wiki/spaces/ENG/pages/{}">x</a></p>"#, 10_000 + id))
        .collect();
    let (_, links) = passages_and_links(&held(Body::Storage(many)), &People::new());
    assert_eq!(links.len(), domain::link::LINKS_MAX);
    assert!(
        links.contains(&Link::Document(ContentId::new("10000"))),
        "the first ones"
    );
}
