//! What Circuit asks of Atlassian, and what it is told: only the chosen spaces, on from where it was, and tokens kept.

use ::http::Request;
use bytes::Bytes;
use domain::{
    ConnectionId, ContentId, FeedId,
    cursor::{Cursor, Stream},
};
use url::Url;

use super::{Inner, Judge, Rule};
use crate::board::Life;

impl Judge {
    pub fn asked(&self, life: Life, request: &Request<Bytes>) {
        let mut inner = self.locked();
        inner.figures.calls += 1;
        let Ok(url) = Url::parse(&request.uri().to_string()) else {
            inner.violate(
                Rule::Chosen,
                format!("asked for {}, which is no address", request.uri()),
            );
            return;
        };
        let Some(rest) = url.path().strip_prefix("/ex/confluence/") else {
            if !url.path().starts_with("/oauth/token") {
                inner.violate(Rule::Chosen, format!("asked for {}", url.path()));
            }
            return;
        };
        let Some(feed) = inner.within.get(&life.process).copied() else {
            inner.violate(Rule::Chosen, format!("asked for {rest} outside of any feed"));
            return;
        };
        let unsaved = inner.unsaved_answers.get(&life.process);
        if unsaved.is_some_and(|feeds| feeds.contains(&feed)) {
            let what = format!("feed {feed} asked for {rest} while its new tokens were not saved");
            inner.violate(Rule::Tokens, what);
        }
        if let Err(why) = inner.chosen(feed, rest, &url, request.body()) {
            inner.violate(Rule::Chosen, format!("feed {feed} asked for {}: {why}", request.uri()));
        }
    }

    /// Atlassian gave new tokens; `lost` when the answer never arrives.
    pub fn token_answered(&self, life: Life, lost: bool) {
        let mut inner = self.locked();
        let Some(feed) = inner.within.get(&life.process).copied() else {
            return;
        };
        match lost {
            true => inner.excused.insert(feed),
            false => inner.unsaved_answers.entry(life.process).or_default().insert(feed),
        };
    }

    /// An answer said that a listing ended where it did not, or a row of it could not be read: what it would have shown is
    /// not known to be missing.
    pub fn misled(&self, life: Life) {
        let mut inner = self.locked();
        if let Some(feed) = inner.within.get(&life.process).copied() {
            inner.misled.insert(feed);
            inner.blinded.insert(feed);
            let readings = inner
                .readings
                .iter_mut()
                .filter(|((of, _), reading)| *of == feed && !reading.done);
            readings.for_each(|(_, reading)| reading.misled = true);
        }
    }

    pub fn grant_saved(&self, life: Life) {
        self.locked().unsaved_answers.remove(&life.process);
    }

    /// The disk was full: until it is saved after all, Atlassian's patience with the token before may be over.
    pub fn grant_not_saved(&self, life: Life) {
        let mut inner = self.locked();
        let unsaved = inner.unsaved_answers.remove(&life.process).unwrap_or_default();
        inner.excused.extend(unsaved);
    }

    /// The process is no more: what it had not saved may be lost once Atlassian's patience is over.
    pub fn crashed(&self, process: usize) {
        let mut inner = self.locked();
        inner.within.remove(&process);
        let unsaved = inner.unsaved_answers.remove(&process).unwrap_or_default();
        inner.excused.extend(unsaved);
    }

    /// Whether the feed's present tokens may be dead without anybody's fault.
    pub fn is_excused(&self, feed: FeedId) -> bool {
        let inner = self.locked();
        let under_way = inner.unsaved_answers.values().any(|feeds| feeds.contains(&feed));
        under_way || inner.excused.contains(&feed)
    }

    pub fn excuse(&self, feed: FeedId) {
        self.locked().excused.insert(feed);
    }

    /// The feed has this connection; another one's tokens are as good as new.
    pub fn connection_is(&self, feed: FeedId, connection: ConnectionId) {
        let mut inner = self.locked();
        if inner.connections.insert(feed, connection) != Some(connection) {
            inner.excused.remove(&feed);
        }
    }

    /// A listing is asked for; the step is to be told with its answer.
    pub fn listing_begins(&self, life: Life, stream: &Stream, after: Option<&Cursor>) -> u64 {
        let mut inner = self.locked();
        let Some(feed) = inner.claimed_by(life) else {
            return inner.step;
        };
        let (step, at) = (inner.step, inner.site_time);
        let reading = inner.readings.entry((feed, stream.clone())).or_default();
        match after {
            // Should nothing come of it, somebody goes on from the mark that is in the store.
            None => {
                *reading = super::Reading {
                    given: reading.mark.iter().cloned().collect(),
                    mark: reading.mark.take(),
                    began: step,
                    began_at: at,
                    ..super::Reading::default()
                }
            }
            Some(cursor) if reading.given.contains(&cursor.0) => {}
            Some(_) => {
                let what = format!("feed {feed} goes on in {stream:?} from a place that this listing never gave");
                inner.violate(Rule::Bookmarks, what);
            }
        }
        inner.step
    }

