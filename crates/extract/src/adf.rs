//! Given a page in Atlassian Document Format, gives its blocks: the same as the page's storage format gives.
//! Never fails: of what is not ADF, the texts that can be found in it are words.

use std::sync::Arc;

use domain::AccountId;
use serde_json::Value;

use crate::{
    address::readable,
    anchors::Anchors,
    block::{Block, Cell, Image, Inline, Manner, PanelKind, Span, Style, Table, Target, Task},
    emoji::emoji,
    flow::Flow,
    macros::{self, Call, Parameter},
    storage_format,
};

/// serde_json reads at most 128 levels, two for each node, so walking down by recursion is bounded.
pub fn blocks(json: &str) -> Vec<Block> {
    let mut flow = Flow::default();
    match serde_json::from_str::<Value>(json) {
        Ok(document) => Reader::default().node(&document, &mut flow, &Manner::default(), 0),
        Err(_) => salvaged(json, &mut flow),
    }
    flow.finish()
}

#[derive(Default)]
struct Reader {
    anchors: Anchors,
}

impl Reader {
    fn children(&mut self, node: &Value, flow: &mut Flow, manner: &Manner, depth: usize) {
        for child in children(node) {
            self.node(child, flow, manner, depth + 1);
        }
    }

    fn blocks(&mut self, node: &Value, depth: usize) -> Vec<Block> {
        let mut flow = Flow::default();
        self.children(node, &mut flow, &Manner::default(), depth);
        flow.finish()
    }

    fn items(&mut self, node: &Value, depth: usize) -> Vec<Vec<Block>> {
        let mut items: Vec<Vec<Block>> = Vec::new();
        for child in children(node) {
            let mut flow = Flow::default();
            let is_item = matches!(kind(child), "listItem" | "decisionItem");
            match is_item {
                true => self.children(child, &mut flow, &Manner::default(), depth + 1),
                false => self.node(child, &mut flow, &Manner::default(), depth + 1),
            }
            match items.last_mut() {
                Some(item) if !is_item => item.extend(flow.finish()),
                _ => items.push(flow.finish()),
            }
        }
        items
    }

    fn node(&mut self, node: &Value, flow: &mut Flow, manner: &Manner, depth: usize) {
        match kind(node) {
            "text" | "hardBreak" | "mention" | "emoji" | "date" | "status" | "inlineCard" | "mediaInline"
            | "inlineExtension" => {
                self.inline(node, flow, &marked(node, manner), depth);
            }
            "heading" => self.heading(node, flow, manner, depth),
            "paragraph" | "caption" => {
                flow.flush();
                self.children(node, flow, manner, depth);
                flow.flush();
            }
            "codeBlock" => code(node, flow),
            "bulletList" | "unorderedList" => self.list(node, None, flow, depth),
            "orderedList" => {
                let order = attribute(node, "order")
                    .and_then(Value::as_u64)
                    .and_then(|order| u32::try_from(order).ok());
                self.list(node, Some(order.unwrap_or(1)), flow, depth);
            }
            "decisionList" => {
                let mut items = self.items(node, depth);
                items.retain(|item| !item.is_empty());
                if !items.is_empty() {
                    flow.block(Block::Decisions(items));
                }
            }
            "taskList" => self.tasks(node, flow, depth),
            "table" => self.table(node, flow, depth),
            "panel" => {
                let blocks = self.blocks(node, depth);
                let kind = PanelKind::of_adf(text(node, "panelType"));
                flow.block(Block::Panel {
                    kind,
                    title: None,
                    blocks,
                });
            }
            "expand" | "nestedExpand" => {
                let title = Some(text(node, "title").trim().to_owned()).filter(|title| !title.is_empty());
                let blocks = self.blocks(node, depth);
                flow.block(Block::Expand { title, blocks });
            }
            "blockquote" => {
                let blocks = self.blocks(node, depth);
                flow.block(Block::Quote(blocks));
            }
            "rule" => flow.block(Block::Rule),
            "layoutSection" => self.section(node, flow, depth),
            "mediaSingle" => self.figure(node, flow, manner, depth),
            "media" => flow.block(Block::Figure {
                image: image(node),
                caption: Vec::new(),
            }),
            "blockCard" | "embedCard" => {
                flow.flush();
                card(node, flow, manner);
                flow.flush();
            }
            "extension" | "bodiedExtension" => self.call(node, flow, manner, false, depth),
            "multiBodiedExtension" | "extensionFrame" => {
                let blocks = self.blocks(node, depth);
                flow.blocks(blocks);
            }
            "confluenceUnsupportedBlock" | "confluenceUnsupportedInline" => {
                let blocks = storage_format::fragment(text(node, "cxhtml"), depth);
                match kind(node).ends_with("Inline") {
                    true => flow.within_line(blocks),
                    false => flow.blocks(blocks),
                }
            }
            "confluenceJiraIssue" => {
                let key = text(node, "issueKey");
                flow.words(key, &manner.linked(Some(Arc::new(Target::Issue(key.to_owned())))));
            }
            "unsupportedBlock" | "unsupportedInline" => {
                if let Some(original) = attribute(node, "originalValue") {
                    self.node(original, flow, manner, depth + 1);
                }
            }
            "placeholder" => {}
            "doc" | "layoutColumn" | "mediaGroup" => self.children(node, flow, manner, depth),
            _ => self.unknown(node, flow, manner, depth),
        }
    }

