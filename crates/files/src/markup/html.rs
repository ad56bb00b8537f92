//! Given HTML of any quality, gives its pieces: what a browser would show, block by block.

use super::tokens::{Token, attribute, tokens};
use crate::{Unread, encoding, pieces::Pieces, xml};

/// How many frames within one another are read (`iframe srcdoc`).
const FRAMES_MAX: u8 = 2;

pub fn read(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    read_text(&encoding::decode_as(bytes, charset(bytes).as_deref()), out);
    Ok(())
}

/// How far into a page its charset may be named.
const HEAD_BYTES_SEEN: usize = 2_048;

fn charset(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD_BYTES_SEEN)]).to_ascii_lowercase();
    let after = head
        .split("charset=")
        .nth(1)
        .or_else(|| head.split("encoding=").nth(1))?;
    let label = after.trim_start_matches(['"', '\'', ' ']);
    let end = label
        .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'))
        .unwrap_or(label.len());
    Some(label[..end].to_owned())
}

pub fn read_text(text: &str, out: &mut Pieces) {
    read_frame(text, 0, out);
}

fn read_frame(text: &str, frames: u8, out: &mut Pieces) {
    let mut page = Page {
        frames,
        ..Page::default()
    };
    for token in tokens(text) {
        page.take(token, out);
        if out.is_full() {
            return;
        }
    }
    page.flush(out);
    page.end_row(out);
}

/// The words of a bit of HTML, blocks on lines of their own.
pub fn inline_text(html: &str) -> String {
    let mut text = String::new();
    let mut hidden = false;
    for token in tokens(html) {
        match token {
            Token::Text(words) if !hidden => text.push_str(&xml::unescape(words)),
            Token::Text(_) => {}
            Token::Open { name, attributes } => {
                hidden = matches!(name.as_str(), "script" | "style");
                if name == "img" {
                    text.push_str(&attribute(attributes, "alt").unwrap_or_default());
                }
                if is_block(&name) || name == "br" {
                    text.push('\n');
                }
            }
            Token::Close { name } => {
                hidden = false;
                if is_block(&name) {
                    text.push('\n');
                }
            }
        }
    }
    text
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "p" | "div"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "main"
            | "nav"
            | "aside"
            | "ul"
            | "ol"
            | "dl"
            | "li"
            | "dt"
            | "dd"
            | "table"
            | "caption"
            | "tr"
            | "td"
            | "th"
            | "thead"
            | "tbody"
            | "tfoot"
            | "pre"
            | "blockquote"
            | "figure"
            | "figcaption"
            | "form"
            | "fieldset"
            | "legend"
            | "address"
            | "details"
            | "summary"
            | "hr"
            | "body"
            | "html"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "option"
            | "center"
            | "iframe"
            | "noscript"
            | "title"
    )
}

/// Elements of which nothing is shown.
fn is_unseen(name: &str, attributes: &str) -> bool {
    if matches!(name, "script" | "style" | "template" | "object" | "noframes") {
        return true;
    }
    let hidden = attributes.contains("hidden") && attribute(attributes, "hidden").is_some();
    let styled = || {
        let style = attribute(attributes, "style").unwrap_or_default().to_ascii_lowercase();
        style.split_whitespace().collect::<String>().contains("display:none")
    };
    !is_void(name) && (hidden || attributes.contains("display") && styled())
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "br"
            | "col"
            | "embed"
            | "hr"
            | "img"
            | "input"
            | "link"
            | "meta"
            | "source"
            | "track"
            | "wbr"
    )
}

/// The row that is being read, one for each table that is open.
#[derive(Default)]
struct Row {
    cells: Vec<String>,
    in_cell: bool,
    /// Whether all its cells head something.
    all_headers: bool,
    /// A table within a cell came in between: this one only lays out.
    lays_out: bool,
}

/// Where in a page the reading is.
#[derive(Default)]
struct Page {
    text: String,
    heading: Option<u8>,
    lists: u8,
    in_item: bool,
    rows: Vec<Row>,
    code: Option<Option<String>>,
    in_title: bool,
    /// The unseen element that is open, and how many of its name are within it.
    unseen: Option<(String, usize)>,
    frames: u8,
}

impl Page {
    fn take(&mut self, token: Token<'_>, out: &mut Pieces) {
        match (&mut self.unseen, token) {
            (Some((unseen, depth)), Token::Open { name, .. }) => *depth += usize::from(*unseen == name),
            (Some((unseen, depth)), Token::Close { name }) if *unseen == name => {
                *depth -= 1;
                if *depth == 0 {
                    self.unseen = None;
                }
            }
            (Some(_), _) => {}
            (None, Token::Text(text)) => self.text.push_str(&self.laid_out(text)),
            (None, Token::Open { name, attributes }) => self.open(&name, attributes, out),
            (None, Token::Close { name }) => self.close(&name, out),
        }
    }

