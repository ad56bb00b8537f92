//! Every endpoint's answer against Atlassian's own OpenAPI documents, where those are at hand.

use std::{cell::RefCell, collections::BTreeSet, path::PathBuf};

use serde_json::{Value, json};

use super::world::{ANNA, BERT, Client, acme};

/// Where the documents say that a value is there, and real answers hold null.
const NULLS: &[(&str, &str)] = &[
    (
        "parentId",
        "null for a page at the top; the description says so, the type does not",
    ),
    ("parentType", "as parentId"),
    ("description", "null in recorded listings without description-format"),
    ("icon", "null in recorded listings"),
    ("mediaTypeDescription", "null in recorded answers"),
    ("timeZone", "the description says so, the type does not"),
    ("personalSpaceId", "the description says so, the type does not"),
    ("*", "an id that is unknown or hidden converts to null"),
];

/// What real answers hold and the documents do not know.
const UNDOCUMENTED: &[(&str, &str)] = &[
    ("ncsStepVersion", "in recorded versions of pages"),
    ("edituiv2", "in recorded links"),
    ("currentActiveAlias", "in recorded spaces"),
    ("resolutionStatus", "in recorded footer comments as well"),
    ("resolutionLastModifierId", "in recorded inline comments of listings"),
    ("resolutionLastModifiedAt", "in recorded inline comments of listings"),
    ("inline-original-selection", "in recorded inline comments"),
    ("inline-marker-ref", "in recorded inline comments"),
    ("pageId", "in recorded replies"),
    ("totalSize", "in answers of content/search"),
    ("cqlQuery", "in answers of content/search"),
    ("searchDuration", "in answers of content/search"),
    ("archivedResultCount", "in recorded searches"),
    ("restrictions", "in expandables of recorded content"),
    ("operation", "restrictions by operation are one nameless object there"),
    ("_expandable", "restrictions by operation are one nameless object there"),
    ("self", "restrictions by operation are one nameless object there"),
];

struct Spec {
    document: Value,
    /// The exceptions that were needed.
    used: RefCell<BTreeSet<String>>,
}

fn spec(file: &str) -> Option<Spec> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/confluence")
        .join(file);
    let text = std::fs::read_to_string(path).ok()?;
    Some(Spec {
        document: serde_json::from_str(&text).expect("the document is JSON"),
        used: RefCell::default(),
    })
}

