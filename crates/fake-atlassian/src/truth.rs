//! Given an account and a space, gives what a mirror of it should hold: what that account sees there now.

use crate::world::{Kind, Site, World, content_id, space_id};

/// A page, blog post, comment or attachment that the account sees: current, and on a current page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TruthRow {
    /// As the API shows it: `98432`, or `att98448`.
    pub id: String,
    pub kind: Kind,
    pub title: String,
    pub version: u32,
    /// The page above a page; the comment that a reply answers.
    pub parent: Option<String>,
    /// The page or blog post of a comment or an attachment.
    pub container: Option<String>,
    pub space_id: String,
    /// Of a comment.
    pub inline: bool,
    /// By a restriction of its own, of its page or of a page above, which this account passes.
    pub restricted: bool,
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub modified_at: i64,
}

impl World {
    /// By kind and then by id. A space that is gone, hidden or unknown shows nothing: that is the truth about it.
    pub fn truth(&self, person: u16, site: &Site, space_key: &str) -> Vec<TruthRow> {
        let active = self.people.get(usize::from(person)).is_some_and(|person| person.active);
        let reader = site.reader(person, active);
        let Some(space) = site.space_by_key(space_key) else {
            return Vec::new();
        };
        let content = &site.spaces[space as usize].content;
        let slots = Kind::ALL.iter().flat_map(|kind| &content[kind.place()]);
        slots
            .filter(|slot| site.shows(reader, **slot))
            .map(|slot| row(site, *slot))
            .collect()
    }
}

fn row(site: &Site, slot: u32) -> TruthRow {
    let item = site.item(slot);
    let id = |slot: u32| content_id(slot).to_string();
    let (parent, container) = match item.kind {
        Kind::Page | Kind::BlogPost => (item.holder, None),
        Kind::Comment | Kind::Attachment => (item.reply_to, item.holder),
    };
    TruthRow {
        id: site.shown_id(slot),
        kind: item.kind,
        title: site.title(slot),
        version: item.version,
        parent: parent.map(id),
        container: container.map(id),
        space_id: space_id(item.space as usize).to_string(),
        inline: item.inline,
        restricted: site.restricted(slot),
        created_at: item.created_at,
        modified_at: item.modified_at,
    }
}
