//! Given a Word document (WordprocessingML), gives its pieces in reading order; what was deleted or hidden is not there.

use std::collections::{BTreeMap, BTreeSet};

use super::linked_chart;
use crate::{
    Limits, Unread,
    package::{Package, Relation, core_properties},
    pieces::Pieces,
    xml::{Element, Node},
};

/// Tables within cells beyond this are read as text of the cell.
const TABLES_MAX: u8 = 3;

pub fn read(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    core_properties(&package, out);
    let main = main_part(&package)?;
    let relations = package.relations(&main);
    let document = crate::xml::tree(&package.part(&main)?);
    let styles = part_of(&relations, "styles")
        .map(|part| Styles::read(&package.tree(part)))
        .unwrap_or_default();
    let body = document
        .find("body")
        .ok_or_else(|| Unread::broken("its text is missing"))?;
    let reader = Reader {
        package: &package,
        relations: &relations,
        styles: &styles,
    };
    reader.blocks(body, out);
    reader.aside(out);
    Ok(())
}

fn main_part(package: &Package<'_>) -> Result<String, Unread> {
    let relations = package.relations("");
    let named = part_of(&relations, "officeDocument")
        .filter(|name| package.has(name))
        .map(str::to_owned);
    let custom = || {
        package
            .names()
            .find(|name| name.ends_with("document.xml"))
            .map(str::to_owned)
    };
    named
        .or_else(custom)
        .ok_or_else(|| Unread::broken("its text is missing"))
}

fn part_of<'a>(relations: &'a [Relation], kind: &str) -> Option<&'a str> {
    let found = relations.iter().find(|relation| relation.kind == kind);
    found.map(|relation| relation.target.as_str())
}

/// What a paragraph's style says of it.
#[derive(Clone, Copy, Default)]
struct Style {
    heading: Option<u8>,
    list: Option<u8>,
}

#[derive(Default)]
struct Styles(BTreeMap<String, Style>);

impl Styles {
    fn read(root: &Element) -> Self {
        let mut found = Vec::new();
        root.find_all("style", &mut found);
        let by_id: BTreeMap<&str, &Element> = found
            .iter()
            .filter_map(|style| Some((style.attribute("styleId")?, *style)))
            .collect();
        let styles = by_id
            .keys()
            .map(|id| ((*id).to_owned(), inherited(id, &by_id)))
            .collect();
        Self(styles)
    }

    fn of(&self, properties: Option<&Element>) -> Style {
        let id = properties.and_then(|properties| value(properties, "pStyle"));
        id.and_then(|id| self.0.get(id)).copied().unwrap_or_default()
    }
}

/// A style with what it has of those it is based on.
fn inherited(id: &str, by_id: &BTreeMap<&str, &Element>) -> Style {
    /// Longer chains of styles are circles.
    const ANCESTORS_MAX: usize = 20;
    let mut style = Style::default();
    let mut next = Some(id);
    for _ in 0..ANCESTORS_MAX {
        let Some(element) = next.and_then(|id| by_id.get(id)) else {
            break;
        };
        let properties = element.child("pPr");
        style.heading = style.heading.or_else(|| named_level(value(element, "name")?));
        style.heading = style.heading.or_else(|| level(value(properties?, "outlineLvl")?));
        style.list = style.list.or_else(|| list_depth(properties?));
        next = value(element, "basedOn");
    }
    style
}

fn named_level(name: &str) -> Option<u8> {
    let name = name.to_lowercase();
    match name.strip_prefix("heading ") {
        Some(number) => number.trim().parse().ok().filter(|level| (1..=9).contains(level)),
        None => (name == "title").then_some(1),
    }
}

/// Outline levels count from 0; 9 is body text.
fn level(outline: &str) -> Option<u8> {
    outline
        .parse::<u8>()
        .ok()
        .filter(|level| *level < 9)
        .map(|level| level + 1)
}

fn list_depth(properties: &Element) -> Option<u8> {
    let numbering = properties.child("numPr")?;
    // Number 0 takes a list's paragraph out of the list.
    let in_list = value(numbering, "numId").is_none_or(|number| number != "0");
    let depth = value(numbering, "ilvl")
        .and_then(|depth| depth.parse().ok())
        .unwrap_or_default();
    in_list.then_some(depth)
}

