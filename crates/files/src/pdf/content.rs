//! Given a page of a PDF, gives the glyphs on it with their places.

use std::{collections::BTreeMap, rc::Rc};

use hayro_syntax::{
    content::UntypedIter,
    object::{Array, Dict, Name, Object, ObjectIdentifier, Stream},
    page::{Page, Resources},
};

use super::{fonts::Font, text_string};

/// A bit of text on a page. Its line runs along x: the page is turned so that it does.
#[derive(Clone, Debug)]
pub struct Placed {
    pub text: String,
    pub x: f32,
    /// Where the next one would begin.
    pub end: f32,
    /// Of the baseline; greater is higher.
    pub y: f32,
    /// The height of the letters' em.
    pub size: f32,
    pub is_bold: bool,
    /// Quarters of a turn that the line makes against the page, 0 to 3.
    pub turns: u8,
}

/// The most operators of one document; books have a few million.
const OPERATORS_MAX: usize = 20_000_000;
/// The most glyphs of one page.
const PAGE_GLYPHS_MAX: usize = 500_000;
/// Forms within one another beyond this are not followed.
const FORMS_MAX: u8 = 12;
/// Saved states beyond this are one.
const STATES_MAX: usize = 500;

/// Reads page after page, and keeps the fonts that they share.
#[derive(Default)]
pub struct Reader {
    fonts: BTreeMap<ObjectIdentifier, Rc<Font>>,
    operators: usize,
}

/// `[a b c d e f]`: x becomes a·x + c·y + e, y becomes b·x + d·y + f.
#[derive(Clone, Copy)]
struct Matrix([f32; 6]);

impl Matrix {
    const IDENTITY: Self = Self([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    /// First this one, then the other.
    fn then(self, other: Self) -> Self {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, other.0);
        Self([
            a * g + b * i,
            a * h + b * j,
            c * g + d * i,
            c * h + d * j,
            e * g + f * i + k,
            e * h + f * j + l,
        ])
    }

    fn moved(self, x: f32, y: f32) -> Self {
        Self([1.0, 0.0, 0.0, 1.0, x, y]).then(self)
    }
}

#[derive(Clone)]
struct State {
    page: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    char_space: f32,
    word_space: f32,
    /// Of the width, 1 as it is.
    stretch: f32,
    leading: f32,
    rise: f32,
}

struct Canvas<'r> {
    reader: &'r mut Reader,
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// For each open mark, what stands in place of what is drawn in it, and whether it was told.
    marks: Vec<Option<String>>,
    glyphs: Vec<Placed>,
    turn: u8,
}

impl Reader {
    pub fn is_exhausted(&self) -> bool {
        self.operators >= OPERATORS_MAX
    }

    /// The glyphs of a page in the order in which they are drawn.
    pub fn page(&mut self, page: &Page<'_>) -> Vec<Placed> {
        let state = State {
            page: Matrix::IDENTITY,
            font: None,
            size: 1.0,
            char_space: 0.0,
            word_space: 0.0,
            stretch: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        let mut canvas = Canvas {
            reader: self,
            state,
            saved: Vec::new(),
            text: Matrix::IDENTITY,
            line: Matrix::IDENTITY,
            marks: Vec::new(),
            glyphs: Vec::new(),
            turn: page.rotation() as u8,
        };
        if let Some(stream) = page.page_stream() {
            canvas.draw(stream, page.resources(), 0);
        }
        canvas.glyphs
    }

    fn font(&mut self, resources: &Resources<'_>, name: &Name<'_>) -> Option<Rc<Font>> {
        let font = resources.get_font(name)?;
        let id = font.obj_id();
        if let Some(known) = id.and_then(|id| self.fonts.get(&id)) {
            return Some(known.clone());
        }
        let read = Rc::new(Font::read(&font));
        if let Some(id) = id {
            self.fonts.insert(id, read.clone());
        }
        Some(read)
    }
}

impl Canvas<'_> {
    fn draw(&mut self, stream: &[u8], resources: &Resources<'_>, forms: u8) {
        let mut operators = UntypedIter::new(stream);
        let mut operands: Vec<Object<'_>> = Vec::new();
        while let Some(instruction) = operators.next() {
            self.reader.operators += 1;
            if self.reader.is_exhausted() || self.glyphs.len() > PAGE_GLYPHS_MAX {
                return;
            }
            operands.clear();
            operands.extend(instruction.operands().cloned());
            let operator: &[u8] = instruction.operator;
            self.apply(operator, &operands, resources, forms);
        }
    }

