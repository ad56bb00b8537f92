//! The table of addresses, and from it the router and the OpenAPI 3.1 document: neither can name what the other lacks.

use std::collections::BTreeSet;

use app::given_answers;
use axum::{
    Json, Router,
    extract::State,
    routing::{delete, get, patch, post, put},
};
use http::Method;
use utoipa::{
    OpenApi,
    openapi::{
        ContentBuilder, OpenApi as Document, Ref, RefOr, Required, ResponseBuilder, Server,
        header::HeaderBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem},
        schema::{ObjectBuilder, Type},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

use crate::{
    Door,
    api::{
        admin, auth::SESSION_COOKIE, connections, documents, explain, feeds, indexes, keys, me, once, problem,
        reconnections, request::Declared, runs, search, sites, spaces,
    },
};

macro_rules! addresses {
    ($($method:ident $path:literal $noun:ident::$handler:ident;)*) => {
        /// What is below `/api/v1`.
        pub fn v1() -> Router<Door> {
            Router::new()$(.route($path, $method($noun::$handler)))*
        }

        #[derive(OpenApi)]
        #[openapi(
            info(
                title = "Circuit",
                description = "Search over Confluence Cloud: indexes, their feeds and documents, and searching them.",
                license(name = "Apache-2.0", identifier = "Apache-2.0"),
            ),
            paths($($noun::$handler),*),
            components(schemas(problem::Problem, feeds::RemovedDocumentsJson)),
            tags(
                (name = "search", description = "Find documents."),
                (name = "indexes", description = "Searchable corpora that somebody made and named."),
                (name = "documents", description = "Pages, blog posts, comments and attachments of an index."),
                (name = "feeds", description = "Carry chosen spaces of a Confluence site into an index."),
                (name = "runs", description = "Passes of a feed."),
                (name = "account", description = "You, and your API keys."),
                (name = "admin", description = "Circuit's registration with Atlassian."),
            ),
        )]
        struct Addresses;

        /// Method and address of every route.
        #[cfg(test)]
        pub const ADDRESSES: &[(&str, &str)] = &[$((stringify!($method), $path)),*];
    };
}

addresses! {
    get "/indexes" indexes::list_indexes;
    post "/indexes" indexes::create_index;
    get "/indexes/{id}" indexes::read_index;
    patch "/indexes/{id}" indexes::change_index;
    delete "/indexes/{id}" indexes::delete_index;
    post "/search" search::search_several;
    get "/indexes/{id}/search" search::search;
    post "/indexes/{id}/search" search::search_with_body;
    get "/indexes/{id}/search/complete" search::complete;
    get "/indexes/{id}/documents" documents::list_documents;
    post "/indexes/{id}/documents/delete" documents::delete_documents;
    get "/indexes/{id}/documents/{document}" documents::read_document;
    delete "/indexes/{id}/documents/{document}" documents::delete_document;
    get "/indexes/{id}/documents/{document}/markdown" documents::read_markdown;
    get "/indexes/{id}/documents/{document}/passages/{passage}" documents::read_passage;
    get "/indexes/{id}/documents/{document}/story" documents::read_story;
    post "/indexes/{id}/documents/{document}/retry" explain::retry_document;
    get "/indexes/{id}/explain" explain::explain;
    get "/indexes/{id}/feeds" feeds::list_feeds;
    post "/indexes/{id}/feeds" connections::create_feed;
    get "/feeds/{id}" feeds::read_feed;
    patch "/feeds/{id}" feeds::change_feed;
    delete "/feeds/{id}" feeds::remove_feed;
    post "/feeds/{id}/connect" connections::connect_feed;
    post "/feeds/{id}/callback" connections::finish_connecting;
    get "/feeds/{id}/reconnection" reconnections::read_reconnection;
    post "/feeds/{id}/reconnection" reconnections::accept_reconnection;
    delete "/feeds/{id}/reconnection" reconnections::refuse_reconnection;
    get "/feeds/{id}/sites" sites::list_sites;
    put "/feeds/{id}/site" sites::choose_site;
    get "/feeds/{id}/spaces" spaces::list_feed_spaces;
    post "/feeds/{id}/spaces" spaces::add_spaces;
    get "/feeds/{id}/spaces/available" spaces::list_available_spaces;
    post "/feeds/{id}/estimate" spaces::estimate_spaces;
    post "/feeds/{id}/resync" feeds::resync_feed;
    post "/feeds/{id}/verify" feeds::verify_feed;
    post "/feeds/{id}/pause" feeds::pause_feed;
    post "/feeds/{id}/resume" feeds::resume_feed;
    delete "/feeds/{id}/documents" feeds::delete_feed_documents;
    get "/feeds/{id}/runs" runs::list_runs;
    get "/runs/{id}" runs::read_run;
    get "/runs/{id}/failures" runs::list_failures;
    get "/runs/{id}/effects" runs::list_effects;
    get "/runs/{id}/differences" runs::list_differences;
    get "/runs/{id}/export.csv" runs::export_csv;
    get "/runs/{id}/export.json" runs::export_json;
    get "/api-keys" keys::list_api_keys;
    post "/api-keys" keys::create_api_key;
    delete "/api-keys/{id}" keys::delete_api_key;
    get "/me" me::read_me;
    get "/admin/atlassian-app" admin::read_atlassian_app;
    put "/admin/atlassian-app" admin::set_atlassian_app;
}

