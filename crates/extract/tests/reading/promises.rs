//! What holds for every text that somebody calls a page. The tests and the fuzzer ask for the same.

use std::collections::BTreeMap;

use domain::{
    AccountId, DocumentId, FeedId, SiteId, SpaceId, Timestamp,
    document::{Body, Document, DocumentKind, Held},
};
use extract::{
    Block, PASSAGE_CHARS_MAX, PASSAGES_MAX, People, Surroundings, markdown, outline, passages_naming, plain_text, read,
};
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

const GITHUB: Options = Options::ENABLE_TABLES
    .union(Options::ENABLE_TASKLISTS)
    .union(Options::ENABLE_STRIKETHROUGH);

/// Panics, with what was broken, if the body's text, Markdown or passages break a promise.
pub fn check(body: &Body) {
    let people = people();
    let blocks = read(body);
    let text = plain_text(&blocks, &people);
    let surroundings = surroundings(&people);
    let markdown = markdown(&blocks, &surroundings);
    check_words(&letters(&text), &letters(&rendered(&markdown)), "Markdown");
    check_passages(body, &blocks, &people);
    for heading in outline(&blocks, &people) {
        assert!((1..=6).contains(&heading.level) && !heading.text.is_empty());
    }
}

/// The words of Markdown as a parser of other people reads it, which finds nothing in it but words.
fn rendered(markdown: &str) -> String {
    let mut words = String::new();
    for event in Parser::new_ext(markdown, GITHUB) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                assert_eq!(&*html, "<br>", "HTML in the Markdown:\n{markdown}");
                words.push(' ');
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                let known = ["https://", "http://", "mailto:", "#"];
                let lower = dest_url.to_ascii_lowercase();
                assert!(
                    known.iter().any(|known| lower.starts_with(known)),
                    "a link to {dest_url}"
                );
            }
            Event::Text(text) | Event::Code(text) => words.push_str(&text),
            Event::Start(Tag::Strong | Tag::Emphasis | Tag::Strikethrough)
            | Event::End(TagEnd::Strong | TagEnd::Emphasis | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image) => {}
            _ => words.push(' '),
        }
    }
    words
}

fn check_passages(body: &Body, blocks: &[Block], people: &People) {
    let passages = passages_naming(&held(body.clone()), people);
    assert!(!passages.is_empty());
    let mut words = String::new();
    for (ordinal, passage) in (0..).zip(&passages) {
        assert_eq!(passage.ordinal, ordinal);
        assert!(
            passage.text.chars().count() <= PASSAGE_CHARS_MAX,
            "a passage of {} characters",
            passage.text.len()
        );
        words.push_str(&passage.text);
        passage.headings.iter().for_each(|heading| words.push_str(heading));
    }
    // Long headings are cut where they stand above passages.
    let is_cut = passages.len() >= PASSAGES_MAX
        || outline(blocks, people)
            .iter()
            .any(|heading| heading.text.chars().count() > 200);
    if !is_cut {
        check_words(&letters(&plain_text(blocks, people)), &letters(&words), "passages");
    }
}

/// How often each letter is there. Digits are left out, for items have numbers here and there.
fn letters(text: &str) -> BTreeMap<char, usize> {
    let mut letters = BTreeMap::new();
    for c in text.chars().filter(|c| c.is_alphabetic()) {
        *letters.entry(c).or_default() += 1;
    }
    letters
}

fn check_words(wanted: &BTreeMap<char, usize>, found: &BTreeMap<char, usize>, place: &str) {
    for (letter, count) in wanted {
        // The box of a task that is done is a letter in the text.
        if *letter != 'x' {
            let there = found.get(letter).copied().unwrap_or(0);
            assert!(
                there >= *count,
                "the {place} lost {} of {count} {letter:?}",
                count - there
            );
        }
    }
}

/// A page with this body.
pub fn held(body: Body) -> Held {
    let site = SiteId::new("site");
    Held {
        feed: FeedId(1),
        document: Document {
            id: DocumentId::new(&site, "4711"),
            kind: DocumentKind::Page,
            space: SpaceId::new("1"),
            parent: None,
            title: "Pumps".to_owned(),
            version: 1,
            created_at: Timestamp(0),
            modified_at: Timestamp(0),
            author: None,
            editor: None,
            labels: Vec::new(),
            url: "https://acme.atlassian.net/wiki/spaces/ENG/pages/4711/Pumps".to_owned(),
            body,
            comment: None,
            file: None,
        },
        space_key: "ENG".to_owned(),
        space_name: "Engineering".to_owned(),
        breadcrumb: Vec::new(),
        author: None,
        editor: None,
        sequence: 1,
        first_seen_at: Timestamp(0),
        seen_run: None,
        unread: None,
        removed: None,
        removed_at: None,
    }
}

/// People who are known where our own pages stand.
pub fn people() -> People {
    [("712020:ann", "Ann Reed"), ("712020:ben", "Ben Sand")]
        .map(|(account, name)| (AccountId::new(account), name.to_owned()))
        .into()
}

/// Where our own pages stand.
pub fn surroundings(people: &People) -> Surroundings<'_> {
    Surroundings {
        wiki: Some("https://acme.atlassian.net/wiki"),
        space_key: "ENG",
        page: "4711",
        people,
    }
}
