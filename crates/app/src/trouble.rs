//! What goes wrong again and again is said once when it begins and once when it is over, and shown meanwhile.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use domain::{Error, IndexId};
use tracing::{error, info};

/// What can be in trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The store does not answer or cannot be written.
    Store,
    /// The store cannot be read.
    Reading,
    /// The queue of jobs cannot be read or written.
    Queue,
    /// The model that the settings name cannot be had.
    Model,
    /// Models do not read on.
    Meanings,
    /// Questions are not understood.
    Questions,
    /// This search index does not follow the store.
    Index(IndexId),
}

/// The troubles of this moment, each with what people are told about it.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Mutex<BTreeMap<Part, String>>);

impl Troubles {
    /// Another failure of the same kind is no news; another message is.
    pub fn met(&self, part: Part, failed: &Error) {
        let before = self.present().insert(part, failed.message.clone());
        if before.as_ref() != Some(&failed.message) {
            error!(error = ?failed, "{}; it goes on by itself when that is mended", begun(part));
        }
    }

    pub fn over(&self, part: Part) {
        if self.present().remove(&part).is_some() {
            info!("{}", over(part));
        }
    }

    /// What people are told; none when all is well.
    pub fn of(&self, part: Part) -> Option<String> {
        self.present().get(&part).cloned()
    }

    /// The first search index in trouble.
    pub fn of_indexes(&self) -> Option<String> {
        let troubles = self.present();
        let mut of_indexes = troubles.iter().filter(|(part, _)| matches!(part, Part::Index(_)));
        of_indexes.next().map(|(_, why)| why.clone())
    }

    fn present(&self) -> MutexGuard<'_, BTreeMap<Part, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn begun(part: Part) -> String {
    match part {
        Part::Store => "The store is not ready".to_owned(),
        Part::Reading => "The store cannot be read".to_owned(),
        Part::Queue => "The job queue cannot be read or written".to_owned(),
        Part::Model => "Search is by words alone, for its model cannot be had".to_owned(),
        Part::Meanings => "The meaning of passages is not read".to_owned(),
        Part::Questions => "Search is by words alone at times, for questions are not understood".to_owned(),
        Part::Index(index) => format!("Search index {index} does not follow the store"),
    }
}

fn over(part: Part) -> String {
    match part {
        Part::Store => "The store is ready again".to_owned(),
        Part::Reading => "The store can be read again".to_owned(),
        Part::Queue => "The job queue can be read and written again".to_owned(),
        Part::Model => "The model for search by meaning is there".to_owned(),
        Part::Meanings => "The meaning of passages is read again".to_owned(),
        Part::Questions => "Questions are understood again".to_owned(),
        Part::Index(index) => format!("Search index {index} follows the store again"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_shown_until_it_is_over() {
        let troubles = Troubles::default();
        let index = Part::Index(IndexId(7));
        assert_eq!(troubles.of_indexes(), None);
        troubles.met(Part::Queue, &Error::unavailable("the disk is full"));
        assert_eq!(troubles.of_indexes(), None);
        troubles.met(index, &Error::unavailable("the disk is full"));
        assert_eq!(troubles.of(index).as_deref(), Some("the disk is full"));
        assert_eq!(troubles.of_indexes().as_deref(), Some("the disk is full"));
        troubles.over(index);
        assert_eq!(troubles.of(index), None);
    }
}
