//! What stands in files, with its places.

use domain::{
    document::Body,
    file_text::{Content, FileText, Piece, Place},
};
use expect_test::{Expect, expect};
use extract::{PASSAGE_CHARS_MAX, People, blocks, markdown, passages, plain_text};

use crate::promises::{held, surroundings};

fn piece(place: Option<Place>, content: Content) -> Piece {
    Piece { place, content }
}

fn file(title: Option<&str>, pieces: Vec<Piece>) -> Body {
    let text = FileText {
        kind: "PDF".into(),
        title: title.map(str::to_owned),
        pieces,
        ..FileText::default()
    };
    text.into_body().unwrap()
}

fn check(body: Body, expected: Expect) {
    let mut shown = String::new();
    for passage in passages(&held(body)) {
        let path = passage.headings.join(" > ");
        shown += &format!("{} [{path}]\n{}\n\n", passage.ordinal, passage.text);
    }
    expected.assert_eq(shown.trim_end());
}

fn words(text: &str) -> Content {
    Content::Paragraph(text.into())
}

fn heading(level: u8, text: &str) -> Content {
    Content::Heading {
        level,
        text: text.into(),
    }
}

fn item(depth: u8, text: &str) -> Content {
    Content::Item {
        depth,
        text: text.into(),
    }
}

fn row(header: bool, cells: &[&str]) -> Content {
    Content::Row {
        header,
        cells: cells.iter().map(|cell| (*cell).to_owned()).collect(),
    }
}

#[test]
fn a_passage_is_on_one_page_and_its_path_ends_with_it() {
    let page = |number| Some(Place::Page(number));
    check(
        file(
            Some("Handbook of pumps"),
            vec![
                piece(page(1), heading(1, "Oil")),
                piece(page(1), words("Change it\nyearly.")),
                piece(page(2), words("Or sooner.")),
                piece(page(2), heading(2, "Filter")),
                piece(page(2), words("Third.")),
                piece(page(3), heading(1, "End")),
            ],
        ),
        expect![[r#"
            0 []
            Handbook of pumps

            1 [Oil > page 1]
            Change it
            yearly.

            2 [Oil > page 2]
            Or sooner.

            3 [Oil > Filter > page 2]
            Third.

            4 [End > page 3]"#]],
    );
}

#[test]
fn a_title_that_the_name_says_already_is_not_said_again() {
    check(
        file(Some("pumps"), vec![piece(None, words("Text."))]),
        expect![[r#"
            0 []
            Text."#]],
    );
}

#[test]
fn a_long_sheet_is_cut_between_rows_and_each_passage_has_its_header() {
    let sheet = || Some(Place::Sheet("Prices".into()));
    let mut pieces = vec![piece(sheet(), row(true, &["part", "price"]))];
    pieces.extend((0..300).map(|number| piece(sheet(), row(false, &[&format!("gasket {number}"), "12"]))));
    let passages = passages(&held(file(None, pieces)));
    assert!(passages.len() > 2);
    for passage in passages {
        assert!(passage.text.starts_with("part | price\ngasket "), "{}", passage.text);
        assert!(passage.text.chars().count() <= PASSAGE_CHARS_MAX);
        assert_eq!(passage.headings, ["sheet “Prices”"]);
    }
}

#[test]
fn markdown_and_plain_text_keep_lists_tables_and_places() {
    let part = |path: &str| {
        Some(Place::Part {
            path: path.into(),
            within: None,
        })
    };
    let body = file(
        None,
        vec![
            piece(part("a.md"), item(0, "One")),
            piece(part("a.md"), item(1, "<b>Two</b>")),
            piece(part("a.md"), item(0, "Three")),
            piece(part("b.csv"), row(true, &["x", "y"])),
            piece(part("b.csv"), row(false, &["1", ""])),
            piece(
                part("c.rs"),
                Content::Code {
                    language: Some("rust".into()),
                    text: "fn a() {}".into(),
                },
            ),
        ],
    );
    let (people, held) = (People::new(), held(body));
    let blocks = blocks(&held.document);
    expect![[r#"
        *a.md*

        - One
          - \<b>Two\</b>
        - Three

        *b.csv*

        | x | y |
        | --- | --- |
        | 1 | |

        *c.rs*

        ```rust
        fn a() {}
        ```"#]]
    .assert_eq(&markdown(&blocks, &surroundings(&people)));
    expect![[r#"
        a.md

        - One
          - <b>Two</b>
        - Three

        b.csv

        x | y
        1

        c.rs

        fn a() {}"#]]
    .assert_eq(&plain_text(&blocks, &people));
}

#[test]
fn items_however_deep_and_a_damaged_body_do_no_harm() {
    let deep = (0..20_000)
        .map(|number| piece(None, item((number % 256) as u8, "x")))
        .collect();
    assert!(!passages(&held(file(None, deep))).is_empty());
    let damaged = passages(&held(Body::File("{\"pieces\": 3".into())));
    assert_eq!((damaged.len(), damaged[0].text.as_str()), (1, ""));
}
