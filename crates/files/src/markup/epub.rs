//! Given an EPUB, gives its chapters in reading order.

use super::html;
use crate::{
    LeftOut, Limits, Place, Unread, encoding,
    package::{Package, joined},
    pieces::Pieces,
    xml::Element,
};

/// More chapters than any book has.
const CHAPTERS_MAX: usize = 10_000;

pub fn read(bytes: &[u8], limits: &Limits, out: &mut Pieces) -> Result<(), Unread> {
    let package = Package::open(bytes, limits)?;
    let container = package.tree("META-INF/container.xml");
    let named = container
        .find("rootfile")
        .and_then(|file| file.attribute("full-path"))
        .map(str::to_owned);
    let book = named
        .filter(|name| package.has(name))
        .or_else(|| package.names().find(|name| name.ends_with(".opf")).map(str::to_owned))
        .ok_or_else(|| Unread::broken("its table of chapters is missing"))?;
    let root = package.tree(&book);
    if let Some(title) = root.find("title") {
        out.title(&title.text());
    }
    if let Some(creator) = root.find("creator") {
        out.author(&creator.text());
    }
    let folder = book.rsplit_once('/').map_or("", |(folder, _)| folder);
    for chapter in chapters(&root) {
        let path = joined(folder, &crate::drawing::percent_decoded(chapter.as_bytes()));
        let Ok(bytes) = package.part(&path) else {
            out.leave_out(LeftOut::Unreadable);
            continue;
        };
        let text = encoding::decode_xml(&bytes);
        out.at(Some(Place::Chapter(title(&text).unwrap_or(path))));
        html::read_text(&text, out);
        if out.is_full() {
            break;
        }
    }
    out.at(None);
    Ok(())
}

/// The files of the spine; where there is none, all that are text.
fn chapters(root: &Element) -> Vec<&str> {
    let mut items = Vec::new();
    if let Some(manifest) = root.find("manifest") {
        manifest.find_all("item", &mut items);
    }
    let mut references = Vec::new();
    if let Some(spine) = root.find("spine") {
        spine.find_all("itemref", &mut references);
    }
    let file = |item: &&Element| item.attribute("media-type").is_none_or(|media| media.contains("html"));
    if references.is_empty() {
        return items
            .into_iter()
            .filter(file)
            .filter_map(|item| item.attribute("href"))
            .collect();
    }
    let by_id: std::collections::BTreeMap<&str, &Element> = items
        .iter()
        .filter_map(|item| Some((item.attribute("id")?, *item)))
        .collect();
    references
        .into_iter()
        .take(CHAPTERS_MAX)
        .filter_map(|reference| by_id.get(reference.attribute("idref")?)?.attribute("href"))
        .collect()
}

/// What a chapter calls itself: its first heading, or else its title.
fn title(text: &str) -> Option<String> {
    let between = |name: &str| {
        let (_, after) = text.split_once(&format!("<{name}"))?;
        let (_, content) = after.split_once('>')?;
        let (content, _) = content.split_once(&format!("</{name}"))?;
        let words = crate::pieces::tidy(&html::inline_text(content)).replace('\n', " ");
        (!words.is_empty()).then_some(words)
    };
    ["h1", "h2", "title"].into_iter().find_map(between)
}
