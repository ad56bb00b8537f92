//! Each format keeps the structure that its author gave it.

use files::{Limits, Place, Unread};

use crate::made::{docx, gzip, named, odf, outline, page, pdf, pptx, read, tar, unread, xlsx, zip, zip_of_bytes};

#[track_caller]
fn check(bytes: &[u8], name: &str, expected: &str) {
    let lines: Vec<&str> = expected
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let found = outline(&read(bytes, name));
    assert_eq!(found.lines().map(str::trim).collect::<Vec<_>>(), lines, "{name}");
}

#[test]
fn a_word_document_keeps_headings_lists_tables_boxes_and_notes_and_loses_what_was_deleted() {
    let body = r#"
        <w:p><w:pPr><w:pStyle w:val="Own"/></w:pPr><w:r><w:t>Title</w:t></w:r></w:p>
        <w:p><w:r><w:t xml:space="preserve">One </w:t></w:r><w:ins><w:r><w:t>two</w:t></w:r></w:ins>
            <w:del><w:r><w:delText>gone</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r></w:p>
        <w:p><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="3"/></w:numPr></w:pPr><w:r><w:t>item</w:t></w:r></w:p>
        <w:tbl><w:tr><w:trPr><w:tblHeader/></w:trPr><w:tc><w:p><w:r><w:t>A</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>B</w:t></w:r></w:p></w:tc></w:tr>
            <w:tr><w:tc><w:tcPr><w:gridSpan w:val="2"/></w:tcPr><w:p><w:r><w:t>1</w:t></w:r></w:p><w:p><w:r><w:t>2</w:t></w:r></w:p></w:tc></w:tr></w:tbl>
        <w:p><w:r><mc:AlternateContent><mc:Choice><wps><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></wps></mc:Choice>
            <mc:Fallback><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Fallback></mc:AlternateContent></w:r></w:p>"#;
    let expected = "# Title\nOne two\n  - item\n= A | B\n| 1 2\nboxed\nthe note\n";
    check(&docx(body), "a.docx", expected);
    let text = read(&docx(body), "a.docx");
    assert_eq!(
        (text.title.as_deref(), text.author.as_deref()),
        (Some("Plan"), Some("Ann"))
    );
    assert_eq!(text.kind, "Word document");
}

#[test]
fn slides_come_in_the_order_shown_with_titles_first_and_their_notes() {
    let expected =
        "[slide 1] ## First\n[slide 1] - a point\n[slide 1] say hello\n[slide 2] in a box\n[slide 2] = A | B\n";
    check(&pptx(), "a.pptx", expected);
}

#[test]
fn a_sheet_shows_values_as_its_cells_do_and_tells_its_header() {
    let rows = r#"<row><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>
        <row><c r="A2" s="1"><v>46052</v></c><c r="B2" s="2"><f>1+1</f><v>1234.5</v></c></row>
        <row><c r="A3" t="inlineStr"><is><t>end</t></is></c><c r="D3" t="b"><v>1</v></c></row>"#;
    let expected = "[sheet “Prices”] ## Prices\n[sheet “Prices”] = Day | Price\n[sheet “Prices”] | 2026-01-30 | 1,234.50\n\
        [sheet “Prices”] | end |  |  | TRUE\n";
    check(&xlsx(rows), "a.xlsx", expected);
}

#[test]
fn open_document_text_keeps_headings_lists_tables_notes_and_blanks() {
    let body = r#"<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>
        <text:h text:outline-level="2">Head</text:h><text:p>a<text:s text:c="3"/>b<text:line-break/>c
        <text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>aside</text:p></text:note-body></text:note></text:p>
        <text:list><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>deep</text:p></text:list-item></text:list></text:list-item></text:list>
        <table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>H</text:p></table:table-cell><table:table-cell><text:p>I</text:p></table:table-cell></table:table-row></table:table-header-rows>
        <table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell></table:table-row></table:table>"#;
    check(
        &odf("text", body),
        "a.odt",
        "## Head\na b\nc (aside)\n- one\n  - deep\n= H | I\n| x | x\n",
    );
}

