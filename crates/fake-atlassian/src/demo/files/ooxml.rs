//! Given words, gives Office Open XML: a text document, a workbook of one sheet, a presentation.

use std::io::{Cursor, Write};

use zip::{ZipWriter, result::ZipError, write::SimpleFileOptions};

use crate::demo::markup::escaped;

const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";
const TYPE: &str = "application/vnd.openxmlformats-officedocument";
const RELATION: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const SPREADSHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const DRAWING: &str = "http://schemas.openxmlformats.org/drawingml/2006/main";
const PRESENTATION: &str = "http://schemas.openxmlformats.org/presentationml/2006/main";

/// A document: the title as a heading, a paragraph for each line.
pub(super) fn document(title: &str, lines: &[&str]) -> Vec<u8> {
    const WORDS: &str = "http://schemas.openxmlformats.org/wordprocessingml/2006/main";
    let paragraph = |style: &str, text: &str| {
        format!(
            "<w:p>{style}<w:r><w:t xml:space=\"preserve\">{}</w:t></w:r></w:p>",
            escaped(text)
        )
    };
    let body: String = lines.iter().map(|line| paragraph("", line)).collect();
    let heading = paragraph("<w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr>", title);
    let styles = format!(
        "<w:styles xmlns:w=\"{WORDS}\"><w:style w:type=\"paragraph\" w:styleId=\"Heading1\"><w:name w:val=\"heading \
         1\"/><w:pPr><w:outlineLvl w:val=\"0\"/></w:pPr><w:rPr><w:b/><w:sz w:val=\"32\"/></w:rPr></w:style></w:styles>"
    );
    package(
        title,
        "word/document.xml",
        &[
            (
                "word/document.xml",
                "wordprocessingml.document.main",
                format!("<w:document xmlns:w=\"{WORDS}\"><w:body>{heading}{body}<w:sectPr/></w:body></w:document>"),
            ),
            ("word/styles.xml", "wordprocessingml.styles", styles),
        ],
        &[("word/_rels/document.xml.rels", relations(&[("styles", "styles.xml")]))],
    )
}

/// A workbook: one sheet, words shared, numbers as numbers.
pub(super) fn workbook(title: &str, rows: &[Vec<&str>]) -> Vec<u8> {
    let mut shared: Vec<&str> = Vec::new();
    let mut sheet = String::new();
    for (row, number) in rows.iter().zip(1..) {
        sheet.push_str(&format!("<row r=\"{number}\">"));
        for (cell, column) in row.iter().zip('A'..='Z') {
            if cell.parse::<f64>().is_ok() {
                sheet.push_str(&format!("<c r=\"{column}{number}\"><v>{cell}</v></c>"));
                continue;
            }
            let place = shared.iter().position(|known| known == cell).unwrap_or_else(|| {
                shared.push(cell);
                shared.len() - 1
            });
            sheet.push_str(&format!("<c r=\"{column}{number}\" t=\"s\"><v>{place}</v></c>"));
        }
        sheet.push_str("</row>");
    }
    let words: String = shared
        .iter()
        .map(|word| format!("<si><t>{}</t></si>", escaped(word)))
        .collect();
    // Excel takes at most 31 letters for a sheet's name, and none of these.
    let name: String = title
        .chars()
        .filter(|sign| !"[]:*?/\\".contains(*sign))
        .take(31)
        .collect();
    package(
        title,
        "xl/workbook.xml",
        &[
            (
                "xl/workbook.xml",
                "spreadsheetml.sheet.main",
                format!(
                    "<workbook xmlns=\"{SPREADSHEET}\" xmlns:r=\"{RELATION}\"><sheets><sheet name=\"{}\" sheetId=\"1\" \
                 r:id=\"rId1\"/></sheets></workbook>",
                    escaped(&name),
                ),
            ),
            (
                "xl/worksheets/sheet1.xml",
                "spreadsheetml.worksheet",
                format!("<worksheet xmlns=\"{SPREADSHEET}\"><sheetData>{sheet}</sheetData></worksheet>"),
            ),
            (
                "xl/sharedStrings.xml",
                "spreadsheetml.sharedStrings",
                format!(
                    "<sst xmlns=\"{SPREADSHEET}\" uniqueCount=\"{}\">{words}</sst>",
                    shared.len(),
                ),
            ),
        ],
        &[(
            "xl/_rels/workbook.xml.rels",
            relations(&[
                ("worksheet", "worksheets/sheet1.xml"),
                ("sharedStrings", "sharedStrings.xml"),
            ]),
        )],
    )
}

