//! Given a request that passed the gates, gives what an endpoint needs to answer it.

use serde_json::{Value, json};

use crate::{
    answer::{Answer, gateway_error, v2_error},
    fake::{Detail, Fake},
    listing::{Cursor, Key, Order, rows_after},
    query::Query,
    visibility::Reader,
    world::{Kind, Site, World},
};

/// The most that one page of a listing may hold.
const PAGE_MAX: usize = 250;

pub struct Call<'a> {
    pub fake: &'a Fake,
    pub world: &'a World,
    pub site: &'a Site,
    pub reader: Reader,
    pub account: &'a str,
    /// After `/ex/confluence/{cloudId}`.
    pub path: &'a str,
    pub query: &'a Query,
    pub body: &'a [u8],
    pub now: i64,
}

/// An endpoint's outcome; an error is an answer as well.
pub type Outcome = Result<Answer, Answer>;

impl Call<'_> {
    /// Without what only decorates an answer.
    pub fn terse(&self) -> bool {
        self.fake.options.detail == Detail::Terse
    }

    pub fn bad(&self, title: &str) -> Answer {
        v2_error(400, "INVALID_REQUEST_PARAMETER", title)
    }

    /// The `limit` of a v2 listing.
    pub fn limit(&self, default: usize) -> Result<usize, Answer> {
        let Some(text) = self.query.first("limit") else {
            return self.in_time(default);
        };
        match text.parse::<usize>() {
            Ok(limit) if (1..=PAGE_MAX).contains(&limit) => self.in_time(limit),
            _ => Err(self.bad(&format!(
                "Provided value {{{text}}} for 'limit' is not in the expected range of 1 to {PAGE_MAX}"
            ))),
        }
    }

    /// The limit, unless so many rows with bodies take too long.
    fn in_time(&self, limit: usize) -> Result<usize, Answer> {
        match self.query.first("body-format").is_some() && self.fake.faults().times_out(limit) {
            true => Err(gateway_error(504, "Gateway Timeout")),
            false => Ok(limit),
        }
    }

    /// The `sort` of a v2 listing, one of `known` or with a minus before it.
    pub fn order(&self, known: &[&str]) -> Result<Order, Answer> {
        let word = self.query.first("sort").unwrap_or("id");
        let plain = word.strip_prefix('-').unwrap_or(word);
        match plain == "id" || known.contains(&plain) {
            true => Ok(Order::named(word)),
            false => Err(self.bad(&format!(
                "Provided value {{{word}}} for 'sort' is not one of the expected values"
            ))),
        }
    }

    /// The rows of a v2 listing, and the cursor of the next.
    pub fn rows(
        &self,
        candidates: &[u32],
        order: &Order,
        limit: usize,
        key: impl Fn(u32) -> Key,
        keep: impl Fn(u32) -> bool,
    ) -> Result<(Vec<u32>, Option<String>), Answer> {
        let invalid = || self.bad("Provided cursor is invalid or has expired");
        let after = match self.query.first("cursor") {
            None => None,
            Some(_) if self.fake.faults().expire_cursors => return Err(invalid()),
            Some(text) => Some(Cursor::read(text, order).map_err(|_| invalid())?),
        };
        let (mut rows, next) = rows_after(candidates, order, after.as_ref(), limit, key, keep);
        let next = next.map(|cursor| cursor.spelled(order));
        let mut faults = self.fake.faults();
        faults.disturb(&mut rows);
        let next = faults.mislead(next, self.query.first("cursor"));
        Ok((rows, next))
    }

    /// The rows of a listing of content, in the order asked for.
    pub fn content_rows(
        &self,
        candidates: &[u32],
        order: &Order,
        limit: usize,
        keep: impl Fn(u32) -> bool,
    ) -> Result<(Vec<u32>, Option<String>), Answer> {
        let key = |slot: u32| match order.name.as_str() {
            "created-date" => Key::Number(self.site.item(slot).created_at),
            "modified-date" => Key::Number(self.site.item(slot).modified_at),
            "title" => Key::Text(self.site.title(slot).to_lowercase()),
            "child-position" => Key::Number(i64::from(self.site.item(slot).position)),
            _ => Key::Number(i64::from(slot)),
        };
        self.rows(candidates, order, limit, key, keep)
    }

    /// v2's envelope, with the next address in the body and in the `Link` header.
    pub fn listed(&self, results: Vec<Value>, cursor: Option<String>, points: u64) -> Answer {
        let base = format!("{}/wiki", self.site.url());
        let mut links = json!({ "base": base });
        let mut link = format!("<{base}>; rel=\"base\"");
        if let Some(cursor) = cursor {
            let path = self.path.strip_prefix("/wiki").unwrap_or(self.path);
            let next = format!(
                "/wiki{path}?{}",
                self.query.rewritten(&["cursor"], &[("cursor", &cursor)])
            );
            link = format!("<{next}>; rel=\"next\", {link}");
            links["next"] = json!(next);
        }
        // Moved in, not named in `json!`, which copies what it is given.
        let mut body = json!({});
        body["results"] = Value::Array(results);
        body["_links"] = links;
        Answer::json(200, &body).with_header("link", link).costing(points)
    }

    /// v2's single object, which says where the site is.
    pub fn single(&self, mut object: Value, points: u64) -> Answer {
        object["_links"]["base"] = json!(format!("{}/wiki", self.site.url()));
        Answer::json(200, &object).costing(points)
    }

    /// A page or blog post that the reader may see, whatever its status.
    pub fn visible(&self, kind: Kind, id: &str) -> Option<u32> {
        let slot = self.site.slot(id)?;
        (self.site.item(slot).kind == kind && self.site.sees(self.reader, slot)).then_some(slot)
    }

    pub fn account_of(&self, person: u16) -> &str {
        self.world
            .people
            .get(usize::from(person))
            .map_or("", |person| person.account_id.as_str())
    }
}
