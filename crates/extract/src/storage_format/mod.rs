//! Given a page in Confluence storage format, gives its blocks. Never fails: broken markup is text.
//!
//! First the markup becomes a tree, then the tree becomes blocks, from the format's own names: `ac:` for Confluence's
//! constructs, `ri:` for what they refer to.

mod refer;
mod table;
mod tag;
mod tree;

pub use self::refer::{Reference, href};

use std::{ops::Range, sync::Arc};

use self::{
    refer::{emoticon, image_reference},
    tag::Tag,
    tree::{Kind, Node},
};
use crate::{
    address,
    anchors::Anchors,
    block::{Block, Image, Inline, Manner, PanelKind, Style, Target, Task},
    day,
    entities::decoded,
    flow::Flow,
    macros::{self, Call, Parameter},
    markup::{Token, Tokens, attribute},
};

/// How deep elements are told apart; below that, their words are read in one line. Ten times what people make, and few
/// enough for any thread's stack.
pub const DEPTH_MAX: usize = 80;

pub fn blocks(markup: &str) -> Vec<Block> {
    fragment(markup, 0)
}

/// A piece of markup that stands `depth` elements deep in another document.
pub fn fragment(markup: &str, depth: usize) -> Vec<Block> {
    let nodes = tree::nodes(markup);
    let mut reader = Reader {
        nodes: &nodes,
        anchors: Anchors::default(),
    };
    let mut flow = Flow::default();
    reader.read(0..nodes.len(), &mut flow, &Place::at(depth));
    flow.finish()
}

struct Reader<'a> {
    nodes: &'a [Node<'a>],
    anchors: Anchors,
}

/// Where in the page something is read.
#[derive(Clone, Default)]
struct Place {
    manner: Manner,
    /// In the middle of a line, so that what is small stays in it.
    in_line: bool,
    depth: usize,
}

impl Place {
    fn at(depth: usize) -> Self {
        Self {
            depth,
            ..Self::default()
        }
    }

    fn styled(&self, style: Style) -> Self {
        Self {
            manner: self.manner.with(style),
            in_line: true,
            depth: self.depth,
        }
    }

    fn linked(&self, target: Option<Target>) -> Self {
        Self {
            manner: self.manner.linked(target.map(Arc::new)),
            in_line: true,
            depth: self.depth,
        }
    }

    fn line(&self) -> Self {
        Self {
            in_line: true,
            ..self.clone()
        }
    }

    fn block(&self) -> Self {
        Self {
            in_line: false,
            ..self.clone()
        }
    }

    fn deeper(&self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self.clone()
        }
    }
}

/// An element: where it stands in the tree, and what its tag says.
#[derive(Clone, Copy)]
struct Element<'a> {
    at: usize,
    tag: Tag,
    attributes: &'a str,
    end: usize,
}

impl Element<'_> {
    fn inside(&self) -> Range<usize> {
        self.at + 1..self.end
    }

    fn value(&self, name: &str) -> Option<String> {
        attribute(self.attributes, name).map(decoded)
    }
}

impl<'a> Reader<'a> {
    fn read(&mut self, nodes: Range<usize>, flow: &mut Flow, place: &Place) {
        if place.depth >= DEPTH_MAX {
            return self.words(nodes, flow, &place.manner);
        }
        let place = place.deeper();
        let mut at = nodes.start;
        while at < nodes.end {
            let node = self.nodes[at];
            match node.kind {
                Kind::Text(text) => flow.markup(text, &place.manner),
                Kind::Verbatim(text) => flow.words(text, &place.manner),
                Kind::Rest(markup) => rest(markup, flow, &place.manner),
                Kind::Element { tag, attributes } => self.element(
                    Element {
                        at,
                        tag,
                        attributes,
                        end: node.end,
                    },
                    flow,
                    &place,
                ),
            }
            at = node.end;
        }
    }

    /// Only the words, of what is too deep.
    fn words(&self, nodes: Range<usize>, flow: &mut Flow, manner: &Manner) {
        let mut at = nodes.start;
        while at < nodes.end {
            let node = self.nodes[at];
            at += 1;
            match node.kind {
                Kind::Text(text) => flow.markup(text, manner),
                Kind::Verbatim(text) => flow.words(text, manner),
                Kind::Rest(markup) => rest(markup, flow, manner),
                Kind::Element { tag, .. } => {
                    if is_unseen(tag) {
                        at = node.end;
                    }
                    flow.space();
                }
            }
        }
    }

