//! `circuit why`: asks a running Circuit why a page is found or missing.

use domain::{Error, Result};
use serde_json::Value;
use url::form_urlencoded;

use crate::{cli::Why, config, remote::Remote};

/// `circuit why`.
pub async fn why(asked: &Why) -> Result<()> {
    let remote = Remote::new(config::remote(&asked.remote)?)?;
    let index = match asked.index {
        Some(index) => index.to_string(),
        None => only_index(&remote.get("/indexes").await?)?,
    };
    let url: String = form_urlencoded::byte_serialize(asked.address.as_bytes()).collect();
    let answer = remote.get(&format!("/indexes/{index}/explain?url={url}")).await?;
    match asked.json {
        true => println!("{answer}"),
        false => print!("{}", told(&answer)),
    }
    Ok(())
}

fn only_index(answer: &Value) -> Result<String> {
    let indexes = answer["indexes"].as_array().map(Vec::as_slice).unwrap_or_default();
    match indexes {
        [only] => Ok(only["id"].as_str().unwrap_or_default().to_owned()),
        [] => Err(Error::not_found("there is no index yet")),
        several => {
            let name = |index: &Value| {
                let text = |field: &str| index[field].as_str().unwrap_or_default().to_owned();
                format!("{} ({})", text("id"), text("name"))
            };
            let names: Vec<String> = several.iter().map(name).collect();
            let names = names.join(", ");
            Err(Error::invalid(format!(
                "there are several indexes, name one with --index: {names}"
            )))
        }
    }
}

fn told(answer: &Value) -> String {
    let line = |field: &str| answer[field].as_str().map(|text| format!("{text}\n"));
    let lines = [line("said"), line("todo")];
    lines.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_only_index_need_not_be_named_and_several_are_told_apart() {
        let one = json!({ "indexes": [{ "id": "7", "name": "Handbook" }] });
        assert_eq!(only_index(&one).unwrap(), "7");
        let two = json!({ "indexes": [{ "id": "7", "name": "Handbook" }, { "id": "8", "name": "Lab" }] });
        assert!(only_index(&two).unwrap_err().message.contains("7 (Handbook), 8 (Lab)"));
    }

    #[test]
    fn an_answer_is_a_sentence_and_what_to_do() {
        let answer = json!({ "said": "It is here.", "todo": null });
        assert_eq!(told(&answer), "It is here.\n");
        let answer = json!({ "said": "It was removed.", "todo": "Have it read." });
        assert_eq!(told(&answer), "It was removed.\nHave it read.\n");
    }
}
