//! What storage format refers to: pages, files, people, spaces, addresses.

use std::ops::Range;

use domain::AccountId;

use super::{Element, Place, Reader, tag::Tag};
use crate::{
    block::{Inline, Target},
    emoji::emoji,
    flow::Flow,
};

/// What stands in a link or a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    To(Target),
    /// A person, by account or, on pages that came from a server, by name.
    Person {
        account: Option<AccountId>,
        name: Option<String>,
    },
}

impl Reference {
    pub fn target(self) -> Option<Target> {
        match self {
            Self::To(target) => Some(target),
            Self::Person { account, .. } => account.map(Target::Person),
        }
    }
}

/// What the element itself refers to.
pub fn reference(reader: &Reader<'_>, element: &Element<'_>) -> Option<Reference> {
    let value = |name: &str| element.value(name).filter(|value| !value.trim().is_empty());
    let target = match element.tag {
        Tag::Page | Tag::BlogPost => {
            let id = value("ri:content-id");
            let title = value("ri:content-title");
            if id.is_none() && title.is_none() {
                return None;
            }
            Target::Page {
                space: value("ri:space-key"),
                title: title.unwrap_or_default(),
                id,
                day: value("ri:posting-day").filter(|_| element.tag == Tag::BlogPost),
                anchor: None,
            }
        }
        Tag::ContentEntity => Target::Page {
            space: None,
            title: String::new(),
            id: Some(value("ri:content-id")?),
            day: None,
            anchor: None,
        },
        Tag::Attachment => Target::Attachment {
            name: value("ri:filename")?,
            page: page_of(reader, element.inside()).map(Box::new),
        },
        Tag::Url => Target::Url(value("ri:value")?),
        Tag::Space => Target::Space(value("ri:space-key")?),
        Tag::User => {
            return Some(Reference::Person {
                account: value("ri:account-id").map(AccountId::new),
                name: value("ri:username"),
            });
        }
        _ => return None,
    };
    Some(Reference::To(target))
}

/// The page that a file belongs to, when it is another one.
fn page_of(reader: &Reader<'_>, inside: Range<usize>) -> Option<Target> {
    let pages = reader
        .elements(inside)
        .filter(|child| matches!(child.tag, Tag::Page | Tag::BlogPost | Tag::ContentEntity));
    pages
        .filter_map(|page| reference(reader, &page))
        .find_map(Reference::target)
}

/// Where an image comes from.
pub fn image_reference(reader: &Reader<'_>, element: &Element<'_>) -> Option<Target> {
    match element.tag {
        Tag::Attachment | Tag::Url => reference(reader, element).and_then(Reference::target),
        _ => None,
    }
}

/// The target of an `href` or a `src`; what carries its content in itself leads nowhere.
pub fn href(href: String) -> Option<Target> {
    let trimmed = href.trim();
    if trimmed.is_empty() || trimmed.starts_with("data:") {
        return None;
    }
    Some(match trimmed.strip_prefix('#') {
        Some(anchor) => Target::Anchor(anchor.to_owned()),
        None if trimmed.len() == href.len() => Target::Url(href),
        None => Target::Url(trimmed.to_owned()),
    })
}

pub fn emoticon(element: &Element<'_>) -> String {
    let value = |name: &str| element.value(name).unwrap_or_default();
    emoji(
        &value("ac:emoji-fallback"),
        &value("ac:emoji-shortname"),
        &value("ac:name"),
    )
}

impl<'a> Reader<'a> {
    pub(super) fn link(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        let anchor = element.value("ac:anchor").filter(|anchor| !anchor.trim().is_empty());
        let mut to = None;
        for child in self.elements(element.inside()) {
            to = to.or_else(|| reference(self, &child));
        }
        let account = match &to {
            Some(Reference::Person { account, name }) => Some((account.clone(), name.clone())),
            Some(Reference::To(_)) | None => None,
        };
        let target = match (to.and_then(Reference::target), anchor) {
            (
                Some(Target::Page {
                    space, title, id, day, ..
                }),
                anchor,
            ) => Some(Target::Page {
                space,
                title,
                id,
                day,
                anchor,
            }),
            (None, Some(anchor)) if account.is_none() => Some(Target::Anchor(anchor)),
            (target, _) => target,
        };
        let before = flow.mark();
        let inner = place.linked(target.clone());
        let inside = element.inside();
        for child in self.children(inside) {
            match child {
                super::Child::Element(child) if child.tag == Tag::User => {}
                super::Child::Element(child) => self.read(child.at..child.end, flow, &inner),
                super::Child::Words(at) => self.read(at..at + 1, flow, &inner),
            }
        }
        if flow.mark() != before {
            return;
        }
        match (account, target) {
            (Some((account, name)), _) => flow.sign(Inline::Mention { account, name }, &place.manner),
            (None, Some(target)) => flow.words(target.words().unwrap_or_default(), &inner.manner),
            (None, None) => {}
        }
    }

    /// A person who stands in no link.
    pub(super) fn user(&mut self, element: Element<'a>, flow: &mut Flow, place: &Place) {
        if let Some(Reference::Person { account, name }) = reference(self, &element) {
            flow.sign(Inline::Mention { account, name }, &place.manner);
        }
    }
}
