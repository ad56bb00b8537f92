//! Given candidates, an order and a cursor, gives the next rows and the cursor after them. Cursors hold the key of the
//! last row and never an offset, so that rows added or removed meanwhile shift nothing.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use serde_json::{Value, json};

/// The longest cursor that is read.
const CURSOR_LENGTH_MAX: usize = 4_096;

/// What rows are ordered by. The row's own number breaks ties.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Number(i64),
    Text(String),
}

/// An order with its name, which a cursor must have been made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub name: String,
    pub descending: bool,
    /// The rows come in this order already and the key is the row's own number.
    pub by_row: bool,
}

impl Order {
    pub fn named(word: &str) -> Self {
        let name = word.trim_start_matches('-').to_owned();
        Self {
            descending: word.starts_with('-'),
            by_row: name == "id",
            name,
        }
    }

    fn word(&self) -> String {
        match self.descending {
            true => format!("-{}", self.name),
            false => self.name.clone(),
        }
    }
}

/// Where a listing stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub key: Key,
    pub row: u32,
}

/// A cursor that nobody here made, or for another order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCursor;

impl Cursor {
    pub fn spelled(&self, order: &Order) -> String {
        let key = match &self.key {
            Key::Number(number) => json!(number),
            Key::Text(text) => json!(text),
        };
        URL_SAFE.encode(json!({ "sort": order.word(), "key": key, "row": self.row }).to_string())
    }

    pub fn read(text: &str, order: &Order) -> Result<Self, BadCursor> {
        if text.len() > CURSOR_LENGTH_MAX {
            return Err(BadCursor);
        }
        let bytes = URL_SAFE.decode(text).map_err(|_| BadCursor)?;
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| BadCursor)?;
        if value["sort"].as_str() != Some(order.word().as_str()) {
            return Err(BadCursor);
        }
        let key = match &value["key"] {
            Value::Number(number) => Key::Number(number.as_i64().ok_or(BadCursor)?),
            Value::String(text) => Key::Text(text.clone()),
            _ => return Err(BadCursor),
        };
        let row = value["row"]
            .as_u64()
            .and_then(|row| u32::try_from(row).ok())
            .ok_or(BadCursor)?;
        Ok(Self { key, row })
    }
}

/// Up to `limit` rows after the cursor, and the cursor of the last if there are more. `candidates` rise.
pub fn rows_after(
    candidates: &[u32],
    order: &Order,
    after: Option<&Cursor>,
    limit: usize,
    key: impl Fn(u32) -> Key,
    keep: impl Fn(u32) -> bool,
) -> (Vec<u32>, Option<Cursor>) {
    match order.by_row {
        true => by_row(candidates, order.descending, after, limit, keep),
        false => by_key(candidates, order.descending, after, limit, key, keep),
    }
}

fn by_row(
    candidates: &[u32],
    descending: bool,
    after: Option<&Cursor>,
    limit: usize,
    keep: impl Fn(u32) -> bool,
) -> (Vec<u32>, Option<Cursor>) {
    let mut rows: Vec<u32> = match (descending, after) {
        (false, None) => first(candidates.iter(), limit + 1, keep),
        (false, Some(cursor)) => {
            let begin = candidates.partition_point(|row| *row <= cursor.row);
            first(candidates[begin..].iter(), limit + 1, keep)
        }
        (true, None) => first(candidates.iter().rev(), limit + 1, keep),
        (true, Some(cursor)) => {
            let end = candidates.partition_point(|row| *row < cursor.row);
            first(candidates[..end].iter().rev(), limit + 1, keep)
        }
    };
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|row| Cursor {
        key: Key::Number(i64::from(*row)),
        row: *row,
    });
    (rows, next)
}

fn first<'a>(rows: impl Iterator<Item = &'a u32>, count: usize, keep: impl Fn(u32) -> bool) -> Vec<u32> {
    rows.copied().filter(|row| keep(*row)).take(count).collect()
}

fn by_key(
    candidates: &[u32],
    descending: bool,
    after: Option<&Cursor>,
    limit: usize,
    key: impl Fn(u32) -> Key,
    keep: impl Fn(u32) -> bool,
) -> (Vec<u32>, Option<Cursor>) {
    let follows = |at: &(Key, u32)| {
        after.is_none_or(|cursor| {
            let (key, row) = (&at.0, at.1);
            let order = (key, row).cmp(&(&cursor.key, cursor.row));
            match descending {
                true => order.is_lt(),
                false => order.is_gt(),
            }
        })
    };
    let mut keyed: Vec<(Key, u32)> = candidates.iter().map(|row| (key(*row), *row)).filter(follows).collect();
    let compare = |one: &(Key, u32), two: &(Key, u32)| match descending {
        true => two.cmp(one),
        false => one.cmp(two),
    };
    // Seldom are more rows left out than a few: sorting a few times the limit first spares sorting all.
    let mut rows: Vec<(Key, u32)> = Vec::new();
    let mut wanted = (limit + 1) * 2;
    loop {
        rows.clear();
        let partial = wanted < keyed.len();
        if partial {
            keyed.select_nth_unstable_by(wanted, compare);
            keyed[..wanted].sort_unstable_by(compare);
        } else {
            keyed.sort_unstable_by(compare);
        }
        let considered = wanted.min(keyed.len());
        rows.extend(
            keyed[..considered]
                .iter()
                .filter(|(_, row)| keep(*row))
                .take(limit + 1)
                .cloned(),
        );
        if rows.len() > limit || !partial {
            break;
        }
        wanted *= 4;
    }
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(|(key, row)| Cursor {
        key: key.clone(),
        row: *row,
    });
    (rows.into_iter().map(|(_, row)| row).collect(), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_shows_every_row_exactly_once_while_rows_are_added() {
        for word in ["id", "-id", "modified-date", "-modified-date"] {
            let order = Order::named(word);
            let mut rows: Vec<u32> = (0..100).map(|row| row * 2).collect();
            let key = |row: u32| Key::Number(i64::from(row * 7 % 50));
            let mut seen = Vec::new();
            let mut cursor = None;
            loop {
                let (page, next) = rows_after(&rows, &order, cursor.as_ref(), 7, key, |_| true);
                seen.extend(page);
                let Some(next) = next else { break };
                cursor = Some(Cursor::read(&next.spelled(&order), &order).expect("our own cursor"));
                let last = rows.last().copied().unwrap_or_default();
                if rows.len() < 130 {
                    rows.push(last + 2);
                }
            }
            let mut originals: Vec<u32> = seen.iter().copied().filter(|row| *row < 200).collect();
            originals.sort_unstable();
            assert_eq!(originals, (0..100).map(|row| row * 2).collect::<Vec<_>>(), "{word}");
            let mut unique = seen.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), seen.len(), "{word}");
        }
    }

    #[test]
    fn a_cursor_of_another_order_is_refused() {
        let cursor = Cursor {
            key: Key::Number(4),
            row: 4,
        };
        let spelled = cursor.spelled(&Order::named("id"));
        assert_eq!(Cursor::read(&spelled, &Order::named("-modified-date")), Err(BadCursor));
        assert_eq!(Cursor::read("%%%", &Order::named("id")), Err(BadCursor));
    }
}
