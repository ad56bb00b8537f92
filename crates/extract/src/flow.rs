//! Given words, breaks and blocks as a reader meets them, gives blocks: blanks single, lines of words as paragraphs.

use memchr::memchr;

use crate::{
    block::{Block, Inline, Manner, Span, Style},
    entities,
};

#[derive(Default)]
pub struct Flow {
    blocks: Vec<Block>,
    spans: Vec<Span>,
    /// A blank was read that the next words will need before them.
    owes_blank: bool,
    /// The last thing stands for itself (a person, a date) and does not run together with the words after it.
    after_sign: bool,
}

impl Flow {
    /// Text with character references in it.
    pub fn markup(&mut self, raw: &str, manner: &Manner) {
        let mut rest = raw;
        while let Some(at) = memchr(b'&', rest.as_bytes()) {
            self.words(&rest[..at], manner);
            rest = &rest[at + 1..];
            match entities::reference(rest) {
                Some((character, length)) => {
                    self.words(character.encode_utf8(&mut [0; 4]), manner);
                    rest = &rest[length..];
                }
                None => self.words("&", manner),
            }
        }
        self.words(rest, manner);
    }

    pub fn words(&mut self, text: &str, manner: &Manner) {
        // Words with a single blank between them are written together: where those begin, and what is behind them.
        let (mut start, mut at) = (0, 0);
        let mut before = Sort::BLANK;
        while let Some(end) = stretch_end(&text.as_bytes()[at..], before) {
            at += end;
            let Some(c) = text[at..].chars().next() else { break };
            let next = at + c.len_utf8();
            let is_blank = c.is_whitespace();
            before = match is_blank || is_unseen(c) {
                true => {
                    self.stretch(&text[start..at], manner, text.len());
                    self.owes_blank |= is_blank;
                    start = next;
                    Sort::BLANK
                }
                false => Sort::PLAIN,
            };
            at = next;
        }
        self.stretch(&text[start..], manner, text.len());
    }

    /// Words with single blanks between them, and perhaps one behind them.
    fn stretch(&mut self, stretch: &str, manner: &Manner, bytes: usize) {
        match stretch.strip_suffix(' ') {
            Some(words) => {
                self.put(words, manner, bytes);
                self.owes_blank = true;
            }
            None => self.put(stretch, manner, bytes),
        }
    }

    /// Words with single blanks between them, of a text of so many bytes.
    fn put(&mut self, words: &str, manner: &Manner, bytes: usize) {
        if words.is_empty() {
            return;
        }
        if std::mem::take(&mut self.after_sign) && words.starts_with(char::is_alphanumeric) {
            self.owes_blank = true;
        }
        let blank = std::mem::take(&mut self.owes_blank) && !self.at_line_start();
        let mut leads = blank;
        if let Some(Span {
            inline: Inline::Words(last),
            manner: before,
        }) = self.spans.last_mut()
        {
            if before.continues(manner) {
                if blank {
                    last.push(' ');
                }
                last.push_str(words);
                return;
            }
            // The blank stands outside of code.
            if blank && !before.style.has(Style::CODE) {
                last.push(' ');
                leads = false;
            }
        }
        let mut text = String::with_capacity(bytes + 1);
        if leads {
            text.push(' ');
        }
        text.push_str(words);
        self.push(Inline::Words(text), manner);
    }

    /// Something in the line that stands for itself.
    pub fn sign(&mut self, inline: Inline, manner: &Manner) {
        let runs_into = match self.spans.last().map(|span| &span.inline) {
            None | Some(Inline::Break) => false,
            Some(Inline::Words(text)) => text.ends_with(char::is_alphanumeric),
            Some(_) => true,
        };
        if self.owes_blank || runs_into {
            self.owes_blank = false;
            if !self.at_line_start() {
                self.blank();
            }
        }
        self.push(inline, manner);
        self.after_sign = true;
    }

    fn blank(&mut self) {
        match self.spans.last_mut() {
            Some(Span {
                inline: Inline::Words(text),
                manner,
            }) if !manner.style.has(Style::CODE) => text.push(' '),
            _ => self.push(Inline::Words(" ".to_owned()), &Manner::default()),
        }
    }

    fn push(&mut self, inline: Inline, manner: &Manner) {
        self.spans.push(Span {
            inline,
            manner: manner.clone(),
        });
    }

    pub fn line_break(&mut self) {
        self.owes_blank = false;
        self.after_sign = false;
        if !self.at_line_start() {
            self.push(Inline::Break, &Manner::default());
        }
    }

