//! `circuit feed verify`: has a running Circuit compare a feed's site with its index, waits, and prints what differs.

use std::time::Duration;

use domain::{Error, Result};
use serde_json::{Value, json};

use crate::{cli::FeedVerify, config, remote::Remote};

/// How often it is asked how far it is.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often progress is told, in looks.
const TOLD_EVERY: u32 = 5;
/// The most answers with differences: each has two hundred, and ten thousand are kept.
const ANSWERS_MAX: usize = 100;

/// `circuit feed verify`.
pub async fn verify(asked: &FeedVerify) -> Result<()> {
    let remote = Remote::new(config::remote(&asked.remote)?)?;
    let run = remote
        .post(&format!("/feeds/{}/verify", asked.feed), &json!({}))
        .await?;
    let id = run["id"].as_str().unwrap_or_default().to_owned();
    let run = ended(&remote, &id).await?;
    if run["outcome"] != "complete" {
        return Err(Error::unavailable(format!(
            "run {id} did not come to its end: {}; the feed's page tells when it goes on",
            run["why"].as_str().unwrap_or("Circuit does not say why")
        )));
    }
    let (differences, notes) = differences(&remote, &id).await?;
    let failures = remote.get(&format!("/runs/{id}/failures")).await?["failures"].take();
    if asked.json {
        println!(
            "{}",
            json!({ "run": run, "differences": differences, "failures": failures, "notes": notes })
        );
    } else {
        print!("{}", told(&differences, &failures, &notes));
    }
    judged(&run, &differences)
}

async fn ended(remote: &Remote, id: &str) -> Result<Value> {
    for look in 0_u32.. {
        let run = remote.get(&format!("/runs/{id}")).await?;
        if !run["outcome"].is_null() {
            return Ok(run);
        }
        if look % TOLD_EVERY == TOLD_EVERY - 1 {
            let count = |group: &str, field: &str| run[group][field].as_u64().unwrap_or(0);
            let (seen, differing) = (count("counts", "seen"), count("counts", "differing"));
            eprintln!(
                "{seen} documents compared, {differing} differ, {} points",
                count("spent", "points")
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Err(Error::unavailable(format!("run {id} does not end")))
}

async fn differences(remote: &Remote, id: &str) -> Result<(Vec<Value>, Value)> {
    let (mut differences, mut notes) = (Vec::new(), json!([]));
    let mut path = format!("/runs/{id}/differences");
    for _ in 0..ANSWERS_MAX {
        let mut answer = remote.get(&path).await?;
        if let Value::Array(some) = answer["differences"].take() {
            differences.extend(some);
        }
        notes = answer["notes"].take();
        let Some(next) = answer["next"].as_str() else { break };
        path = format!("/runs/{id}/differences?after={next}");
    }
    Ok((differences, notes))
}

/// A line for each difference, failure and note: nothing when all is well.
fn told(differences: &[Value], failures: &Value, notes: &Value) -> String {
    let text = |value: &Value, field: &str| value[field].as_str().unwrap_or_default().to_owned();
    let side = |value: &Value, field: &str| match text(value, field) {
        side if side.is_empty() => "nothing".to_owned(),
        side => side,
    };
    let difference = |row: &Value| {
        let (what, title, id) = (
            text(row, "differs").replace('_', " "),
            text(row, "title"),
            text(row, "content_id"),
        );
        let held = side(row, "held");
        let other = match row["in_search"].is_null() {
            true => format!("on the site {}", side(row, "on_site")),
            false => format!("in search {}", side(row, "in_search")),
        };
        format!("{what}: {title:?} ({id}): held {held}, {other}\n")
    };
    let failure = |row: &Value| format!("could not be read: {:?}: {}\n", text(row, "title"), text(row, "why"));
    let note = |note: &Value| format!("{}\n", note.as_str().unwrap_or_default());
    let some = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let lines = differences.iter().map(difference);
    let lines = lines.chain(some(failures).iter().map(failure).collect::<Vec<_>>());
    lines.chain(some(notes).iter().map(note).collect::<Vec<_>>()).collect()
}

fn judged(run: &Value, differences: &[Value]) -> Result<()> {
    let count = |field: &str| run["counts"][field].as_u64().unwrap_or(0);
    let (differing, failed) = (count("differing"), count("failed"));
    if differing == 0 {
        return match failed {
            0 => Ok(()),
            failed => Err(Error::conflict(format!(
                "{failed} documents of the site could not be read"
            ))),
        };
    }
    let of_search = differences.iter().filter(|row| !row["in_search"].is_null()).count();
    let mends = match of_search {
        0 => "a re-sync brings the index up to it",
        all if all == differences.len() => "`circuit reindex` builds the search index anew",
        _ => "a re-sync brings the index up to it, and `circuit reindex` builds the search index anew",
    };
    let documents = match differing {
        1 => "1 document".to_owned(),
        many => format!("{many} documents"),
    };
    Err(Error::conflict(format!(
        "site, index and search differ in {documents}; {mends}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_when_all_is_well() {
        assert_eq!(told(&[], &json!([]), &json!([])), "");
        assert!(judged(&json!({ "counts": { "differing": 0, "failed": 0 } }), &[]).is_ok());
    }

    #[test]
    fn each_difference_is_a_line_with_both_sides() {
        let row = json!({ "differs": "not_in_index", "title": "Pump", "content_id": "5", "held": "", "on_site": "version 2" });
        assert_eq!(
            told(
                std::slice::from_ref(&row),
                &json!([]),
                &json!(["OPS was not compared."])
            ),
            "not in index: \"Pump\" (5): held nothing, on the site version 2\nOPS was not compared.\n"
        );
        let run = json!({ "counts": { "differing": 2, "failed": 0 } });
        let message = judged(&run, &[row]).unwrap_err().message;
        assert!(message.contains("2 documents; a re-sync"), "{message}");
    }

    #[test]
    fn what_search_alone_finds_otherwise_is_told_so_and_by_what_it_is_mended() {
        let row = json!({ "differs": "not_in_search", "title": "Pump", "content_id": "5", "held": "version 2, 1 passage",
            "on_site": null, "in_search": "" });
        assert_eq!(
            told(std::slice::from_ref(&row), &json!([]), &json!([])),
            "not in search: \"Pump\" (5): held version 2, 1 passage, in search nothing\n"
        );
        let run = json!({ "counts": { "differing": 1, "failed": 0 } });
        let message = judged(&run, &[row]).unwrap_err().message;
        assert!(message.contains("1 document; `circuit reindex`"), "{message}");
    }
}
