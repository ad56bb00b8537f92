//! `circuit feed watch`: a feed's progress, until everything that it brought can be found.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use domain::{Error, Result};
use serde_json::Value;

use crate::{
    cli::FeedAsked,
    feeds::picture,
    indexes::{printed, remote, text},
    remote::Remote,
    terminal::bar,
};

/// How often it is looked at.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// So often in a row Circuit may not answer: it may be starting anew.
const SILENCES_MAX: u32 = 30;
/// The most spaces that have a bar of their own.
const BARS_MAX: usize = 20;
/// Parts of the whole that are told one by one where there is no terminal.
const PARTS: u64 = 10;

/// `circuit feed watch`.
pub async fn watch(asked: &FeedAsked) -> Result<()> {
    let remote = remote(&asked.printing)?;
    watched(&remote, asked, None).await
}

/// Watches until it is at rest; with a run, until a later one has ended.
pub async fn watched(remote: &Remote, asked: &FeedAsked, behind: Option<&str>) -> Result<()> {
    let feed = asked.feed.to_string();
    let mut screen = Screen::default();
    let mut silences = 0;
    loop {
        let seen = match picture(remote, &feed).await {
            Ok(seen) => seen,
            Err(error)
                if error.kind == domain::ErrorKind::Unavailable && silences < SILENCES_MAX && !screen.is_new() =>
            {
                silences += 1;
                tokio::time::sleep(LOOK_AGAIN).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        silences = 0;
        screen.show(&seen);
        match standing(&seen, behind) {
            Standing::Goes => tokio::time::sleep(LOOK_AGAIN).await,
            Standing::AtRest => {
                return printed(&asked.printing, &seen, |seen| {
                    format!(
                        "Feed {feed} is up to date: {} documents can be found.\n",
                        seen["documents"]
                    )
                });
            }
            Standing::Stuck(why) => {
                return Err(Error::conflict(format!(
                    "feed {feed} cannot go on by itself: {why}; its page in the app says what to do"
                )));
            }
        }
    }
}

#[derive(Debug, PartialEq)]
enum Standing {
    Goes,
    AtRest,
    Stuck(String),
}

fn standing(seen: &Value, behind: Option<&str>) -> Standing {
    let stuck = || {
        let why = text(&seen["parked"]["detail"]);
        let headline = text(&seen["headline"]);
        Standing::Stuck(if why.is_empty() {
            headline
        } else {
            format!("{headline}: {why}")
        })
    };
    if seen["job"]["state"] == "dead" {
        return stuck();
    }
    match seen["state"].as_str() {
        Some("active") => {}
        // It goes on by itself when the hour's points are there again.
        Some("parked") if seen["parked"]["until"].is_string() => return Standing::Goes,
        _ => return stuck(),
    }
    let later = behind.is_none() || seen["last_run"]["id"].as_str() != behind;
    let rests = seen["headline"] == "up to date" && seen["searchable"] == true && seen["running"].is_null();
    match rests && later && seen["files_waiting"].as_u64().unwrap_or(0) == 0 {
        true => Standing::AtRest,
        false => Standing::Goes,
    }
}

/// What was drawn last.
#[derive(Default)]
struct Screen {
    lines: usize,
    told: Option<(String, u64)>,
}

impl Screen {
    fn is_new(&self) -> bool {
        self.lines == 0 && self.told.is_none()
    }

    fn show(&mut self, seen: &Value) {
        let mut out = std::io::stderr().lock();
        let drawn = match out.is_terminal() {
            true => {
                let (text, lines) = bars(seen);
                let up = match self.lines {
                    0 => String::new(),
                    lines => format!("\u{1b}[{lines}A"),
                };
                self.lines = lines;
                format!("{up}\u{1b}[J{text}")
            }
            false => match self.news(seen) {
                Some(news) => news,
                None => return,
            },
        };
        // Whoever closed it does not want to see it.
        let _ = out.write_all(drawn.as_bytes()).and_then(|()| out.flush());
    }

    /// A line when the state changed, or another tenth is done.
    fn news(&mut self, seen: &Value) -> Option<String> {
        let (done, whole) = (count(&seen["documents"]), seen["expected_documents"].as_u64());
        let part = whole
            .filter(|whole| *whole > 0)
            .map_or(0, |whole| done.min(whole).saturating_mul(PARTS) / whole);
        let told = (text(&seen["headline"]), part);
        if self.told.as_ref() == Some(&told) {
            return None;
        }
        self.told = Some(told);
        Some(format!("{}\n", summary(seen)))
    }
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

/// A line for the whole and one for each space, and how many lines they are.
fn bars(seen: &Value) -> (String, usize) {
    let spaces: Vec<&Value> = seen["spaces"].as_array().into_iter().flatten().collect();
    let keys = spaces.iter().map(|space| text(&space["key"]));
    let width = keys.map(|key| key.chars().count()).max().unwrap_or(0);
    let mut lines = vec![summary(seen)];
    for space in spaces.iter().take(BARS_MAX) {
        let estimate = &space["estimate"];
        let kinds = ["pages", "blog_posts", "comments", "attachments"];
        let expected: u64 = kinds.iter().map(|kind| count(&estimate[kind])).sum();
        let done = count(&space["documents"]);
        // Once it is imported, what is there is the whole.
        let whole = match space["imported_at"].is_string() {
            true => Some(done.max(1)),
            false => Some(expected).filter(|expected| *expected > 0),
        };
        let shown_done = if space["imported_at"].is_string() {
            done.max(1)
        } else {
            done
        };
        lines.push(format!(
            "  {:<width$}  {}  {done}",
            text(&space["key"]),
            bar(shown_done, whole)
        ));
    }
    if spaces.len() > BARS_MAX {
        lines.push(format!("  and {} more spaces", spaces.len() - BARS_MAX));
    }
    (format!("{}\n", lines.join("\n")), lines.len())
}

fn summary(seen: &Value) -> String {
    let mut parts = vec![text(&seen["headline"])];
    parts.push(match seen["expected_documents"].as_u64() {
        Some(expected) => format!("{} of about {expected} documents", count(&seen["documents"])),
        None => format!("{} documents", count(&seen["documents"])),
    });
    if let Some(rate) = seen["documents_per_second"].as_f64() {
        parts.push(format!("{rate:.0} a second"));
    }
    if let Some(seconds) = seen["seconds_left"].as_u64() {
        parts.push(match seconds {
            0..120 => format!("{seconds} s left"),
            _ => format!("{} min left", seconds.div_ceil(60)),
        });
    }
    match count(&seen["files_waiting"]) {
        0 => {}
        files => parts.push(format!("{files} files to read")),
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn seen(headline: &str) -> Value {
        json!({
            "state": "active", "headline": headline, "searchable": true, "running": null, "files_waiting": 0,
            "documents": 30, "expected_documents": 120, "documents_per_second": 12.4, "seconds_left": 300,
            "last_run": { "id": "7" },
            "spaces": [
                { "key": "ENG", "documents": 20, "imported_at": null, "estimate": { "pages": 30, "comments": 10 } },
                { "key": "O", "documents": 10, "imported_at": "2026-01-01T00:00:00.000Z", "estimate": null },
            ],
        })
    }

    #[test]
    fn watching_ends_when_all_can_be_found_or_nothing_goes_on() {
        assert_eq!(standing(&seen("up to date"), None), Standing::AtRest);
        assert_eq!(
            standing(&seen("up to date"), Some("7")),
            Standing::Goes,
            "the run that was asked for is not there yet"
        );
        assert_eq!(standing(&seen("up to date"), Some("6")), Standing::AtRest);
        assert_eq!(standing(&seen("importing"), None), Standing::Goes);
        let with = |field: &str, value: Value| {
            let mut seen = seen("up to date");
            seen[field] = value;
            standing(&seen, None)
        };
        assert_eq!(with("searchable", json!(false)), Standing::Goes);
        assert_eq!(with("files_waiting", json!(2)), Standing::Goes);
        assert!(matches!(with("state", json!("paused")), Standing::Stuck(_)));
        assert!(matches!(with("job", json!({ "state": "dead" })), Standing::Stuck(_)));
        let mut parked = seen("paused by quota");
        parked["state"] = json!("parked");
        parked["parked"] = json!({ "until": "2026-01-01T01:00:00.000Z" });
        assert_eq!(standing(&parked, None), Standing::Goes);
        parked["parked"] = json!({ "until": null, "detail": "somebody must reconnect" });
        assert!(matches!(standing(&parked, None), Standing::Stuck(why) if why.contains("reconnect")));
    }

    #[test]
    fn bars_and_lines_tell_how_far_it_is() {
        let (drawn, lines) = bars(&seen("importing"));
        let expected = "importing, 30 of about 120 documents, 12 a second, 5 min left\n  ENG  ████████████░░░░░░░░░░░░  20\n  \
                        O    ████████████████████████  10\n";
        assert_eq!((drawn.as_str(), lines), (expected, 3));
        let mut screen = Screen::default();
        assert!(screen.news(&seen("importing")).is_some());
        assert!(screen.news(&seen("importing")).is_none());
        assert!(screen.news(&seen("up to date")).is_some());
    }
}