impl Spec {
    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut at = schema;
        while let Some(reference) = at["$ref"].as_str() {
            at = self
                .document
                .pointer(reference.trim_start_matches('#'))
                .expect("the reference leads somewhere");
        }
        at
    }

    fn answer_schema(&self, method: &str, template: &str) -> Option<&Value> {
        let operation = &self.document["paths"][template][method];
        assert!(operation.is_object(), "the document has no {method} {template}");
        let schema = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        schema.is_object().then_some(schema)
    }

    fn scopes(&self, method: &str, template: &str) -> Vec<Vec<String>> {
        let alternatives = self.document["paths"][template][method]["x-atlassian-oauth2-scopes"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let words = |entry: &Value| {
            entry["scopes"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|scope| scope.as_str().map(str::to_owned))
                .collect()
        };
        alternatives.iter().map(words).collect()
    }

    fn excepted(&self, exceptions: &[(&str, &str)], name: &str) -> bool {
        let known = exceptions.iter().any(|(field, _)| *field == name);
        if known {
            self.used.borrow_mut().insert(name.to_owned());
        }
        known
    }

    /// A schema and all that it is made of.
    fn parts<'a>(&'a self, schema: &'a Value, found: &mut Vec<&'a Value>) {
        let schema = self.resolved(schema);
        found.push(schema);
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.parts(part, found);
        }
    }

    /// Says what is wrong with `value`, which all the schemas describe.
    fn check(&self, schemas: &[&Value], value: &Value, at: &str, wrong: &mut Vec<String>) {
        let mut parts = Vec::new();
        schemas.iter().for_each(|schema| self.parts(schema, &mut parts));
        let name = at.rsplit('.').next().unwrap_or_default();
        if value.is_null() {
            let known = parts.iter().any(|part| part["nullable"] == true) || self.excepted(NULLS, name);
            if !known {
                wrong.push(format!("{at} is null"));
            }
            return;
        }
        for part in &parts {
            self.check_itself(part, value, at, wrong);
        }
        let items: Vec<&Value> = parts
            .iter()
            .map(|part| &part["items"])
            .filter(|items| items.is_object())
            .collect();
        for (place, item) in value.as_array().into_iter().flatten().enumerate() {
            self.check(&items, item, &format!("{at}[{place}]"), wrong);
        }
        if let Some(fields) = value.as_object() {
            self.check_fields(&parts, fields, at, wrong);
        }
    }

    fn check_itself(&self, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
        for choice in ["oneOf", "anyOf"] {
            if let Some(choices) = schema[choice].as_array() {
                let fits = |schema: &Value| {
                    let mut inner = Vec::new();
                    self.check(&[schema], value, at, &mut inner);
                    inner.is_empty()
                };
                if !choices.iter().any(fits) {
                    wrong.push(format!("{at} fits no {choice}"));
                }
            }
        }
        let right_type = match schema["type"].as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64() || value.is_u64(),
            Some("number") => value.is_number(),
            Some("boolean") => value.is_boolean(),
            _ => true,
        };
        if !right_type {
            wrong.push(format!("{at} is not {}: {value}", schema["type"]));
        }
        if let Some(known) = schema["enum"].as_array().filter(|known| !known.contains(value)) {
            wrong.push(format!("{at} is {value}, not one of {known:?}"));
        }
        if schema["format"] == "date-time"
            && value
                .as_str()
                .is_some_and(|text| text.len() != 24 || !text.ends_with('Z'))
        {
            wrong.push(format!("{at} is no time: {value}"));
        }
    }

    fn check_fields(
        &self,
        parts: &[&Value],
        fields: &serde_json::Map<String, Value>,
        at: &str,
        wrong: &mut Vec<String>,
    ) {
        for required in parts
            .iter()
            .flat_map(|part| part["required"].as_array())
            .flatten()
            .filter_map(Value::as_str)
        {
            if !fields.contains_key(required) {
                wrong.push(format!("{at} lacks {required}"));
            }
        }
        let described = parts.iter().any(|part| part["properties"].is_object());
        let open = !described || parts.iter().any(|part| !part["additionalProperties"].is_null());
        for (name, value) in fields {
            let known: Vec<&Value> = parts
                .iter()
                .map(|part| &part["properties"][name])
                .filter(|schema| schema.is_object())
                .collect();
            let more: Vec<&Value> = parts
                .iter()
                .map(|part| &part["additionalProperties"])
                .filter(|schema| schema.is_object())
                .collect();
            if !known.is_empty() {
                self.check(&known, value, &format!("{at}.{name}"), wrong);
            } else if !more.is_empty() {
                self.check(&more, value, &format!("{at}.*"), wrong);
            } else if !open && !self.excepted(UNDOCUMENTED, name) {
                wrong.push(format!("{at} has an unknown field {name}"));
            }
        }
    }
}

