//! Given the description, gives each body in it an example: what a small company's Circuit would answer.

use serde_json::{Map, Value};
use utoipa::openapi::{Content, Ref, RefOr, path::Operation};

/// By the name of the schema.
const EXAMPLES: &str = include_str!("examples.json");
const JSON: &str = "application/json";

/// The examples, each under the name of its schema.
pub fn examples() -> Map<String, Value> {
    // A file of this crate, which a test reads too: nothing else can stand in it.
    serde_json::from_str(EXAMPLES).unwrap_or_default()
}

/// Gives the bodies of an operation their examples.
pub fn add(examples: &Map<String, Value>, operation: &mut Operation) {
    let request = match &mut operation.request_body {
        Some(RefOr::T(body)) => body.content.get_mut(JSON),
        Some(RefOr::Ref(_)) | None => None,
    };
    let answers = operation.responses.responses.values_mut();
    let answers = answers.filter_map(|response| match response {
        RefOr::T(response) => response.content.get_mut(JSON),
        RefOr::Ref(_) => None,
    });
    for content in request.into_iter().chain(answers) {
        let RefOr::T(content) = content else { continue };
        let name = schema_name(content).map(str::to_owned);
        content.example = name.and_then(|name| examples.get(&name).cloned());
    }
}

fn schema_name(content: &Content) -> Option<&str> {
    match content.schema.as_ref()? {
        RefOr::Ref(Ref { ref_location, .. }) => ref_location.rsplit('/').next(),
        RefOr::T(_) => None,
    }
}