    /// What a newer editor wrote: its children, or the text it has.
    fn unknown(&mut self, node: &Value, flow: &mut Flow, manner: &Manner, depth: usize) {
        let words = match node.get("text").and_then(Value::as_str) {
            Some(words) => words,
            None => text(node, "text"),
        };
        flow.words(words, &marked(node, manner));
        let is_block = children(node).any(|child| !is_inline(kind(child)));
        if is_block {
            flow.flush();
        }
        self.children(node, flow, manner, depth);
        if is_block {
            flow.flush();
        }
    }

    fn inline(&mut self, node: &Value, flow: &mut Flow, manner: &Manner, depth: usize) {
        match kind(node) {
            "hardBreak" => flow.line_break(),
            "mention" => {
                let name = text(node, "text").trim().trim_start_matches('@').trim();
                let account = Some(text(node, "id")).filter(|id| !id.is_empty());
                flow.sign(
                    Inline::Mention {
                        account: account.map(AccountId::new),
                        name: Some(name.to_owned()).filter(|name| !name.is_empty()),
                    },
                    manner,
                );
            }
            "emoji" => flow.words(&emoji(text(node, "text"), text(node, "shortName"), ""), manner),
            "date" => {
                let instant = attribute(node, "timestamp");
                let millis =
                    instant.and_then(|instant| instant.as_i64().or_else(|| instant.as_str()?.trim().parse().ok()));
                if let Some(millis) = millis {
                    let instant = domain::Timestamp(millis).to_string();
                    flow.sign(Inline::Date(instant.chars().take("2026-03-01".len()).collect()), manner);
                }
            }
            "status" => {
                let title = text(node, "text").trim();
                if !title.is_empty() {
                    flow.sign(Inline::Status(title.to_owned()), manner);
                }
            }
            "inlineCard" => card(node, flow, manner),
            "mediaInline" => flow.sign(Inline::Image(image(node)), manner),
            "inlineExtension" => self.call(node, flow, manner, true, depth),
            _ => flow.words(node.get("text").and_then(Value::as_str).unwrap_or_default(), manner),
        }
    }

    fn heading(&mut self, node: &Value, flow: &mut Flow, manner: &Manner, depth: usize) {
        flow.flush();
        self.children(node, flow, manner, depth);
        let spans = flow.take_spans();
        if spans.is_empty() {
            return;
        }
        let level = attribute(node, "level")
            .and_then(Value::as_u64)
            .and_then(|level| u8::try_from(level).ok());
        flow.block(Block::Heading {
            level: level.unwrap_or(1).clamp(1, 6),
            anchor: self.anchors.next(&spans),
            spans,
        });
    }

    fn list(&mut self, node: &Value, numbered_from: Option<u32>, flow: &mut Flow, depth: usize) {
        let items = self.items(node, depth);
        if !items.is_empty() {
            flow.block(Block::List { numbered_from, items });
        }
    }

