//! Given a presentation (PresentationML), gives its slides, each with its notes.

use super::linked_chart;
use crate::{
    LeftOut, Limits, Place, Unread,
    package::{Package, Relation, core_properties},
    pieces::Pieces,
    xml::{self, Element},
};

pub fn read(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    core_properties(&package, out);
    for (number, slide) in (1..).zip(slides(&package)?) {
        out.at(Some(Place::Slide(number)));
        match package.part(&slide) {
            Ok(bytes) => read_slide(&package, &slide, &xml::tree(&bytes), out),
            Err(_) => out.leave_out(LeftOut::Unreadable),
        }
        if out.is_full() {
            break;
        }
    }
    out.at(None);
    Ok(())
}

/// The parts of the slides in the order in which they are shown.
fn slides(package: &Package<'_>) -> Result<Vec<String>, Unread> {
    let root = package.relations("");
    let main = root
        .iter()
        .find(|relation| relation.kind == "officeDocument")
        .map_or("ppt/presentation.xml", |relation| relation.target.as_str());
    let presentation = package.part(main).map(|bytes| xml::tree(&bytes));
    let relations = package.relations(main);
    let mut ids = Vec::new();
    if let Ok(presentation) = &presentation {
        presentation.find_all("sldId", &mut ids);
    }
    let shown: Vec<String> = ids
        .iter()
        // Two attributes are called id; the relation's is the one that is no number.
        .filter_map(|slide| relations.iter().find(|relation| slide.has_value(&relation.id)))
        .map(|relation| relation.target.clone())
        .collect();
    if !shown.is_empty() || presentation.is_ok() {
        return Ok(shown);
    }
    // Without the table of slides their own numbers tell the order.
    let mut found: Vec<String> = package
        .names()
        .filter(|name| name.starts_with("ppt/slides/slide") && name.ends_with(".xml"))
        .map(str::to_owned)
        .collect();
    found.sort_by_key(|name| (name.len(), name.clone()));
    match found.is_empty() {
        true => Err(Unread::broken("its slides are missing")),
        false => Ok(found),
    }
}

fn read_slide(package: &Package<'_>, part: &str, slide: &Element, out: &mut Pieces) {
    let relations = package.relations(part);
    let reader = Reader {
        package,
        relations: &relations,
    };
    let Some(shapes) = slide.find("spTree") else { return };
    reader.shapes(shapes, Pass::Titles, out);
    reader.shapes(shapes, Pass::Others, out);
    for relation in &relations {
        match relation.kind.as_str() {
            "notesSlide" => read_notes(&package.tree(&relation.target), out),
            "comments" => read_comments(&package.tree(&relation.target), out),
            _ => {}
        }
    }
}

fn read_notes(notes: &Element, out: &mut Pieces) {
    let mut shapes = Vec::new();
    notes.find_all("sp", &mut shapes);
    for shape in shapes.into_iter().filter(|shape| placeholder(shape) == Some("body")) {
        for paragraph in paragraphs(shape) {
            out.paragraph(&paragraph_text(paragraph));
        }
    }
}

fn read_comments(comments: &Element, out: &mut Pieces) {
    let mut found = Vec::new();
    comments.find_all("cm", &mut found);
    for comment in found {
        let mut words = Vec::new();
        for name in ["text", "t"] {
            comment.find_all(name, &mut words);
        }
        let text: Vec<String> = words.into_iter().map(Element::text).collect();
        out.paragraph(&text.join(" "));
    }
}

/// A slide's title is read first, wherever it stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Titles,
    Others,
}

struct Reader<'a, 'bytes> {
    package: &'a Package<'bytes>,
    relations: &'a [Relation],
}