    fn apply(&mut self, operator: &[u8], operands: &[Object<'_>], resources: &Resources<'_>, forms: u8) {
        match operator {
            b"q" if self.saved.len() < STATES_MAX => self.saved.push(self.state.clone()),
            b"Q" => {
                if let Some(state) = self.saved.pop() {
                    self.state = state;
                }
            }
            b"cm" => {
                if let Some(matrix) = matrix(operands) {
                    self.state.page = matrix.then(self.state.page);
                }
            }
            b"BT" => (self.text, self.line) = (Matrix::IDENTITY, Matrix::IDENTITY),
            b"Tf" => {
                if let Some(Object::Name(name)) = operands.first() {
                    self.state.font = self.reader.font(resources, name);
                }
                self.state.size = number(operands, 1);
            }
            b"Tc" => self.state.char_space = number(operands, 0),
            b"Tw" => self.state.word_space = number(operands, 0),
            b"Tz" => self.state.stretch = number(operands, 0) / 100.0,
            b"TL" => self.state.leading = number(operands, 0),
            b"Ts" => self.state.rise = number(operands, 0),
            b"Td" => self.next_line(number(operands, 0), number(operands, 1)),
            b"TD" => {
                self.state.leading = -number(operands, 1);
                self.next_line(number(operands, 0), number(operands, 1));
            }
            b"Tm" => {
                if let Some(matrix) = matrix(operands) {
                    (self.text, self.line) = (matrix, matrix);
                }
            }
            b"T*" => self.next_line(0.0, -self.state.leading),
            b"Tj" => self.show_operand(operands.first()),
            b"'" => {
                self.next_line(0.0, -self.state.leading);
                self.show_operand(operands.first());
            }
            b"\"" => {
                self.state.word_space = number(operands, 0);
                self.state.char_space = number(operands, 1);
                self.next_line(0.0, -self.state.leading);
                self.show_operand(operands.get(2));
            }
            b"TJ" => {
                if let Some(Object::Array(parts)) = operands.first() {
                    self.show_parts(parts);
                }
            }
            b"BDC" => self.marks.push(replacement(operands.get(1), resources)),
            b"BMC" => self.marks.push(None),
            b"EMC" => {
                self.marks.pop();
            }
            b"Do" if forms < FORMS_MAX => {
                if let Some(Object::Name(name)) = operands.first()
                    && let Some(form) = resources.get_x_object(name)
                {
                    self.form(&form, resources, forms);
                }
            }
            _ => {}
        }
    }

    fn next_line(&mut self, x: f32, y: f32) {
        self.line = self.line.moved(x, y);
        self.text = self.line;
    }

    fn form(&mut self, form: &Stream<'_>, outer: &Resources<'_>, forms: u8) {
        let dict = form.dict();
        if dict
            .get::<Name<'_>>("Subtype")
            .is_none_or(|subtype| subtype.as_str() != "Form")
        {
            return;
        }
        let Ok(content) = form.decoded_data() else { return };
        let before = (
            self.state.clone(),
            self.text,
            self.line,
            self.saved.len(),
            self.marks.len(),
        );
        let own: Vec<f32> = dict
            .get::<Array<'_>>("Matrix")
            .map(|matrix| matrix.iter::<f32>().collect())
            .unwrap_or_default();
        if let Ok(own) = own.try_into() {
            self.state.page = Matrix(own).then(self.state.page);
        }
        match dict.get::<Dict<'_>>("Resources") {
            Some(resources) => self.draw(&content, &Resources::new(resources), forms + 1),
            None => self.draw(&content, outer, forms + 1),
        }
        self.saved.truncate(before.3);
        self.marks.truncate(before.4);
        (self.state, self.text, self.line) = (before.0, before.1, before.2);
    }

