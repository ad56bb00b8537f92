//! Given a page in Atlassian Document Format, gives its blocks of text. What is not ADF gives none.

use serde_json::Value;

use crate::block::Block;

/// serde_json reads at most 128 levels, so walking down by recursion is bounded.
pub fn blocks(json: &str) -> Vec<Block> {
    let Ok(document) = serde_json::from_str::<Value>(json) else {
        return Vec::new();
    };
    let mut blocks = Vec::new();
    block(&document, &mut blocks);
    blocks
}

fn block(node: &Value, blocks: &mut Vec<Block>) {
    let attribute = |name: &str| node.get("attrs").and_then(|attributes| attributes.get(name));
    match kind(node) {
        "heading" => {
            let level = attribute("level")
                .and_then(Value::as_u64)
                .and_then(|level| u8::try_from(level).ok())
                .unwrap_or(1);
            put(blocks, inline(node), |text| Block::Heading {
                level: level.clamp(1, 6),
                text,
            });
        }
        "paragraph" | "caption" => put(blocks, inline(node), Block::Paragraph),
        "codeBlock" => put(blocks, inline(node), Block::Code),
        "listItem" => {
            let mut inner = Vec::new();
            children(node).for_each(|child| block(child, &mut inner));
            for (at, inner) in inner.into_iter().enumerate() {
                blocks.push(match inner {
                    Block::Paragraph(text) if at == 0 => Block::Item(format!("- {text}")),
                    other => other,
                });
            }
        }
        "taskItem" | "decisionItem" => {
            let done = attribute("state").and_then(Value::as_str) == Some("DONE");
            let sign = if done { "[x] " } else { "[ ] " };
            put(blocks, inline(node), |text| Block::Item(format!("{sign}{text}")));
        }
        "tableRow" => {
            let cell = |cell: &Value| {
                let mut inner = Vec::new();
                children(cell).for_each(|child| block(child, &mut inner));
                inner.iter().map(Block::text).collect::<Vec<_>>().join(" ")
            };
            let cells: Vec<String> = children(node).map(cell).collect();
            put(blocks, cells.join(" | "), Block::Row);
        }
        "expand" | "nestedExpand" => {
            if let Some(title) = attribute("title").and_then(Value::as_str) {
                put(blocks, title.to_owned(), Block::Paragraph);
            }
            children(node).for_each(|child| block(child, blocks));
        }
        "text" | "mention" | "emoji" | "date" | "status" | "inlineCard" => {
            put(blocks, inline_node(node), Block::Paragraph)
        }
        _ => children(node).for_each(|child| block(child, blocks)),
    }
}

fn put(blocks: &mut Vec<Block>, text: String, make: impl FnOnce(String) -> Block) {
    let text = text.trim();
    if !text.is_empty() {
        blocks.push(make(text.to_owned()));
    }
}

fn inline(node: &Value) -> String {
    children(node).map(inline_node).collect()
}

fn inline_node(node: &Value) -> String {
    let attribute = |name: &str| {
        let value = node.get("attrs").and_then(|attributes| attributes.get(name));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    match kind(node) {
        "text" => node.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
        "hardBreak" => "\n".to_owned(),
        "mention" | "status" => attribute("text"),
        "emoji" => attribute("text"),
        "inlineCard" => attribute("url"),
        "date" => {
            let millis = attribute("timestamp").parse().unwrap_or_default();
            domain::Timestamp(millis).to_string().chars().take(10).collect()
        }
        _ => inline(node),
    }
}

fn kind(node: &Value) -> &str {
    node.get("type").and_then(Value::as_str).unwrap_or_default()
}

fn children(node: &Value) -> impl Iterator<Item = &Value> {
    node.get("content").and_then(Value::as_array).into_iter().flatten()
}
