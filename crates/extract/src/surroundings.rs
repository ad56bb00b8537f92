//! Where a document stands: what its links and mentions are resolved by.

use std::collections::BTreeMap;

use domain::document::Held;

use crate::{
    address::{clean, encoded, path, percent_decoded},
    block::{People, Target},
};

static NOBODY: People = BTreeMap::new();

/// What a renderer knows beside the document's blocks.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings<'a> {
    /// `https://site/wiki`. Without it, links to other places of the site are words.
    pub wiki: Option<&'a str>,
    pub space_key: &'a str,
    /// The content id of the page whose attachments are meant when no page is named.
    pub page: &'a str,
    pub people: &'a People,
}

impl<'a> Surroundings<'a> {
    /// Of a document as it is held.
    pub fn of(held: &'a Held, people: &'a People) -> Self {
        let url = held.document.url.as_str();
        Self {
            wiki: url.find("/wiki/").map(|at| &url[..at + "/wiki".len()]),
            space_key: &held.space_key,
            page: held.document.id.content.as_str(),
            people,
        }
    }

    /// Of a document that stands nowhere.
    pub fn none() -> Surroundings<'static> {
        Surroundings {
            wiki: None,
            space_key: "",
            page: "",
            people: &NOBODY,
        }
    }

    /// The address of a link, if it is one that may be followed: http, https or mailto, or a place in this page. Nothing
    /// in it can end a Markdown link.
    pub fn address(&self, target: &Target) -> Option<String> {
        match target {
            Target::Url(url) => self.outside(url),
            Target::Anchor(anchor) => Some(format!("#{}", encoded(&percent_decoded(anchor)))),
            Target::Page {
                space,
                title,
                id,
                day,
                anchor,
            } => {
                let wiki = self.wiki?;
                let space = encoded(space.as_deref().unwrap_or(self.space_key));
                let mut url = match (id, day) {
                    (Some(id), _) => format!("{wiki}/spaces/{space}/pages/{}", encoded(id)),
                    (None, Some(day)) => format!("{wiki}/display/{space}/{}/{}", path(day), encoded(title)),
                    (None, None) => format!("{wiki}/display/{space}/{}", encoded(title)),
                };
                if let Some(anchor) = anchor.as_deref().filter(|anchor| !anchor.is_empty()) {
                    url.push('#');
                    url.push_str(&encoded(&percent_decoded(anchor)));
                }
                Some(clean(&url))
            }
            Target::Attachment { name, page } => match page.as_deref() {
                None if !self.page.is_empty() => {
                    let (wiki, page) = (self.wiki?, encoded(self.page));
                    Some(clean(&format!("{wiki}/download/attachments/{page}/{}", encoded(name))))
                }
                None => None,
                // A file of another page is found on that page.
                Some(page) => self.address(page),
            },
            Target::Space(key) => Some(clean(&format!("{}/spaces/{}", self.wiki?, encoded(key)))),
            Target::Person(account) => Some(clean(&format!("{}/people/{}", self.wiki?, encoded(account.as_str())))),
            Target::Issue(key) => Some(clean(&format!("{}/browse/{}", self.site()?, encoded(key)))),
        }
    }

    fn site(&self) -> Option<&'a str> {
        self.wiki.and_then(|wiki| wiki.strip_suffix("/wiki"))
    }

    fn outside(&self, url: &str) -> Option<String> {
        // Browsers drop these inside a scheme: `java\nscript:`.
        let url: String = url.trim().chars().filter(|c| !c.is_control()).collect();
        if let Some(anchor) = url.strip_prefix('#') {
            return (!anchor.is_empty()).then(|| format!("#{}", clean(anchor)));
        }
        if url.starts_with("//") && url.len() > "//".len() {
            return Some(format!("https:{}", clean(&url)));
        }
        if url.starts_with('/') {
            return Some(format!("{}{}", self.site()?, clean(&url)));
        }
        let (scheme, rest) = url.split_once(':')?;
        let is_known = match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => rest.strip_prefix("//").is_some_and(|host| !host.is_empty()),
            "mailto" => !rest.is_empty(),
            _ => false,
        };
        is_known.then(|| clean(&url))
    }
}
