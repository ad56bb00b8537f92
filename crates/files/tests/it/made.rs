//! Files made for tests, in memory: the smallest that have what is tested.

use std::io::{Cursor, Write};

use files::{Content, FileText, Hints, Limits, Unread};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

pub fn named(name: &str) -> Hints {
    Hints {
        name: name.to_owned(),
        media_type: None,
    }
}

#[track_caller]
pub fn read(bytes: &[u8], name: &str) -> FileText {
    files::read(bytes, &named(name), &Limits::default()).unwrap_or_else(|unread| panic!("{name}: {unread}"))
}

#[track_caller]
pub fn unread(bytes: &[u8], name: &str) -> Unread {
    match files::read(bytes, &named(name), &Limits::default()) {
        Ok(text) => panic!("{name} was read: {text:?}"),
        Err(unread) => unread,
    }
}

/// A text as lines, each with its place and a sign for what it is.
pub fn outline(text: &FileText) -> String {
    let mut lines = String::new();
    for piece in &text.pieces {
        if let Some(place) = &piece.place {
            lines.push_str(&format!("[{place}] "));
        }
        match &piece.content {
            Content::Heading { level, .. } => lines.push_str(&format!("{} ", "#".repeat((*level).into()))),
            Content::Paragraph(_) => {}
            Content::Item { depth, .. } => lines.push_str(&format!("{}- ", "  ".repeat((*depth).into()))),
            Content::Row { header: true, .. } => lines.push_str("= "),
            Content::Row { header: false, .. } => lines.push_str("| "),
            Content::Code { language, .. } => {
                lines.push_str(&format!("`{}` ", language.as_deref().unwrap_or_default()));
            }
        }
        lines.push_str(&piece.text());
        lines.push('\n');
    }
    lines
}

pub fn zip(parts: &[(&str, &str)]) -> Vec<u8> {
    let parts: Vec<(&str, Vec<u8>)> = parts
        .iter()
        .map(|(name, text)| (*name, text.as_bytes().to_vec()))
        .collect();
    zip_of_bytes(&parts)
}