    pub fn listed<'a>(
        &self,
        life: Life,
        stream: &Stream,
        ids: impl Iterator<Item = &'a ContentId>,
        next: Option<&Cursor>,
        began: u64,
    ) {
        self.seen(life, ids, began);
        let mut inner = self.locked();
        let Some(feed) = inner.claimed_by(life) else {
            return;
        };
        if let Some(next) = next {
            let reading = inner.readings.entry((feed, stream.clone())).or_default();
            reading.given.insert(next.0.clone());
        }
    }

    /// Documents that an answer showed, which was asked for at this step.
    pub fn seen<'a>(&self, life: Life, ids: impl Iterator<Item = &'a ContentId>, began: u64) {
        let mut inner = self.locked();
        let Some(feed) = inner.within.get(&life.process).copied() else {
            return;
        };
        for id in ids {
            inner.last_seen.insert((feed, id.to_string()), began);
        }
    }
}

impl Inner {
    /// Whether a request stays within what the feed's people chose.
    fn chosen(&self, feed: FeedId, rest: &str, url: &Url, body: &Bytes) -> Result<(), String> {
        let facts = self.feeds.get(&feed).ok_or("this feed is not known")?;
        let (cloud, path) = rest.split_once("/wiki/").ok_or("not Confluence")?;
        if cloud != facts.site.as_str() {
            return Err("another site".into());
        }
        let segments: Vec<&str> = path.split('/').collect();
        let parameter = |name: &str| {
            url.query_pairs()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        let space = |id: &str| match facts.spaces.keys().any(|space| space.as_str() == id) {
            true => Ok(()),
            false => Err(format!("space {id} was not chosen")),
        };
        let listed = |name: &str| parameter(name).ok_or_else(|| format!("without {name}"));
        match segments.as_slice() {
            ["api", "v2", "spaces", id, ..] => space(id),
            ["api", "v2", "spaces"] | ["api", "v2", "data-policies", "spaces"] => {
                listed("ids")?.split(',').try_for_each(space)
            }
            ["api", "v2", "pages" | "blogposts"] => match parameter("space-id") {
                Some(ids) => ids.split(',').try_for_each(space),
                None => listed("id")?.split(',').try_for_each(|id| self.known(feed, id)),
            },
            [
                "api",
                "v2",
                "pages" | "blogposts" | "attachments" | "footer-comments" | "inline-comments",
                id,
                ..,
            ] => self.known(feed, id),
            ["rest", "api", "content", "search"] => self.in_chosen_spaces(feed, &listed("cql")?),
            ["rest", "api", "user", "current" | "bulk"] => Ok(()),
            ["api", "v2", "content", "convert-ids-to-types"] | ["rest", "api", "content", "convert-ids-to-types"] => {
                let asked: serde_json::Value = serde_json::from_slice(body).map_err(|_| "the body is not JSON")?;
                let ids = asked["contentIds"].as_array().ok_or("without contentIds")?;
                ids.iter().try_for_each(|id| match id.as_str() {
                    Some(id) => self.known(feed, id),
                    None => self.known(feed, &id.to_string()),
                })
            }
            _ => Err("nobody said that this may be asked".into()),
        }
    }

    /// A document of which this feed knows through its chosen spaces.
    fn known(&self, feed: FeedId, id: &str) -> Result<(), String> {
        let ever = |id: &str| self.truths.get(&feed).is_some_and(|truth| truth.ever(id).is_some());
        match ever(id) || ever(&format!("att{id}")) {
            true => Ok(()),
            false => Err(format!("{id} was never in a chosen space")),
        }
    }

    fn in_chosen_spaces(&self, feed: FeedId, cql: &str) -> Result<(), String> {
        let chosen = |key: &str| {
            let facts = self.feeds.get(&feed);
            facts.is_some_and(|facts| facts.spaces.values().any(|keys| keys.contains(key)))
        };
        let Some(at) = cql.find("space") else {
            return Err("CQL without spaces".into());
        };
        let condition = &cql[at + "space".len()..];
        let end = match condition.trim_start().starts_with('=') {
            true => condition.find(" and ").unwrap_or(condition.len()),
            false => condition.find(')').unwrap_or(condition.len()),
        };
        let keys: Vec<&str> = condition[..end].split('"').skip(1).step_by(2).collect();
        match keys.iter().find(|key| !chosen(key)) {
            _ if keys.is_empty() => Err("CQL without spaces".into()),
            Some(key) => Err(format!("space {key} was not chosen")),
            None => Ok(()),
        }
    }
}
