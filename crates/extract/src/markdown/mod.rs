//! Given blocks, gives CommonMark with the tables, tasks and struck words of GitHub's. Hostile text stays text: nothing
//! in it becomes HTML, a link, an image or a block. The one piece of HTML is our own `<br>` between lines of a cell.

mod inline;
mod table;

use self::inline::{Line, Setting};
use crate::{
    Surroundings,
    block::{Block, Inline, Manner, PanelKind, Span, Style, Task},
};

/// No document has more Markdown, in bytes: twice the largest body. What comes after it is left out.
pub const MARKDOWN_BYTES_MAX: usize = 16 << 20;

/// How deep quotes and lists are set into each other; what is deeper stands beside the deepest.
const NESTING_MAX: usize = 12;

/// The longest name of a language behind a fence, in characters.
const LANGUAGE_CHARS_MAX: usize = 40;

/// The blocks as Markdown, without a line end behind the last line.
pub fn markdown(blocks: &[Block], surroundings: &Surroundings<'_>) -> String {
    let mut page = Page {
        out: String::new(),
        margins: Vec::new(),
        blank_before: false,
        surroundings,
    };
    page.blocks(blocks, Spacing::Loose);
    page.out
}

/// What stands before each line: the mark of a quote, the sign of an item or the blanks under it.
struct Margin {
    first: String,
    rest: String,
    begun: bool,
}

impl Margin {
    fn quote() -> Self {
        Self {
            first: "> ".to_owned(),
            rest: "> ".to_owned(),
            begun: false,
        }
    }

    fn item(sign: String) -> Self {
        Self {
            rest: " ".repeat(sign.chars().count()),
            first: sign,
            begun: false,
        }
    }
}

/// Whether a blank line stands between two blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spacing {
    Tight,
    Loose,
}

struct Page<'a> {
    out: String,
    margins: Vec<Margin>,
    blank_before: bool,
    surroundings: &'a Surroundings<'a>,
}

