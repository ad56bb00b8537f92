//! Given the OpenAPI document, gives a page that people read: the same words, nothing besides.

use askama::Template;
use axum::{
    extract::State,
    response::{Html, IntoResponse, Response},
};
use domain::Error;
use http::{
    HeaderValue,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
};
use serde_json::Value;

use crate::{
    Door,
    api::{
        openapi,
        problem::{Answer, KINDS, Kind},
    },
};

/// Nothing but this page and its own stylesheet.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub async fn page(State(door): State<Door>) -> Answer<Response> {
    let document = openapi::described(door.options.version, door.app.public_url());
    let document = serde_json::to_value(document)
        .map_err(|error| Error::internal("the OpenAPI document could not be written").because(error))?;
    let page = Page::of(&document)
        .render()
        .map_err(|error| Error::internal("the API's page could not be written").because(error))?;
    let headers = [
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, Html(page)).into_response())
}

pub async fn style() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=3600"),
    ];
    (headers, include_str!("page.css"))
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r##"{% macro prose(text) %}{% for part in text.split('`') %}{% if loop.index0 % 2 == 1 %}<code>{{ part }}</code>{% else %}{{ part }}{% endif %}{% endfor %}{% endmacro -%}
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Circuit API</title>
<link rel="stylesheet" href="/api/style.css">
</head>
<body>
<a class="skip" href="#addresses">Skip to the addresses</a>
<header>
<h1>{{ title }} API <span class="version">{{ version }}</span></h1>
<p>{{ description }} Programs read the same as <a href="/api/openapi.json">OpenAPI 3.1</a>. <a href="/">Back to Circuit</a>.</p>
</header>
<nav aria-label="Contents">
<ul>
{%- for group in groups %}
<li><a href="#tag-{{ group.name }}">{{ group.name }}</a></li>
{%- endfor %}
<li><a href="#schemas">schemas</a></li>
<li><a href="#problems">problems</a></li>
</ul>
</nav>
<main>
<section aria-labelledby="begin">
<h2 id="begin">How to begin</h2>
<p>Make an API key in Circuit, and send it with every request:</p>
<pre tabindex="0"><code>curl -H "Authorization: Bearer circuit_…" {{ server }}/indexes</code></pre>
<p>Bodies are JSON. Times are RFC 3339 in UTC, ids are strings. An unknown parameter or field is refused and named.
The web app's session also reads (GET), and changes nothing.</p>
</section>
<div id="addresses">
{%- for group in groups %}
<section aria-labelledby="tag-{{ group.name }}">
<h2 id="tag-{{ group.name }}">{{ group.name }}</h2>
<p>{{ group.description }}</p>
{%- for operation in group.operations %}
<article aria-labelledby="{{ operation.id }}">
<h3 id="{{ operation.id }}"><span class="method">{{ operation.method }}</span> <code>{{ operation.path }}</code></h3>
<p><strong>{{ operation.summary }}.</strong> {% call prose(operation.description) %}{% endcall %}</p>
{%- if !operation.parameters.is_empty() %}
<div class="scroll" tabindex="0" role="region" aria-label="Parameters of {{ operation.summary }}">
<table>
<thead><tr><th scope="col">Parameter</th><th scope="col">In</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>
{%- for parameter in operation.parameters %}
<tr><th scope="row"><code>{{ parameter.name }}</code></th><td>{{ parameter.place }}</td><td>{% for kind in parameter.kinds %}{% if kind.schema %}<a href="#schema-{{ kind.word }}">{{ kind.word }}</a>{% else %}{{ kind.word }}{% endif %} {% endfor %}</td><td>{% call prose(parameter.description) %}{% endcall %}</td></tr>
{%- endfor %}
</tbody>
</table>
</div>
{%- endif %}
{%- if let Some(body) = operation.body %}
<p>Body: <a href="#schema-{{ body }}">{{ body }}</a></p>
{%- endif %}
<ul class="answers">
{%- for answer in operation.answers %}
<li><span class="status">{{ answer.status }}</span> {{ answer.description }}{% if let Some(schema) = answer.schema %}: <a href="#schema-{{ schema }}">{{ schema }}</a>{% endif %}</li>
{%- endfor %}
<li>Problems: {% for status in operation.problems %}<a href="#status-{{ status }}">{{ status }}</a> {% endfor %}</li>
</ul>
</article>
{%- endfor %}
</section>
{%- endfor %}
</div>
<section aria-labelledby="schemas">
<h2 id="schemas">Schemas</h2>
{%- for schema in schemas %}
<article aria-labelledby="schema-{{ schema.name }}">
<h3 id="schema-{{ schema.name }}">{{ schema.name }}</h3>
{%- if !schema.description.is_empty() %}
<p>{% call prose(schema.description) %}{% endcall %}</p>
{%- endif %}
{%- if !schema.values.is_empty() %}
<p>One of {% for value in schema.values %}<code>{{ value }}</code> {% endfor %}</p>
{%- endif %}
{%- if !schema.fields.is_empty() %}
<div class="scroll" tabindex="0" role="region" aria-label="Fields of {{ schema.name }}">
<table>
<thead><tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>
{%- for field in schema.fields %}
<tr><th scope="row"><code>{{ field.name }}</code></th><td>{% for kind in field.kinds %}{% if kind.schema %}<a href="#schema-{{ kind.word }}">{{ kind.word }}</a>{% else %}{{ kind.word }}{% endif %} {% endfor %}</td><td>{% call prose(field.description) %}{% endcall %}</td></tr>
{%- endfor %}
</tbody>
</table>
</div>
{%- endif %}
</article>
{%- endfor %}
</section>
<section aria-labelledby="problems">
<h2 id="problems">Problems</h2>
<p>Every error is a <a href="#schema-Problem">Problem</a> (RFC 9457): <code>application/problem+json</code>. Its <code>type</code> is one of these.</p>
<dl>
{%- for problem in problems %}
<dt id="problem-{{ problem.kind.word }}">{% if problem.first %}<span class="status" id="status-{{ problem.kind.status.as_u16() }}">{% else %}<span class="status">{% endif %}{{ problem.kind.status.as_u16() }}</span> {{ problem.kind.title }} <code>#problem-{{ problem.kind.word }}</code></dt>
<dd>{% call prose(problem.kind.meaning) %}{% endcall %}</dd>
{%- endfor %}
</dl>
</section>
</main>
</body>
</html>
"##
)]
struct Page<'a> {
    title: &'a str,
    version: &'a str,
    description: &'a str,
    server: &'a str,
    groups: Vec<Group<'a>>,
    schemas: Vec<Schema<'a>>,
    problems: Vec<ProblemRow>,
}

