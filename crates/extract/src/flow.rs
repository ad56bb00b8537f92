//! Given words, breaks and blocks as a reader meets them, gives blocks: blanks single, lines of words as paragraphs.

use std::borrow::Cow;

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
        while let Some(at) = rest.find('&') {
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
        let text = visible(text);
        let mut words = text.split(char::is_whitespace);
        if let Some(first) = words.next().filter(|word| !word.is_empty()) {
            self.word(first, manner, text.len());
        }
        for word in words {
            self.owes_blank = true;
            if !word.is_empty() {
                self.word(word, manner, text.len());
            }
        }
    }

    /// One of words of so many bytes.
    fn word(&mut self, word: &str, manner: &Manner, bytes: usize) {
        if std::mem::take(&mut self.after_sign) && word.starts_with(char::is_alphanumeric) {
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
                last.push_str(word);
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
        text.push_str(word);
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

/// The text without what nobody sees: control characters, marks of where a word may be broken, marks of byte order.
fn visible(text: &str) -> Cow<'_, str> {
    let suspicious = |byte: u8| byte < b' ' && !byte.is_ascii_whitespace() || matches!(byte, 0x7f | 0xc2 | 0xe2 | 0xef);
    let unseen =
        |c: char| c.is_control() && !c.is_whitespace() || matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}');
    if text.bytes().any(suspicious) && text.contains(unseen) {
        return Cow::Owned(text.chars().filter(|c| !unseen(*c)).collect());
    }
    Cow::Borrowed(text)
}
