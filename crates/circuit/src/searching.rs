//! `circuit search`: a question to a running Circuit, its answer for people or as JSON.

use domain::Result;
use serde_json::{Value, json};

use crate::{
    cli::{Search, SearchKind, SearchSort},
    config, indexes,
    remote::Remote,
    terminal::{self, shown},
};

/// How matched words are marked in a terminal.
const MARK: (&str, &str) = ("\u{1b}[1m", "\u{1b}[0m");

/// `circuit search`.
pub async fn search(asked: &Search) -> Result<()> {
    let remote = Remote::new(config::remote(&asked.printing.remote)?)?;
    let mut ids = Vec::new();
    for index in &asked.indexes {
        ids.push(indexes::meant(&remote, index).await?);
    }
    let answer = remote.post("/search", &question(asked, &ids)).await?;
    if asked.printing.json {
        terminal::print(&format!("{answer}\n"));
        return Ok(());
    }
    let marks = match terminal::is_seen() {
        true => MARK,
        false => ("", ""),
    };
    terminal::print(&told(&answer, marks));
    Ok(())
}

fn question(asked: &Search, indexes: &[String]) -> Value {
    let kinds = asked.kinds.iter().map(|kind| match kind {
        SearchKind::Page => "page",
        SearchKind::Blogpost => "blogpost",
        SearchKind::Comment => "comment",
        SearchKind::Attachment => "attachment",
    });
    let sort = match asked.sort {
        SearchSort::Relevance => "relevance",
        SearchSort::Modified => "modified",
    };
    // By its key a space is named in the question: the same key may be another space in another index.
    let spaces = asked
        .spaces
        .iter()
        .map(|space| format!(" space:\"{}\"", space.replace('"', " ")));
    let mut question = json!({
        "q": format!("{}{}", asked.words.join(" "), spaces.collect::<String>()).trim(),
        "indexes": indexes,
        "kinds": kinds.collect::<Vec<_>>(),
        "labels": asked.labels,
        "sort": sort,
        "limit": asked.limit,
        "other_spaces": !asked.spaces.is_empty(),
    });
    if let Some(cursor) = &asked.cursor {
        question["cursor"] = json!(cursor);
    }
    question
}

fn told(answer: &Value, marks: (&str, &str)) -> String {
    let hits = answer["hits"].as_array().map(Vec::as_slice).unwrap_or_default();
    let several = answer["indexes"].as_array().is_some_and(|indexes| indexes.len() > 1);
    let mut told: String = hits.iter().map(|hit| hit_told(hit, several, marks)).collect();
    for of in answer["unanswered"].as_array().into_iter().flatten() {
        let (name, why) = (text(&of["index_name"]), text(&of["reason"]));
        told.push_str(&format!("The index {name} could not answer: {why}\n"));
    }
    for also in answer["also_searched"].as_array().into_iter().flatten() {
        let words: Vec<String> = also["searched"].as_array().into_iter().flatten().map(text).collect();
        told.push_str(&format!(
            "For “{}” this was searched too: {}\n",
            text(&also["asked"]),
            words.join(", ")
        ));
    }
    let total = answer["total"].as_u64().unwrap_or(0);
    told.push_str(&match (total, answer["more_than_total"] == true) {
        (0, _) => "Nothing found.\n".to_owned(),
        (1, false) => "1 document.\n".to_owned(),
        (total, false) => format!("{total} documents, {} shown.\n", hits.len()),
        (total, true) => format!("More than {total} documents, {} shown.\n", hits.len()),
    });
    let elsewhere = &answer["other_spaces"];
    if let Some(documents) = elsewhere["documents"].as_u64().filter(|documents| *documents > 0) {
        let spaces = elsewhere["spaces"].as_array().into_iter().flatten();
        let spaces = spaces.map(|space| format!("{} {}", text(&space["key"]), space["documents"]));
        told.push_str(&format!(
            "{documents} in other spaces: {}\n",
            spaces.collect::<Vec<_>>().join(", ")
        ));
    }
    if let Some(cursor) = answer["next_cursor"].as_str() {
        told.push_str(&format!("More with --cursor {}\n", shown(cursor)));
    }
    told
}

