//! Files that were made to harm: each costs itself and nothing else.

use files::{Limits, Unread};
use proptest::prelude::*;

use crate::made::{docx, gzip, named, odf, page, pdf, pptx, xlsx, zip, zip_of_bytes};

/// Whatever comes of it, it comes, and within the limits.
fn survives(bytes: &[u8], name: &str) {
    if let Ok(text) = files::read(bytes, &named(name), &Limits::default()) {
        assert!(serde_json::to_string(&text).unwrap().len() <= 10 << 20, "{name}");
    }
}

fn samples() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("a.docx", docx("<w:p><w:r><w:t>words</w:t></w:r></w:p><w:tbl><w:tr><w:tc><w:p/></w:tc></w:tr></w:tbl>")),
        ("a.pptx", pptx()),
        ("a.xlsx", xlsx("<row><c t='s'><v>0</v></c></row>")),
        ("a.odt", odf("text", "<text:p>words</text:p>")),
        ("a.pdf", pdf(&[&page(&[("words", 10, (72, 700))])])),
        ("a.rtf", b"{\\rtf1\\ansi{\\fonttbl{\\f0\\fcharset204 A;}}\\f0\\'e0\\u8364?{\\*\\x y}\\trowd a\\cell\\row\\bin3 abc\\par}".to_vec()),
        ("a.html", b"<html><table><tr><td>a<pre>b</pre><iframe srcdoc='<p>c'></iframe><!-- d --></table>&#x41;&amp".to_vec()),
        ("a.eml", b"From: a\nTo: b\nSubject: =?utf-8?q?c?=\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\nd\n--x--\n".to_vec()),
        ("a.gz", gzip(b"some words in it")),
    ]
}

#[test]
fn every_beginning_of_every_file_is_survived() {
    for (name, bytes) in samples() {
        for end in 0..bytes.len() {
            survives(&bytes[..end], name);
        }
    }
}

#[test]
fn every_file_with_one_byte_changed_is_survived() {
    for (name, bytes) in samples() {
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0xff;
            survives(&changed, name);
        }
    }
}

/// Beginnings that lead into each reader.
const SIGNATURES: [&[u8]; 22] = [
    b"%PDF-1.7\n",
    b"PK\x03\x04",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"{\\rtf1 ",
    b"\x1f\x8b\x08\0\0\0\0\0\0\0",
    b"<html>",
    b"<svg>",
    b"<mxfile><diagram>",
    b"BEGIN:VCALENDAR\n",
    b"WEBVTT\n",
    b"From: a\nTo: b\nSubject: c\n\n",
    b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF89a",
    b"\x09\x08\x10\0\0\x06",
    b"\x09\x02\x06\0\0\0",
    b"<?xml version='1.0'?><office:document>",
    b"# ",
    b"a,b\n",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_behind_any_beginning_are_survived(
        signature in prop::sample::select(SIGNATURES.to_vec()),
        bytes in prop::collection::vec(any::<u8>(), 0..2_000),
        name in prop::sample::select(vec!["a.txt", "a.csv", "a.md", "a.json", "a", "a.eml"]),
    ) {
        survives(&[signature, &bytes].concat(), name);
        survives(&bytes, name);
    }

    #[test]
    fn random_markup_is_survived(parts in prop::collection::vec(prop::sample::select(vec![
        "<table>", "</table>", "<tr>", "<td>", "</td>", "<p>", "<li>", "<ul>", "</ul>", "<pre>", "</pre>", "<", ">", "&", "&amp;",
        "<!--", "-->", "<script>", "</script>", "<iframe srcdoc='", "'>", "text", "<h1>", "</h1>", "<title>", "\"", "=", "<br/>", "é",
    ]), 0..100)) {
        survives(format!("<html>{}", parts.concat()).as_bytes(), "a.html");
    }
}

