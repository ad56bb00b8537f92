//! What Atlassian really showed a person, when, and since when it did not: the measure of everything held and found.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use fake_atlassian::{Kind, TruthRow};

/// A document as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    pub kind: String,
    /// Empty for a comment: its title is its page's.
    pub title: String,
    pub version: u32,
    /// A page's parent; the page of a comment or an attachment.
    pub parent: Option<String>,
    pub space: String,
}

impl Row {
    /// Comments and attachments are found through Atlassian's search alone.
    pub fn is_told_by_search(&self) -> bool {
        matches!(self.kind.as_str(), "comment" | "attachment")
    }
}

/// A row of the fake's truth about a space: the id, the row, and when its version was made.
pub fn row(told: &TruthRow) -> (String, Row, Timestamp) {
    let belongs = matches!(told.kind, Kind::Comment | Kind::Attachment);
    let row = Row {
        kind: told.kind.word().to_owned(),
        title: match told.kind {
            Kind::Comment => String::new(),
            Kind::Page | Kind::BlogPost | Kind::Attachment => told.title.clone(),
        },
        version: told.version,
        parent: if belongs { &told.container } else { &told.parent }.clone(),
        space: told.space_id.clone(),
    };
    (told.id.clone(), row, Timestamp(told.modified_at))
}

/// A document that is shown.
#[derive(Clone, Debug)]
pub struct Shown {
    pub row: Row,
    /// When this version was made, by Atlassian's clock.
    pub modified: Timestamp,
    /// Since when it is shown without a break, by Atlassian's clock.
    pub since: Timestamp,
    /// Since when it is shown in this space without a break: the step, and the time at Atlassian.
    pub placed: u64,
    pub placed_at: Timestamp,
}

/// What one feed's person sees in its chosen spaces, through time.
#[derive(Debug, Default)]
pub struct Truth {
    pub now: BTreeMap<String, Shown>,
    /// When a document was last moved: what Atlassian's search tells of the time before, it shows by the restrictions of the
    /// old place.
    pub moved_at: Option<Timestamp>,
    /// Not shown now, since that step and time; as it was shown last.
    hidden: BTreeMap<String, (u64, Timestamp, Row)>,
    /// The step at which it was last shown again.
    shown_again: BTreeMap<String, u64>,
    /// Every state in which it was ever shown.
    ever: BTreeMap<String, BTreeSet<Row>>,
}

impl Truth {
    /// What is shown from this step on.
    pub fn turn(&mut self, rows: Vec<(String, Row, Timestamp)>, step: u64, at: Timestamp) {
        let mut before = std::mem::take(&mut self.now);
        for (id, row, modified) in rows {
            let shown = before.remove(&id);
            let stayed = shown.as_ref().filter(|shown| shown.row.space == row.space);
            let moved = |shown: &Shown| shown.row.parent != row.parent || shown.row.space != row.space;
            if shown.as_ref().is_some_and(moved) {
                self.moved_at = Some(at);
            }
            let (placed, placed_at) = stayed.map_or((step, at), |shown| (shown.placed, shown.placed_at));
            let since = shown.map(|shown| shown.since);
            if since.is_none() && self.hidden.remove(&id).is_some() {
                self.shown_again.insert(id.clone(), step);
            }
            self.ever.entry(id.clone()).or_default().insert(row.clone());
            let since = since.unwrap_or(at);
            let shown = Shown {
                row,
                modified,
                since,
                placed,
                placed_at,
            };
            self.now.insert(id, shown);
        }
        let hidden = before.into_iter().map(|(id, shown)| (id, (step, at, shown.row)));
        self.hidden.extend(hidden);
    }

    /// Whether there was a moment at or after this step at which it was not shown.
    pub fn was_hidden_since(&self, id: &str, step: u64) -> bool {
        !self.now.contains_key(id) || self.shown_again.get(id).is_some_and(|again| *again >= step)
    }

    /// What has not been shown at any moment since before this step; if Atlassian's search must tell it, since before it
    /// `searched`.
    pub fn hidden_before(&self, step: u64, searched: Timestamp) -> impl Iterator<Item = (&String, &Row)> {
        let told = move |at: Timestamp, row: &Row| at <= searched || !row.is_told_by_search();
        let hidden = self.hidden.iter();
        let hidden = hidden.filter(move |(_, (since, at, row))| *since < step && told(*at, row));
        hidden.map(|(id, (_, _, row))| (id, row))
    }

    pub fn ever(&self, id: &str) -> Option<&BTreeSet<Row>> {
        self.ever.get(id)
    }

    /// Whether it was ever shown so in another space, and its page in this one: a comment or a file that is no more is held
    /// where its page is until the listing that lacks it has been read.
    pub fn followed_its_page(&self, id: &str, row: &Row) -> bool {
        let page = row.parent.as_ref().and_then(|page| self.ever.get(page));
        let page_was_there = page.is_some_and(|ever| ever.iter().any(|page| page.space == row.space));
        let elsewhere = |shown: &Row| Row {
            space: row.space.clone(),
            ..shown.clone()
        };
        let was_shown = self
            .ever
            .get(id)
            .is_some_and(|ever| ever.iter().any(|shown| elsewhere(shown) == *row));
        row.is_told_by_search() && page_was_there && was_shown
    }

    pub fn shows(&self, id: &str) -> bool {
        self.now.contains_key(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(version: u32) -> (String, Row, Timestamp) {
        let row = Row {
            kind: "page".into(),
            title: "Pump".into(),
            version,
            parent: None,
            space: "1".into(),
        };
        ("7".into(), row, Timestamp(0))
    }

    #[test]
    fn what_was_hidden_for_a_moment_is_known_to_have_been() {
        let mut truth = Truth::default();
        truth.turn(vec![page(1)], 1, Timestamp(1));
        assert!(!truth.was_hidden_since("7", 1));
        truth.turn(Vec::new(), 5, Timestamp(5));
        assert_eq!(
            truth
                .hidden_before(6, Timestamp(0))
                .map(|(id, _)| id)
                .collect::<Vec<_>>(),
            ["7"]
        );
        assert_eq!(truth.hidden_before(5, Timestamp(0)).count(), 0);
        truth.turn(vec![page(2)], 9, Timestamp(9));
        assert!(truth.was_hidden_since("7", 9) && !truth.was_hidden_since("7", 10));
        assert_eq!(truth.hidden_before(100, Timestamp(0)).count(), 0);
        assert_eq!(truth.ever("7").map(BTreeSet::len), Some(2));
    }
}
