//! Pages of our own making, and the text that a careful person would copy out of them.

use expect_test::{Expect, expect};
use proptest::prelude::*;

use crate::{block::plain_text, storage_format};

fn check(markup: &str, expected: Expect) {
    expected.assert_eq(&plain_text(&storage_format::blocks(markup)));
}

#[test]
fn headings_paragraphs_and_lists_keep_their_order() {
    check(
        "<h1>Pumps</h1><p>Start &amp; stop.</p><ul><li><p>First</p><ul><li>Inner</li></ul></li><li>Second</li></ul>",
        expect![[r#"
            Pumps

            Start & stop.

            - First
            - Inner
            - Second"#]],
    );
}

#[test]
fn a_tables_cells_do_not_run_together() {
    check(
        "<table><tbody><tr><th>Name</th><th>Age</th></tr><tr><td><p>Alice</p><p>B.</p></td><td>30</td></tr></tbody></table>",
        expect![[r#"
            Name | Age
            Alice B. | 30"#]],
    );
}

#[test]
fn code_is_kept_verbatim_and_its_parameters_are_not() {
    check(
        r#"<ac:structured-macro ac:name="code" ac:macro-id="1-2"><ac:parameter ac:name="language">bash</ac:parameter><ac:plain-text-body><![CDATA[if a < b; then
  echo "&amp;"
fi]]></ac:plain-text-body></ac:structured-macro>"#,
        expect![[r#"
            if a < b; then
              echo "&amp;"
            fi"#]],
    );
}

#[test]
fn panels_status_dates_links_and_images_read_as_they_show() {
    check(
        r#"<ac:structured-macro ac:name="info"><ac:parameter ac:name="title">Mind</ac:parameter><ac:rich-text-body><p>State: <ac:structured-macro ac:name="status"><ac:parameter ac:name="colour">Green</ac:parameter><ac:parameter ac:name="title">DONE</ac:parameter></ac:structured-macro> on <time datetime="2026-03-01"/>, see <ac:link><ri:page ri:content-title="Pump runbook"/></ac:link> and <ac:link><ri:page ri:content-title="X"/><ac:link-body>this one</ac:link-body></ac:link>.</p></ac:rich-text-body></ac:structured-macro><ac:image ac:alt="A pump"><ri:attachment ri:filename="p.png"/></ac:image><ac:structured-macro ac:name="toc"><ac:parameter ac:name="maxLevel">2</ac:parameter></ac:structured-macro>"#,
        expect![[r#"
            Mind

            State: DONE on 2026-03-01, see Pump runbook and this one.

            A pump"#]],
    );
}

#[test]
fn tasks_tell_whether_they_are_done() {
    check(
        "<ac:task-list><ac:task><ac:task-id>1</ac:task-id><ac:task-status>complete</ac:task-status><ac:task-body><span>Order oil</span></ac:task-body></ac:task><ac:task><ac:task-id>2</ac:task-id><ac:task-status>incomplete</ac:task-status><ac:task-body>Call Kim</ac:task-body></ac:task></ac:task-list>",
        expect![[r#"
            [x] Order oil
            [ ] Call Kim"#]],
    );
}

#[test]
fn unknown_macros_keep_their_bodies_and_broken_markup_is_text() {
    check(
        "<ac:structured-macro ac:name=\"acme-box\"><ac:parameter ac:name=\"id\">7</ac:parameter><ac:rich-text-body><p>Inside</p></ac:rich-text-body></ac:structured-macro><p>5 < 6 & 7 &unknown; <b>open</p></i>",
        expect![[r#"
            Inside

            5 < 6 & 7 &unknown; open"#]],
    );
}

#[test]
fn what_nobody_sees_does_not_reach_the_text() {
    check(
        "<script>alert(1)</script><style>p{}</style><!-- note --><p>Seen</p>",
        expect!["Seen"],
    );
}

#[test]
fn deep_nesting_costs_no_stack() {
    let deep = "<div>".repeat(100_000) + "bottom" + &"</div>".repeat(100_000);
    assert_eq!(plain_text(&storage_format::blocks(&deep)), "bottom");
}

#[test]
fn a_hundred_thousand_stray_closing_tags_are_nothing() {
    let deep = "<div>".repeat(100_000) + "bottom" + &"</x>".repeat(100_000) + &"<td>".repeat(100_000);
    assert_eq!(plain_text(&storage_format::blocks(&deep)), "bottom");
}

#[test]
fn every_page_of_the_corpus_reads_without_leaked_markup() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpora/storage");
    let Ok(files) = std::fs::read_dir(folder) else {
        eprintln!("skipped: the corpus folder is not beside the project");
        return;
    };
    let mut pages = 0;
    for file in files {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "expected") || path.ends_with("manifest.json") {
            continue;
        }
        let Ok(markup) = std::fs::read_to_string(&path) else {
            continue;
        };
        let blocks = storage_format::blocks(&markup);
        // Code is verbatim and may show markup; everything else must not.
        let words = blocks.iter().filter(|block| !matches!(block, crate::Block::Code(_)));
        for text in words.map(crate::Block::text) {
            for leak in ["<ac:", "<ri:", "&nbsp;", "]]>"] {
                assert!(
                    !text.contains(leak),
                    "{leak} leaked from {}",
                    path.file_name().unwrap().display()
                );
            }
        }
        pages += 1;
    }
    assert!(pages > 0);
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(markup in "(<(/)?(p|td|tr|li|ac:link|ac:parameter|h1|pre|time)( a=\"[^\"]{0,3}\"?)?/?>|[a-z<>&;\"!\\[\\] ]|<!\\[CDATA\\[|\\]\\]>|日){0,60}") {
        let _ = storage_format::blocks(&markup);
        let _ = crate::adf::blocks(&markup);
    }
}