struct Group<'a> {
    name: &'a str,
    description: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    id: &'a str,
    method: String,
    path: &'a str,
    summary: &'a str,
    description: &'a str,
    parameters: Vec<Field<'a>>,
    body: Option<&'a str>,
    answers: Vec<AnswerRow<'a>>,
    problems: Vec<&'a str>,
}

/// A parameter of an operation or a field of a schema.
struct Field<'a> {
    name: &'a str,
    place: &'a str,
    kinds: Vec<Word<'a>>,
    description: &'a str,
}

/// A word of a type: a schema's name, which is a link, or another.
struct Word<'a> {
    word: &'a str,
    schema: bool,
}

struct AnswerRow<'a> {
    status: &'a str,
    description: &'a str,
    schema: Option<&'a str>,
}

struct Schema<'a> {
    name: &'a str,
    description: &'a str,
    values: Vec<&'a str>,
    fields: Vec<Field<'a>>,
}

struct ProblemRow {
    kind: &'static Kind,
    /// The first of its status, which the operations' links lead to.
    first: bool,
}

impl<'a> Page<'a> {
    fn of(document: &'a Value) -> Self {
        let groups = elements(&document["tags"]).map(|tag| Group {
            name: text(&tag["name"]),
            description: text(&tag["description"]),
            operations: operations(document, text(&tag["name"])),
        });
        let schemas = entries(&document["components"]["schemas"]).map(|(name, schema)| Schema {
            name,
            description: text(&schema["description"]),
            values: elements(&schema["enum"]).map(text).collect(),
            fields: fields(schema),
        });
        let problems = KINDS.iter().enumerate().map(|(place, kind)| ProblemRow {
            kind,
            first: KINDS.iter().position(|other| other.status == kind.status) == Some(place),
        });
        Self {
            title: text(&document["info"]["title"]),
            version: text(&document["info"]["version"]),
            description: text(&document["info"]["description"]),
            server: text(&document["servers"][0]["url"]),
            groups: groups.collect(),
            schemas: schemas.collect(),
            problems: problems.collect(),
        }
    }
}