impl Reader<'_, '_> {
    fn shapes(&self, parent: &Element, pass: Pass, out: &mut Pieces) {
        for element in parent.elements() {
            match &*element.name {
                "sp" | "cxnSp" => shape(element, pass, out),
                "graphicFrame" if pass == Pass::Others => self.graphic(element, out),
                "pic" if pass == Pass::Others => {
                    let described = element
                        .find("cNvPr")
                        .and_then(|properties| properties.attribute("descr"));
                    out.paragraph(described.unwrap_or_default());
                }
                "grpSp" => self.shapes(element, pass, out),
                "AlternateContent" => {
                    let chosen = element.child("Choice").or_else(|| element.child("Fallback"));
                    self.shapes(chosen.unwrap_or(element), pass, out);
                }
                _ => {}
            }
        }
    }

    fn graphic(&self, frame: &Element, out: &mut Pieces) {
        let mut tables = Vec::new();
        frame.find_all("tbl", &mut tables);
        for table in tables {
            read_table(table, out);
        }
        let reference = frame.find("chart").or_else(|| frame.find("relIds"));
        let Some(reference) = reference else { return };
        for relation in self
            .relations
            .iter()
            .filter(|relation| reference.has_value(&relation.id))
        {
            linked_chart(self.package, relation, out);
        }
    }
}

/// What kind of placeholder a shape fills, if it is one.
fn placeholder(shape: &Element) -> Option<&str> {
    let properties = shape.elements().find(|element| element.name.starts_with("nv"))?;
    Some(properties.find("ph")?.attribute("type").unwrap_or("obj"))
}

fn paragraphs(shape: &Element) -> impl Iterator<Item = &Element> {
    let body = shape.child("txBody");
    body.into_iter()
        .flat_map(Element::elements)
        .filter(|element| &*element.name == "p")
}

fn shape(shape: &Element, pass: Pass, out: &mut Pieces) {
    let kind = placeholder(shape);
    let is_title = matches!(kind, Some("title" | "ctrTitle"));
    if is_title != (pass == Pass::Titles) || matches!(kind, Some("sldNum" | "dt")) {
        return;
    }
    for paragraph in paragraphs(shape) {
        let text = paragraph_text(paragraph);
        let properties = paragraph.child("pPr");
        let depth = properties
            .and_then(|properties| properties.attribute("lvl")?.parse().ok())
            .unwrap_or_default();
        let bullet = properties
            .is_some_and(|properties| properties.child("buChar").is_some() || properties.child("buAutoNum").is_some());
        let plain = properties.is_some_and(|properties| properties.child("buNone").is_some());
        match kind {
            Some("title" | "ctrTitle") => out.heading(2, &text),
            Some("body" | "obj") if !plain => out.item(depth, &text),
            _ if bullet => out.item(depth, &text),
            _ => out.paragraph(&text),
        }
    }
}

fn paragraph_text(paragraph: &Element) -> String {
    let mut text = String::new();
    add_text(paragraph, &mut text);
    text
}

fn add_text(parent: &Element, text: &mut String) {
    for element in parent.elements() {
        match &*element.name {
            "t" => text.push_str(&element.text()),
            "br" => text.push('\n'),
            "tab" => text.push(' '),
            // The number of a slide is its place.
            "fld" if element.attribute("type") == Some("slidenum") => {}
            "AlternateContent" => {
                add_text(
                    element
                        .child("Choice")
                        .or_else(|| element.child("Fallback"))
                        .unwrap_or(element),
                    text,
                );
            }
            _ => add_text(element, text),
        }
    }
}

fn read_table(table: &Element, out: &mut Pieces) {
    let properties = table.child("tblPr");
    let first_heads = properties.is_some_and(|properties| properties.attribute("firstRow") == Some("1"));
    let rows = table.elements().filter(|element| &*element.name == "tr");
    for (number, row) in rows.enumerate() {
        let cells = row.elements().filter(|element| &*element.name == "tc").map(|cell| {
            let lines: Vec<String> = paragraphs(cell).map(paragraph_text).collect();
            lines.join("\n")
        });
        out.row(number == 0 && first_heads, cells);
    }
}