#[test]
fn a_bomb_in_a_zip_is_told_and_not_unpacked() {
    // 65 MB of blanks in 65 kB, as the main part of a document: a little more than a part may have.
    let body = vec![b' '; 65 << 20];
    let bomb = zip_of_bytes(&[
        ("[Content_Types].xml", b"<Types>wordprocessingml</Types>".to_vec()),
        ("word/document.xml", body),
    ]);
    assert!(bomb.len() < 1 << 18);
    let unread = files::read(&bomb, &named("a.docx"), &Limits::default()).unwrap_err();
    assert_eq!(unread.to_string(), "damaged: it unpacks to more than any document has");
}

#[test]
fn zips_in_zips_are_not_followed() {
    let mut nested = zip(&[("a.txt", "the innermost")]);
    for _ in 0..50 {
        nested = zip_of_bytes(&[("next.zip", nested)]);
    }
    let text = files::read(&nested, &named("a.zip"), &Limits::default()).unwrap();
    assert_eq!(text.plain(), "next.zip (type not read: archive within an archive)");
}

#[test]
fn elements_in_elements_a_hundred_thousand_deep_are_survived() {
    let deep = |name: &str| {
        format!(
            "{}words{}",
            format!("<{name}>").repeat(100_000),
            format!("</{name}>").repeat(100_000)
        )
    };
    survives(&docx(&deep("w:tbl")), "a.docx");
    survives(&docx(&deep("w:p")), "a.docx");
    survives(&odf("text", &deep("text:list")), "a.odt");
    survives(format!("<html>{}", deep("div")).as_bytes(), "a.html");
    survives(format!("<html>{}", deep("table")).as_bytes(), "a.html");
    survives(format!("<svg>{}</svg>", deep("g")).as_bytes(), "a.svg");
    survives(format!("{{\\rtf1 {}", "{".repeat(100_000)).as_bytes(), "a.rtf");
    survives(&pdf(&[&"[".repeat(100_000)]), "a.pdf");
    survives(&pdf(&[&"q BT ".repeat(100_000)]), "a.pdf");
}

#[test]
fn entities_that_laugh_a_billion_times_say_nothing() {
    let mut document = String::from("<!DOCTYPE x [<!ENTITY a0 'ha'>");
    for level in 1..30 {
        document.push_str(&format!(
            "<!ENTITY a{level} '{}'>",
            format!("&a{};", level - 1).repeat(10)
        ));
    }
    document.push_str("]><w:document><w:body><w:p><w:r><w:t>&a29;</w:t></w:r></w:p></w:body></w:document>");
    let bytes = zip(&[
        ("[Content_Types].xml", "<Types>wordprocessingml</Types>"),
        ("word/document.xml", &document),
    ]);
    let text = files::read(&bytes, &named("a.docx"), &Limits::default()).unwrap();
    assert_eq!(text.plain(), "&a29;");
}

#[test]
fn a_page_that_draws_itself_ends() {
    let bytes = pdf(&["/F1 Do BT /F1 10 Tf (once) Tj ET"]);
    let text = String::from_utf8_lossy(&bytes).replace("/Font <<", "/XObject << /F1 6 0 R >> /Font <<");
    survives(text.as_bytes(), "a.pdf");
}

#[test]
fn a_million_tags_take_about_ten_times_as_long_as_a_hundred_thousand() {
    // Not a stopwatch: what would be quadratic would not end within this test at all.
    for unit in [
        "<",
        "<a",
        "<a b='",
        "<!--",
        "&",
        "&#",
        "<table><tr><td>",
        "<script>",
        "</",
    ] {
        survives(format!("<html>{}", unit.repeat(1_000_000)).as_bytes(), "a.html");
    }
    survives("[".repeat(5_000_000).as_bytes(), "a.md");
    survives("\"".repeat(5_000_000).as_bytes(), "a.csv");
}

#[test]
fn a_locked_zip_is_password_protected() {
    // The bit that says so is set in both headers.
    let mut locked = zip(&[("a.txt", "secret")]);
    locked[6] |= 1;
    let central = locked.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    locked[central + 8] |= 1;
    assert_eq!(
        files::read(&locked, &named("a.zip"), &Limits::default()),
        Err(Unread::PasswordProtected)
    );
}