impl Page<'_> {
    fn is_full(&self) -> bool {
        self.out.len() >= MARKDOWN_BYTES_MAX
    }

    /// Writes one line behind its margins.
    fn line(&mut self, line: &str) {
        if !self.out.is_empty() {
            self.out.push('\n');
            if std::mem::take(&mut self.blank_before) {
                let start = self.out.len();
                for margin in self.margins.iter().take_while(|margin| margin.begun) {
                    self.out.push_str(&margin.rest);
                }
                self.trim_line(start);
                self.out.push('\n');
            }
        }
        self.blank_before = false;
        let start = self.out.len();
        for margin in &mut self.margins {
            self.out
                .push_str(if margin.begun { &margin.rest } else { &margin.first });
            margin.begun = true;
        }
        if line.is_empty() {
            return self.trim_line(start);
        }
        self.out.push_str(line);
    }

    fn trim_line(&mut self, start: usize) {
        let end = self.out[start..].trim_end_matches(' ').len();
        self.out.truncate(start + end);
    }

    fn lines(&mut self, text: &str) {
        text.split('\n').for_each(|line| self.line(line));
    }

    fn words(&self, spans: &[Span], setting: Setting) -> String {
        Line::new(self.surroundings, setting).render(spans)
    }

    fn blocks(&mut self, blocks: &[Block], spacing: Spacing) {
        let mut signs = Signs::default();
        for block in blocks {
            if self.is_full() {
                return;
            }
            let length = self.out.len();
            self.block(block, &mut signs);
            if self.out.len() > length {
                self.blank_before = spacing == Spacing::Loose;
                signs.after(block);
            }
        }
    }

    /// What stands for itself, with a blank line before it.
    fn block(&mut self, block: &Block, signs: &mut Signs) {
        match block {
            Block::Heading { level, spans, .. } => {
                let words = self.words(spans, Setting::Heading);
                if !words.is_empty() {
                    self.line(&format!("{} {words}", "#".repeat(usize::from((*level).clamp(1, 6)))));
                }
            }
            Block::Paragraph(spans) | Block::Include(spans) => self.paragraph(spans),
            Block::List { numbered_from, items } => self.list(*numbered_from, items, signs),
            Block::Tasks(tasks) => self.tasks(tasks, signs),
            Block::Decisions(items) => self.decisions(items, signs),
            Block::Table(table) => self.table(table),
            Block::Code { language, title, text } => {
                self.title(title.as_deref().unwrap_or_default());
                self.fenced(&language_word(language.as_deref().unwrap_or_default()), text);
            }
            Block::Math(tex) => self.fenced("math", tex),
            Block::Panel { kind, title, blocks } => self.panel(*kind, title.as_deref(), blocks),
            Block::Expand { title, blocks } => {
                self.title(title.as_deref().unwrap_or_default());
                self.blocks(blocks, Spacing::Loose);
            }
            Block::Quote(blocks) => self.within(Margin::quote(), |page| page.blocks(blocks, Spacing::Loose)),
            Block::Columns(columns) => {
                for column in columns {
                    self.blocks(column, Spacing::Loose);
                }
            }
            Block::Figure { image, caption } => {
                self.paragraph(&[Span {
                    inline: Inline::Image(image.clone()),
                    manner: Manner::default(),
                }]);
                if !caption.is_empty() {
                    self.blank_before = true;
                    self.paragraph(&restyled(caption, Style::EMPHASIS));
                }
            }
            Block::Listing(what) => self.line(&format!("*({what})*")),
            Block::Place(place) => self.paragraph(&restyled(&[Span::words(place.as_str())], Style::EMPHASIS)),
            Block::Rule => self.line("---"),
        }
    }

    fn paragraph(&mut self, spans: &[Span]) {
        let words = self.words(spans, Setting::Paragraph);
        if !words.is_empty() {
            self.lines(&words);
        }
    }

    fn title(&mut self, title: &str) {
        if !title.trim().is_empty() {
            self.paragraph(&restyled(&[Span::words(squeezed(title))], Style::STRONG));
            self.blank_before = true;
        }
    }

    fn within(&mut self, margin: Margin, write: impl FnOnce(&mut Self)) {
        if self.margins.len() >= NESTING_MAX {
            write(self);
            self.blank_before = true;
            return;
        }
        let depth = self.margins.len();
        self.margins.push(margin);
        write(self);
        self.margins.truncate(depth);
    }

    fn list(&mut self, numbered_from: Option<u32>, items: &[Vec<Block>], signs: &Signs) {
        // Two lists in a row would be one, were their signs the same.
        let (bullet, dot) = if signs.swapped { ("* ", ") ") } else { ("- ", ". ") };
        let mut number = numbered_from.map(|number| number.min(NUMBER_MAX));
        let spacing = spacing(items.iter().map(Vec::as_slice));
        for item in items {
            let sign = number.map_or(bullet.to_owned(), |number| format!("{number}{dot}"));
            self.item(sign, item, spacing);
            number = number.map(|number| (number + 1).min(NUMBER_MAX));
        }
    }

    fn tasks(&mut self, tasks: &[Task], signs: &Signs) {
        let bullet = if signs.swapped { "*" } else { "-" };
        let spacing = spacing(tasks.iter().map(|task| task.blocks.as_slice()));
        for task in tasks {
            let done = if task.done { "[x] " } else { "[ ] " };
            // What follows in the item stands under its words' bullet, not under its box.
            let margin = Margin {
                first: format!("{bullet} {done}"),
                rest: "  ".to_owned(),
                begun: false,
            };
            self.item_with(margin, &task.blocks, spacing, Begins::WithWords);
        }
    }

    fn decisions(&mut self, items: &[Vec<Block>], signs: &Signs) {
        let bullet = if signs.swapped { "*" } else { "-" };
        let spacing = spacing(items.iter().map(Vec::as_slice));
        for item in items {
            let margin = Margin {
                first: format!("{bullet} **Decision:** "),
                rest: "  ".to_owned(),
                begun: false,
            };
            self.item_with(margin, item, spacing, Begins::WithWords);
        }
    }

    fn item(&mut self, sign: String, blocks: &[Block], spacing: Spacing) {
        self.item_with(Margin::item(sign), blocks, spacing, Begins::Anyhow);
    }

    fn item_with(&mut self, margin: Margin, blocks: &[Block], spacing: Spacing, begins: Begins) {
        if self.is_full() {
            return;
        }
        let before = self.out.len();
        let words_first = match blocks.first() {
            Some(Block::Paragraph(spans)) => !self.words(spans, Setting::Paragraph).is_empty(),
            _ => false,
        };
        self.within(margin, |page| {
            if begins == Begins::WithWords && !words_first {
                page.line("");
                page.blank_before = blocks.first().is_some_and(|first| !goes_on_below_words(first));
            }
            page.blocks(blocks, spacing);
            if page.out.len() == before {
                page.line("");
            }
        });
        self.blank_before = spacing == Spacing::Loose;
    }

    fn panel(&mut self, kind: PanelKind, title: Option<&str>, blocks: &[Block]) {
        let title = title.map(squeezed).filter(|title| !title.is_empty());
        let heading = match (kind.word(), title) {
            (Some(word), Some(title)) => format!("{word}: {title}"),
            (Some(word), None) => word.to_owned(),
            (None, Some(title)) => title,
            (None, None) => String::new(),
        };
        self.within(Margin::quote(), |page| {
            page.title(&heading);
            page.blocks(blocks, Spacing::Loose);
        });
    }

    fn fenced(&mut self, language: &str, text: &str) {
        let fence = "`".repeat(longest_run(text, '`').max(2) + 1);
        self.line(&format!("{fence}{language}"));
        self.lines(text);
        self.line(&fence);
    }
}