    fn elements(&self, nodes: Range<usize>) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let all = self.nodes;
        let mut at = nodes.start;
        std::iter::from_fn(move || {
            while at < nodes.end {
                let (place, node) = (at, all[at]);
                at = node.end;
                if let Kind::Element { tag, attributes } = node.kind {
                    return Some(Element {
                        at: place,
                        tag,
                        attributes,
                        end: node.end,
                    });
                }
            }
            None
        })
    }

    fn element(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        if !element.attributes.is_empty()
            && element.attributes.contains("style")
            && is_not_displayed(element.attributes)
        {
            return;
        }
        let inside = element.inside();
        match element.tag {
            Tag::Hidden
            | Tag::Annotation
            | Tag::Parameter
            | Tag::TaskStatus
            | Tag::AdfAttribute
            | Tag::Page
            | Tag::BlogPost
            | Tag::Attachment
            | Tag::Url
            | Tag::Space
            | Tag::ContentEntity => {}
            Tag::Inline => self.read(inside, flow, place),
            Tag::Strong => self.read(inside, flow, &place.styled(Style::STRONG)),
            Tag::Emphasis => self.read(inside, flow, &place.styled(Style::EMPHASIS)),
            Tag::InlineCode => self.read(inside, flow, &place.styled(Style::CODE)),
            Tag::Struck => self.read(inside, flow, &place.styled(Style::STRUCK)),
            Tag::Anchor => {
                let href = element.value("href");
                let card = href
                    .as_deref()
                    .filter(|_| element.attributes.contains("data-card-appearance"));
                let readable = card
                    .filter(|href| self.plain(inside.clone()) == *href)
                    .map(address::readable);
                let place = place.linked(href.and_then(refer::href));
                match readable {
                    Some(words) => flow.words(&words, &place.manner),
                    None => self.read(inside, flow, &place),
                }
            }
            Tag::Break => flow.line_break(),
            Tag::Rule => flow.block(Block::Rule),
            Tag::Paragraph | Tag::Term => {
                flow.flush();
                self.read(inside, flow, &place.line());
                flow.flush();
            }
            Tag::Heading1 | Tag::Heading2 | Tag::Heading3 | Tag::Heading4 | Tag::Heading5 | Tag::Heading6 => {
                self.heading(element, flow, place);
            }
            Tag::Quote => {
                let blocks = self.blocks(inside, place);
                flow.block(Block::Quote(blocks));
            }
            Tag::Preformatted => put_code(flow, self.verbatim(inside)),
            Tag::Bullets | Tag::Numbers => self.list(element, flow, place),
            Tag::Item => self.stray_item(inside, flow, place),
            Tag::Table => self.table(element, flow, place),
            Tag::Details => self.details(inside, flow, place),
            Tag::HtmlImage => self.html_image(element, flow, place),
            Tag::HtmlFrame => macros::put_link(flow, element.value("src").map(Target::Url), &place.manner),
            Tag::Time => self.time(element, flow, place),
            Tag::Math => self.math(inside, flow, place),
            Tag::Macro => self.call(element, flow, place),
            Tag::Link => self.link(element, flow, place),
            Tag::User => self.user(element, flow, place),
            Tag::Image => self.image(element, flow, place),
            Tag::Emoticon => flow.words(&emoticon(&element), &place.manner),
            Tag::TaskList => self.tasks(inside, flow, place),
            Tag::Layout => self.read(inside, flow, &place.block()),
            Tag::LayoutSection => self.section(inside, flow, place),
            Tag::AdfExtension => self.adf_extension(inside, flow, place),
            Tag::AdfNode => self.adf_node(element, flow, place),
            Tag::Block
            | Tag::Summary
            | Tag::TableSection
            | Tag::Row
            | Tag::HeaderCell
            | Tag::DataCell
            | Tag::PlainBody
            | Tag::RichBody
            | Tag::LayoutCell
            | Tag::Task
            | Tag::TaskBody
            | Tag::AdfContent
            | Tag::AdfFallback => {
                flow.flush();
                self.read(inside, flow, &place.block());
                flow.flush();
            }
            Tag::LinkBody | Tag::PlainLinkBody | Tag::Caption => self.read(inside, flow, place),
        }
    }

    /// The blocks of a piece of the page that stands for itself.
    fn blocks(&mut self, nodes: Range<usize>, place: &Place) -> Vec<Block> {
        let mut flow = Flow::default();
        self.read(nodes, &mut flow, &place.block());
        flow.finish()
    }

    fn heading(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        flow.flush();
        self.read(element.inside(), flow, &place.line());
        let spans = flow.take_spans();
        if spans.is_empty() {
            return;
        }
        flow.block(Block::Heading {
            level: element.tag.heading_level().unwrap_or(6),
            anchor: self.anchors.next(&spans),
            spans,
        });
    }

    fn list(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        let mut items: Vec<Vec<Block>> = Vec::new();
        for child in self.children(element.inside()) {
            let blocks = match child {
                Child::Element(item) if item.tag == Tag::Item => {
                    items.push(self.item(item.inside(), place));
                    continue;
                }
                Child::Element(other) => self.blocks(other.at..other.end, place),
                Child::Words(at) => self.blocks(at..at + 1, place),
            };
            // A list right in a list belongs to the item before it.
            match items.last_mut() {
                Some(item) => item.extend(blocks),
                None if blocks.is_empty() => {}
                None => items.push(blocks),
            }
        }
        let start = element.value("start").and_then(|start| start.trim().parse().ok());
        let numbered_from = (element.tag == Tag::Numbers).then_some(start.unwrap_or(1));
        if !items.is_empty() {
            flow.block(Block::List { numbered_from, items });
        }
    }

    fn item(&mut self, inside: Range<usize>, place: &Place) -> Vec<Block> {
        let mut flow = Flow::default();
        self.read(inside, &mut flow, &place.line());
        flow.finish()
    }

    fn stray_item(&mut self, inside: Range<usize>, flow: &mut Flow, place: &Place) {
        let item = self.item(inside, place);
        if let Some(Block::List {
            numbered_from: None,
            items,
        }) = flow.last_block()
        {
            items.push(item);
            return;
        }
        flow.block(Block::List {
            numbered_from: None,
            items: vec![item],
        });
    }

    fn details(&mut self, inside: Range<usize>, flow: &mut Flow, place: &Place) {
        let summary = self
            .elements(inside.clone())
            .find(|element| element.tag == Tag::Summary);
        let title = summary.map(|summary| self.plain(summary.inside()));
        let mut body = Flow::default();
        for child in self.children(inside) {
            match child {
                Child::Element(element) if element.tag == Tag::Summary => {}
                Child::Element(element) => self.read(element.at..element.end, &mut body, &place.block()),
                Child::Words(at) => self.read(at..at + 1, &mut body, &place.block()),
            }
        }
        flow.block(Block::Expand {
            title: title.filter(|title| !title.is_empty()),
            blocks: body.finish(),
        });
    }

    fn html_image(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        let image = Image {
            alt: element.value("alt").filter(|alt| !alt.trim().is_empty()),
            target: element.value("src").and_then(refer::href).map(Arc::new),
        };
        put_image(flow, image, Vec::new(), place);
    }

    fn image(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        let mut target = None;
        let mut caption = Vec::new();
        for child in self.elements(element.inside()) {
            if child.tag == Tag::Caption {
                let mut words = Flow::default();
                for block in self.blocks(child.inside(), &place.line()) {
                    words.space();
                    words.within_line(vec![block]);
                }
                caption = words.take_spans();
            } else if let Some(reference) = image_reference(self, &child) {
                target = Some(Arc::new(reference));
            }
        }
        let alt = element.value("ac:alt").or_else(|| element.value("ac:title"));
        let image = Image {
            alt: alt.filter(|alt| !alt.trim().is_empty()),
            target,
        };
        put_image(flow, image, caption, place);
    }

    fn time(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        match element.value("datetime").filter(|value| !value.trim().is_empty()) {
            Some(value) => flow.sign(Inline::Date(day(&value)), &place.manner),
            None => self.read(element.inside(), flow, place),
        }
    }

    /// A formula in TeX if it says so, else its signs as they stand.
    fn math(&mut self, inside: Range<usize>, flow: &mut Flow, place: &Place) {
        let tex = (inside.start..inside.end).find_map(|at| match self.nodes[at].kind {
            Kind::Element {
                tag: Tag::Annotation,
                attributes,
            } if attributes.contains("tex") => Some(self.verbatim(at + 1..self.nodes[at].end)),
            _ => None,
        });
        match tex.filter(|tex| !tex.trim().is_empty()) {
            Some(tex) => flow.sign(Inline::Math(tex.trim().to_owned()), &place.manner),
            None => self.read(inside, flow, place),
        }
    }

    fn tasks(&mut self, inside: Range<usize>, flow: &mut Flow, place: &Place) {
        let mut tasks: Vec<Task> = Vec::new();
        for child in self.children(inside) {
            let more = match child {
                Child::Element(task) if task.tag == Tag::Task => {
                    tasks.push(self.task(task, place));
                    continue;
                }
                Child::Element(other) => self.blocks(other.at..other.end, place),
                Child::Words(at) => self.blocks(at..at + 1, place),
            };
            match tasks.last_mut() {
                Some(task) => task.blocks.extend(more),
                None => flow.blocks(more),
            }
        }
        if !tasks.is_empty() {
            flow.block(Block::Tasks(tasks));
        }
    }

    fn task(&mut self, task: Element<'a>, place: &Place) -> Task {
        let mut done = false;
        let mut body = Flow::default();
        for child in self.children(task.inside()) {
            match child {
                Child::Element(element) if element.tag == Tag::TaskStatus => {
                    done = self.plain(element.inside()) == "complete";
                }
                Child::Element(element) if element.tag == Tag::TaskBody => {
                    self.read(element.inside(), &mut body, &place.line());
                }
                Child::Element(element) => self.read(element.at..element.end, &mut body, &place.line()),
                Child::Words(at) => self.read(at..at + 1, &mut body, &place.line()),
            }
        }
        Task {
            done,
            blocks: body.finish(),
        }
    }

    fn section(&mut self, inside: Range<usize>, flow: &mut Flow, place: &Place) {
        let mut columns = Vec::new();
        for child in self.children(inside) {
            let column = match child {
                Child::Element(element) => self.blocks(element.at..element.end, place),
                Child::Words(at) => self.blocks(at..at + 1, place),
            };
            if !column.is_empty() {
                columns.push(column);
            }
        }
        match columns.len() {
            0 | 1 => flow.blocks(columns.pop().unwrap_or_default()),
            _ => flow.block(Block::Columns(columns)),
        }
    }

    fn adf_extension(&mut self, inside: Range<usize>, flow: &mut Flow, place: &Place) {
        let before = flow.mark();
        for child in self
            .elements(inside.clone())
            .filter(|child| child.tag != Tag::AdfFallback)
        {
            self.read(child.at..child.end, flow, place);
        }
        // The fallback says the same for those who cannot read the node.
        if flow.mark() == before {
            for child in self.elements(inside).filter(|child| child.tag == Tag::AdfFallback) {
                self.read(child.at..child.end, flow, place);
            }
        }
    }

    fn adf_node(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        match element.value("type").unwrap_or_default().as_str() {
            "panel" => {
                let kind = self.adf_attribute(element, "panel-type");
                let blocks = self.blocks(element.inside(), place);
                flow.block(Block::Panel {
                    kind: PanelKind::of_adf(&kind.unwrap_or_default()),
                    title: None,
                    blocks,
                });
            }
            "decision-list" => {
                let mut items = Vec::new();
                for item in self
                    .elements(element.inside())
                    .filter(|child| child.tag == Tag::AdfNode)
                {
                    items.push(self.item(item.inside(), place));
                }
                items.retain(|item| !item.is_empty());
                if !items.is_empty() {
                    flow.block(Block::Decisions(items));
                }
            }
            _ => {
                flow.flush();
                self.read(element.inside(), flow, &place.block());
                flow.flush();
            }
        }
    }

    fn adf_attribute(&self, element: Element<'a>, key: &str) -> Option<String> {
        self.elements(element.inside())
            .filter(|child| child.tag == Tag::AdfAttribute)
            .find(|child| child.value("key").as_deref() == Some(key))
            .map(|child| self.plain(child.inside()))
    }

    fn call(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        let name = element.value("ac:name").unwrap_or_default();
        let mut call = Call::new(&name, place.in_line, place.depth);
        for child in self.children(element.inside()) {
            match child {
                Child::Element(child) if child.tag == Tag::Parameter => call.parameters.push(self.parameter(child)),
                Child::Element(child) if child.tag == Tag::PlainBody => {
                    call.plain
                        .get_or_insert_default()
                        .push_str(&self.verbatim(child.inside()));
                }
                Child::Element(child) => self.read(child.at..child.end, &mut call.rich, &place.block()),
                Child::Words(at) => self.read(at..at + 1, &mut call.rich, &place.block()),
            }
        }
        macros::read(call, flow, &place.manner);
    }

    fn parameter(&self, element: Element<'a>) -> Parameter {
        let inside = element.inside();
        let target = self.first_reference(inside.clone());
        Parameter {
            name: element.value("ac:name").unwrap_or_default(),
            value: self.plain(inside),
            target,
        }
    }

    fn first_reference(&self, nodes: Range<usize>) -> Option<Reference> {
        nodes.clone().find_map(|at| match self.nodes[at].kind {
            Kind::Element { tag, attributes } => refer::reference(
                self,
                &Element {
                    at,
                    tag,
                    attributes,
                    end: self.nodes[at].end,
                },
            ),
            _ => None,
        })
    }

    /// The words in one line.
    fn plain(&self, nodes: Range<usize>) -> String {
        let mut flow = Flow::default();
        self.words(nodes, &mut flow, &Manner::default());
        let words = flow.take_spans().into_iter().filter_map(|span| match span.inline {
            Inline::Words(words) => Some(words),
            _ => None,
        });
        words.collect()
    }

    /// Everything as it stands, lines and all.
    fn verbatim(&self, nodes: Range<usize>) -> String {
        let mut text = String::new();
        for node in &self.nodes[nodes] {
            match node.kind {
                Kind::Text(words) => crate::entities::push_decoded(&mut text, words),
                Kind::Verbatim(words) | Kind::Rest(words) => text.push_str(words),
                Kind::Element { tag: Tag::Break, .. } => text.push('\n'),
                Kind::Element { .. } => {}
            }
        }
        text
    }

    /// Elements, and words that are more than blanks between them.
    fn children(&self, nodes: Range<usize>) -> impl Iterator<Item = Child<'a>> + use<'a> {
        let all = self.nodes;
        let mut next = nodes.start;
        std::iter::from_fn(move || {
            while next < nodes.end {
                let (at, node) = (next, all[next]);
                next = node.end;
                match node.kind {
                    Kind::Element { tag, attributes } => {
                        let end = node.end;
                        return Some(Child::Element(Element {
                            at,
                            tag,
                            attributes,
                            end,
                        }));
                    }
                    Kind::Text(text) | Kind::Verbatim(text) | Kind::Rest(text) => {
                        if !is_blank(text) {
                            return Some(Child::Words(at));
                        }
                    }
                }
            }
            None
        })
    }
}

