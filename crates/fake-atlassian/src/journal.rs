//! Given requests, gives what was asked, by whom and what it cost. Never a token.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use crate::moment::iso;

/// The most requests remembered; the oldest go first.
const ROWS_MAX: usize = 200_000;

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalRow {
    /// Milliseconds since 1970, on the fake's clock.
    pub at: i64,
    pub method: String,
    pub path: String,
    /// Of a call through the gateway, as it was sent; empty elsewhere, where a query holds a state, a code or a signature.
    pub query: String,
    pub status: u16,
    /// What the call cost, its base point included; 0 when it was refused before it was counted.
    pub points: u64,
    /// Whose token was shown.
    pub account: Option<String>,
}

#[derive(Debug, Default)]
pub struct Journal {
    rows: VecDeque<JournalRow>,
    /// How many were noted ever.
    pub noted: u64,
    by_status: BTreeMap<u16, u64>,
}

impl Journal {
    pub fn note(&mut self, row: JournalRow) {
        if self.rows.len() == ROWS_MAX {
            self.rows.pop_front();
        }
        self.noted += 1;
        *self.by_status.entry(row.status).or_insert(0) += 1;
        self.rows.push_back(row);
    }

    pub fn clear(&mut self) {
        self.rows.clear();
        self.by_status.clear();
    }

    /// Those that came after the first `noted` ever and are still remembered, the oldest first.
    pub fn after(&self, noted: u64) -> Vec<JournalRow> {
        let forgotten = self.noted - self.rows.len() as u64;
        let known = usize::try_from(noted.saturating_sub(forgotten)).unwrap_or(usize::MAX);
        self.rows.iter().skip(known).cloned().collect()
    }

    pub fn rendered(&self) -> Value {
        let rendered = |row: &JournalRow| {
            let path = match row.query.is_empty() {
                true => row.path.clone(),
                false => format!("{}?{}", row.path, row.query),
            };
            json!({
                "at": iso(row.at),
                "method": row.method,
                "path": path,
                "status": row.status,
                "points": row.points,
                "account": row.account,
            })
        };
        Value::Array(self.rows.iter().map(rendered).collect())
    }

    pub fn by_status(&self) -> Value {
        json!(self.by_status)
    }
}
