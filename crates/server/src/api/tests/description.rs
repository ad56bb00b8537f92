use std::collections::BTreeSet;

use axum::body::Body;
use http::Request;
use serde_json::Value;

use super::world::World;
use crate::api::{examples::examples, openapi::ADDRESSES, problem::KINDS};

async fn document(world: &World) -> Value {
    world
        .send(Request::get("/api/openapi.json").body(Body::empty()).unwrap())
        .await
        .ok()
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, operation)| (method.clone(), path.clone(), operation))
        })
        .collect()
}

#[tokio::test]
async fn the_description_names_every_route_and_no_other() {
    let world = World::new().await;
    let document = document(&world).await;
    let described: BTreeSet<_> = operations(&document)
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    let routed: BTreeSet<_> = ADDRESSES
        .iter()
        .map(|(method, path)| (method.to_string(), path.to_string()))
        .collect();
    assert_eq!(described, routed);
    assert_eq!(routed.len(), ADDRESSES.len(), "an address stands twice");
}

#[tokio::test]
async fn the_description_is_whole_openapi_3_1() {
    let world = World::new().await;
    let document = document(&world).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["info"]["version"], "1.2.3");
    assert_eq!(document["servers"][0]["url"], "https://circuit.example/api/v1");
    assert_eq!(document["components"]["securitySchemes"]["api_key"]["scheme"], "bearer");
    let tags: BTreeSet<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .map(Value::to_string)
        .collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(
            operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()),
            "{at}: no summary"
        );
        assert!(
            ids.insert(operation["operationId"].as_str().unwrap()),
            "{at}: its id stands twice"
        );
        assert!(tags.contains(&operation["tags"][0].to_string()), "{at}: unknown tag");
        assert!(operation["security"][0]["api_key"].is_array(), "{at}: no security");
        let responses = operation["responses"].as_object().unwrap();
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{at}: no good answer"
        );
        for status in ["400", "401", "403", "500"] {
            assert!(responses.contains_key(status), "{at}: no {status}");
        }
        let declared: BTreeSet<_> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .inspect(|parameter| {
                assert!(
                    parameter["schema"].is_object() && parameter["description"].is_string(),
                    "{at}"
                )
            })
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| {
                assert_eq!(parameter["required"], true, "{at}");
                parameter["name"].as_str().unwrap().to_owned()
            })
            .collect();
        let in_path = path
            .split('/')
            .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(
            declared,
            in_path.map(str::to_owned).collect(),
            "{at}: other path parameters"
        );
    }
}

#[tokio::test]
async fn every_reference_in_the_description_leads_somewhere() {
    let world = World::new().await;
    let document = document(&world).await;
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 30);
    for reference in references {
        let pointer = reference.strip_prefix('#').expect("a reference within the document");
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
}

fn collect_references(value: &Value, references: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| collect_references(field, references));
        }
        Value::Array(elements) => elements
            .iter()
            .for_each(|element| collect_references(element, references)),
        _ => {}
    }
}

#[tokio::test]
async fn people_read_the_same_on_a_page_that_needs_nothing_from_elsewhere() {
    let world = World::new().await;
    let page = world.send(Request::get("/api/").body(Body::empty()).unwrap()).await;
    assert!(page.status.is_success());
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    assert!(
        page.headers["content-security-policy"]
            .to_str()
            .unwrap()
            .contains("default-src 'none'")
    );
    for (_, path) in ADDRESSES {
        assert!(
            page.text.contains(&format!("<code>{path}</code>")),
            "{path} is not on the page"
        );
    }
    for kind in KINDS {
        assert!(page.text.contains(&format!("id=\"problem-{}\"", kind.word)));
    }
    assert!(!page.text.contains("<script") && !page.text.contains("style=") && !page.text.contains("<style"));
    // Every link within the page leads somewhere, and no id stands twice.
    let ids: Vec<&str> = page
        .text
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len());
    for link in page
        .text
        .split("href=\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        assert!(distinct.contains(link), "#{link} leads nowhere");
    }
    let style = world
        .send(Request::get("/api/style.css").body(Body::empty()).unwrap())
        .await;
    assert_eq!(style.headers["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn every_body_has_an_example_that_its_schema_allows() {
    let world = World::new().await;
    let document = document(&world).await;
    let mut used = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let request = operation.pointer("/requestBody/content/application~1json");
        let answers = operation["responses"].as_object().unwrap().iter();
        let answers = answers.filter_map(|(_, answer)| answer.pointer("/content/application~1json"));
        for body in request.into_iter().chain(answers) {
            let at = format!("{method} {path}");
            let example = body.get("example").unwrap_or_else(|| panic!("{at}: no example"));
            if let Err(why) = allowed(&document, &body["schema"], example) {
                panic!("{at}: {why}");
            }
            used.extend(body["schema"]["$ref"].as_str().and_then(|name| name.rsplit('/').next()));
        }
    }
    let known = examples();
    let known: BTreeSet<&str> = known.keys().map(String::as_str).collect();
    assert_eq!(known, used, "examples of nothing");
}

/// Whether a value has the shape of a schema, as far as this API's schemas go.
fn allowed(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let meant = document.pointer(reference.trim_start_matches('#')).unwrap();
        return allowed(document, meant, value).map_err(|why| format!("{reference}: {why}"));
    }
    if let Some(any) = schema["oneOf"].as_array() {
        let fit = any.iter().filter(|one| allowed(document, one, value).is_ok()).count();
        return if fit == 1 {
            Ok(())
        } else {
            Err(format!("{fit} of {} fit {value}", any.len()))
        };
    }
    for all in schema["allOf"].as_array().into_iter().flatten() {
        allowed(document, all, value)?;
    }
    if let Some(words) = schema["enum"].as_array() {
        return if words.contains(value) {
            Ok(())
        } else {
            Err(format!("{value} is none of its words"))
        };
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.clone(),
        Value::Null => return Ok(()),
        one => vec![one.clone()],
    };
    let is = match value {
        Value::Null => vec!["null"],
        Value::Bool(_) => vec!["boolean"],
        Value::Number(number) if number.is_f64() => vec!["number"],
        Value::Number(_) => vec!["integer", "number"],
        Value::String(_) => vec!["string"],
        Value::Array(_) => vec!["array"],
        Value::Object(_) => vec!["object"],
    };
    if !types.iter().any(|one| is.iter().any(|is| one == is)) {
        return Err(format!("{value} is no {types:?}"));
    }
    for element in value.as_array().into_iter().flatten() {
        allowed(document, &schema["items"], element)?;
    }
    let Some(members) = value.as_object() else {
        return Ok(());
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            return Err(format!("{name} is missing"));
        }
    }
    for (name, member) in members {
        match schema["properties"].get(name) {
            Some(of) => allowed(document, of, member).map_err(|why| format!("{name}: {why}"))?,
            None if schema["additionalProperties"] == false => return Err(format!("{name} is no member")),
            None => {}
        }
    }
    Ok(())
}
