//! Given an OpenDocument text, sheet, presentation or drawing, gives its pieces.

use crate::{
    Limits, Place, Unread,
    package::Package,
    pieces::Pieces,
    sheets::{Grid, begin_sheet},
    xml::{self, Element, Node},
};

/// An empty cell repeated more often is the rest of the sheet.
const EMPTY_CELLS_MAX: usize = 50;
/// A cell with text repeated more often is a filled column.
const CELLS_MAX: usize = 1_000;
/// A row with text is told this often; the same again says nothing.
const ROWS_REPEATED_MAX: usize = 3;

pub fn read(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    if package.tree("META-INF/manifest.xml").find("encryption-data").is_some() {
        return Err(Unread::PasswordProtected);
    }
    properties(&package.tree("meta.xml"), out);
    let content = xml::tree(&package.part("content.xml")?);
    body(&content, out);
    masters(&package.tree("styles.xml"), out);
    Ok(())
}

/// The same in one file of XML.
pub fn read_flat(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    let root = xml::tree(bytes);
    properties(&root, out);
    body(&root, out);
    masters(&root, out);
    Ok(())
}

fn properties(root: &Element, out: &mut Pieces) {
    let Some(meta) = root.find("meta") else { return };
    if let Some(title) = meta.find("title") {
        out.title(&title.text());
    }
    if let Some(creator) = meta.find("initial-creator").or_else(|| meta.find("creator")) {
        out.author(&creator.text());
    }
    for name in ["subject", "keyword", "description"] {
        if let Some(property) = meta.find(name) {
            out.paragraph(&property.text());
        }
    }
}

fn body(root: &Element, out: &mut Pieces) {
    let Some(body) = root.find("body") else { return };
    if let Some(sheets) = body.child("spreadsheet") {
        for sheet in sheets.elements().filter(|element| &*element.name == "table") {
            let name = sheet.attribute("name").unwrap_or_default();
            begin_sheet(name, out);
            read_sheet(sheet, out);
        }
        out.at(None);
        return;
    }
    let mut slides = Vec::new();
    body.find_all("page", &mut slides);
    if slides.is_empty() {
        blocks(body, Where::default(), out);
    }
    let is_drawing = body.child("drawing").is_some();
    for (number, slide) in (1..).zip(slides) {
        out.at(Some(if is_drawing {
            Place::Page(number)
        } else {
            Place::Slide(number)
        }));
        blocks(slide, Where::default(), out);
    }
    out.at(None);
}

/// What stands on every page: the words of master pages that are no placeholders.
fn masters(root: &Element, out: &mut Pieces) {
    let Some(masters) = root.find("master-styles") else {
        return;
    };
    let mut pages = Vec::new();
    masters.find_all("master-page", &mut pages);
    for page in pages {
        for element in page.elements() {
            let is_placeholder = element.attribute("placeholder") == Some("true");
            let is_notes = &*element.name == "notes";
            if !is_placeholder && !is_notes {
                blocks_of(element, Where::default(), out);
            }
        }
    }
}

/// Where in a document's lists a block stands.
#[derive(Clone, Copy, Default)]
struct Where {
    lists: u8,
    is_title: bool,
}

fn blocks(parent: &Element, at: Where, out: &mut Pieces) {
    for element in parent.elements() {
        if out.is_full() {
            return;
        }
        blocks_of(element, at, out);
    }
}

fn blocks_of(element: &Element, at: Where, out: &mut Pieces) {
    match &*element.name {
        "h" => {
            let level = element
                .attribute("outline-level")
                .and_then(|level| level.parse().ok())
                .unwrap_or(1);
            text_block(element, out, |out, text| out.heading(level, text));
        }
        "p" => {
            let style = element.attribute("style-name").unwrap_or_default();
            let is_title = at.is_title || style == "Title";
            text_block(element, out, |out, text| match (is_title, at.lists) {
                (true, _) => out.heading(if at.is_title { 2 } else { 1 }, text),
                (false, 0) => out.paragraph(text),
                (false, depth) => out.item(depth - 1, text),
            });
        }
        "list" => blocks(
            element,
            Where {
                lists: at.lists.saturating_add(1),
                ..at
            },
            out,
        ),
        "table" => read_table(element, out),
        "frame" | "custom-shape" => {
            let is_title = element.attribute("class") == Some("title");
            blocks(element, Where { is_title, ..at }, out);
        }
        "title" | "desc" => out.paragraph(&element.text()),
        "tracked-changes" | "forms" | "sequence-decls" | "event-listeners" | "object" | "object-ole" | "style" => {}
        // A slide's number and date, and a picture's name are not its text.
        "page-number" | "date" | "time" => {}
        "annotation" => annotation(element, out),
        _ => blocks(element, at, out),
    }
}

