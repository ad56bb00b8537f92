//! One pass in a process of its own, with the binary's wiring and a clock that is ahead: so that its memory is its own and
//! nobody waits until it is due.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use circuit::{socket::Socket, wiring::wired_at};
use domain::{
    Clock, FeedId, RunId,
    budget::{Allowance, QUOTA_POINTS_MAX},
};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    setting::{PUBLIC_URL, configured},
    working::Turned,
};

/// What this process is told to make one pass instead of measuring.
pub const COMMAND: &str = "pass";
/// How long a pass over the largest site may take on a busy machine.
const PASS_TIME_MAX: Duration = Duration::from_secs(1_800);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Which pass, of what.
pub struct Pass<'a> {
    pub data_dir: &'a Path,
    pub fake_base: &'a str,
    pub key: &'a str,
    pub feed: FeedId,
    /// How far the clock is ahead, here and at the fake.
    pub ahead_ms: i64,
    pub kind: &'a str,
}

/// What it cost.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub calls: u64,
    pub points: u64,
    /// Until everything that it brought is searchable.
    pub seconds: f64,
    /// The most that the process ever held.
    pub peak_mb: u64,
    pub seen: u64,
    /// Added and changed.
    pub changed: u64,
}

/// A budget that no site here exhausts: what is measured is not how long Circuit waits.
pub fn boundless() -> Allowance {
    Allowance::new(QUOTA_POINTS_MAX, 100).unwrap()
}

impl Pass<'_> {
    /// Has it made, and waits for its end.
    pub async fn cost(&self) -> Cost {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .arg(COMMAND)
            .arg(self.data_dir)
            .args([
                self.fake_base,
                self.key,
                &self.feed.to_string(),
                &self.ahead_ms.to_string(),
                self.kind,
            ])
            .stderr(std::process::Stdio::inherit());
        let output = tokio::task::spawn_blocking(move || command.output())
            .await
            .unwrap()
            .unwrap();
        assert!(output.status.success(), "the pass failed: {output:?}");
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let number = |name: &str| told[name].as_u64().unwrap();
        Cost {
            calls: number("calls"),
            points: number("points"),
            seconds: told["seconds"].as_f64().unwrap(),
            peak_mb: number("peak_mb"),
            seen: number("seen"),
            changed: number("changed"),
        }
    }
}

/// Makes the pass in this process, and prints what it cost.
pub async fn made(arguments: &[String]) {
    let [data_dir, fake_base, key, feed, ahead_ms, kind] = arguments else {
        panic!("a pass needs its six arguments, not {arguments:?}");
    };
    let feed = FeedId(feed.parse().unwrap());
    let clock = Arc::new(Turned(AtomicI64::new(ahead_ms.parse().unwrap())));
    let config = configured(&PathBuf::from(data_dir), fake_base, boundless());
    let wired = wired_at(
        &config,
        PUBLIC_URL.into(),
        Arc::new(Socket::new().unwrap()),
        clock.clone(),
    )
    .await
    .unwrap();
    let app = wired.app.clone();
    let caller = app.caller_by_api_key(key).await.unwrap().unwrap();
    let before = app
        .runs(&caller, feed)
        .await
        .unwrap()
        .first()
        .map_or(RunId(0), |run| run.id);
    let (stop, told) = watch::channel(false);
    let worker = app.clone();
    let work = tokio::spawn(async move { worker.work(told).await });
    if kind == "walk" {
        app.resync(&caller, feed).await.unwrap();
    }
    let ended = async {
        loop {
            let runs = app.runs(&caller, feed).await.unwrap();
            let run = runs
                .into_iter()
                .find(|run| run.id > before && run.kind.word() == kind && run.ended_at.is_some());
            if let Some(run) = run
                && app.feed_picture(&caller, feed).await.unwrap().searchable
            {
                return run;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    let run = tokio::time::timeout(PASS_TIME_MAX, ended).await.unwrap();
    let seconds = clock.now().since(run.started_at).as_secs_f64();
    stop.send_replace(true);
    work.await.unwrap();
    println!(
        "{}",
        json!({
            "calls": run.spent.calls,
            "points": run.spent.points,
            "seconds": seconds,
            "peak_mb": own_peak_kb() / 1_024,
            "seen": run.counts.seen,
            "changed": run.counts.added + run.counts.changed,
        })
    );
}

/// The most memory that this process ever held (`VmHWM` of proc(5)); zero where that is not told.
fn own_peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}
