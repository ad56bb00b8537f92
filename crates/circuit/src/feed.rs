//! `circuit feed …`: asks a running Circuit about a feed.

use std::time::Duration;

use domain::{Error, Result};
use serde_json::{Value, json};

use crate::{cli::FeedEstimate, config, remote::Remote};

/// `circuit feed estimate`.
pub async fn estimate(asked: &FeedEstimate) -> Result<()> {
    let remote = Remote::new(config::remote(&asked.remote)?)?;
    let feed = format!("/feeds/{}", asked.feed);
    let chosen = chosen(&remote, &feed, &asked.spaces).await?;
    let ids: Vec<&Value> = chosen.iter().map(|space| &space["id"]).collect();
    let quote = remote.post(&format!("{feed}/estimate"), &json!({ "ids": ids })).await?;
    if asked.json {
        println!("{quote}");
        return Ok(());
    }
    let picture = remote.get(&feed).await?;
    print!("{}", told(&chosen, &quote, &picture["points"]["budget"]));
    Ok(())
}

/// The spaces with these keys, or those that the feed carries.
async fn chosen(remote: &Remote, feed: &str, keys: &[String]) -> Result<Vec<Value>> {
    let list = match keys {
        [] => "spaces",
        _ => "spaces/available",
    };
    let mut answer = remote.get(&format!("{feed}/{list}")).await?;
    let spaces = match answer["spaces"].take() {
        Value::Array(spaces) => spaces,
        _ => Vec::new(),
    };
    if keys.is_empty() {
        return match spaces.is_empty() {
            true => Err(Error::invalid(
                "this feed carries no space yet; name some with --space KEY",
            )),
            false => Ok(spaces),
        };
    }
    let found = |key: &String| {
        let space = spaces.iter().find(|space| space["key"] == key.as_str());
        space.cloned().ok_or_else(|| {
            Error::not_found(format!(
                "the connected person sees no space with the key {key:?}; keys are as Confluence shows them, such as ENG"
            ))
        })
    };
    keys.iter().map(found).collect()
}

fn told(spaces: &[Value], quote: &Value, budget: &Value) -> String {
    let count = |value: &Value| value.as_u64().unwrap_or(0);
    let price = |spent: &Value| format!("{} calls, {} points", count(&spent["calls"]), count(&spent["points"]));
    let keys: Vec<&str> = spaces.iter().filter_map(|space| space["key"].as_str()).collect();
    let (import, later) = (&quote["import"], &quote["later"]);
    let time = about(Duration::from_secs(count(&import["seconds"])));
    let waits = match count(&import["waits"]) {
        0 => String::new(),
        1 => ", with one wait for the next hour's points".to_owned(),
        waits => format!(", with {waits} waits for the next hour's points"),
    };
    let lines = [
        ("Spaces", keys.join(", ")),
        (
            "They hold",
            format!(
                "about {} pages, {} blog posts, {} comments, {} attachments",
                count(&quote["pages"]),
                count(&quote["blog_posts"]),
                count(&quote["comments"]),
                count(&quote["attachments"])
            ),
        ),
        ("Import", format!("about {}, {time}{waits}", price(import))),
        ("Quiet look", format!("{}, every few minutes", price(&later["changes"]))),
        ("Whole again", format!("about {}", price(&later["walk"]))),
        ("Probe", price(&later["probe"])),
        (
            "This hour",
            format!(
                "{} of {} points left until {}",
                count(&budget["left"]),
                count(&budget["points"]),
                budget["renewed_at"].as_str().unwrap_or("the next hour")
            ),
        ),
    ];
    lines
        .iter()
        .map(|(name, what)| format!("{name:<12} {what}\n"))
        .collect()
}

fn about(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{} s", seconds.max(1)),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h", (seconds + 1_800) / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_import_costs_is_told_in_a_few_lines() {
        let price = |calls: u64, points: u64| json!({ "calls": calls, "points": points });
        let quote = json!({
            "pages": 40_000, "blog_posts": 2, "comments": 30, "attachments": 4,
            "import": { "calls": 190, "points": 50_123, "waits": 1, "seconds": 5_400 },
            "later": { "changes": price(4, 19), "walk": price(180, 48_000), "probe": price(161, 161) },
        });
        let budget = json!({ "left": 32_000, "points": 32_500, "renewed_at": "2026-11-24T09:00:00.000Z" });
        let spaces = [json!({ "key": "ENG" }), json!({ "key": "OPS" })];
        let told = told(&spaces, &quote, &budget);
        for line in [
            "Spaces       ENG, OPS\n",
            "Import       about 190 calls, 50123 points, 90 min, with one wait for the next hour's points\n",
            "This hour    32000 of 32500 points left until 2026-11-24T09:00:00.000Z\n",
        ] {
            assert!(told.contains(line), "{line} is not in {told}");
        }
    }
}
