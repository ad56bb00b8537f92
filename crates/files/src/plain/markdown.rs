//! Given Markdown, gives its pieces with the marks taken off.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, MetadataBlockKind, Options, Parser, Tag, TagEnd};

use crate::pieces::Pieces;

pub fn read(text: &str, out: &mut Pieces) {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reading = Reading::default();
    for event in Parser::new_ext(text, options) {
        reading.take(event, out);
        if out.is_full() {
            return;
        }
    }
    reading.flush(out);
}

/// What is being read: the text so far, and what it will be.
#[derive(Default)]
struct Reading {
    text: String,
    lists: u8,
    in_item: bool,
    in_header: bool,
    cells: Vec<String>,
    language: Option<String>,
    is_code: bool,
}

impl Reading {
    fn take(&mut self, event: Event<'_>, out: &mut Pieces) {
        match event {
            Event::Start(tag) => self.start(tag, out),
            Event::End(tag) => self.end(tag, out),
            Event::Text(text) | Event::Code(text) => self.text.push_str(&text),
            Event::Html(html) | Event::InlineHtml(html) => self.text.push_str(&crate::markup::html::inline_text(&html)),
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::TaskListMarker(done) => self.text.push_str(if done { "[x] " } else { "[ ] " }),
            Event::FootnoteReference(_) | Event::Rule | Event::InlineMath(_) | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, out: &mut Pieces) {
        match tag {
            Tag::List(_) => {
                self.flush(out);
                self.lists = self.lists.saturating_add(1);
            }
            Tag::Item => {
                self.flush(out);
                self.in_item = true;
            }
            Tag::CodeBlock(kind) => {
                self.flush(out);
                self.is_code = true;
                self.language = match kind {
                    CodeBlockKind::Fenced(info) => info.split_whitespace().next().map(str::to_owned),
                    CodeBlockKind::Indented => None,
                };
            }
            Tag::MetadataBlock(MetadataBlockKind::YamlStyle | MetadataBlockKind::PlusesStyle) => {
                self.is_code = true;
                self.language = Some("yaml".to_owned());
            }
            Tag::TableHead => self.in_header = true,
            Tag::Heading { .. } | Tag::Paragraph | Tag::HtmlBlock | Tag::BlockQuote(_) | Tag::Table(_) => {
                self.flush(out);
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, out: &mut Pieces) {
        match tag {
            TagEnd::Heading(level) => out.heading(number(level), &std::mem::take(&mut self.text)),
            TagEnd::CodeBlock | TagEnd::MetadataBlock(_) => {
                out.code(self.language.take().as_deref(), &std::mem::take(&mut self.text));
                self.is_code = false;
            }
            TagEnd::TableCell => self.cells.push(std::mem::take(&mut self.text)),
            TagEnd::TableHead | TagEnd::TableRow => {
                out.row(self.in_header, std::mem::take(&mut self.cells));
                self.in_header = false;
            }
            TagEnd::List(_) => {
                self.flush(out);
                self.lists = self.lists.saturating_sub(1);
            }
            TagEnd::Item => {
                self.flush(out);
                self.in_item = false;
            }
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::BlockQuote(_) => self.flush(out),
            _ => {}
        }
    }

    fn flush(&mut self, out: &mut Pieces) {
        let text = std::mem::take(&mut self.text);
        match self.in_item {
            true => out.item(self.lists.saturating_sub(1), &text),
            false => out.paragraph(&text),
        }
    }
}

fn number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}