#[tokio::test]
async fn every_answer_is_what_the_official_documents_describe() {
    let (Some(v1), Some(v2)) = (spec("openapi-v1.json"), spec("openapi-v2.json")) else {
        eprintln!("SKIPPED: the official OpenAPI documents are not at hand");
        return;
    };
    let fake = acme();
    let anna = Client::of(&fake, ANNA);
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let space = text(&anna.all("/wiki/api/v2/spaces?keys=ENG").await[0]["id"]);
    let (home, page, secret) = (
        anna.page_id("Home").await,
        anna.page_id("Release notes").await,
        anna.page_id("Secret plans").await,
    );
    let post = text(&anna.all("/wiki/api/v2/blogposts").await[0]["id"]);
    let attachment = text(&anna.all("/wiki/api/v2/attachments").await[0]["id"]);
    let footer = text(&anna.all(&format!("/wiki/api/v2/pages/{page}/footer-comments")).await[0]["id"]);
    let inline = text(&anna.all(&format!("/wiki/api/v2/pages/{page}/inline-comments")).await[0]["id"]);
    let everything = "body.storage,body.view,version,history.lastUpdated,ancestors,space,container,metadata.labels,\
                      extensions.inlineProperties,extensions.resolution,restrictions";
    let cql = "cql=space%3DENG&limit=50";
    let asked: Vec<(&str, String)> = vec![
        ("/spaces", "/spaces?description-format=plain".into()),
        ("/spaces", "/spaces".into()),
        ("/spaces/{id}", format!("/spaces/{space}")),
        (
            "/spaces/{id}/pages",
            format!("/spaces/{space}/pages?body-format=storage&limit=2"),
        ),
        (
            "/spaces/{id}/blogposts",
            format!("/spaces/{space}/blogposts?body-format=atlas_doc_format"),
        ),
        (
            "/pages",
            "/pages?status=current,archived,trashed&body-format=storage".into(),
        ),
        (
            "/pages/{id}",
            format!("/pages/{page}?body-format=view&include-labels=true"),
        ),
        ("/blogposts", "/blogposts".into()),
        ("/blogposts/{id}", format!("/blogposts/{post}?body-format=storage")),
        ("/pages/{id}/attachments", format!("/pages/{page}/attachments")),
        ("/blogposts/{id}/attachments", format!("/blogposts/{post}/attachments")),
        ("/attachments", "/attachments".into()),
        ("/attachments/{id}", format!("/attachments/{attachment}")),
        (
            "/pages/{id}/footer-comments",
            format!("/pages/{page}/footer-comments?body-format=storage"),
        ),
        (
            "/pages/{id}/inline-comments",
            format!("/pages/{page}/inline-comments?body-format=storage"),
        ),
        (
            "/blogposts/{id}/footer-comments",
            format!("/blogposts/{post}/footer-comments"),
        ),
        (
            "/blogposts/{id}/inline-comments",
            format!("/blogposts/{post}/inline-comments"),
        ),
        ("/footer-comments", "/footer-comments?body-format=storage".into()),
        ("/inline-comments", "/inline-comments?body-format=storage".into()),
        (
            "/footer-comments/{comment-id}",
            format!("/footer-comments/{footer}?body-format=storage"),
        ),
        (
            "/inline-comments/{comment-id}",
            format!("/inline-comments/{inline}?body-format=storage"),
        ),
        (
            "/footer-comments/{id}/children",
            format!("/footer-comments/{footer}/children"),
        ),
        (
            "/inline-comments/{id}/children",
            format!("/inline-comments/{inline}/children"),
        ),
        ("/data-policies/spaces", "/data-policies/spaces".into()),
        ("/data-policies/metadata", "/data-policies/metadata".into()),
        ("/pages/{id}", format!("/pages/{page}?body-format=storage&version=1")),
        (
            "/pages/{id}/versions",
            format!("/pages/{page}/versions?body-format=storage"),
        ),
        ("/spaces/{id}/labels", format!("/spaces/{space}/labels")),
        ("/pages/{id}/labels", format!("/pages/{page}/labels")),
        ("/spaces/{id}/content/labels", format!("/spaces/{space}/content/labels")),
        ("/blogposts/{id}/labels", format!("/blogposts/{post}/labels")),
        ("/pages/{id}/versions", format!("/pages/{page}/versions")),
        ("/blogposts/{id}/versions", format!("/blogposts/{post}/versions")),
        ("/pages/{id}/direct-children", format!("/pages/{home}/direct-children")),
        ("/pages/{id}/children", format!("/pages/{home}/children")),
        ("/pages/{id}/descendants", format!("/pages/{home}/descendants")),
        ("/pages/{id}/ancestors", format!("/pages/{page}/ancestors")),
        (
            "/wiki/rest/api/content/search",
            format!("/content/search?{cql}&expand={everything}"),
        ),
        ("/wiki/rest/api/content/search", format!("/content/search?{cql}")),
        ("/wiki/rest/api/search", format!("/search?{cql}&expand={everything}")),
        (
            "/wiki/rest/api/content/{id}/restriction",
            format!("/content/{secret}/restriction"),
        ),
        (
            "/wiki/rest/api/content/{id}/restriction/byOperation",
            format!("/content/{secret}/restriction/byOperation"),
        ),
        (
            "/wiki/rest/api/content/{id}/restriction/byOperation/{operationKey}",
            format!("/content/{secret}/restriction/byOperation/read"),
        ),
        ("/wiki/rest/api/user", format!("/user?accountId={BERT}")),
        ("/wiki/rest/api/user/current", "/user/current".into()),
        (
            "/wiki/rest/api/user/bulk",
            format!("/user/bulk?accountId={BERT}&accountId={ANNA}&accountId=nobody"),
        ),
        (
            "/wiki/rest/api/user/memberof",
            format!("/user/memberof?accountId={ANNA}"),
        ),
    ];
    let mut wrong = Vec::new();
    for (template, path) in asked {
        let (spec, path) = match template.starts_with("/wiki/rest") {
            true => (&v1, format!("/wiki/rest/api{path}")),
            false => (&v2, format!("/wiki/api/v2{path}")),
        };
        let seen = anna.get(&path).await;
        assert_eq!(seen.status, 200, "{path}: {:?}", seen.body);
        let value = seen.json();
        let empty_by_nature =
            path.contains("blogposts/") || path.ends_with(&format!("{space}/labels")) || path.contains("/user/current");
        if let Some(rows) = value["results"].as_array() {
            assert!(!rows.is_empty() || empty_by_nature, "{path} shows nothing to check");
        }
        let schema = spec
            .answer_schema("get", template)
            .expect("the document describes the answer");
        spec.check(&[schema], &value, template, &mut wrong);
        compare_scopes(spec, "get", template, &path, &mut wrong);
    }
    for (template, body) in [
        ("/users-bulk", json!({ "accountIds": [ANNA, BERT] })),
        (
            "/content/convert-ids-to-types",
            json!({ "contentIds": [page, footer, inline, attachment, post, "7"] }),
        ),
    ] {
        let seen = anna.post(&format!("/wiki/api/v2{template}"), &body).await;
        assert_eq!(seen.status, 200, "{template}");
        let schema = v2
            .answer_schema("post", template)
            .expect("the document describes the answer");
        v2.check(&[schema], &seen.json(), template, &mut wrong);
        compare_scopes(&v2, "post", template, &format!("/wiki/api/v2{template}"), &mut wrong);
    }
    let download = "/wiki/rest/api/content/{id}/child/attachment/{attachmentId}/download";
    compare_scopes(&v1, "get", download, &download.replace(['{', '}'], ""), &mut wrong);
    for (name, _) in NULLS.iter().chain(UNDOCUMENTED) {
        if !v1.used.borrow().contains(*name) && !v2.used.borrow().contains(*name) {
            wrong.push(format!("the exception for {name} is not needed"));
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn compare_scopes(spec: &Spec, method: &str, template: &str, path: &str, wrong: &mut Vec<String>) {
    let method: http::Method = method.to_uppercase().parse().expect("a method");
    let path = path.split('?').next().unwrap_or_default();
    let route = crate::routes::Route::of(&method, path).expect("a route");
    let ours: Vec<Vec<String>> = route
        .scopes()
        .iter()
        .map(|all| all.iter().map(|scope| (*scope).to_owned()).collect())
        .collect();
    let theirs = spec.scopes(&method.as_str().to_lowercase(), template);
    if ours != theirs {
        wrong.push(format!("{template} asks for {theirs:?}, not {ours:?}"));
    }
}