/// A paragraph's own text, and after it what hangs on it.
fn text_block(element: &Element, out: &mut Pieces, write: impl FnOnce(&mut Pieces, &str)) {
    let mut text = String::new();
    let mut hanging = Vec::new();
    add_text(element, &mut text, &mut hanging);
    write(out, &text);
    for element in hanging {
        blocks_of(element, Where::default(), out);
    }
}

fn annotation(element: &Element, out: &mut Pieces) {
    let author = element.child("creator").map(Element::text).unwrap_or_default();
    let mut paragraphs = Vec::new();
    element.find_all("p", &mut paragraphs);
    let text: Vec<String> = paragraphs.into_iter().map(own_text).collect();
    let text = text.join("\n");
    match author.is_empty() {
        true => out.paragraph(&text),
        false => out.paragraph(&format!("{author}: {text}")),
    }
}

fn own_text(element: &Element) -> String {
    let mut text = String::new();
    add_text(element, &mut text, &mut Vec::new());
    text
}

fn add_text<'a>(parent: &'a Element, text: &mut String, hanging: &mut Vec<&'a Element>) {
    for child in &parent.children {
        let element = match child {
            Node::Text(own) => {
                // Blanks and lines of the file's own layout.
                text.push_str(&own.replace(['\n', '\r', '\t'], " "));
                continue;
            }
            Node::Element(element) => element,
        };
        match &*element.name {
            "s" | "tab" => text.push(' '),
            "line-break" => text.push('\n'),
            "frame" | "custom-shape" | "g" | "annotation" | "table" => hanging.push(element),
            "note" => {
                if let Some(body) = element.child("note-body") {
                    let mut paragraphs = Vec::new();
                    body.find_all("p", &mut paragraphs);
                    for paragraph in paragraphs {
                        text.push_str(&format!(" ({})", own_text(paragraph)));
                    }
                }
            }
            "ruby-text" => text.push_str(&format!("({})", element.text())),
            "annotation-end" | "bookmark" | "soft-page-break" | "change-start" | "change-end" => {}
            _ => add_text(element, text, hanging),
        }
    }
}

fn read_table(table: &Element, out: &mut Pieces) {
    for (row, in_header) in rows(table) {
        out.row(in_header, cells(row).into_iter().map(|(text, _)| text));
    }
}

fn read_sheet(sheet: &Element, out: &mut Pieces) {
    let mut grid = Grid::default();
    for (row, in_header) in rows(sheet) {
        let repeated = row
            .attribute("number-rows-repeated")
            .and_then(|count| count.parse().ok())
            .unwrap_or(1_usize);
        let cells = cells(row);
        for _ in 0..repeated.min(ROWS_REPEATED_MAX) {
            grid.row(cells.clone(), in_header, out);
        }
        if out.is_full() {
            return;
        }
    }
    grid.finish(out);
    let mut shapes = Vec::new();
    sheet.find_all("shapes", &mut shapes);
    for shape in shapes {
        blocks(shape, Where::default(), out);
    }
}

/// A table's rows in order, with whether they head it.
fn rows(table: &Element) -> Vec<(&Element, bool)> {
    let mut all = Vec::new();
    for element in table.elements() {
        match &*element.name {
            "table-row" => all.push((element, false)),
            "table-header-rows" => all.extend(rows(element).into_iter().map(|(row, _)| (row, true))),
            "table-rows" | "table-row-group" => all.extend(rows(element)),
            _ => {}
        }
    }
    all
}

/// A row's cells: their shown text, and whether they are figures.
fn cells(row: &Element) -> Vec<(String, bool)> {
    let mut cells = Vec::new();
    for cell in row
        .elements()
        .filter(|cell| matches!(&*cell.name, "table-cell" | "covered-table-cell"))
    {
        let text = cell_text(cell);
        let is_figure = matches!(
            cell.attribute("value-type"),
            Some("float" | "percentage" | "currency" | "date" | "time" | "boolean")
        );
        let repeated = cell
            .attribute("number-columns-repeated")
            .and_then(|count| count.parse().ok())
            .unwrap_or(1_usize);
        let most = if text.is_empty() { EMPTY_CELLS_MAX } else { CELLS_MAX };
        if cells.len() + repeated.min(most) > CELLS_MAX {
            break;
        }
        for _ in 0..repeated.min(most) {
            cells.push((text.clone(), is_figure));
        }
    }
    cells
}

fn cell_text(cell: &Element) -> String {
    let mut text = String::new();
    for element in cell.elements() {
        match &*element.name {
            "p" | "h" => {
                let mut hanging = Vec::new();
                add_text(element, &mut text, &mut hanging);
                text.push('\n');
                for element in hanging {
                    text.push_str(&cell_text(element));
                }
            }
            "annotation" => {
                let author = element.child("creator").map(Element::text).unwrap_or_default();
                text.push_str(&format!("{author} {}", cell_text(element)));
            }
            "date" | "creator" => {}
            _ => text.push_str(&cell_text(element)),
        }
    }
    text
}