fn operations<'a>(document: &'a Value, tag: &str) -> Vec<Operation<'a>> {
    let all = entries(&document["paths"]).flat_map(|(path, item)| {
        let methods = ["get", "post", "put", "patch", "delete"].into_iter();
        methods.filter_map(move |method| item.get(method).map(|operation| (path, method, operation)))
    });
    let of_tag = all.filter(|(_, _, operation)| operation["tags"][0] == tag);
    let read = of_tag.map(|(path, method, operation)| {
        let (problems, answers): (Vec<_>, Vec<_>) =
            entries(&operation["responses"]).partition(|(_, response)| response.get("$ref").is_some());
        Operation {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path,
            summary: text(&operation["summary"]),
            description: text(&operation["description"]),
            parameters: elements(&operation["parameters"])
                .map(|parameter| Field {
                    name: text(&parameter["name"]),
                    place: text(&parameter["in"]),
                    kinds: words(&parameter["schema"]),
                    description: text(&parameter["description"]),
                })
                .collect(),
            body: referred(&operation["requestBody"]["content"]["application/json"]["schema"]),
            answers: answers
                .into_iter()
                .map(|(status, response)| AnswerRow {
                    status,
                    description: text(&response["description"]),
                    schema: referred(&response["content"]["application/json"]["schema"]),
                })
                .collect(),
            problems: problems.into_iter().map(|(status, _)| status).collect(),
        }
    });
    read.collect()
}

/// The fields of an object, those that it takes over from another schema first as that schema's name.
fn fields(schema: &Value) -> Vec<Field<'_>> {
    let taken_over = elements(&schema["allOf"]).flat_map(|part| match referred(part) {
        Some(name) => vec![Field {
            name: "…",
            place: "",
            kinds: vec![Word {
                word: name,
                schema: true,
            }],
            description: "All fields of it.",
        }],
        None => fields(part),
    });
    let own = entries(&schema["properties"]).map(|(name, field)| Field {
        name,
        place: "",
        kinds: words(field),
        description: text(&field["description"]),
    });
    taken_over.chain(own).collect()
}

/// A type in a few words: `string null`, `array of Hit`.
fn words(schema: &Value) -> Vec<Word<'_>> {
    let plain = |word| Word { word, schema: false };
    if let Some(name) = referred(schema) {
        return vec![Word {
            word: name,
            schema: true,
        }];
    }
    let mut found: Vec<Word<'_>> = match &schema["type"] {
        Value::String(word) => vec![plain(word.as_str())],
        Value::Array(several) => several.iter().map(|word| plain(text(word))).collect(),
        _ => Vec::new(),
    };
    if let Some(format) = schema["format"].as_str() {
        found.push(plain(format));
    }
    if let Some(items) = schema.get("items") {
        found.push(plain("of"));
        found.extend(words(items));
    }
    found.extend(elements(&schema["oneOf"]).flat_map(words));
    found
}

fn referred(schema: &Value) -> Option<&str> {
    schema["$ref"].as_str()?.rsplit('/').next()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.as_str(), value))
}
