//! Given text as readers find it, keeps it as tidy pieces until the limit is reached.

use crate::{Content, FileText, LeftOut, Limits, Piece, Place, Unread};

/// What a piece costs in the answer besides its text, in bytes: its names and marks in JSON.
const PIECE_COST_BYTES: usize = 64;
/// The same for a cell of a row.
const CELL_COST_BYTES: usize = 4;
/// The most cells of a row; sheets reach 16,384 columns, people do not.
const ROW_CELLS_MAX: usize = 1_000;
/// The longest title or author, in characters.
const PROPERTY_CHARS_MAX: usize = 500;

/// Collects pieces. Once full it takes nothing more, and readers may stop when they ask [`Pieces::is_full`].
pub struct Pieces {
    pieces: Vec<Piece>,
    place: Option<Place>,
    part: Option<String>,
    title: Option<String>,
    author: Option<String>,
    text_bytes_max: usize,
    room_bytes: usize,
    left_out: Option<LeftOut>,
}

impl Pieces {
    pub fn new(limits: &Limits) -> Self {
        Self {
            pieces: Vec::new(),
            place: None,
            part: None,
            title: None,
            author: None,
            text_bytes_max: limits.text_bytes_max,
            room_bytes: limits.text_bytes_max,
            left_out: None,
        }
    }

    pub fn finish(self, kind: &str) -> FileText {
        FileText {
            kind: kind.to_owned(),
            title: self.title,
            author: self.author,
            left_out: self.left_out,
            pieces: self.pieces,
        }
    }

    /// What comes next stands here.
    pub fn at(&mut self, place: Option<Place>) {
        self.place = place;
    }

    /// What comes next is in this file of an archive.
    pub fn in_part(&mut self, path: Option<&str>) {
        self.part = path.map(str::to_owned);
        self.place = None;
    }

    pub fn title(&mut self, title: &str) {
        set_once(&mut self.title, title, self.part.is_some());
    }

    pub fn author(&mut self, author: &str) {
        set_once(&mut self.author, author, self.part.is_some());
    }

    pub fn heading(&mut self, level: u8, text: &str) {
        let text = tidy(text).replace('\n', " ");
        let level = level.clamp(1, 6);
        self.push_text(text, |text| Content::Heading { level, text });
    }

    pub fn paragraph(&mut self, text: &str) {
        self.push_text(tidy(text), Content::Paragraph);
    }

    pub fn item(&mut self, depth: u8, text: &str) {
        self.push_text(tidy(text), |text| Content::Item { depth, text });
    }

    /// A row; one without text is left out, and so are empty cells at its end.
    pub fn row(&mut self, header: bool, cells: impl IntoIterator<Item = String>) {
        let mut all = cells.into_iter();
        let mut cells: Vec<String> = all
            .by_ref()
            .take(ROW_CELLS_MAX)
            .map(|cell| tidy(&cell).replace('\n', " "))
            .collect();
        if all.any(|cell| !cell.trim().is_empty()) {
            self.leave_out(LeftOut::Columns { read: ROW_CELLS_MAX });
        }
        while cells.last().is_some_and(String::is_empty) {
            cells.pop();
        }
        if cells.is_empty() {
            return;
        }
        let cost = cells.iter().map(|cell| cost_bytes(cell) + CELL_COST_BYTES).sum();
        self.push(cost, Content::Row { header, cells });
    }

    pub fn code(&mut self, language: Option<&str>, text: &str) {
        let text = verbatim(text);
        let language = language.map(str::to_owned);
        self.push_text(text, |text| Content::Code { language, text });
    }

    pub fn is_full(&self) -> bool {
        self.room_bytes == 0
    }

    /// How many pieces there are, to ask later with [`Pieces::has_more_than`].
    pub fn count(&self) -> usize {
        self.pieces.len()
    }

    pub fn has_more_than(&self, count: usize) -> bool {
        self.pieces.len() > count
    }

    /// This was left out.
    pub fn leave_out(&mut self, what: LeftOut) {
        self.left_out.get_or_insert(what);
    }

    /// Something broke. What was read before it stands, and the file is said to have more.
    pub fn forgive(&mut self, result: Result<(), Unread>) -> Result<(), Unread> {
        match result {
            Err(Unread::Broken { .. }) if !self.pieces.is_empty() => {
                self.leave_out(LeftOut::Unreadable);
                Ok(())
            }
            other => other,
        }
    }