fn hit_told(hit: &Value, several: bool, marks: (&str, &str)) -> String {
    let joined = |names: &Value| {
        let names: Vec<String> = names.as_array().into_iter().flatten().map(text).collect();
        names.join(" › ")
    };
    let title = match marked(&hit["title_fragments"], marks) {
        title if title.is_empty() => text(&hit["title"]),
        title => title,
    };
    let who = [&hit["editor"]["name"], &hit["author"]["name"]].into_iter().map(text);
    let facts = [
        text(&hit["kind"]),
        text(&hit["space"]["key"]),
        text(&hit["modified_at"]).chars().take("2026-01-31".len()).collect(),
        who.into_iter().find(|name| !name.is_empty()).unwrap_or_default(),
        if several {
            text(&hit["index_name"])
        } else {
            String::new()
        },
    ];
    let facts: Vec<String> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
    let place = [joined(&hit["breadcrumb"]), joined(&hit["headings"])];
    let place: Vec<String> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let lines = [
        place.join(" › "),
        marked(&hit["snippet"], marks),
        text(&hit["url"]),
        format!("{}/{}", text(&hit["index_id"]), text(&hit["document_id"])),
    ];
    let lines = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| format!("    {line}\n"));
    format!("{title}  ({})\n{}\n", facts.join(", "), lines.collect::<String>())
}

fn text(value: &Value) -> String {
    shown(value.as_str().unwrap_or_default())
}

/// Fragments in one line: the blanks between them stay.
fn marked(fragments: &Value, (begin, end): (&str, &str)) -> String {
    let mut line = String::new();
    for fragment in fragments.as_array().into_iter().flatten() {
        let raw = fragment["text"].as_str().unwrap_or_default();
        let text = shown(raw);
        let blank = |at_edge: bool| if at_edge { " " } else { "" };
        line.push_str(blank(raw.starts_with(char::is_whitespace)));
        match fragment["marked"] == true {
            true => line.push_str(&format!("{begin}{text}{end}")),
            false => line.push_str(&text),
        }
        line.push_str(blank(!text.is_empty() && raw.ends_with(char::is_whitespace)));
    }
    line.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Value {
        json!({
            "total": 2, "more_than_total": false, "next_cursor": "ab.1-1-", "indexes": [{}],
            "also_searched": [{ "asked": "pmup", "searched": ["pump"] }],
            "other_spaces": { "documents": 4, "spaces": [{ "key": "OPS", "documents": 4 }] },
            "unanswered": [{ "index_name": "Lab", "reason": "its disk is full" }],
            "hits": [{
                "index_id": "1", "index_name": "Handbook", "document_id": "site:2", "kind": "page", "title": "Pump\u{1b}[31m runbook",
                "title_fragments": [{ "text": "Pump", "marked": true }, { "text": " run\u{1b}book", "marked": false }],
                "url": "https://acme.example/2", "space": { "key": "ENG" }, "breadcrumb": ["Operations"], "headings": ["Steps"],
                "snippet": [{ "text": "restart\nthe ", "marked": false }, { "text": "pump", "marked": true }],
                "editor": { "name": "Ann" }, "modified_at": "2026-02-01T10:30:00.000Z",
            }],
        })
    }

    #[test]
    fn an_answer_is_read_in_a_terminal_and_in_a_pipe() {
        let plain = told(&answer(), ("", ""));
        let expected = "Pump runbook  (page, ENG, 2026-02-01, Ann)\n    Operations › Steps\n    restart the pump\n    \
                        https://acme.example/2\n    1/site:2\n\nThe index Lab could not answer: its disk is full\n\
                        For “pmup” this was searched too: pump\n2 documents, 1 shown.\n4 in other spaces: OPS 4\n\
                        More with --cursor ab.1-1-\n";
        assert_eq!(plain, expected);
        let seen = told(&answer(), MARK);
        assert!(seen.contains("restart the \u{1b}[1mpump\u{1b}[0m"), "{seen}");
        assert!(!seen.contains("\u{1b}[31m") && !seen.contains("\u{1b}b"));
        assert_eq!(told(&json!({ "total": 0 }), MARK), "Nothing found.\n");
    }
}
