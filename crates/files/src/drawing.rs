//! Given a drawing (SVG, draw.io, Visio), gives the words in it.

use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};

use crate::{
    Limits, Place, Unread, encoding,
    markup::html,
    package::{Package, core_properties},
    pieces::Pieces,
    xml::{self, Element},
};

/// The largest diagram once inflated, in bytes.
const DIAGRAM_BYTES_MAX: u64 = 32 << 20;

pub fn read_svg(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    let root = xml::tree(bytes);
    svg_words(&root, true, out);
    // draw.io keeps the diagram an SVG was made from in an attribute; its words are in the SVG already, but for pages
    // that are not shown.
    let diagram = root.find("svg").and_then(|svg| svg.attribute("content"));
    if let Some(diagram) = diagram.filter(|content| content.trim_start().starts_with("<mx")) {
        read_diagrams(diagram, out);
    }
    Ok(())
}

fn svg_words(element: &Element, outermost: bool, out: &mut Pieces) {
    for child in element.elements() {
        match &*child.name {
            "title" if outermost => {
                let title = child.text();
                out.title(&title);
                out.heading(1, &title);
            }
            "text" | "title" | "desc" | "flowPara" => out.paragraph(&spaced_text(child)),
            "foreignObject" => out.paragraph(&spaced_text(child)),
            "style" | "script" | "metadata" => {}
            "svg" if outermost => svg_words(child, true, out),
            _ => svg_words(child, false, out),
        }
    }
}

/// The text below, with a blank between parts that are set apart.
fn spaced_text(element: &Element) -> String {
    let mut text = String::new();
    for child in &element.children {
        match child {
            xml::Node::Text(own) => text.push_str(own),
            xml::Node::Element(inner) => {
                let apart = matches!(&*inner.name, "div" | "p" | "br" | "li" | "tr" | "td")
                    || inner.attribute("x").is_some()
                    || inner.attribute("dy").is_some();
                if apart {
                    text.push(' ');
                }
                text.push_str(&spaced_text(inner));
            }
        }
    }
    text
}

pub fn read_drawio(bytes: &[u8], out: &mut Pieces) -> Result<(), Unread> {
    read_diagrams(&encoding::decode_xml(bytes), out);
    Ok(())
}

/// The labels of all pages of draw.io's XML. A page is written plainly, or deflated and in base64.
pub fn read_diagrams(text: &str, out: &mut Pieces) {
    let root = xml::tree(text.as_bytes());
    let mut diagrams = Vec::new();
    root.find_all("diagram", &mut diagrams);
    if diagrams.is_empty() {
        labels(&root, out);
    }
    for diagram in diagrams {
        if let Some(name) = diagram.attribute("name") {
            out.at(Some(Place::Chapter(name.to_owned())));
            out.heading(2, name);
        }
        match diagram.child("mxGraphModel") {
            Some(model) => labels(model, out),
            None => labels(&xml::tree(packed(&diagram.text()).as_bytes()), out),
        }
    }
    out.at(None);
}

fn labels(element: &Element, out: &mut Pieces) {
    for child in element.elements() {
        let label = match &*child.name {
            "mxCell" => child.attribute("value"),
            "object" | "UserObject" => child.attribute("label"),
            _ => None,
        };
        if let Some(label) = label {
            out.paragraph(&html::inline_text(label));
        }
        labels(child, out);
    }
}

fn packed(text: &str) -> String {
    let mut inflated = Vec::new();
    // What breaks off has given what it has.
    let _ = DeflateDecoder::new(&base64(text)[..])
        .take(DIAGRAM_BYTES_MAX)
        .read_to_end(&mut inflated);
    percent_decoded(&inflated)
}

pub fn inflate_zlib(bytes: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::new();
    // What breaks off has given what it has.
    let _ = ZlibDecoder::new(bytes)
        .take(DIAGRAM_BYTES_MAX)
        .read_to_end(&mut inflated);
    inflated
}

fn base64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => Some(c - b'A'),
        b'a'..=b'z' => Some(c - b'a' + 26),
        b'0'..=b'9' => Some(c - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    };
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut count) = (0_u32, 0);
    for six in text.bytes().filter_map(value) {
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}

pub fn percent_decoded(bytes: &[u8]) -> String {
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
        match hex
            .and_then(|two| u8::from_str_radix(two, 16).ok())
            .filter(|_| *byte == b'%')
        {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// The words of a Visio drawing, page by page.
pub fn read_vsdx(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    core_properties(&package, out);
    let pages = package.tree("visio/pages/pages.xml");
    let relations = package.relations("visio/pages/pages.xml");
    let mut found = Vec::new();
    pages.find_all("Page", &mut found);
    for (number, page) in (1..).zip(found) {
        out.at(Some(Place::Page(number)));
        if let Some(name) = page.attribute("Name") {
            out.heading(2, name);
        }
        let id = page.find("Rel").and_then(|rel| rel.attribute("id"));
        let target = relations.iter().find(|relation| Some(relation.id.as_str()) == id);
        if let Some(target) = target {
            shape_words(&package.tree(&target.target), out);
        }
    }
    out.at(None);
    for name in package
        .names()
        .filter(|name| name.starts_with("visio/masters/master") && !name.contains("masters.xml"))
    {
        shape_words(&package.tree(name), out);
    }
    Ok(())
}

fn shape_words(root: &Element, out: &mut Pieces) {
    let mut texts = Vec::new();
    root.find_all("Text", &mut texts);
    for text in texts {
        out.paragraph(&text.text());
    }
}