/// What may stand right behind an item's sign.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begins {
    Anyhow,
    /// Only words: the sign ends in words itself, and a fence behind them would be none.
    WithWords,
}

/// CommonMark reads numbers of up to nine digits before an item.
const NUMBER_MAX: u32 = 999_999_999;

/// Which signs the next list has.
#[derive(Default)]
struct Signs {
    swapped: bool,
}

impl Signs {
    fn after(&mut self, block: &Block) {
        let is_list = matches!(
            block,
            Block::List { .. } | Block::Tasks(_) | Block::Decisions(_) | Block::Table(_)
        );
        self.swapped = is_list && !self.swapped;
    }
}

/// Whether it is read as what it is right below words: a list that begins with another number than one would be read as
/// more of them (CommonMark 0.31, §5.2).
fn follows_words(block: &Block) -> bool {
    match block {
        Block::List { numbered_from, .. } => matches!(numbered_from, None | Some(1)),
        _ => true,
    }
}

/// Whether it may stand right below an item's sign that ends in words: what is read as what it is there, and neither leads
/// to something else nor underlines the words.
fn goes_on_below_words(block: &Block) -> bool {
    match block {
        Block::List { .. } => follows_words(block),
        Block::Tasks(_) | Block::Decisions(_) | Block::Math(_) => true,
        Block::Code { title, .. } => title.is_none(),
        _ => false,
    }
}

/// Items that are one paragraph each, with lists under them, stand close together.
fn spacing<'a>(mut items: impl Iterator<Item = &'a [Block]>) -> Spacing {
    let is_short = |item: &[Block]| {
        item.iter().enumerate().all(|(at, block)| match block {
            Block::Paragraph(_) => at == 0,
            Block::List { .. } | Block::Tasks(_) | Block::Decisions(_) => follows_words(block),
            _ => false,
        })
    };
    match items.all(is_short) {
        true => Spacing::Tight,
        false => Spacing::Loose,
    }
}

fn restyled(spans: &[Span], style: Style) -> Vec<Span> {
    let styled = |span: &Span| Span {
        inline: span.inline.clone(),
        manner: span.manner.with(style),
    };
    spans.iter().map(styled).collect()
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn language_word(language: &str) -> String {
    let known = |c: &char| c.is_ascii_alphanumeric() || "+#-_.".contains(*c);
    language
        .trim()
        .chars()
        .take_while(known)
        .take(LANGUAGE_CHARS_MAX)
        .collect()
}

/// The most of this character in a row.
fn longest_run(text: &str, sign: char) -> usize {
    text.split(|c| c != sign).map(str::len).max().unwrap_or(0)
}