/// A presentation: a slide for each text, its first line as the slide's title; the whole title on the first.
pub(super) fn presentation(title: &str, slides: &[&str]) -> Vec<u8> {
    let spaces = format!("xmlns:a=\"{DRAWING}\" xmlns:r=\"{RELATION}\" xmlns:p=\"{PRESENTATION}\"");
    let empty_tree = "<p:nvGrpSpPr><p:cNvPr id=\"1\" name=\"\"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>";
    let shape = |id: usize, kind: &str, y: u32, height: u32, lines: &[&str]| {
        let paragraphs: String = lines
            .iter()
            .map(|line| format!("<a:p><a:r><a:t>{}</a:t></a:r></a:p>", escaped(line)))
            .collect();
        format!(
            "<p:sp><p:nvSpPr><p:cNvPr id=\"{id}\" name=\"{kind} {id}\"/><p:cNvSpPr/><p:nvPr><p:ph type=\"{kind}\"/>\
             </p:nvPr></p:nvSpPr><p:spPr><a:xfrm><a:off x=\"600000\" y=\"{y}\"/><a:ext cx=\"10800000\" cy=\"{height}\"/>\
             </a:xfrm></p:spPr><p:txBody><a:bodyPr/>{paragraphs}</p:txBody></p:sp>"
        )
    };
    let mut contents: Vec<Vec<&str>> = vec![vec![title]];
    contents.extend(slides.iter().map(|slide| slide.split(" / ").map(str::trim).collect()));

    let numbers: Vec<usize> = (1..=contents.len()).collect();
    let names: Vec<String> = numbers
        .iter()
        .map(|number| format!("ppt/slides/slide{number}.xml"))
        .collect();
    let list: String = numbers
        .iter()
        .map(|number| format!("<p:sldId id=\"{}\" r:id=\"rId{}\"/>", 255 + number, number + 1))
        .collect();
    let mut parts = vec![
        (
            "ppt/presentation.xml",
            "presentationml.presentation.main",
            format!(
                "<p:presentation {spaces}><p:sldMasterIdLst><p:sldMasterId id=\"2147483648\" r:id=\"rId1\"/>\
             </p:sldMasterIdLst><p:sldIdLst>{list}</p:sldIdLst><p:sldSz cx=\"12192000\" cy=\"6858000\"/><p:notesSz \
             cx=\"6858000\" cy=\"9144000\"/></p:presentation>"
            ),
        ),
        (
            "ppt/slideMasters/slideMaster1.xml",
            "presentationml.slideMaster",
            format!(
                "<p:sldMaster {spaces}><p:cSld><p:spTree>{empty_tree}</p:spTree></p:cSld><p:clrMap bg1=\"lt1\" tx1=\"dk1\" \
             bg2=\"lt2\" tx2=\"dk2\" accent1=\"accent1\" accent2=\"accent2\" accent3=\"accent3\" accent4=\"accent4\" \
             accent5=\"accent5\" accent6=\"accent6\" hlink=\"hlink\" folHlink=\"folHlink\"/><p:sldLayoutIdLst>\
             <p:sldLayoutId id=\"2147483649\" r:id=\"rId1\"/></p:sldLayoutIdLst></p:sldMaster>"
            ),
        ),
        (
            "ppt/slideLayouts/slideLayout1.xml",
            "presentationml.slideLayout",
            format!(
                "<p:sldLayout {spaces}><p:cSld name=\"Text\"><p:spTree>{empty_tree}</p:spTree></p:cSld></p:sldLayout>"
            ),
        ),
        ("ppt/theme/theme1.xml", "theme", theme()),
    ];
    for (name, lines) in names.iter().zip(&contents) {
        let (first, others) = lines
            .split_first()
            .map_or(("", [].as_slice()), |(first, others)| (*first, others));
        let mut shapes = shape(2, "title", 400_000, 1_300_000, &[first]);
        if !others.is_empty() {
            shapes.push_str(&shape(3, "body", 1_900_000, 4_400_000, others));
        }
        parts.push((
            name,
            "presentationml.slide",
            format!("<p:sld {spaces}><p:cSld><p:spTree>{empty_tree}{shapes}</p:spTree></p:cSld></p:sld>"),
        ));
    }

    let targets: Vec<String> = numbers
        .iter()
        .map(|number| format!("slides/slide{number}.xml"))
        .collect();
    let mut of_presentation = vec![("slideMaster", "slideMasters/slideMaster1.xml")];
    of_presentation.extend(targets.iter().map(|target| ("slide", target.as_str())));
    let to_layout = [("slideLayout", "../slideLayouts/slideLayout1.xml")];
    let slide_relations: Vec<String> = numbers
        .iter()
        .map(|number| format!("ppt/slides/_rels/slide{number}.xml.rels"))
        .collect();
    let mut loose = vec![
        ("ppt/_rels/presentation.xml.rels", relations(&of_presentation)),
        (
            "ppt/slideMasters/_rels/slideMaster1.xml.rels",
            relations(&[to_layout[0], ("theme", "../theme/theme1.xml")]),
        ),
        (
            "ppt/slideLayouts/_rels/slideLayout1.xml.rels",
            relations(&[("slideMaster", "../slideMasters/slideMaster1.xml")]),
        ),
    ];
    loose.extend(
        slide_relations
            .iter()
            .map(|name| (name.as_str(), relations(&to_layout))),
    );
    package(title, "ppt/presentation.xml", &parts, &loose)
}