#[test]
fn open_document_sheets_and_slides_have_places() {
    let sheet = r#"<table:table table:name="S"><table:table-row><table:table-cell><text:p>name</text:p></table:table-cell><table:table-cell><text:p>due</text:p></table:table-cell></table:table-row>
        <table:table-row table:number-rows-repeated="1000000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>
        <table:table-row><table:table-cell office:value-type="float"><text:p>7</text:p></table:table-cell><table:table-cell office:value-type="date"><text:p>30.01.26</text:p></table:table-cell></table:table-row></table:table>"#;
    let expected = "[sheet “S”] ## S\n[sheet “S”] = name | due\n[sheet “S”] | 7 | 30.01.26\n";
    check(&odf("spreadsheet", sheet), "a.ods", expected);
    let slides = r#"<draw:page draw:name="p"><draw:frame presentation:class="title"><draw:text-box><text:p>Top</text:p></draw:text-box></draw:frame>
        <presentation:notes><draw:frame><draw:text-box><text:p>whisper</text:p></draw:text-box></draw:frame></presentation:notes></draw:page>"#;
    check(
        &odf("presentation", slides),
        "a.odp",
        "[slide 1] ## Top\n[slide 1] whisper\n",
    );
}

#[test]
fn a_pdf_has_pages_headings_paragraphs_items_and_tables() {
    let first = page(&[
        ("A Large Title", 20, (72, 720)),
        ("This is the first line of a paragraph that goes on", 10, (72, 680)),
        ("in a second line and ends there.", 10, (72, 668)),
        ("\\225 a point", 10, (72, 640)),
    ]);
    let second = page(&[
        ("Name", 10, (72, 700)),
        ("Price", 10, (300, 700)),
        ("Tea", 10, (72, 688)),
        ("2.50", 10, (300, 688)),
        ("Coffee", 10, (72, 676)),
        ("3.50", 10, (300, 676)),
    ]);
    let expected = "[page 1] # A Large Title\n\
        [page 1] This is the first line of a paragraph that goes on in a second line and ends there.\n[page 1] - a point\n\
        [page 2] | Name | Price\n[page 2] | Tea | 2.50\n[page 2] | Coffee | 3.50\n";
    check(&pdf(&[&first, &second]), "a.pdf", expected);
}

#[test]
fn a_pdf_whose_table_of_objects_is_lost_is_read_all_the_same() {
    let whole = pdf(&[&page(&[("still here", 10, (72, 700))])]);
    let table = whole.windows(5).position(|window| window == b"xref\n").unwrap();
    check(&whole[..table], "a.pdf", "[page 1] still here\n");
}

#[test]
fn html_gives_what_a_browser_shows() {
    let html = r#"<!DOCTYPE html><title>T</title><style>p{}</style><h1>Head <b>bold</b></h1><p>one<br>two &amp; three&nbsp;four
        <script>alert("x")</script><p hidden>never</p><ul><li>a<ul><li>b</ul><li>c</ul>
        <table><tr><th>H</th><th>I</th></tr><tr><td>1<td>2</table><pre class="language-rust">fn a() {
    b();
}</pre><p style="display: none">nor this</p><img alt="a picture">"#;
    let expected =
        "# Head bold\none\ntwo & three four\n- a\n  - b\n- c\n= H | I\n| 1 | 2\n`rust` fn a() {\nb();\n}\na picture\n";
    check(html.as_bytes(), "a.html", expected);
    assert_eq!(read(html.as_bytes(), "a.html").title.as_deref(), Some("T"));
}

#[test]
fn a_table_that_only_lays_out_is_no_table() {
    let html =
        "<html><table><tr><td><table><tr><td>A</td><td>B</td></tr></table></td></tr><tr><td>alone</td></tr></table>";
    check(html.as_bytes(), "a.html", "| A | B\nalone\n");
}

#[test]
fn a_letter_has_its_people_its_text_and_the_names_of_what_is_attached() {
    let eml = "From: Ann <ann@example.org>\r\nTo: Bob <bob@example.org>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\
        MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
        Hello there.\r\n\r\nBye.\r\n--x\r\nContent-Type: application/pdf; name=\"plan.pdf\"\r\n\
        Content-Disposition: attachment; filename=\"plan.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--x--\r\n";
    let expected =
        "# Grüße\nFrom: Ann <ann@example.org>\nTo: Bob <bob@example.org>\nHello there.\nBye.\nAttachment: plan.pdf\n";
    check(eml.as_bytes(), "a.eml", expected);
}