    fn at_line_start(&self) -> bool {
        matches!(
            self.spans.last(),
            None | Some(Span {
                inline: Inline::Break,
                ..
            })
        )
    }

    /// A blank, should words come: two things that are no words apart are not one word.
    pub fn space(&mut self) {
        self.owes_blank = true;
    }

    /// Spans that were read elsewhere.
    pub fn extend(&mut self, spans: Vec<Span>) {
        for span in spans {
            match span.inline {
                Inline::Words(text) => self.words(&text, &span.manner),
                Inline::Break => self.line_break(),
                sign => self.sign(sign, &span.manner),
            }
        }
    }

    /// The words since the last block.
    pub fn take_spans(&mut self) -> Vec<Span> {
        self.owes_blank = false;
        self.after_sign = false;
        while matches!(self.spans.last(), Some(span) if span.inline == Inline::Break) {
            self.spans.pop();
        }
        std::mem::take(&mut self.spans)
    }

    /// Ends the paragraph.
    pub fn flush(&mut self) {
        if self.spans.is_empty() {
            self.owes_blank = false;
            self.after_sign = false;
            return;
        }
        let spans = self.take_spans();
        if !spans.is_empty() {
            self.blocks.push(Block::Paragraph(spans));
        }
    }

    pub fn block(&mut self, block: Block) {
        self.flush();
        self.blocks.push(block);
    }

    pub fn blocks(&mut self, blocks: Vec<Block>) {
        self.flush();
        match self.blocks.is_empty() {
            true => self.blocks = blocks,
            false => self.blocks.extend(blocks),
        }
    }

    /// Blocks that may be no more than a few words in the middle of a line.
    pub fn within_line(&mut self, mut blocks: Vec<Block>) {
        match (blocks.pop(), blocks.is_empty()) {
            (Some(Block::Paragraph(spans)), true) => self.extend(spans),
            (Some(last), _) => {
                blocks.push(last);
                self.blocks(blocks);
            }
            (None, _) => {}
        }
    }

    pub fn last_block(&mut self) -> Option<&mut Block> {
        match self.spans.is_empty() {
            true => self.blocks.last_mut(),
            false => None,
        }
    }

    /// How much has been read; two marks that are equal have nothing between them.
    pub fn mark(&self) -> (usize, usize, usize) {
        let last = match self.spans.last().map(|span| &span.inline) {
            Some(Inline::Words(text)) => text.len(),
            _ => 0,
        };
        (self.blocks.len(), self.spans.len(), last)
    }

    pub fn finish(mut self) -> Vec<Block> {
        self.flush();
        self.blocks
    }
}

/// What nobody sees: control characters, marks of where a word may be broken, marks of byte order.
fn is_unseen(c: char) -> bool {
    c.is_control() && !c.is_whitespace() || matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

/// What a byte may be of.
struct Sort;

impl Sort {
    const PLAIN: u8 = 0;
    /// The blank that words have between them.
    const BLANK: u8 = 1;
    /// Any other white space, what nobody sees, or the first byte of a character that may be one of these.
    const SPECIAL: u8 = 2;
}

const SORTS: [u8; 256] = {
    let mut sorts = [Sort::PLAIN; 256];
    let mut byte = 0;
    while byte < b' ' as usize {
        sorts[byte] = Sort::SPECIAL;
        byte += 1;
    }
    sorts[b' ' as usize] = Sort::BLANK;
    let firsts = [0x7f, 0xc2, 0xe1, 0xe2, 0xe3, 0xef];
    let mut at = 0;
    while at < firsts.len() {
        sorts[firsts[at]] = Sort::SPECIAL;
        at += 1;
    }
    sorts
};

/// The place of the first byte that is special, or a blank after a blank.
fn stretch_end(bytes: &[u8], mut before: u8) -> Option<usize> {
    bytes.iter().position(|byte| {
        let sort = SORTS[usize::from(*byte)];
        let ends = sort + before > Sort::BLANK;
        before = sort;
        ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_is_blank_or_unseen_ends_the_quick_way_through_a_word() {
        for c in ('\0'..=char::MAX).filter(|c| c.is_whitespace() || is_unseen(*c)) {
            let first = c.encode_utf8(&mut [0; 4]).as_bytes()[0];
            assert_ne!(SORTS[usize::from(first)], Sort::PLAIN, "{c:?}");
        }
    }
}
