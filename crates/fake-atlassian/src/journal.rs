//! Given requests, gives what was asked, by whom and what it cost. Never a token.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::moment::iso;

/// The most requests remembered; the oldest go first.
const ENTRIES_MAX: usize = 200_000;

/// One request.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: i64,
    pub method: String,
    pub path_and_query: String,
    pub status: u16,
    pub points: u64,
    pub account: Option<String>,
}

#[derive(Debug, Default)]
pub struct Journal {
    entries: VecDeque<Entry>,
    by_status: BTreeMap<u16, u64>,
}

impl Journal {
    pub fn note(&mut self, entry: Entry) {
        if self.entries.len() == ENTRIES_MAX {
            self.entries.pop_front();
        }
        *self.by_status.entry(entry.status).or_insert(0) += 1;
        self.entries.push_back(entry);
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn rendered(&self) -> Value {
        let entry = |entry: &Entry| {
            json!({
                "at": iso(entry.at),
                "method": entry.method,
                "path": entry.path_and_query,
                "status": entry.status,
                "points": entry.points,
                "account": entry.account,
            })
        };
        Value::Array(self.entries.iter().map(entry).collect())
    }

    pub fn by_status(&self) -> Value {
        json!(self.by_status)
    }
}
