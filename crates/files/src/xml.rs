//! Given XML, gives its tree or its events. No entity is expanded but the five of XML and HTML's names, nothing is
//! fetched, and what is broken ends the reading instead of failing it.

use std::rc::Rc;

use quick_xml::{
    Reader,
    escape::resolve_html5_entity,
    events::{BytesStart, Event},
};

use crate::encoding;

/// Elements deeper than this are read as if they stood here: every reader of trees calls itself.
const DEPTH_MAX: usize = 200;

/// An element with what it holds. Names are local: prefixes differ from writer to writer.
#[derive(Debug, Default)]
pub struct Element {
    pub name: Rc<str>,
    attributes: Vec<(Rc<str>, String)>,
    pub children: Vec<Node>,
}

#[derive(Debug)]
pub enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// The value of an attribute by its local name.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(local, _)| &**local == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether any attribute has this value: of two that share a local name, only one is looked for.
    pub fn has_value(&self, value: &str) -> bool {
        self.attributes.iter().any(|(_, own)| own == value)
    }

    pub fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first child of this name.
    pub fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|element| &*element.name == name)
    }

    /// The first element of this name below, however deep.
    pub fn find(&self, name: &str) -> Option<&Element> {
        self.elements().find_map(|element| {
            if &*element.name == name {
                Some(element)
            } else {
                element.find(name)
            }
        })
    }

    /// All elements of this name below, in order; not those within one another.
    pub fn find_all<'a>(&'a self, name: &str, found: &mut Vec<&'a Element>) {
        for element in self.elements() {
            if &*element.name == name {
                found.push(element);
            } else {
                element.find_all(name, found);
            }
        }
    }

    /// All text below, as it stands.
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.add_text(&mut text);
        text
    }

    fn add_text(&self, text: &mut String) {
        for child in &self.children {
            match child {
                Node::Element(element) => element.add_text(text),
                Node::Text(own) => text.push_str(own),
            }
        }
    }
}

/// A step through XML.
#[derive(Debug)]
pub enum Step {
    Open(Tag),
    Close(String),
    Text(String),
}

/// The beginning of an element: its local name and its attributes by local name.
#[derive(Debug)]
pub struct Tag {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(local, _)| local == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Walks through XML, calling for each step until it ends, breaks or `visit` says that it has enough.
pub fn walk(bytes: &[u8], mut visit: impl FnMut(Step) -> bool) {
    let text = encoding::decode_xml(bytes);
    let mut reader = Reader::from_str(&text);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    loop {
        let more = match reader.read_event() {
            Ok(Event::Start(start)) => visit(Step::Open(tag(&start))),
            Ok(Event::Empty(start)) => {
                let tag = tag(&start);
                let name = tag.name.clone();
                visit(Step::Open(tag)) && visit(Step::Close(name))
            }
            Ok(Event::End(end)) => visit(Step::Close(local(end.name().0).to_owned())),
            Ok(Event::Text(text)) => visit(Step::Text(text.into_inner().into_owned())),
            Ok(Event::CData(data)) => visit(Step::Text(data.into_inner().into_owned())),
            Ok(Event::GeneralRef(name)) => {
                let resolved = match name.resolve_char_ref() {
                    Ok(Some(c)) => c.to_string(),
                    _ => entity(&name.into_inner()),
                };
                visit(Step::Text(resolved))
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_)) => true,
            Ok(Event::Eof) | Err(_) => false,
        };
        if !more {
            return;
        }
    }
}