#[test]
fn a_book_has_chapters_in_the_order_of_its_spine() {
    let book = zip(&[
        ("mimetype", "application/epub+zip"),
        (
            "META-INF/container.xml",
            "<container><rootfiles><rootfile full-path='o/b.opf'/></rootfiles></container>",
        ),
        (
            "o/b.opf",
            "<package><metadata><dc:title>Book</dc:title></metadata><manifest><item id='a' href='a.xhtml' media-type='application/xhtml+xml'/>\
            <item id='b' href='b%20c.xhtml' media-type='application/xhtml+xml'/></manifest><spine><itemref idref='b'/><itemref idref='a'/></spine></package>",
        ),
        ("o/a.xhtml", "<html><body><h1>Second</h1><p>later</p></body></html>"),
        ("o/b c.xhtml", "<html><body><h1>First</h1><p>early</p></body></html>"),
    ]);
    let expected =
        "[chapter “First”] # First\n[chapter “First”] early\n[chapter “Second”] # Second\n[chapter “Second”] later\n";
    check(&book, "a.epub", expected);
}

#[test]
fn markdown_loses_its_marks_and_keeps_its_structure() {
    let markdown = "---\ntitle: x\n---\n# Head *one*\n\nText with `code` and [a link](http://example.org).\n\n- a\n  - b\n- [x] done\n\n\
        | H | I |\n|---|---|\n| 1 | 2 |\n\n```sh\nls  -l\n```\n";
    let expected = "`yaml` title: x\n# Head one\nText with code and a link.\n- a\n  - b\n- [x] done\n= H | I\n| 1 | 2\n`sh` ls  -l\n";
    check(markdown.as_bytes(), "a.md", expected);
}

#[test]
fn tables_of_values_have_rows_whatever_divides_them() {
    check(
        b"name;price\n\"a; b\";1,50\n",
        "a.csv",
        "= name | price\n| a; b | 1,50\n",
    );
    check(b"name\tprice\nx\t1\n", "a.tsv", "= name | price\n| x | 1\n");
}

#[test]
fn calendars_and_captions_tell_what_people_see() {
    let ics = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Lunch\\, early\r\nDTSTART;TZID=X:20260130T113000\r\n\
        DESCRIPTION:a long\r\n  line\r\nORGANIZER;CN=Ann:mailto:ann@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    check(
        ics.as_bytes(),
        "a.ics",
        "## Lunch, early\nStart: 2026-01-30 11:30\na long line\nOrganizer: Ann (ann@example.org)\n",
    );
    let vtt = "WEBVTT\n\n1\n00:01.000 --> 00:02.000\n<v Ann>Hello <i>you</i>\n\n00:02.000 --> 00:03.000\nBye\n";
    check(vtt.as_bytes(), "a.vtt", "Ann: Hello you\nBye\n");
}

#[test]
fn drawings_give_their_words() {
    check(b"<svg xmlns='x'><title>Flow</title><text x='1'>Start</text><g><text><tspan x='1'>two</tspan><tspan x='1'>lines</tspan></text></g></svg>",
        "a.svg", "# Flow\nStart\ntwo lines\n");
    let plain = r#"<mxfile><diagram name="Page-1"><mxGraphModel><root><mxCell value="&lt;b&gt;Box&lt;/b&gt; one"/></root></mxGraphModel></diagram></mxfile>"#;
    check(
        plain.as_bytes(),
        "a.drawio",
        "[chapter “Page-1”] ## Page-1\n[chapter “Page-1”] Box one\n",
    );
    // The same model, percent-encoded, deflated and in base64.
    let packed = packed_diagram("<mxGraphModel><root><mxCell value=\"Packed\"/></root></mxGraphModel>");
    let drawio = format!("<mxfile><diagram name=\"P\">{packed}</diagram></mxfile>");
    check(
        drawio.as_bytes(),
        "a.drawio",
        "[chapter “P”] ## P\n[chapter “P”] Packed\n",
    );
}

