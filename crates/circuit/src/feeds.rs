//! `circuit feed list`, `status`, `sync`, `pause` and `resume`.

use domain::Result;
use serde_json::{Value, json};

use crate::{
    cli::{FeedAsked, FeedList, FeedSync},
    indexes::{meant, printed, remote, text},
    remote::Remote,
    terminal::table,
    watching,
};

/// `circuit feed list`.
pub async fn list(asked: &FeedList) -> Result<()> {
    let remote = remote(&asked.printing)?;
    let indexes = match &asked.index {
        Some(named) => vec![meant(&remote, named).await?],
        None => {
            let answer = remote.get("/indexes").await?;
            let indexes = answer["indexes"].as_array().into_iter().flatten();
            indexes
                .filter_map(|index| index["id"].as_str().map(str::to_owned))
                .collect()
        }
    };
    let mut pictures = Vec::new();
    for index in indexes {
        let feeds = remote.get(&format!("/indexes/{index}/feeds")).await?;
        for feed in feeds["feeds"].as_array().into_iter().flatten() {
            pictures.push(picture(&remote, &text(&feed["id"])).await?);
        }
    }
    printed(&asked.printing, &json!({ "feeds": pictures }), listed)
}

/// `circuit feed status`.
pub async fn status(asked: &FeedAsked) -> Result<()> {
    let picture = picture(&remote(&asked.printing)?, &asked.feed.to_string()).await?;
    printed(&asked.printing, &picture, described)
}

/// `circuit feed sync`.
pub async fn sync(asked: &FeedSync) -> Result<()> {
    let remote = remote(&asked.printing)?;
    let before = picture(&remote, &asked.feed.to_string()).await?;
    let answer = remote
        .post(&format!("/feeds/{}/resync", asked.feed), &Value::Null)
        .await?;
    if asked.watch {
        let asked = FeedAsked {
            feed: asked.feed,
            printing: asked.printing.clone(),
        };
        return watching::watched(&remote, &asked, before["last_run"]["id"].as_str()).await;
    }
    printed(&asked.printing, &answer, |_| {
        format!(
            "Feed {0} reads everything again; `circuit feed watch {0}` shows how far it is.\n",
            asked.feed
        )
    })
}

/// `circuit feed pause` and `circuit feed resume`.
pub async fn told(asked: &FeedAsked, what: &str) -> Result<()> {
    let path = format!("/feeds/{}/{what}", asked.feed);
    let answer = remote(&asked.printing)?.post(&path, &Value::Null).await?;
    printed(&asked.printing, &answer, |feed| {
        format!("Feed {} is {} now.\n", text(&feed["id"]), text(&feed["state"]))
    })
}

pub async fn picture(remote: &Remote, feed: &str) -> Result<Value> {
    remote.get(&format!("/feeds/{feed}")).await
}

fn listed(answer: &Value) -> String {
    let mut rows = vec![
        ["ID", "INDEX", "STATE", "DOCUMENTS", "SITE", "SPACES"]
            .map(str::to_owned)
            .to_vec(),
    ];
    for feed in answer["feeds"].as_array().into_iter().flatten() {
        rows.push(vec![
            text(&feed["id"]),
            text(&feed["index_id"]),
            text(&feed["headline"]),
            feed["documents"].to_string(),
            text(&feed["site"]["url"]),
            keys(feed),
        ]);
    }
    match rows.len() {
        1 => "There is no feed yet; make an integration in the app.\n".to_owned(),
        _ => table(&rows),
    }
}

fn keys(feed: &Value) -> String {
    let spaces = feed["spaces"].as_array().into_iter().flatten();
    spaces.map(|space| text(&space["key"])).collect::<Vec<_>>().join(" ")
}

fn described(feed: &Value) -> String {
    let run = |run: &Value| match run.is_null() {
        true => String::new(),
        false => format!(
            "{} {}, {}{}",
            text(&run["kind"]),
            text(&run["started_at"]),
            run["outcome"].as_str().unwrap_or("going on"),
            run["why"]
                .as_str()
                .map(|why| format!(": {}", crate::terminal::shown(why)))
                .unwrap_or_default()
        ),
    };
    let found = match (feed["searchable"] == true, feed["search_trouble"].as_str()) {
        (_, Some(trouble)) => crate::terminal::shown(trouble),
        (true, None) => "all".to_owned(),
        (false, None) => "not all yet".to_owned(),
    };
    let degraded: Vec<String> = feed["degraded"].as_array().into_iter().flatten().map(text).collect();
    let budget = &feed["points"]["budget"];
    let rows = [
        ("Feed", text(&feed["id"])),
        ("Index", text(&feed["index_id"])),
        ("Site", text(&feed["site"]["url"])),
        ("Spaces", keys(feed)),
        ("State", text(&feed["headline"])),
        ("Waits for", text(&feed["parked"]["detail"])),
        ("Documents", feed["documents"].to_string()),
        ("Found", found),
        ("Running", run(&feed["running"])),
        ("Last run", run(&feed["last_run"])),
        ("Next pass", text(&feed["next"]["pass_at"])),
        (
            "Points",
            format!("{} of {} left this hour", budget["left"], budget["points"]),
        ),
        ("Not done", degraded.join(" ")),
    ];
    let rows = rows.into_iter().filter(|(_, what)| !what.is_empty());
    table(&rows.map(|(name, what)| vec![name.to_owned(), what]).collect::<Vec<_>>())
}
