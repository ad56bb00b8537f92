//! Passages of whole pages.

use domain::document::Body;
use expect_test::{Expect, expect};
use extract::{PASSAGE_CHARS_MAX, passages};

use crate::promises::held;

/// Place, heading path, fragment of the address, and text of each passage, long ones by their beginning and their end.
fn shown(markup: &str) -> String {
    let mut shown = String::new();
    for passage in passages(&held(Body::Storage(markup.to_owned()))) {
        let fragment = passage.url.split_once('#').map_or("", |(_, fragment)| fragment);
        let path = passage.headings.join(" > ");
        let lines: Vec<&str> = passage.text.lines().collect();
        let text = match lines.as_slice() {
            [first, second, .., last] if lines.len() > 4 => {
                format!("{first}\n{second}\n… {} lines …\n{last}", lines.len() - 3)
            }
            _ => passage.text.clone(),
        };
        shown += &format!("{} [{path}] #{fragment}\n{text}\n\n", passage.ordinal);
    }
    shown.trim_end().to_owned()
}

fn check(markup: &str, expected: Expect) {
    expected.assert_eq(&shown(markup));
}

#[test]
fn a_passage_knows_its_headings_and_opens_the_page_there() {
    check(
        "<p>Intro.</p><h1>Oil change</h1><p>First.</p><h2>Öl &amp; filter</h2><p>Second.</p><h2>Steps</h2><p>Third.</p>\
         <h1>Steps</h1><p>Fourth.</p>",
        expect![[r#"
            0 [] #
            Intro.

            1 [Oil change] #Oil-change
            First.

            2 [Oil change > Öl & filter] #%C3%96l-%26-filter
            Second.

            3 [Oil change > Steps] #Steps
            Third.

            4 [Steps] #Steps.1
            Fourth."#]],
    );
}

#[test]
fn a_heading_with_nothing_under_it_is_found_all_the_same() {
    check(
        "<h1>Pumps</h1><h2>North</h2><h2>South</h2><p>Two.</p><h1>Valves</h1>",
        expect![[r#"
            0 [Pumps > North] #North


            1 [Pumps > South] #South
            Two.

            2 [Valves] #Valves"#]],
    );
}

fn table(rows: usize) -> String {
    let row = |row: usize| format!("<tr><td>P-{row}</td><td>{}</td></tr>", "flows well ".repeat(4));
    let rows: String = (1..=rows).map(row).collect();
    format!("<table><tbody><tr><th>Pump</th><th>State</th></tr>{rows}</tbody></table>")
}

#[test]
fn a_table_is_not_cut_while_it_fits() {
    let words = format!("<p>{}</p>", "All pumps were looked at. ".repeat(20));
    let markup = format!("<h1>State</h1>{words}{}<p>End.</p>", table(25));
    check(
        &markup,
        expect![[r#"
            0 [State] #State
            All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at. All pumps were looked at.

            1 [State] #State
            Pump | State
            P-1 | flows well flows well flows well flows well
            … 23 lines …
            P-25 | flows well flows well flows well flows well

            2 [State] #State
            End."#]],
    );
}

#[test]
fn a_long_table_is_cut_between_rows_and_repeats_its_header() {
    check(
        &table(60),
        expect![[r#"
            0 [] #
            Pump | State
            P-1 | flows well flows well flows well flows well
            … 17 lines …
            P-19 | flows well flows well flows well flows well

            1 [] #
            Pump | State
            P-20 | flows well flows well flows well flows well
            … 17 lines …
            P-38 | flows well flows well flows well flows well

            2 [] #
            Pump | State
            P-39 | flows well flows well flows well flows well
            … 17 lines …
            P-57 | flows well flows well flows well flows well

            3 [] #
            Pump | State
            P-58 | flows well flows well flows well flows well
            P-59 | flows well flows well flows well flows well
            P-60 | flows well flows well flows well flows well"#]],
    );
}

#[test]
fn long_code_is_cut_between_lines_and_repeats_its_title() {
    let lines: String = (1..=100)
        .map(|line| format!("let pump_{line} = start({line});\n"))
        .collect();
    check(
        &format!(
            "<ac:structured-macro ac:name=\"code\"><ac:parameter ac:name=\"title\">pumps.rs</ac:parameter>\
             <ac:plain-text-body><![CDATA[{lines}]]></ac:plain-text-body></ac:structured-macro>"
        ),
        expect![[r#"
            0 [] #
            pumps.rs
            let pump_1 = start(1);
            … 38 lines …
            let pump_40 = start(40);

            1 [] #
            pumps.rs
            let pump_41 = start(41);
            … 37 lines …
            let pump_79 = start(79);

            2 [] #
            pumps.rs
            let pump_80 = start(80);
            … 19 lines …
            let pump_100 = start(100);"#]],
    );
}

#[test]
fn a_paragraph_that_is_cut_repeats_its_last_sentence() {
    let sentences: String = (1..=90)
        .map(|number| format!("Sentence {number} tells of a pump that runs. "))
        .collect();
    let passages = passages(&held(Body::Storage(format!("<p>{sentences}</p>"))));
    assert!(passages.len() > 1);
    for pair in passages.windows(2) {
        let (before, after) = (&pair[0].text, &pair[1].text);
        let last = before.rfind("Sentence ").unwrap();
        assert!(after.starts_with(&before[last..]), "{before}\n\n{after}");
        assert!(after.chars().count() <= PASSAGE_CHARS_MAX);
    }
}

#[test]
fn a_long_list_is_cut_between_items_and_keeps_its_numbers() {
    let items: String = (1..=60)
        .map(|item| format!("<li><p>Turn valve {item} by hand until it is shut.</p></li>"))
        .collect();
    check(
        &format!("<ol>{items}</ol>"),
        expect![[r#"
            0 [] #
            1. Turn valve 1 by hand until it is shut.
            2. Turn valve 2 by hand until it is shut.
            … 20 lines …
            23. Turn valve 23 by hand until it is shut.

            1 [] #
            24. Turn valve 24 by hand until it is shut.
            25. Turn valve 25 by hand until it is shut.
            … 19 lines …
            45. Turn valve 45 by hand until it is shut.

            2 [] #
            46. Turn valve 46 by hand until it is shut.
            47. Turn valve 47 by hand until it is shut.
            … 12 lines …
            60. Turn valve 60 by hand until it is shut."#]],
    );
}

#[test]
fn what_has_no_text_is_found_by_its_title() {
    let passages = passages(&held(Body::None));
    assert_eq!(passages.len(), 1);
    assert_eq!((passages[0].title.as_str(), passages[0].text.as_str()), ("Pumps", ""));
    assert!(!passages[0].url.contains('#'));
}
