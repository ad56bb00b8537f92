//! The table of tools: what each takes and gives, and what answers it.

use app::{App, Caller};
use domain::{Error, Result};
use rmcp::{
    ErrorData,
    handler::server::common::{schema_for_input, schema_for_output},
    model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations},
    schemars::JsonSchema,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{fetch, indexes, outside, search};

const LIST_INDEXES: &str = "list_indexes";
const SEARCH: &str = "search";
const FETCH: &str = "fetch";

/// The most of a message about wrong arguments that is repeated, in bytes.
const REPEATED_BYTES_MAX: usize = 300;

/// Every tool, in the order in which they are used.
pub fn all() -> Result<Vec<Tool>, ErrorData> {
    Ok(vec![
        tool::<indexes::Asked, indexes::Indexes>(
            LIST_INDEXES,
            "List indexes",
            "Lists the indexes that can be searched, with what each holds. Only needed to search one of several.",
        )?,
        tool::<search::Asked, search::Found>(
            SEARCH,
            "Search Confluence",
            "Searches Confluence pages, blog posts, comments and attachments. Gives the best passage of each document that \
             matches, with its place, people and dates, best first. Words are enough; no query language is needed. \
             Read the whole document with fetch.",
        )?,
        tool::<fetch::Asked, fetch::Fetched>(
            FETCH,
            "Read a document",
            "Reads a document as Markdown, by the id that search gave. Long ones come in parts: call again with \
             next_cursor. With the passage that a result names, reading begins there.",
        )?,
    ])
}

fn tool<I, O>(name: &'static str, title: &'static str, description: &'static str) -> Result<Tool, ErrorData>
where
    I: JsonSchema + 'static,
    O: JsonSchema + 'static,
{
    let input = schema_for_input::<I>().map_err(|why| ErrorData::internal_error(why, None))?;
    let annotations = ToolAnnotations::with_title(title)
        .read_only(true)
        .destructive(false)
        .idempotent(true)
        .open_world(false);
    Ok(Tool::new(name, description, input)
        .with_title(title)
        .with_raw_output_schema(schema_for_output::<O>())
        .with_annotations(annotations))
}

/// Answers a call. What the agent can put right is an error of the tool, in words; only a tool that is not there is one
/// of the protocol.
pub async fn call(app: &App, caller: &Caller, name: &str, arguments: JsonObject) -> Result<CallToolResult, ErrorData> {
    let answer = match name {
        LIST_INDEXES => match read(arguments) {
            Ok(indexes::Asked {}) => answer(indexes::list(app, caller).await),
            Err(error) => Err(error),
        },
        SEARCH => match read(arguments) {
            Ok(asked) => answer(search::search(app, caller, &asked).await),
            Err(error) => Err(error),
        },
        FETCH => match read(arguments) {
            Ok(asked) => answer(fetch::fetch(app, caller, &asked).await),
            Err(error) => Err(error),
        },
        _ => {
            let known = [LIST_INDEXES, SEARCH, FETCH].join(", ");
            return Err(ErrorData::invalid_params(
                format!("there is no such tool; there are {known}"),
                None,
            ));
        }
    };
    Ok(answer.unwrap_or_else(|error| CallToolResult::error(vec![ContentBlock::text(outside::told(&error))])))
}

fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| {
        let why = error.to_string();
        let why = outside::beginning(&why, REPEATED_BYTES_MAX);
        Error::invalid(format!("these arguments are not what the tool takes: {why}"))
    })
}

/// The answer twice, as the protocol wants it: structured, and the same as text for clients that know no other.
fn answer(answer: Result<impl Serialize>) -> Result<CallToolResult> {
    let value = serde_json::to_value(answer?)
        .map_err(|error| Error::internal("an answer over MCP could not be written").because(error))?;
    Ok(CallToolResult::structured(value))
}