fn is_blank(text: &str) -> bool {
    match text.bytes().find(|byte| !byte.is_ascii_whitespace()) {
        None => true,
        Some(byte) if byte.is_ascii_graphic() => false,
        Some(_) => text.trim_start().is_empty(),
    }
}

enum Child<'a> {
    Element(Element<'a>),
    /// By its place.
    Words(usize),
}

fn put_image(flow: &mut Flow, image: Image, caption: Vec<crate::block::Span>, place: &Place) {
    match caption.is_empty() && place.in_line {
        true => flow.sign(Inline::Image(image), &place.manner),
        false => flow.block(Block::Figure { image, caption }),
    }
}

fn put_code(flow: &mut Flow, text: String) {
    if let Some(text) = macros::code_text(&text) {
        flow.block(Block::Code {
            language: None,
            title: None,
            text,
        });
    }
}

/// The words of markup that is too much to be told apart.
fn rest(markup: &str, flow: &mut Flow, manner: &Manner) {
    let mut unseen: Option<(Tag, usize)> = None;
    for token in Tokens::of(markup) {
        match token {
            Token::Text(text) if unseen.is_none() => flow.markup(text, manner),
            Token::CData(text) if unseen.is_none() => flow.words(text, manner),
            Token::Text(_) | Token::CData(_) => {}
            Token::Open { name, empty, .. } => {
                let tag = Tag::of(name).filter(|tag| is_unseen(*tag) && !empty);
                match (&mut unseen, tag) {
                    (None, Some(tag)) => unseen = Some((tag, 1)),
                    (Some((open, count)), Some(tag)) if *open == tag => *count += 1,
                    _ => {}
                }
                flow.space();
            }
            Token::Close { name } => {
                if let Some((tag, count)) = &mut unseen
                    && Tag::of(name) == Some(*tag)
                {
                    *count -= 1;
                    if *count == 0 {
                        unseen = None;
                    }
                }
                flow.space();
            }
        }
    }
}

fn is_unseen(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Hidden | Tag::Parameter | Tag::TaskStatus | Tag::AdfAttribute | Tag::AdfFallback | Tag::Annotation
    )
}

fn is_not_displayed(attributes: &str) -> bool {
    attribute(attributes, "style").is_some_and(|style| {
        let style: String = style
            .chars()
            .filter(|c| !c.is_whitespace())
            .take(STYLE_CHARS_MAX)
            .collect();
        style.to_ascii_lowercase().contains("display:none")
    })
}

/// As much of a style as is looked at.
const STYLE_CHARS_MAX: usize = 1_000;