fn packed_diagram(model: &str) -> String {
    use std::io::Write;
    let encoded: String = model.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(encoded.as_bytes()).unwrap();
    let bytes = encoder.finish().unwrap();
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32| char::from(ALPHABET[(bits & 63) as usize]);
    bytes
        .chunks(3)
        .flat_map(|three| {
            let bits = three.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
            [digit(bits >> 18), digit(bits >> 12), digit(bits >> 6), digit(bits)]
                .into_iter()
                .take(three.len() + 1)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn code_and_data_are_kept_verbatim() {
    check(b"{\"a\":   1}", "a.json", "`json` {\"a\":   1}\n");
    check(b"def f():\n  pass\n", "a.py", "`python` def f():\n  pass\n");
    check(
        b"<?xml version='1.0'?><a/>",
        "unnamed",
        "`xml` <?xml version='1.0'?><a/>\n",
    );
}

#[test]
fn an_archive_is_read_one_level_deep_and_says_what_it_does_not_read() {
    let inner = zip(&[("x.txt", "never")]);
    let sheet = xlsx("<row><c t='str'><v>cell</v></c></row>");
    let archive = zip_of_bytes(&[
        ("notes.txt", b"hello".to_vec()),
        ("a/inner.zip", inner),
        ("film.mp4", b"\0\0\0\x18ftypmp42........".to_vec()),
        ("p.xlsx", sheet),
        ("__MACOSX/._x", b"litter".to_vec()),
    ]);
    let expected = "[notes.txt] hello\n[a/inner.zip] a/inner.zip (type not read: archive within an archive)\n\
        [film.mp4] film.mp4 (type not read: video/mp4)\n[p.xlsx, sheet “Prices”] ## Prices\n[p.xlsx, sheet “Prices”] | cell\n";
    check(&archive, "a.zip", expected);
    let place = Place::Part {
        path: "p.xlsx".to_owned(),
        within: Some(Box::new(Place::Sheet("Prices".to_owned()))),
    };
    assert!(
        read(&archive, "a.zip")
            .pieces
            .iter()
            .any(|piece| piece.place.as_ref() == Some(&place))
    );
    let tarred = tar(&[("b/c.txt", b"in a tar"), ("d.md", b"# Head")]);
    check(&tarred, "a.tar", "[b/c.txt] in a tar\n[d.md] # Head\n");
    check(&gzip(&tarred), "a.tar.gz", "[b/c.txt] in a tar\n[d.md] # Head\n");
    check(&gzip(b"just text"), "a.gz", "just text\n");
}

#[test]
fn a_picture_gives_its_format_and_size() {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    png.extend([0, 0, 2, 128, 0, 0, 1, 224, 8, 2, 0, 0, 0]);
    check(&png, "a.png", "PNG image, 640 × 480 pixels\n");
}

#[test]
fn what_has_no_text_says_why_in_words_for_people() {
    let sentences = [
        (unread(b"", "a.txt"), "empty file"),
        (
            unread(b"\0\0\0\x18ftypmp42........", "a.docx"),
            "type not read: video/mp4",
        ),
        (
            unread(b"7z\xbc\xaf\x27\x1c\0\0", "a.7z"),
            "type not read: application/x-7z-compressed",
        ),
        (
            unread(b"PK\x03\x04 and then nothing", "a.docx"),
            "damaged: it is not a whole zip",
        ),
        (Unread::PasswordProtected, "password-protected"),
        (Unread::OutOfTime { seconds: 30 }, "not read within 30 seconds"),
    ];
    for (unread, sentence) in sentences {
        assert_eq!(unread.to_string(), sentence);
    }
    let limits = Limits {
        file_bytes_max: 1 << 20,
        ..Limits::default()
    };
    let large = files::read(&vec![b'a'; (1 << 20) + 1], &named("a.txt"), &limits).unwrap_err();
    assert_eq!(large.to_string(), "larger than 1 MB");
}

#[test]
fn an_encrypted_open_document_is_told_from_a_broken_one() {
    let encrypted = zip(&[
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        (
            "META-INF/manifest.xml",
            "<m:manifest><m:file-entry m:full-path='content.xml'><m:encryption-data/></m:file-entry></m:manifest>",
        ),
        ("content.xml", "noise"),
    ]);
    assert_eq!(unread(&encrypted, "a.odt"), Unread::PasswordProtected);
}

#[test]
fn text_beyond_the_limit_is_left_out_and_said_to_be() {
    let limits = Limits {
        text_bytes_max: 10_000,
        ..Limits::default()
    };
    let long = "a paragraph of some words\n\n".repeat(10_000);
    let text = files::read(long.as_bytes(), &named("a.txt"), &limits).unwrap();
    assert_eq!(text.left_out, Some(files::LeftOut::Text { bytes: 10_000 }));
    assert!(serde_json::to_string(&text).unwrap().len() < 11_000);
}