    fn tasks(&mut self, node: &Value, flow: &mut Flow, depth: usize) {
        let mut tasks: Vec<Task> = Vec::new();
        for child in children(node) {
            let mut inner = Flow::default();
            let is_task = matches!(kind(child), "taskItem" | "blockTaskItem");
            match is_task {
                true => self.children(child, &mut inner, &Manner::default(), depth + 1),
                false => self.node(child, &mut inner, &Manner::default(), depth + 1),
            }
            let blocks = inner.finish();
            match tasks.last_mut() {
                Some(task) if !is_task => task.blocks.extend(blocks),
                _ => tasks.push(Task {
                    done: text(child, "state") == "DONE",
                    blocks,
                }),
            }
        }
        if !tasks.is_empty() {
            flow.block(Block::Tasks(tasks));
        }
    }

    fn table(&mut self, node: &Value, flow: &mut Flow, depth: usize) {
        let mut table = Table::default();
        let is_numbered = attribute(node, "isNumberColumnEnabled").and_then(Value::as_bool) == Some(true);
        let mut number = 1_u32;
        for row in children(node) {
            let mut cells: Vec<Cell> = children(row).map(|cell| self.cell(cell, depth + 1)).collect();
            if cells.is_empty() {
                continue;
            }
            if is_numbered {
                let is_header = table.rows.is_empty() && cells.iter().all(|cell| cell.header);
                cells.insert(0, numbering(number, is_header));
                number += u32::from(!is_header);
            }
            table.rows.push(cells);
        }
        if !table.rows.is_empty() {
            flow.block(Block::Table(table));
        }
    }

    fn cell(&mut self, node: &Value, depth: usize) -> Cell {
        let covered = |name: &str| {
            let value = attribute(node, name)
                .and_then(Value::as_u64)
                .and_then(|value| u32::try_from(value).ok());
            value.unwrap_or(1).max(1)
        };
        let blocks = match kind(node) {
            "tableCell" | "tableHeader" => self.blocks(node, depth),
            _ => {
                let mut flow = Flow::default();
                self.node(node, &mut flow, &Manner::default(), depth);
                flow.finish()
            }
        };
        Cell {
            header: kind(node) == "tableHeader",
            columns: covered("colspan"),
            rows: covered("rowspan"),
            blocks,
        }
    }

    fn section(&mut self, node: &Value, flow: &mut Flow, depth: usize) {
        let mut columns: Vec<Vec<Block>> = children(node).map(|column| self.blocks(column, depth + 1)).collect();
        columns.retain(|column| !column.is_empty());
        match columns.len() {
            0 | 1 => flow.blocks(columns.pop().unwrap_or_default()),
            _ => flow.block(Block::Columns(columns)),
        }
    }

    fn figure(&mut self, node: &Value, flow: &mut Flow, manner: &Manner, depth: usize) {
        let mut figure = None;
        let mut caption = Vec::new();
        for child in children(node) {
            match kind(child) {
                "media" => figure = Some(image(child)),
                "caption" => {
                    let mut words = Flow::default();
                    self.children(child, &mut words, manner, depth + 1);
                    caption = words.take_spans();
                }
                _ => self.node(child, flow, manner, depth + 1),
            }
        }
        if figure.is_some() || !caption.is_empty() {
            flow.block(Block::Figure {
                image: figure.unwrap_or_default(),
                caption,
            });
        }
    }

    fn call(&mut self, node: &Value, flow: &mut Flow, manner: &Manner, in_line: bool, depth: usize) {
        let name = text(node, "extensionKey");
        let mut call = Call::new(name, in_line, depth);
        let given = attribute(node, "parameters").and_then(|parameters| parameters.get("macroParams"));
        for (name, parameter) in given.and_then(Value::as_object).into_iter().flatten() {
            let value = parameter.get("value").unwrap_or(parameter).as_str().unwrap_or_default();
            match name.as_str() {
                "__bodyContent" => call.plain = Some(value.to_owned()),
                _ => call.parameters.push(Parameter {
                    name: name.clone(),
                    value: value.split_whitespace().collect::<Vec<_>>().join(" "),
                    target: None,
                }),
            }
        }
        // A macro that shows itself as text only says so here.
        let has_body = call.plain.is_some() || children(node).next().is_some();
        let says = text(node, "text").trim();
        self.children(node, &mut call.rich, &Manner::default(), depth);
        let before = flow.mark();
        macros::read(call, flow, manner);
        if flow.mark() == before && !has_body && macros::is_unknown(name) && !says.is_empty() && says != name {
            flow.words(says, manner);
        }
    }
}