pub fn zip_of_bytes(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in parts {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// Relations of a part, as id, last word of the type, target.
pub fn relations(relations: &[(&str, &str, &str)]) -> String {
    let all: String = relations
        .iter()
        .map(|(id, kind, target)| format!(r#"<Relationship Id="{id}" Type="http://x/{kind}" Target="{target}"/>"#))
        .collect();
    format!("<Relationships>{all}</Relationships>")
}

pub fn docx(body: &str) -> Vec<u8> {
    let styles = r#"<w:styles><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>
        <w:style w:styleId="Own"><w:name w:val="Own"/><w:basedOn w:val="H1"/></w:style></w:styles>"#;
    let document = format!("<w:document xmlns:w='w'><w:body>{body}</w:body></w:document>");
    let notes = "<w:footnotes><w:footnote w:type='separator'><w:p/></w:footnote>\
        <w:footnote w:id='2'><w:p><w:r><w:t>the note</w:t></w:r></w:p></w:footnote></w:footnotes>";
    zip(&[
        ("[Content_Types].xml", "<Types>wordprocessingml</Types>"),
        (
            "_rels/.rels",
            &relations(&[("r1", "officeDocument", "word/document.xml")]),
        ),
        (
            "word/_rels/document.xml.rels",
            &relations(&[("r1", "styles", "styles.xml"), ("r2", "footnotes", "footnotes.xml")]),
        ),
        ("word/document.xml", &document),
        ("word/styles.xml", styles),
        ("word/footnotes.xml", notes),
        (
            "docProps/core.xml",
            "<p><dc:title>Plan</dc:title><dc:creator>Ann</dc:creator></p>",
        ),
    ])
}

pub fn pptx() -> Vec<u8> {
    let shape = |kind: &str, text: &str| {
        let placeholder = match kind {
            "" => String::new(),
            kind => format!(r#"<p:ph type="{kind}"/>"#),
        };
        format!(
            "<p:sp><p:nvSpPr><p:nvPr>{placeholder}</p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
        )
    };
    let slide = |shapes: &str| format!("<p:sld><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>");
    let table = "<p:graphicFrame><a:tbl><a:tblPr firstRow='1'/>\
        <a:tr><a:tc><a:txBody><a:p><a:r><a:t>A</a:t></a:r></a:p></a:txBody></a:tc>\
        <a:tc><a:txBody><a:p><a:r><a:t>B</a:t></a:r></a:p></a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame>";
    // The body stands before the title, as some write it.
    let first = slide(&format!(
        "{}{}{}",
        shape("body", "a point"),
        shape("title", "First"),
        shape("sldNum", "1")
    ));
    let second = slide(&format!("{}{table}", shape("", "in a box")));
    let notes = slide(&shape("body", "say hello"));
    zip(&[
        ("[Content_Types].xml", "<Types>presentationml</Types>"),
        (
            "_rels/.rels",
            &relations(&[("r1", "officeDocument", "ppt/presentation.xml")]),
        ),
        (
            "ppt/presentation.xml",
            "<p:presentation><p:sldIdLst><p:sldId id='256' r:id='r2'/><p:sldId id='257' r:id='r1'/></p:sldIdLst></p:presentation>",
        ),
        (
            "ppt/_rels/presentation.xml.rels",
            &relations(&[
                ("r1", "slide", "slides/slide1.xml"),
                ("r2", "slide", "slides/slide2.xml"),
            ]),
        ),
        ("ppt/slides/slide2.xml", &first),
        ("ppt/slides/slide1.xml", &second),
        (
            "ppt/slides/_rels/slide2.xml.rels",
            &relations(&[("r1", "notesSlide", "../notesSlides/notes1.xml")]),
        ),
        ("ppt/notesSlides/notes1.xml", &notes),
    ])
}

pub fn xlsx(rows: &str) -> Vec<u8> {
    zip(&[
        ("[Content_Types].xml", "<Types>spreadsheetml</Types>"),
        (
            "_rels/.rels",
            &relations(&[("r1", "officeDocument", "xl/workbook.xml")]),
        ),
        (
            "xl/workbook.xml",
            "<workbook><sheets><sheet name='Prices' sheetId='1' r:id='r1'/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            &relations(&[
                ("r1", "worksheet", "worksheets/sheet1.xml"),
                ("r2", "sharedStrings", "sharedStrings.xml"),
                ("r3", "styles", "styles.xml"),
            ]),
        ),
        (
            "xl/sharedStrings.xml",
            "<sst><si><t>Day</t></si><si><r><t>Pri</t></r><r><t>ce</t></r></si></sst>",
        ),
        (
            "xl/styles.xml",
            "<styleSheet><numFmts><numFmt numFmtId='164' formatCode='yyyy\\-mm\\-dd'/></numFmts>\
            <cellXfs><xf numFmtId='0'/><xf numFmtId='164'/><xf numFmtId='4'/></cellXfs></styleSheet>",
        ),
        (
            "xl/worksheets/sheet1.xml",
            &format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"),
        ),
    ])
}

pub fn odf(kind: &str, body: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    );
    zip(&[
        ("mimetype", &format!("application/vnd.oasis.opendocument.{kind}")),
        ("content.xml", &content),
        (
            "meta.xml",
            "<office:document-meta><office:meta><dc:title>Open</dc:title></office:meta></office:document-meta>",
        ),
        ("META-INF/manifest.xml", "<manifest:manifest/>"),
    ])
}

/// A PDF with a page for each content, in Helvetica (F1) and its bold (F2).
pub fn pdf(contents: &[&str]) -> Vec<u8> {
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        String::new(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    let mut kids = String::new();
    for content in contents {
        let page = objects.len() + 1;
        kids.push_str(&format!("{page} 0 R "));
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R \
             /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>",
            page + 1
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    objects[1] = format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", contents.len());
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(bytes.len());
        bytes.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let table = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for place in places {
        bytes.extend(format!("{place:010} 00000 n \n").bytes());
    }
    bytes.extend(
        format!(
            "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
            objects.len() + 1
        )
        .bytes(),
    );
    bytes
}

/// Lines of text for a page, each with its size and its place.
pub fn page(lines: &[(&str, u32, (u32, u32))]) -> String {
    lines
        .iter()
        .map(|(text, size, (x, y))| format!("BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET\n"))
        .collect()
}

pub fn tar(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in parts {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        header[257..262].copy_from_slice(b"ustar");
        header[156] = b'0';
        bytes.extend(header);
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1_024, 0);
    bytes
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}
