//! Given a reader, gives what they may see: spaces by permission, pages by restrictions that hold for everything below.

use crate::world::{Item, Kind, Readers, Site, SpaceStatus, Status};

/// Whoever holds the token, as the site knows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Nobody: the token's grant does not include this site.
    Anonymous,
    /// Somebody who may not use this Confluence.
    Outsider,
    Member(u16),
}

impl Site {
    pub fn reader(&self, person: u16, active: bool) -> Reader {
        match active && self.members.contains(&person) && !self.locked_out.contains(&person) {
            true => Reader::Member(person),
            false => Reader::Outsider,
        }
    }

    fn allows(&self, readers: &Readers, reader: Reader) -> bool {
        let Reader::Member(person) = reader else {
            return false;
        };
        match readers {
            Readers::Everyone => true,
            Readers::Only { people, groups } => {
                let in_group = |group: &u16| {
                    self.groups
                        .get(usize::from(*group))
                        .is_some_and(|group| group.members.contains(&person))
                };
                people.contains(&person) || groups.iter().any(in_group)
            }
        }
    }

    pub fn sees_space(&self, reader: Reader, space: u32) -> bool {
        let space = &self.spaces[space as usize];
        space.status != SpaceStatus::Deleted && self.allows(&space.readers, reader)
    }

    /// Whatever its status, short of purged; a draft is its author's.
    pub fn sees(&self, reader: Reader, slot: u32) -> bool {
        let item = self.item(slot);
        let ruled_out = self.spaces[item.space as usize].ruled_out;
        if item.status == Status::Purged || ruled_out || !self.sees_space(reader, item.space) {
            return false;
        }
        match item.kind {
            Kind::Page | Kind::BlogPost => self.unrestricted(reader, slot) && drafted_by(item, reader),
            Kind::Comment | Kind::Attachment => item.holder.is_some_and(|page| {
                let page_lives = matches!(self.item(page).status, Status::Current | Status::Archived);
                page_lives && self.unrestricted(reader, page)
            }),
        }
    }

    fn unrestricted(&self, reader: Reader, slot: u32) -> bool {
        let mut at = Some(slot);
        // A tree is no deeper than it has pages, and `move` refuses circles.
        while let Some(page) = at {
            let item = self.item(page);
            let restriction = item.own.as_ref().and_then(|own| own.restriction.as_ref());
            if restriction.is_some_and(|readers| !self.allows(readers, reader)) {
                return false;
            }
            at = item.holder;
        }
        true
    }

    /// By a restriction of its own, of its page or of a page above.
    pub fn restricted(&self, slot: u32) -> bool {
        let has = |slot: u32| {
            self.item(slot)
                .own
                .as_ref()
                .is_some_and(|own| own.restriction.is_some())
        };
        has(slot) || self.ancestors(slot).into_iter().any(has)
    }

    /// Current, on a current page, and the reader's to see: what a mirror of the space should hold.
    pub fn shows(&self, reader: Reader, slot: u32) -> bool {
        let item = self.item(slot);
        if item.status != Status::Current || !self.sees(reader, slot) {
            return false;
        }
        match item.kind {
            Kind::Page | Kind::BlogPost => true,
            Kind::Comment | Kind::Attachment => item
                .holder
                .is_some_and(|page| self.item(page).status == Status::Current),
        }
    }
}

fn drafted_by(item: &Item, reader: Reader) -> bool {
    item.status != Status::Draft || reader == Reader::Member(item.author)
}
