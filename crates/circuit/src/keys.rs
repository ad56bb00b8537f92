//! `circuit key …`: your API keys.

use domain::Result;
use serde_json::{Value, json};

use crate::{
    cli::{Key, KeyCreate},
    indexes::{meant, printed, remote, text},
    terminal::table,
};

/// `circuit key …`.
pub async fn key(asked: &Key) -> Result<()> {
    match asked {
        Key::List(printing) => {
            let answer = remote(printing)?.get("/api-keys").await?;
            printed(printing, &answer, listed)
        }
        Key::Create(asked) => create(asked).await,
        Key::Revoke(asked) => {
            remote(&asked.printing)?
                .delete(&format!("/api-keys/{}", asked.key))
                .await?;
            let answer = json!({ "revoked": asked.key.to_string() });
            printed(&asked.printing, &answer, |_| {
                format!("Nobody can use key {} any more.\n", asked.key)
            })
        }
    }
}

async fn create(asked: &KeyCreate) -> Result<()> {
    let remote = remote(&asked.printing)?;
    let mut new = json!({ "name": asked.name, "right": if asked.manage { "manage" } else { "read" } });
    if !asked.indexes.is_empty() {
        let mut ids = Vec::new();
        for index in &asked.indexes {
            ids.push(meant(&remote, index).await?);
        }
        new["indexes"] = json!(ids);
    }
    if let Some(expires) = &asked.expires {
        let is_day = expires.len() == "2026-01-31".len();
        new["expires_at"] = json!(if is_day {
            format!("{expires}T00:00:00Z")
        } else {
            expires.clone()
        });
    }
    let answer = remote.post("/api-keys", &new).await?;
    if !asked.printing.json {
        // The key alone goes where it may be piped.
        eprintln!(
            "Key {} is made. This is the only time it is shown:",
            text(&answer["id"])
        );
    }
    printed(&asked.printing, &answer, |key| format!("{}\n", text(&key["secret"])))
}

fn listed(answer: &Value) -> String {
    let mut rows = vec![
        ["ID", "BEGINS", "RIGHT", "INDEXES", "EXPIRES", "LAST USED", "NAME"]
            .map(str::to_owned)
            .to_vec(),
    ];
    let or = |value: &Value, otherwise: &str| match text(value) {
        text if text.is_empty() => otherwise.to_owned(),
        text => text,
    };
    for key in answer["api_keys"].as_array().into_iter().flatten() {
        let indexes = key["indexes"]
            .as_array()
            .map(|ids| ids.iter().map(text).collect::<Vec<_>>().join(" "));
        rows.push(vec![
            text(&key["id"]),
            text(&key["prefix"]),
            text(&key["right"]),
            indexes.unwrap_or_else(|| "all".to_owned()),
            or(&key["expires_at"], "never"),
            or(&key["last_used_at"], "never"),
            text(&key["name"]),
        ]);
    }
    table(&rows)
}