/// The cell that counts the rows, which Confluence adds when it shows the table.
fn numbering(number: u32, is_header: bool) -> Cell {
    let words = Block::Paragraph(vec![Span::words(number.to_string())]);
    Cell {
        header: is_header,
        columns: 1,
        rows: 1,
        blocks: if is_header { Vec::new() } else { vec![words] },
    }
}

fn marked(node: &Value, manner: &Manner) -> Manner {
    let mut marked = manner.clone();
    for mark in node.get("marks").and_then(Value::as_array).into_iter().flatten() {
        marked = match kind(mark) {
            "strong" => marked.with(Style::STRONG),
            "em" => marked.with(Style::EMPHASIS),
            "code" => marked.with(Style::CODE),
            "strike" => marked.with(Style::STRUCK),
            "link" => marked.linked(storage_format::href(text(mark, "href").to_owned()).map(Arc::new)),
            _ => continue,
        };
    }
    marked
}

fn code(node: &Value, flow: &mut Flow) {
    let mut code = String::new();
    for child in children(node) {
        match kind(child) {
            "hardBreak" => code.push('\n'),
            _ => code.push_str(child.get("text").and_then(Value::as_str).unwrap_or_default()),
        }
    }
    if let Some(code) = macros::code_text(&code) {
        let language = Some(text(node, "language")).filter(|language| !language.is_empty() && *language != "none");
        flow.block(Block::Code {
            language: language.map(str::to_owned),
            title: None,
            text: code,
        });
    }
}

/// A link that Confluence shows as a card: what it is called, if the page says so, or its address.
fn card(node: &Value, flow: &mut Flow, manner: &Manner) {
    let data = attribute(node, "data");
    let in_data = |key: &str| data.and_then(|data| data.get(key)).and_then(Value::as_str);
    let url = Some(text(node, "url"))
        .filter(|url| !url.is_empty())
        .or_else(|| in_data("url"));
    let Some(words) = in_data("name").map(str::to_owned).or_else(|| url.map(readable)) else {
        return;
    };
    let target = url.and_then(|url| storage_format::href(url.to_owned()));
    flow.words(&words, &manner.linked(target.map(Arc::new)));
}

fn image(node: &Value) -> Image {
    let url = Some(text(node, "url")).filter(|_| text(node, "type") == "external");
    let name = Some(text(node, "__fileName")).filter(|name| !name.is_empty());
    let file = name.map(|name| Target::Attachment {
        name: name.to_owned(),
        page: None,
    });
    let target = url.and_then(|url| storage_format::href(url.to_owned())).or(file);
    Image {
        alt: Some(text(node, "alt").to_owned()).filter(|alt| !alt.trim().is_empty()),
        target: target.map(Arc::new),
    }
}

fn is_inline(kind: &str) -> bool {
    matches!(
        kind,
        "text"
            | "hardBreak"
            | "mention"
            | "emoji"
            | "date"
            | "status"
            | "inlineCard"
            | "mediaInline"
            | "inlineExtension"
    )
}

fn attribute<'a>(node: &'a Value, name: &str) -> Option<&'a Value> {
    node.get("attrs").and_then(|attributes| attributes.get(name))
}

/// An attribute's text; empty when there is none.
fn text<'a>(node: &'a Value, name: &str) -> &'a str {
    attribute(node, name).and_then(Value::as_str).unwrap_or_default()
}

fn kind(node: &Value) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    node.get("content").and_then(Value::as_array).into_iter().flatten()
}

/// Every text of what is broken or too deep, each its own line.
fn salvaged(json: &str, flow: &mut Flow) {
    let mut rest = json;
    while let Some(at) = rest.find(TEXT_KEY) {
        rest = rest[at + TEXT_KEY.len()..].trim_start();
        let Some(value) = rest.strip_prefix(':').map(str::trim_start) else {
            continue;
        };
        rest = value;
        let mut texts = serde_json::Deserializer::from_str(value).into_iter::<String>();
        if let Some(Ok(words)) = texts.next() {
            rest = &value[texts.byte_offset()..];
            flow.words(&words, &Manner::default());
            flow.flush();
        }
    }
}

const TEXT_KEY: &str = "\"text\"";