    /// Text as a browser lays it out: line breaks are blanks but in code.
    fn laid_out(&self, text: &str) -> String {
        let text = xml::unescape(text);
        match self.code {
            Some(_) => text,
            None => text.replace(['\n', '\r', '\t'], " "),
        }
    }

    fn open(&mut self, name: &str, attributes: &str, out: &mut Pieces) {
        if is_unseen(name, attributes) && !attributes.ends_with('/') {
            self.unseen = Some((name.to_owned(), 1));
            return;
        }
        if is_block(name) && self.code.is_none() {
            self.flush(out);
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = Some(name.as_bytes()[1] - b'0'),
            "ul" | "ol" => self.lists = self.lists.saturating_add(1),
            "li" => self.in_item = true,
            "br" => self.text.push('\n'),
            "table" => self.open_table(out),
            "tr" => self.end_row(out),
            "td" | "th" => self.open_cell(name == "th"),
            "pre" => self.code = Some(language(attributes)),
            "code" => {
                if let Some(code) = self.code.as_mut() {
                    *code = code.take().or_else(|| language(attributes));
                }
            }
            "title" => self.in_title = true,
            "img" => {
                let alt = attribute(attributes, "alt").unwrap_or_default();
                self.text.push_str(&format!(" {alt} "));
            }
            "meta" => {
                let about = attribute(attributes, "name").unwrap_or_default();
                if about.eq_ignore_ascii_case("author") {
                    out.author(&attribute(attributes, "content").unwrap_or_default());
                }
            }
            "iframe" if self.frames < FRAMES_MAX => {
                if let Some(inner) = attribute(attributes, "srcdoc") {
                    read_frame(&inner, self.frames + 1, out);
                }
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str, out: &mut Pieces) {
        if name == "pre" && self.code.is_some() {
            let language = self.code.take().flatten();
            let text = std::mem::take(&mut self.text);
            match self.row() {
                Some(row) if row.in_cell => self.text = text,
                _ => out.code(language.as_deref(), &text),
            }
            return;
        }
        if name == "title" {
            self.in_title = false;
            out.title(&std::mem::take(&mut self.text));
            return;
        }
        if is_block(name) && self.code.is_none() {
            self.flush(out);
        }
        match name {
            "ul" | "ol" => {
                self.lists = self.lists.saturating_sub(1);
                self.in_item = self.in_item && self.lists > 0;
            }
            "li" => self.in_item = false,
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.heading = None,
            "td" | "th" => {
                if let Some(row) = self.row() {
                    row.in_cell = false;
                }
            }
            "tr" => self.end_row(out),
            "table" => {
                self.end_row(out);
                self.rows.pop();
            }
            _ => {}
        }
    }

    fn row(&mut self) -> Option<&mut Row> {
        self.rows.last_mut()
    }

    fn open_table(&mut self, out: &mut Pieces) {
        /// Tables in tables beyond this are one.
        const TABLES_MAX: usize = 50;
        // A cell that holds a table is layout: what it held so far stands by itself.
        if let Some(row) = self.row() {
            row.lays_out = true;
            row.in_cell = false;
            for cell in std::mem::take(&mut row.cells) {
                out.paragraph(&cell);
            }
        }
        if self.rows.len() < TABLES_MAX {
            self.rows.push(Row::default());
        }
    }

    fn open_cell(&mut self, heads: bool) {
        let Some(row) = self.row() else { return };
        row.all_headers = heads && (row.cells.is_empty() || row.all_headers);
        row.in_cell = true;
        row.cells.push(String::new());
    }

    fn end_row(&mut self, out: &mut Pieces) {
        let Some(row) = self.row() else { return };
        let header = row.all_headers;
        let cells = std::mem::take(&mut row.cells);
        let lays_out = std::mem::take(&mut row.lays_out);
        row.in_cell = false;
        row.all_headers = false;
        match lays_out || cells.len() == 1 {
            true => cells.iter().for_each(|cell| out.paragraph(cell)),
            false => out.row(header, cells),
        }
    }

    /// The text so far becomes a piece, or goes to the cell it is in.
    fn flush(&mut self, out: &mut Pieces) {
        let text = std::mem::take(&mut self.text);
        if text.trim().is_empty() {
            return;
        }
        if let Some(row) = self.rows.last_mut()
            && row.in_cell
            && let Some(cell) = row.cells.last_mut()
        {
            if !cell.is_empty() {
                cell.push('\n');
            }
            cell.push_str(&text);
            return;
        }
        match (self.heading, self.in_item) {
            (Some(level), _) => out.heading(level, &text),
            (None, true) => out.item(self.lists.saturating_sub(1), &text),
            (None, false) => out.paragraph(&text),
        }
    }
}

/// The language of code as highlighters name it: `class="language-rust"`.
fn language(attributes: &str) -> Option<String> {
    let class = attribute(attributes, "class")?;
    let mut names = class.split_whitespace();
    names.find_map(|name| {
        name.strip_prefix("language-")
            .or_else(|| name.strip_prefix("lang-"))
            .map(str::to_owned)
    })
}