    fn push_text(&mut self, text: String, content: impl FnOnce(String) -> Content) {
        if text.is_empty() {
            return;
        }
        let room = self.room_bytes.saturating_sub(PIECE_COST_BYTES);
        let cost = cost_bytes(&text);
        if cost <= room || room == 0 {
            self.push(cost, content(text));
            return;
        }
        // Half of what is left: even quotes, which cost two bytes each in JSON, then fit.
        let end = text.floor_char_boundary(room / 2);
        if end > 0 {
            self.push(room, content(text[..end].to_owned()));
        }
        self.fill();
    }

    fn fill(&mut self) {
        self.room_bytes = 0;
        self.leave_out(LeftOut::Text {
            bytes: self.text_bytes_max,
        });
    }

    fn push(&mut self, cost: usize, content: Content) {
        let Some(room) = self.room_bytes.checked_sub(cost + PIECE_COST_BYTES) else {
            return self.fill();
        };
        self.room_bytes = room;
        let place = match (&self.part, &self.place) {
            (None, place) => place.clone(),
            (Some(path), place) => Some(Place::Part {
                path: path.clone(),
                within: place.clone().map(Box::new),
            }),
        };
        self.pieces.push(Piece { place, content });
    }
}

fn set_once(property: &mut Option<String>, value: &str, in_part: bool) {
    let value: String = tidy(value)
        .replace('\n', " ")
        .chars()
        .take(PROPERTY_CHARS_MAX)
        .collect();
    if property.is_none() && !value.is_empty() && !in_part {
        *property = Some(value);
    }
}

/// What the text costs in JSON, in bytes.
fn cost_bytes(text: &str) -> usize {
    text.len()
        + text
            .bytes()
            .filter(|byte| matches!(byte, b'"' | b'\\' | b'\n' | b'\t'))
            .count()
}

/// The text on lines without blanks around them, one blank between words, and nothing that cannot be seen.
pub fn tidy(text: &str) -> String {
    let mut tidied = String::with_capacity(text.len());
    let mut blank = false;
    let mut line_break = false;
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => line_break = true,
            c if c.is_whitespace() => blank = true,
            c if is_invisible(c) => {}
            c => {
                if line_break && !tidied.is_empty() {
                    tidied.push('\n');
                } else if blank && !tidied.is_empty() {
                    tidied.push(' ');
                }
                (blank, line_break) = (false, false);
                tidied.push(c);
            }
        }
    }
    tidied
}

/// The text line by line as it stands, without blank lines around it and characters that cannot be seen.
fn verbatim(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    let visible: String = unix
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !is_invisible(*c))
        .collect();
    visible.trim_end().trim_start_matches('\n').to_owned()
}

/// Controls, soft hyphens, marks of byte order and of what is not a character. Joiners stay: scripts need them.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{fffc}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_tidied_line_by_line() {
        assert_eq!(tidy(" a\u{a0} b\t\n\n c\u{0}\u{ad}d \n"), "a b\ncd");
        assert_eq!(verbatim("\n  a\r\n\tb  \n\n"), "  a\n\tb");
    }

    #[test]
    fn a_full_answer_says_that_it_is() {
        let limits = Limits {
            text_bytes_max: 300,
            ..Limits::default()
        };
        let mut pieces = Pieces::new(&limits);
        pieces.paragraph("first");
        pieces.paragraph(&"long ".repeat(100));
        pieces.paragraph("never");
        let text = pieces.finish("text");
        assert_eq!(text.left_out, Some(LeftOut::Text { bytes: 300 }));
        assert_eq!(text.pieces.len(), 2);
        assert!(serde_json::to_string(&text.pieces).unwrap().len() <= 400);
    }

    #[test]
    fn a_row_wider_than_people_make_them_says_what_it_lost() {
        let left_out = |columns: usize| {
            let mut pieces = Pieces::new(&Limits::default());
            pieces.row(false, (0..columns).map(|_| "a".to_owned()).chain([" ".to_owned()]));
            pieces.finish("table").left_out
        };
        assert_eq!(left_out(ROW_CELLS_MAX), None);
        assert_eq!(
            left_out(ROW_CELLS_MAX + 1),
            Some(LeftOut::Columns { read: ROW_CELLS_MAX })
        );
    }

    #[test]
    fn rows_lose_their_empty_end_only() {
        let mut pieces = Pieces::new(&Limits::default());
        pieces.row(false, ["", "b", " "].map(str::to_owned));
        pieces.row(false, ["", " "].map(str::to_owned));
        let text = pieces.finish("table");
        assert_eq!(text.pieces.len(), 1);
        assert_eq!(text.plain(), " | b");
    }
}