/// The least that PowerPoint accepts as a theme.
fn theme() -> String {
    let colours: String = [
        ("dk1", "0F172A"),
        ("lt1", "FFFFFF"),
        ("dk2", "1E3A5F"),
        ("lt2", "F1F5F9"),
        ("accent1", "0E7490"),
        ("accent2", "CA8A04"),
        ("accent3", "15803D"),
        ("accent4", "B91C1C"),
        ("accent5", "6D28D9"),
        ("accent6", "475569"),
        ("hlink", "0369A1"),
        ("folHlink", "6B21A8"),
    ]
    .iter()
    .map(|(name, rgb)| format!("<a:{name}><a:srgbClr val=\"{rgb}\"/></a:{name}>"))
    .collect();
    let font = "<a:latin typeface=\"Calibri\"/><a:ea typeface=\"\"/><a:cs typeface=\"\"/>";
    let fill = "<a:solidFill><a:schemeClr val=\"phClr\"/></a:solidFill>";
    let line = format!("<a:ln w=\"9525\">{fill}</a:ln>");
    let effect = "<a:effectStyle><a:effectLst/></a:effectStyle>";
    format!(
        "<a:theme xmlns:a=\"{DRAWING}\" name=\"Norrhav\"><a:themeElements><a:clrScheme name=\"Norrhav\">{colours}\
         </a:clrScheme><a:fontScheme name=\"Norrhav\"><a:majorFont>{font}</a:majorFont><a:minorFont>{font}</a:minorFont>\
         </a:fontScheme><a:fmtScheme name=\"Norrhav\"><a:fillStyleLst>{fills}</a:fillStyleLst><a:lnStyleLst>{lines}\
         </a:lnStyleLst><a:effectStyleLst>{effects}</a:effectStyleLst><a:bgFillStyleLst>{fills}</a:bgFillStyleLst>\
         </a:fmtScheme></a:themeElements></a:theme>",
        fills = fill.repeat(3),
        lines = line.repeat(3),
        effects = effect.repeat(3),
    )
}

/// The relations of one part: the kind and the target of each, numbered from 1.
fn relations(targets: &[(&str, &str)]) -> String {
    let each: String = targets
        .iter()
        .zip(1..)
        .map(|((kind, target), number)| {
            format!("<Relationship Id=\"rId{number}\" Type=\"{RELATION}/{kind}\" Target=\"{target}\"/>")
        })
        .collect();
    format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{each}</Relationships>"
    )
}

/// A package of parts (name, type, XML), of which one is the main part, and of loose files without a type.
fn package(title: &str, main: &str, parts: &[(&str, &str, String)], loose: &[(&str, String)]) -> Vec<u8> {
    let overrides: String = parts
        .iter()
        .map(|(name, kind, _)| format!("<Override PartName=\"/{name}\" ContentType=\"{TYPE}.{kind}+xml\"/>"))
        .collect();
    let types = format!(
        "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"rels\" \
         ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" \
         ContentType=\"application/xml\"/>{overrides}<Override PartName=\"/docProps/core.xml\" \
         ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/></Types>"
    );
    let core = format!(
        "<cp:coreProperties xmlns:cp=\"http://schemas.openxmlformats.org/package/2006/metadata/core-properties\" \
         xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><dc:title>{}</dc:title></cp:coreProperties>",
        escaped(title),
    );
    let root = format!(
        "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship \
         Id=\"rId1\" Type=\"{RELATION}/officeDocument\" Target=\"{main}\"/><Relationship Id=\"rId2\" \
         Type=\"http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties\" \
         Target=\"docProps/core.xml\"/></Relationships>"
    );
    let mut files = vec![
        ("[Content_Types].xml", types.as_str()),
        ("_rels/.rels", &root),
        ("docProps/core.xml", &core),
    ];
    files.extend(parts.iter().map(|(name, _, xml)| (*name, xml.as_str())));
    files.extend(loose.iter().map(|(name, xml)| (*name, xml.as_str())));
    match zipped(&files) {
        Ok(bytes) => bytes,
        Err(error) => panic!("writing {main} to memory: {error}"),
    }
}

fn zipped(files: &[(&str, &str)]) -> Result<Vec<u8>, ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated)
        .last_modified_time(zip::DateTime::DEFAULT);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, xml) in files {
        archive.start_file(*name, options)?;
        archive.write_all(XML.as_bytes())?;
        archive.write_all(xml.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}
