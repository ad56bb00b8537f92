//! A site, imported by the real binary, and passed over again and again.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use confluence::capabilities::DEFAULT_SCOPES;
use fake_atlassian::{FakeAtlassian, JournalRow, Options};
use serde_json::{Value, json};

use crate::{
    comparing::up_to_date_within,
    pass::{Cost, Pass, boundless},
    process::{Circuit, serve},
    setting::{Begun, Setting},
};

/// What a probe needs, which is not asked for unless an operator wishes it.
const PROBE_SCOPE: &str = "read:content.metadata:confluence";
/// The largest quota that Circuit believes, so that no site waits for the next hour.
const QUOTA_POINTS: &str = "10000000";

/// How long the import of the largest site may take on a busy machine.
const IMPORT_TIME_MAX: Duration = Duration::from_secs(3_600);

pub struct Subject {
    pub setting: Setting,
    pub begun: Begun,
    ahead_ms: i64,
}

/// What the import of a site cost.
pub struct Import {
    /// Until everything is searchable.
    pub seconds: f64,
    /// The most that the process ever held.
    pub peak_mb: u64,
    /// The run, as the door shows it.
    pub run: Value,
    /// Calls and points of each part, as the fake counted them.
    pub parts: BTreeMap<&'static str, (u64, u64)>,
}

impl Import {
    pub fn of(&self, part: &str) -> (u64, u64) {
        self.parts.get(part).copied().unwrap_or_default()
    }
}

impl Subject {
    /// A site that a person has consented to, with all scopes.
    pub async fn new(make: impl FnOnce(Options) -> FakeAtlassian) -> Self {
        let mut setting = Setting::new(make).await;
        let scopes = DEFAULT_SCOPES.iter().map(|asked| asked.scope.to_owned());
        setting.scopes = Some(scopes.chain([PROBE_SCOPE.to_owned()]).collect());
        setting.allowance = boundless();
        let begun = setting.begun().await;
        Self {
            setting,
            begun,
            ahead_ms: 0,
        }
    }

    pub fn serving(&self) -> Circuit {
        let mut settings = self.setting.settings().to_vec();
        settings.push(("CIRCUIT_ATLASSIAN_QUOTA_POINTS", QUOTA_POINTS));
        Circuit::start(serve(&self.setting.data_dir, &settings))
    }

    /// Imports all spaces, as a person has it done. The binary goes on running.
    pub async fn import(&self, circuit: &Circuit) -> Import {
        let before = self.setting.fake.calls();
        let ids: Vec<&str> = self.begun.spaces.iter().map(|(_, id)| id.as_str()).collect();
        let path = format!("/api/v1/feeds/{}/spaces", self.begun.feed);
        let (status, answer) = circuit.post(&self.begun.key, &path, &json!({ "ids": ids })).await;
        assert!(status.is_success(), "{answer}");
        let began = Instant::now();
        up_to_date_within(circuit, &self.begun.key, self.begun.feed, IMPORT_TIME_MAX).await;
        let seconds = began.elapsed().as_secs_f64();
        let (_, runs) = circuit
            .get(&self.begun.key, &format!("/api/v1/feeds/{}/runs", self.begun.feed))
            .await;
        let import = runs["runs"]
            .as_array()
            .unwrap()
            .iter()
            .find(|run| run["kind"] == "import");
        let mut parts = BTreeMap::new();
        for row in self.setting.fake.journal_after(before) {
            let (calls, points) = parts.entry(part(&row)).or_insert((0, 0));
            *calls += 1;
            *points += row.points;
        }
        Import {
            seconds,
            peak_mb: circuit.peak_memory_kb() / 1_024,
            run: import.unwrap().clone(),
            parts,
        }
    }

    /// Time goes by for all.
    pub fn later(&mut self, minutes: i64) {
        self.ahead_ms += minutes * 60_000;
        let turned = self
            .setting
            .fake
            .control("clock", json!({ "advance_minutes": minutes }));
        turned.unwrap();
    }

    pub async fn pass(&self, kind: &str) -> Cost {
        let pass = Pass {
            data_dir: &self.setting.data_dir,
            fake_base: &self.setting.fake_base,
            key: &self.begun.key,
            feed: self.begun.feed,
            ahead_ms: self.ahead_ms,
            kind,
        };
        pass.cost().await
    }
}

/// What a call was made for.
fn part(row: &JournalRow) -> &'static str {
    let names = |what: &str| row.path.contains(what) || row.query.contains(what);
    match row.path.as_str() {
        _ if names("label") => "labels",
        path if path.ends_with("/pages") => "pages",
        path if path.ends_with("/blogposts") => "blog posts",
        path if path.ends_with("/content/search") && names("attachment") => "attachments",
        path if path.ends_with("/content/search") && names("comment") => "comments",
        path if path.contains("/user") => "people",
        path if path.contains("/oauth") => "tokens",
        _ => "spaces and the like",
    }
}
