//! Given a body in storage format, gives a simple document format, a rendered view, and its text. Never fails.

use serde_json::{Value, json};

/// Tags that end one block and begin another.
const BLOCKS: [&str; 14] = [
    "p",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "li",
    "td",
    "th",
    "tr",
    "blockquote",
    "pre",
    "div",
];

enum Piece<'a> {
    Text(&'a str),
    Literal(&'a str),
    /// A tag's name, with a slash before it when it closes.
    Tag(&'a str),
}

struct Pieces<'a>(&'a str);

impl<'a> Iterator for Pieces<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.0.is_empty() {
            return None;
        }
        if let Some(rest) = self.0.strip_prefix("<![CDATA[") {
            let end = rest.find("]]>").unwrap_or(rest.len());
            self.0 = rest.get(end + 3..).unwrap_or_default();
            return Some(Piece::Literal(&rest[..end]));
        }
        if let Some(rest) = self.0.strip_prefix('<') {
            let end = rest.find('>').unwrap_or(rest.len());
            self.0 = rest.get(end + 1..).unwrap_or_default();
            let tag = &rest[..end];
            let name_end = tag
                .char_indices()
                .skip(1)
                .find(|(_, letter)| letter.is_whitespace() || *letter == '/');
            return Some(Piece::Tag(&tag[..name_end.map_or(tag.len(), |(at, _)| at)]));
        }
        let end = self.0.find('<').unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(end);
        self.0 = rest;
        Some(Piece::Text(text))
    }
}

fn plain(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&apos;", "'"),
        ("&nbsp;", "\u{a0}"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, letter)| text.replace(entity, letter))
}

/// Its words, blocks divided by a line's end.
pub fn text(storage: &str) -> String {
    let mut out = String::with_capacity(storage.len());
    for piece in Pieces(storage) {
        match piece {
            Piece::Text(text) => out.push_str(&plain(text)),
            Piece::Literal(text) => out.push_str(text),
            Piece::Tag(name) if BLOCKS.contains(&name.trim_start_matches('/')) => out.push('\n'),
            Piece::Tag(_) => {}
        }
    }
    out
}

/// Headings, code blocks and paragraphs.
pub fn adf(storage: &str) -> Value {
    let mut blocks: Vec<Value> = Vec::new();
    let mut level: Option<u64> = None;
    let mut words = String::new();
    for piece in Pieces(storage) {
        match piece {
            Piece::Text(text) => words.push_str(&plain(text)),
            Piece::Literal(code) if !code.is_empty() => {
                flush(&mut blocks, &mut words, level);
                blocks.push(json!({ "type": "codeBlock", "content": [{ "type": "text", "text": code }] }));
            }
            Piece::Literal(_) => {}
            Piece::Tag(name) if BLOCKS.contains(&name.trim_start_matches('/')) => {
                flush(&mut blocks, &mut words, level);
                level = name.strip_prefix('h').and_then(|level| level.parse().ok());
            }
            Piece::Tag(_) => {}
        }
    }
    flush(&mut blocks, &mut words, level);
    json!({ "type": "doc", "version": 1, "content": blocks })
}

fn flush(blocks: &mut Vec<Value>, words: &mut String, level: Option<u64>) {
    let text = std::mem::take(words);
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let content = json!([{ "type": "text", "text": text }]);
    blocks.push(match level {
        Some(level) => json!({ "type": "heading", "attrs": { "level": level }, "content": content }),
        None => json!({ "type": "paragraph", "content": content }),
    });
}

/// The storage format without its macro and resource tags.
pub fn view(storage: &str) -> String {
    let mut out = String::with_capacity(storage.len());
    let mut rest = storage;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(literal) = rest.strip_prefix("<![CDATA[") {
            let end = literal.find("]]>").unwrap_or(literal.len());
            let code = literal[..end].replace('&', "&amp;").replace('<', "&lt;");
            out.push_str("<pre>");
            out.push_str(&code);
            out.push_str("</pre>");
            rest = literal.get(end + 3..).unwrap_or_default();
            continue;
        }
        let end = rest.find('>').map_or(rest.len(), |end| end + 1);
        let tag = &rest[..end];
        let name = tag.trim_start_matches(['<', '/']);
        if !name.starts_with("ac:") && !name.starts_with("ri:") {
            out.push_str(tag);
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_keeps_its_headings_code_and_words_in_the_document_format() {
        let storage = "<h2>Set up</h2><p>Fish &amp; <strong>chips</strong></p><ac:structured-macro ac:name=\"code\"><ac:plain-text-body><![CDATA[a < b]]></ac:plain-text-body></ac:structured-macro>";
        let document = adf(storage);
        assert_eq!(document["content"][0]["type"], "heading");
        assert_eq!(document["content"][1]["content"][0]["text"], "Fish & chips");
        assert_eq!(document["content"][2]["content"][0]["text"], "a < b");
        assert_eq!(
            view(storage),
            "<h2>Set up</h2><p>Fish &amp; <strong>chips</strong></p><pre>a &lt; b</pre>"
        );
        assert!(text(storage).contains("Fish & chips"));
    }

    #[test]
    fn broken_markup_is_text() {
        for storage in ["<", "<p", "<![CDATA[", "a<b", "<é", "</"] {
            text(storage);
            adf(storage);
            view(storage);
        }
    }
}
