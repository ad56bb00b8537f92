//! Given the changes of late, gives a site as it was a while ago: what a search index that lags behind still shows.

use std::collections::VecDeque;

use crate::{
    moment::HOUR_MS,
    world::{Item, Kind, Site, Status},
};

/// The longest lag of the search index.
pub const LAG_MS_MAX: i64 = HOUR_MS;
/// So many changes are kept; the oldest are taken as indexed.
const CHANGES_MAX: usize = 20_000;

/// How an item was before a change; none for one that was not there.
#[derive(Clone, Debug)]
pub struct Change {
    at: i64,
    slot: u32,
    before: Option<Item>,
}

impl Site {
    pub fn keep_change(&mut self, slot: u32, before: Option<Item>) {
        let Some(at) = self.changing_at else {
            return;
        };
        while self.changes.front().is_some_and(|change| change.at + LAG_MS_MAX < at)
            || self.changes.len() >= CHANGES_MAX
        {
            self.changes.pop_front();
        }
        self.changes.push_back(Change { at, slot, before });
    }

    /// The site as it was `lag_ms` ago; none if it was as it is now. Spaces, permissions and restrictions are the present
    /// ones: they are asked about when an answer is made, not when content is indexed.
    pub fn lagging(&self, now: i64, lag_ms: i64) -> Option<Site> {
        // Changes of a time that has not come, after the clock was set back, are taken as indexed.
        let unseen = |change: &&Change| (now - lag_ms + 1..=now).contains(&change.at);
        let late: Vec<&Change> = self.changes.iter().rev().take_while(unseen).collect();
        if late.is_empty() {
            return None;
        }
        let mut then = Site {
            cloud_id: self.cloud_id.clone(),
            name: self.name.clone(),
            members: self.members.clone(),
            groups: self.groups.clone(),
            spaces: self.spaces.clone(),
            items: self.items.clone(),
            held: self.held.clone(),
            recipe: self.recipe.clone(),
            locked_out: self.locked_out.clone(),
            changes: VecDeque::new(),
            changing_at: None,
        };
        for change in late {
            then.put_back(change.slot, change.before.clone());
        }
        then.restrict_as(self);
        Some(then)
    }

    fn put_back(&mut self, slot: u32, before: Option<Item>) {
        let Some(before) = before else {
            self.items[slot as usize].status = Status::Purged;
            return;
        };
        let present = std::mem::replace(&mut self.items[slot as usize], before.clone());
        if let Some(holder) = present.reply_to.or(present.holder) {
            self.held.remove(&(holder, slot));
        }
        if let Some(holder) = before.reply_to.or(before.holder) {
            self.held.insert((holder, slot));
        }
        self.change_space(slot, before.kind, present.space, before.space);
    }

    fn restrict_as(&mut self, present: &Site) {
        for (item, now) in self.items.iter_mut().zip(&present.items) {
            let restriction = now.own.as_ref().and_then(|own| own.restriction.clone());
            match (&mut item.own, restriction) {
                (Some(own), restriction) => own.restriction = restriction,
                (None, Some(restriction)) => item.own.get_or_insert_default().restriction = Some(restriction),
                (None, None) => {}
            }
        }
    }

    /// Takes the item out of one space's lists and puts it into another's.
    pub fn change_space(&mut self, slot: u32, kind: Kind, from: u32, to: u32) {
        if from == to {
            return;
        }
        self.spaces[from as usize].content[kind.place()].retain(|other| *other != slot);
        let content = &mut self.spaces[to as usize].content[kind.place()];
        let at = content.partition_point(|other| *other < slot);
        content.insert(at, slot);
    }
}