/// The document of this Circuit.
pub async fn document(State(door): State<Door>) -> Json<Document> {
    Json(described(door.options.version, door.app.public_url()))
}

/// The whole API in words that programs read.
pub fn described(version: &str, public_url: &str) -> Document {
    let mut document = Addresses::openapi();
    document.info.version = version.to_owned();
    document.servers = Some(vec![Server::new(format!("{public_url}/api/v1"))]);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations_mut(item) {
            secure(&method, operation);
            add_problems(&method, operation);
            let makes = once::MAKING.contains(&path.as_str());
            if makes && method == Method::POST {
                add_name(operation);
            }
        }
    }
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("An API key of this Circuit: circuit_…"));
    components.add_security_scheme("api_key", SecurityScheme::Http(bearer.build()));
    let cookie = ApiKeyValue::with_description(SESSION_COOKIE, "The web app's session; for reading only");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    for kind in problem::KINDS {
        let name = problem_name(kind.status.as_u16());
        components
            .responses
            .entry(name)
            .or_insert_with(|| problem_response(kind));
    }
    document
}

/// The query parameters of every route, as the document names them; addresses begin with `prefix`.
pub fn declared(prefix: &str) -> Declared {
    let mut declared = Declared::new();
    for (path, item) in &mut Addresses::openapi().paths.paths {
        for (method, operation) in operations_mut(item) {
            let parameters = operation
                .parameters
                .iter()
                .flatten()
                .filter_map(|parameter| match parameter {
                    RefOr::T(Parameter {
                        name,
                        parameter_in: ParameterIn::Query,
                        ..
                    }) => Some(name.clone()),
                    _ => None,
                });
            declared.insert((method, format!("{prefix}{path}")), parameters.collect::<BTreeSet<_>>());
        }
    }
    declared
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (Method::GET, &mut item.get),
        (Method::POST, &mut item.post),
        (Method::PUT, &mut item.put),
        (Method::PATCH, &mut item.patch),
        (Method::DELETE, &mut item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (method, operation)))
}

fn secure(method: &Method, operation: &mut Operation) {
    let requirement = |name: &str| SecurityRequirement::new(name, Vec::<String>::new());
    let mut security = vec![requirement("api_key")];
    if *method == Method::GET {
        security.push(requirement("session"));
    }
    operation.security = Some(security);
}

/// Which problems an operation can answer with follows from its shape.
fn add_problems(method: &Method, operation: &mut Operation) {
    let names_a_thing = operation.parameters.as_ref().is_some_and(|parameters| {
        parameters
            .iter()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Path))
    });
    let changes = *method != Method::GET;
    let has_body = operation.request_body.is_some();
    let possible = [
        (400, true),
        (401, true),
        (403, true),
        (404, names_a_thing),
        (409, changes || names_a_thing),
        (413, has_body),
        (415, has_body),
        (429, true),
        (500, true),
        (503, true),
    ];
    for (status, _) in possible.into_iter().filter(|(_, possible)| *possible) {
        let response = Ref::from_response_name(problem_name(status));
        operation
            .responses
            .responses
            .insert(status.to_string(), RefOr::Ref(response));
    }
}

/// A request that makes something may be named, and is then carried out once.
fn add_name(operation: &mut Operation) {
    let schema = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(given_answers::NAME_BYTES_MAX))
        .build();
    let parameter = ParameterBuilder::new()
        .name(once::NAME)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A name of your own for this request: whoever sends the same again within a day is given the same answer",
        ))
        .schema(Some(schema))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    let response = Ref::from_response_name(problem_name(422));
    operation
        .responses
        .responses
        .insert("422".to_owned(), RefOr::Ref(response));
}

fn problem_name(status: u16) -> String {
    format!("Problem{status}")
}

fn problem_response(kind: &problem::Kind) -> RefOr<utoipa::openapi::Response> {
    let of_status = problem::KINDS.iter().filter(|other| other.status == kind.status);
    let titles: Vec<&str> = of_status.map(|kind| kind.title).collect();
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Problem")))
        .build();
    let mut response = ResponseBuilder::new()
        .description(titles.join(", or: "))
        .content("application/problem+json", content);
    let header = match kind.status.as_u16() {
        401 => Some(("WWW-Authenticate", Type::String, "Bearer")),
        429 => Some(("Retry-After", Type::Integer, "Seconds to wait")),
        _ => None,
    };
    if let Some((name, kind, description)) = header {
        let schema = ObjectBuilder::new().schema_type(kind).build();
        let header = HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(description))
            .build();
        response = response.header(name, header);
    }
    RefOr::T(response.build())
}