fn value<'a>(element: &'a Element, child: &str) -> Option<&'a str> {
    element.child(child)?.attribute("val")
}

/// A property that is on unless it says otherwise.
fn is_on(element: &Element, child: &str) -> bool {
    element
        .child(child)
        .is_some_and(|property| !matches!(property.attribute("val"), Some("0" | "false" | "off" | "none")))
}

struct Reader<'a, 'bytes> {
    package: &'a Package<'bytes>,
    relations: &'a [Relation],
    styles: &'a Styles,
}

/// The text of a paragraph, and what hangs on it: boxes, charts.
#[derive(Default)]
struct Inline<'a> {
    text: String,
    boxes: Vec<&'a Element>,
    charts: Vec<&'a str>,
}

impl Reader<'_, '_> {
    /// Paragraphs and tables, wherever wrappings put them.
    fn blocks(&self, parent: &Element, out: &mut Pieces) {
        for element in parent.elements() {
            if out.is_full() {
                return;
            }
            match &*element.name {
                "p" => self.paragraph(element, out),
                "tbl" => self.table(element, out),
                "del" | "moveFrom" | "sectPr" => {}
                "AlternateContent" => self.blocks(alternative(element), out),
                _ => self.blocks(element, out),
            }
        }
    }

    fn paragraph(&self, element: &Element, out: &mut Pieces) {
        let properties = element.child("pPr");
        let style = self.styles.of(properties);
        let own_level = properties.and_then(|properties| level(value(properties, "outlineLvl")?));
        let mut inline = Inline::default();
        add_inline(element, &mut inline);
        let list = properties.map_or(style.list, |properties| match properties.child("numPr") {
            Some(_) => list_depth(properties),
            None => style.list,
        });
        match (own_level.or(style.heading), list) {
            (Some(level), _) => out.heading(level, &inline.text),
            (None, Some(depth)) => out.item(depth, &inline.text),
            (None, None) => out.paragraph(&inline.text),
        }
        for content in inline.boxes {
            self.blocks(content, out);
        }
        for id in inline.charts {
            self.chart(id, out);
        }
    }

    fn chart(&self, id: &str, out: &mut Pieces) {
        let Some(relation) = self.relations.iter().find(|relation| relation.id == id) else {
            return;
        };
        linked_chart(self.package, relation, out);
    }

    fn table(&self, table: &Element, out: &mut Pieces) {
        let rows = rows(table);
        let look = table.child("tblPr").and_then(|properties| properties.child("tblLook"));
        let first_row_heads = look.is_some_and(heads_first_row) && rows.len() > 1;
        for (number, row) in rows.iter().enumerate() {
            let marked = row
                .child("trPr")
                .is_some_and(|properties| is_on(properties, "tblHeader"));
            let deleted = row
                .child("trPr")
                .is_some_and(|properties| properties.child("del").is_some());
            if deleted {
                continue;
            }
            let cells = cells(row);
            // A single cell frames what it holds; it is no table to anybody.
            if let ([cell], 1) = (cells.as_slice(), rows.len()) {
                self.blocks(cell, out);
                return;
            }
            let texts = cells.into_iter().flat_map(|cell| self.cell(cell, 0));
            out.row(marked || number == 0 && first_row_heads, texts);
        }
    }

    /// A cell's text, and the empty cells that it spans.
    fn cell(&self, cell: &Element, tables: u8) -> Vec<String> {
        /// No table of Word has more columns.
        const COLUMNS_MAX: usize = 63;
        let properties = cell.child("tcPr");
        let span = properties
            .and_then(|properties| value(properties, "gridSpan")?.parse().ok())
            .unwrap_or(1_usize);
        let mut texts = vec![String::new(); span.clamp(1, COLUMNS_MAX)];
        texts[0] = cell_text(cell, tables);
        texts
    }

