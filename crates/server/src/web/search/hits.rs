//! Given a hit, gives what of it is shown.

use app::search_several::HitOf;
use domain::{
    Timestamp,
    document::DocumentKind,
    hit::{Fragment, Hit},
};

use crate::web::{
    documents::here,
    moment::{Moment, ago},
    page::{kind_name, link},
};

/// Hits on one page.
pub const HITS_SHOWN: usize = 20;
/// Stands between the blocks of a passage.
const BETWEEN_BLOCKS: &str = " · ";
/// Begins the items of a list, which the dot sets apart already.
const LIST_ITEM: &str = "- ";

/// How hits are looked at.
#[derive(Clone, Copy)]
pub struct Seen {
    /// More than one index is searched: hits name theirs.
    pub several: bool,
    pub now: Timestamp,
}

pub struct HitShown {
    /// Its page here, at the heading.
    pub here: String,
    /// Opens it in Confluence, at the heading; empty when there is no such address.
    pub link: String,
    /// What that page is called.
    pub name: String,
    /// What stands before the title: a comment has none of its own.
    pub before: &'static str,
    pub title: Vec<Fragment>,
    /// The page that an attachment belongs to.
    pub on: Option<String>,
    pub index: Option<String>,
    pub crumbs: Vec<String>,
    pub snippet: Vec<Fragment>,
    /// `page`, `blogpost`, `comment` or `attachment`: which picture it has.
    pub picture: &'static str,
    pub kind: String,
    pub author: Option<String>,
    pub editor: Option<String>,
    pub modified: Moment,
    /// `3 days ago`.
    pub ago: String,
    /// It is as it was written at first.
    pub fresh: bool,
    pub more: Vec<MoreShown>,
    /// `3 more on this page`.
    pub more_told: Option<String>,
    pub alike: Vec<AlikeShown>,
    /// `2 more like this`.
    pub alike_told: Option<String>,
}

/// Another passage of the same document.
pub struct MoreShown {
    pub here: String,
    pub link: String,
    pub headings: String,
    pub snippet: Vec<Fragment>,
}

/// Another document with nearly the same text.
pub struct AlikeShown {
    pub here: String,
    pub title: String,
    pub space: String,
}

pub fn shown(HitOf { index, index_name, hit }: HitOf, seen: Seen) -> HitShown {
    let Hit { passage, .. } = hit;
    let page = here(index, &passage.document);
    let told = |count: u64, what: &str| (count > 0).then(|| format!("{count} more {what}"));
    let more_told = told(hit.more_passages, within(passage.kind));
    let alike_told = told(hit.alike_documents, "like this");
    let more = hit.more.into_iter().map(|more| MoreShown {
        here: page.clone() + place(&more.url),
        link: link(&more.url),
        headings: more.headings.join(" › "),
        snippet: in_one_line(more.snippet),
    });
    let alike = hit.alike.into_iter().map(|alike| AlikeShown {
        here: here(index, &alike.document),
        title: alike.title,
        space: alike.space_name,
    });
    let (more, alike) = (more.collect(), alike.collect());
    let fresh = passage.modified_at == passage.created_at && passage.editor == passage.author;
    let mut breadcrumb = passage.breadcrumb;
    let (before, on) = match passage.kind {
        DocumentKind::Comment => {
            // The title already names the page.
            breadcrumb.pop_if(|last| *last == passage.title);
            ("Comment on ", None)
        }
        DocumentKind::Attachment => ("", breadcrumb.pop()),
        DocumentKind::Page | DocumentKind::BlogPost => ("", None),
    };
    HitShown {
        here: page + place(&passage.url),
        link: link(&passage.url),
        name: format!("{before}{}", passage.title),
        before,
        title: hit.title,
        on,
        index: seen.several.then_some(index_name),
        crumbs: [passage.space_name]
            .into_iter()
            .chain(breadcrumb)
            .chain(passage.headings)
            .collect(),
        snippet: in_one_line(hit.snippet),
        picture: passage.kind.word(),
        kind: kind_name(passage.kind.word()).to_owned(),
        author: passage.author.map(|person| person.name),
        editor: passage.editor.filter(|_| !fresh).map(|person| person.name),
        ago: ago(passage.modified_at, seen.now),
        modified: Moment::new(passage.modified_at),
        fresh,
        more,
        more_told,
        alike,
        alike_told,
    }
}

/// Where the other passages of a document of this kind are.
fn within(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::Page => "on this page",
        DocumentKind::BlogPost => "in this post",
        DocumentKind::Comment => "in this comment",
        DocumentKind::Attachment => "in this file",
    }
}

/// The part of an address that names a heading, with its sign.
fn place(url: &str) -> &str {
    url.find('#').map_or("", |at| &url[at..])
}

/// Blocks of a passage are lines; shown in one, a dot keeps them apart.
fn in_one_line(mut snippet: Vec<Fragment>) -> Vec<Fragment> {
    for fragment in &mut snippet {
        if fragment.text.contains('\n') {
            fragment.text = joined(&fragment.text);
        }
    }
    if let Some(first) = snippet.first_mut() {
        let text = first.text.strip_prefix(BETWEEN_BLOCKS).unwrap_or(&first.text);
        first.text = text.strip_prefix(LIST_ITEM).unwrap_or(text).to_owned();
    }
    if let Some(last) = snippet.last_mut()
        && let Some(rest) = last.text.strip_suffix(BETWEEN_BLOCKS)
    {
        last.text = rest.to_owned();
    }
    snippet
}

/// A text's lines in one; where it begins or ends with a break, another fragment's text is kept apart.
fn joined(text: &str) -> String {
    let mut one = String::new();
    let mut broken = false;
    for line in text.split_inclusive('\n') {
        let said = line.trim_end_matches(['\n', '\r']);
        let said = match broken {
            true => said.strip_prefix(LIST_ITEM).unwrap_or(said),
            false => said,
        };
        if !said.trim().is_empty() {
            if broken {
                one.push_str(BETWEEN_BLOCKS);
            }
            one.push_str(said);
            broken = false;
        }
        broken |= line.ends_with('\n');
    }
    if broken {
        one.push_str(BETWEEN_BLOCKS);
    }
    one
}