/// What an entity's name stands for. Unknown ones, those of a document's own DTD among them, stand for themselves.
fn entity(name: &str) -> String {
    resolve_html5_entity(name).map_or_else(|| format!("&{name};"), str::to_owned)
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn tag(start: &BytesStart<'_>) -> Tag {
    let mut attributes = Vec::new();
    for attribute in start.html_attributes().with_checks(false).flatten() {
        let value = unescape(&attribute.value);
        attributes.push((local(attribute.key.0).to_owned(), value));
    }
    Tag {
        name: local(start.name().0).to_owned(),
        attributes,
    }
}

/// Text with its entities resolved; unknown ones stay as they are.
pub fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(rest) {
            Some((resolved, length)) => {
                out.push_str(&resolved);
                rest = &rest[length..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

/// The longest name of an entity is `CounterClockwiseContourIntegral`.
const ENTITY_CHARS_MAX: usize = 32;

/// What the reference at the beginning stands for, and its length in bytes.
fn reference(text: &str) -> Option<(String, usize)> {
    let window = &text[1..text.floor_char_boundary(ENTITY_CHARS_MAX + 2)];
    let end = window
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '#')
        .unwrap_or(window.len());
    let name = &window[..end];
    let length = 1 + end + usize::from(window[end..].starts_with(';'));
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        let c = match code {
            0x80..=0x9f => encoding::windows_1252(code as u8),
            _ => char::from_u32(code)?,
        };
        return Some((c.to_string(), length));
    }
    Some((resolve_html5_entity(name)?.to_owned(), length))
}

/// The tree of a document, under a nameless root. Never fails: what comes after a break is not there.
pub fn tree(bytes: &[u8]) -> Element {
    let mut names = Names::default();
    let mut open: Vec<Element> = vec![Element::default()];
    // Elements beyond the depth: their text stays with the deepest that is kept.
    let mut too_deep = 0_usize;
    walk(bytes, |step| {
        match step {
            Step::Open(_) if open.len() >= DEPTH_MAX => too_deep += 1,
            Step::Open(tag) => open.push(Element {
                name: names.shared(&tag.name),
                attributes: tag
                    .attributes
                    .into_iter()
                    .map(|(name, value)| (names.shared(&name), value))
                    .collect(),
                children: Vec::new(),
            }),
            Step::Close(_) if too_deep > 0 => too_deep -= 1,
            Step::Close(name) => close(&mut open, &name),
            Step::Text(text) => add_text(&mut open, text),
        }
        true
    });
    while open.len() > 1 {
        close_last(&mut open);
    }
    open.pop().unwrap_or_default()
}

fn add_text(open: &mut [Element], text: String) {
    let Some(element) = open.last_mut() else { return };
    match element.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(&text),
        _ => element.children.push(Node::Text(text)),
    }
}

/// Closes up to the element of this name; an end that nobody began is nothing.
fn close(open: &mut Vec<Element>, name: &str) {
    let Some(depth) = open.iter().rposition(|element| &*element.name == name) else {
        return;
    };
    while open.len() > depth.max(1) {
        close_last(open);
    }
}

fn close_last(open: &mut Vec<Element>) {
    if let Some(element) = open.pop()
        && let Some(parent) = open.last_mut()
    {
        parent.children.push(Node::Element(element));
    }
}

/// Names, each kept once: a document repeats a few dozen a million times.
#[derive(Default)]
struct Names(std::collections::BTreeSet<Rc<str>>);

impl Names {
    fn shared(&mut self, name: &str) -> Rc<str> {
        if let Some(known) = self.0.get(name) {
            return known.clone();
        }
        let new: Rc<str> = Rc::from(name);
        self.0.insert(new.clone());
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_local_names_and_resolved_text() {
        let root = tree(b"<a:x xmlns:a='u' a:k='1&amp;2'>one &lt; <b>two&#233;</b><![CDATA[<raw>]]></a:x>");
        let x = root.child("x").unwrap();
        assert_eq!(x.attribute("k"), Some("1&2"));
        assert_eq!(x.text(), "one < twoé<raw>");
    }

    #[test]
    fn entities_of_a_documents_own_are_never_expanded() {
        let bomb = b"<!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]><x>&b; &amp;</x>";
        assert_eq!(tree(bomb).text(), "&b; &");
    }

    #[test]
    fn a_hundred_thousand_elements_in_each_other_are_read_without_deep_calls() {
        let mut deep = "<a>".repeat(100_000);
        deep.push_str("at the bottom");
        deep.push_str(&"</a>".repeat(100_000));
        assert_eq!(tree(deep.as_bytes()).text(), "at the bottom");
    }

    #[test]
    fn broken_xml_gives_what_came_before() {
        assert_eq!(tree(b"<a><b>kept</b><c").text(), "kept");
        assert_eq!(tree(b"<a>one</b>two</a>").text(), "onetwo");
        assert_eq!(unescape("a &amp; b &nosuch; &#x41 &"), "a & b &nosuch; A &");
    }
}