    /// What stands beside the text: notes, comments, and what heads and foots each page, told once.
    fn aside(&self, out: &mut Pieces) {
        for (kind, part) in self
            .relations
            .iter()
            .map(|relation| (relation.kind.as_str(), &relation.target))
        {
            let name = match kind {
                "footnotes" => "footnote",
                "endnotes" => "endnote",
                "comments" => "comment",
                _ => continue,
            };
            let root = self.package.tree(part);
            let mut notes = Vec::new();
            root.find_all(name, &mut notes);
            for note in notes.into_iter().filter(|note| note.attribute("type").is_none()) {
                let text = cell_text(note, 0);
                match (name, note.attribute("author")) {
                    ("comment", Some(author)) => out.paragraph(&format!("{author}: {text}")),
                    _ => out.paragraph(&text),
                }
            }
        }
        let mut told = BTreeSet::new();
        for relation in self
            .relations
            .iter()
            .filter(|relation| matches!(relation.kind.as_str(), "header" | "footer"))
        {
            let text = cell_text(&self.package.tree(&relation.target), 0);
            if told.insert(text.clone()) {
                out.paragraph(&text);
            }
        }
    }
}

fn heads_first_row(look: &Element) -> bool {
    /// The bit of `tblLook` that formats the first row as a header.
    const FIRST_ROW: u32 = 0x20;
    let bits = look
        .attribute("val")
        .and_then(|bits| u32::from_str_radix(bits, 16).ok())
        .unwrap_or_default();
    look.attribute("firstRow")
        .map_or(bits & FIRST_ROW != 0, |on| matches!(on, "1" | "true" | "on"))
}

fn rows(table: &Element) -> Vec<&Element> {
    let mut rows = Vec::new();
    for element in table.elements() {
        match &*element.name {
            "tr" => rows.push(element),
            "sdt" | "sdtContent" | "customXml" | "ins" => rows.extend(self::rows(element)),
            _ => {}
        }
    }
    rows
}

fn cells(row: &Element) -> Vec<&Element> {
    let mut cells = Vec::new();
    for element in row.elements() {
        match &*element.name {
            "tc" => cells.push(element),
            "sdt" | "sdtContent" | "customXml" => cells.extend(self::cells(element)),
            _ => {}
        }
    }
    cells
}

/// All text of a cell or a note, blocks on lines of their own.
fn cell_text(parent: &Element, tables: u8) -> String {
    let mut text = String::new();
    for element in parent.elements() {
        match &*element.name {
            "p" => {
                let mut inline = Inline::default();
                add_inline(element, &mut inline);
                text.push_str(&inline.text);
                text.push('\n');
                for content in inline.boxes {
                    text.push_str(&cell_text(content, tables));
                }
            }
            "tbl" if tables < TABLES_MAX => {
                for row in rows(element) {
                    let cells: Vec<String> = cells(row).into_iter().map(|cell| cell_text(cell, tables + 1)).collect();
                    text.push_str(&cells.join(" "));
                }
            }
            "del" | "moveFrom" | "tcPr" => {}
            "AlternateContent" => text.push_str(&cell_text(alternative(element), tables)),
            _ => text.push_str(&cell_text(element, tables)),
        }
    }
    text
}

/// The first choice that a writer offers, or what it falls back to.
fn alternative(element: &Element) -> &Element {
    element
        .child("Choice")
        .or_else(|| element.child("Fallback"))
        .unwrap_or(element)
}

fn add_inline<'a>(parent: &'a Element, inline: &mut Inline<'a>) {
    for element in parent.elements() {
        match &*element.name {
            "t" => inline.text.push_str(&element.text()),
            "tab" | "ptab" => inline.text.push(' '),
            "br" | "cr" => inline.text.push('\n'),
            "noBreakHyphen" => inline.text.push('-'),
            "r" if element
                .child("rPr")
                .is_some_and(|properties| is_on(properties, "vanish")) => {}
            "txbxContent" => inline.boxes.push(element),
            "docPr" => {
                let described = element.attribute("descr").unwrap_or_default();
                inline.text.push_str(described);
            }
            "chart" => inline.charts.extend(element.attribute("id")),
            "relIds" => inline.charts.extend(element.attribute("dm")),
            "AlternateContent" => add_inline(alternative(element), inline),
            // Ruby text reads as its base with the reading behind it.
            "rt" => {
                inline.text.push('(');
                add_inline(element, inline);
                inline.text.push(')');
            }
            "del" | "moveFrom" | "delText" | "instrText" | "pPr" | "rPr" | "fldData" => {}
            "textpath" => inline.text.push_str(element.attribute("string").unwrap_or_default()),
            _ => {
                let has_text = |child: &Node| matches!(child, Node::Element(_));
                if element.children.iter().any(has_text) {
                    add_inline(element, inline);
                }
            }
        }
    }
}