    fn show_operand(&mut self, operand: Option<&Object<'_>>) {
        if let Some(Object::String(text)) = operand {
            self.show(text.as_bytes());
        }
    }

    /// Strings with numbers between them that move what follows back.
    fn show_parts(&mut self, parts: &Array<'_>) {
        for part in parts.iter::<Object<'_>>() {
            match part {
                Object::String(text) => self.show(text.as_bytes()),
                Object::Number(number) => {
                    let back = -number.as_f32() / 1_000.0 * self.state.size;
                    self.advance(back);
                }
                _ => {}
            }
        }
    }

    fn advance(&mut self, distance: f32) {
        let vertical = self.state.font.as_ref().is_some_and(|font| font.is_vertical);
        self.text = match vertical {
            true => self.text.moved(0.0, -distance),
            false => self.text.moved(distance * self.state.stretch, 0.0),
        };
    }

    fn show(&mut self, bytes: &[u8]) {
        let Some(font) = self.state.font.clone() else { return };
        for glyph in font.glyphs(bytes) {
            let extra = self.state.char_space + if glyph.is_blank { self.state.word_space } else { 0.0 };
            let width = glyph.advance / 1_000.0 * self.state.size;
            let text = match self.marks.iter_mut().rev().find_map(|mark| mark.as_mut()) {
                // The replacement is told once, where the first glyph stands.
                Some(replacement) => std::mem::take(replacement),
                None => glyph.text,
            };
            self.place(text, width, &font);
            self.advance(width + extra);
        }
    }

    fn place(&mut self, text: String, width: f32, font: &Font) {
        if text.is_empty() {
            return;
        }
        let placed = self.text.moved(0.0, self.state.rise).then(self.state.page);
        let Matrix([a, b, c, d, x, y]) = placed;
        let (along, up) = match font.is_vertical {
            true => ((-c, -d), (a, b)),
            false => ((a, b), (c, d)),
        };
        let size = self.state.size.abs() * (up.0 * up.0 + up.1 * up.1).sqrt();
        let stretch = if font.is_vertical { 1.0 } else { self.state.stretch };
        let length = width * stretch * (along.0 * along.0 + along.1 * along.1).sqrt();
        if ![x, y, size, length].iter().all(|value| value.is_finite()) {
            return;
        }
        // A negative size turns the line around, as a turned matrix does.
        let sign = if self.state.size < 0.0 { -1.0 } else { 1.0 };
        let (along_x, along_y) = (along.0 * sign, along.1 * sign);
        let turns = match along_x.abs() >= along_y.abs() {
            true if along_x >= 0.0 => 0,
            true => 2,
            false if along_y >= 0.0 => 1,
            false => 3,
        };
        // The page is turned so that the line runs to the right.
        let (x, y) = match turns {
            0 => (x, y),
            1 => (y, -x),
            2 => (-x, -y),
            _ => (-y, x),
        };
        let turns = (turns + 4 - self.turn) % 4;
        self.glyphs.push(Placed {
            text,
            x,
            end: x + length.abs(),
            y,
            size,
            is_bold: font.is_bold,
            turns,
        });
    }
}

fn number(operands: &[Object<'_>], index: usize) -> f32 {
    match operands.get(index) {
        Some(Object::Number(number)) => number.as_f32(),
        _ => 0.0,
    }
}

fn matrix(operands: &[Object<'_>]) -> Option<Matrix> {
    let numbers: Vec<f32> = (0..6).map(|index| number(operands, index)).collect();
    (operands.len() >= 6).then_some(Matrix(numbers.try_into().ok()?))
}

/// The text that a mark puts in place of what is drawn within it.
fn replacement(properties: Option<&Object<'_>>, resources: &Resources<'_>) -> Option<String> {
    let properties = match properties? {
        Object::Dict(dict) => dict.clone(),
        Object::Name(name) => resources.properties.get::<Dict<'_>>(name)?,
        _ => return None,
    };
    let text = properties.get::<hayro_syntax::object::String<'_>>("ActualText")?;
    Some(text_string(text.as_bytes()))
}
