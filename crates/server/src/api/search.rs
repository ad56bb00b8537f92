//! Searching an index, or several: a question in, hits out.

use app::Caller;
use axum::{Json, extract::State};
use domain::{
    AccountId, IndexId, SpaceId, Timestamp,
    document::DocumentKind,
    hit::{Completion, CompletionKind},
    query::{Filter, Query, Sort},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        documents::KindJson,
        hits::{HitsJson, OtherSpacesJson, Showing},
        problem::{Answer, Failed},
        request::{Id, Parameters, Sent},
    },
    cursor,
};

/// How many hits an answer has when nobody says.
const LIMIT_DEFAULT: usize = 20;
/// The most values of one filter.
const FILTER_VALUES_MAX: usize = 100;

/// What is looked for. Within a list any may match; all lists must; an empty one does not filter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(examples(json!({
    "q": "restart the pump", "kinds": ["page"], "labels": ["runbook"], "limit": 5, "fields": ["title", "url", "snippet"]
})))]
pub struct SearchRequest {
    /// The words to look for, at most 2,048 bytes. Empty matches every document.
    pub q: String,
    /// Ids of the indexes to search, at most 50; empty: all that are there for the key. Of `POST /search` only.
    pub indexes: Vec<String>,
    /// Ids of spaces.
    pub spaces: Vec<String>,
    pub kinds: Vec<KindJson>,
    /// Account ids of authors or last editors.
    pub people: Vec<String>,
    pub labels: Vec<String>,
    /// Last modified at this instant or later.
    #[schema(format = DateTime)]
    pub modified_from: Option<String>,
    /// Last modified before this instant.
    #[schema(format = DateTime)]
    pub modified_before: Option<String>,
    pub sort: SortJson,
    /// Hits to pass over, at most 10,000; over several indexes at most 1,000. With a cursor 0.
    #[schema(maximum = 10_000)]
    pub offset: usize,
    /// Hits in the answer, 1 to 100.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: usize,
    /// The `next_cursor` of the answer before, to the same question.
    pub cursor: Option<String>,
    /// The members of each hit that are wanted beside the ids of index and document; all when absent.
    pub fields: Option<Vec<String>>,
    /// Whether the answer has facets; true when absent.
    pub facets: bool,
    /// Whether matched words are marked; true when absent. Else each text is one fragment.
    pub highlights: bool,
    /// Whether each hit tells why it stands where it stands.
    pub explain: bool,
    /// Whether the answer tells what is to be found in the spaces that the question leaves out. Costs a second search.
    pub other_spaces: bool,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            q: String::new(),
            indexes: Vec::new(),
            spaces: Vec::new(),
            kinds: Vec::new(),
            people: Vec::new(),
            labels: Vec::new(),
            modified_from: None,
            modified_before: None,
            sort: SortJson::Relevance,
            offset: 0,
            limit: LIMIT_DEFAULT,
            cursor: None,
            fields: None,
            facets: true,
            highlights: true,
            explain: false,
            other_spaces: false,
        }
    }
}

impl SearchRequest {
    /// All that makes it another question: a cursor leads on in the order of one.
    fn question(&self) -> String {
        let sort = match self.sort {
            SortJson::Relevance => "relevance",
            SortJson::Modified => "modified",
        };
        let kinds: Vec<_> = self.kinds.iter().map(|kind| DocumentKind::from(*kind).word()).collect();
        json!([
            self.q,
            self.indexes,
            self.spaces,
            kinds,
            self.people,
            self.labels,
            self.modified_from,
            self.modified_before,
            sort,
        ])
        .to_string()
    }

    fn showing(&mut self) -> Result<Showing, Failed> {
        let members = self.fields.take();
        if members
            .as_ref()
            .is_some_and(|members| members.len() > FILTER_VALUES_MAX)
        {
            return Err(Failed::invalid(format!(
                "fields: has at most {FILTER_VALUES_MAX} values"
            )));
        }
        let showing = Showing {
            explanations: self.explain,
            marks: self.highlights,
            facets: self.facets,
            members: members.map(|members| members.into_iter().collect()),
        };
        showing.checked()?;
        Ok(showing)
    }
}

/// Best first, or newest first.
#[derive(Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Sort)]
pub enum SortJson {
    Relevance,
    Modified,
}

/// Ways to go on with a query that is being typed.
#[derive(Serialize, ToSchema)]
#[schema(as = Completions)]
pub struct CompletionsJson {
    /// At most ten.
    pub completions: Vec<CompletionJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Completion)]
pub struct CompletionJson {
    /// The whole query with it.
    pub text: String,
    /// What it is, for people: a space's name, a title.
    pub name: String,
    /// `field`, `space`, `type`, `person`, `label` or `title`.
    pub kind: &'static str,
}

impl From<Completion> for CompletionJson {
    fn from(completion: Completion) -> Self {
        Self {
            text: completion.text,
            name: completion.name,
            kind: match completion.kind {
                CompletionKind::Field => "field",
                CompletionKind::Space => "space",
                CompletionKind::Kind => "type",
                CompletionKind::Person => "person",
                CompletionKind::Label => "label",
                CompletionKind::Title => "title",
            },
        }
    }
}

/// Search an index
#[utoipa::path(get, path = "/indexes/{id}/search", tag = "search",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("q" = Option<String>, Query, description = "The words to look for, at most 2,048 bytes; without them every document matches"),
        ("space" = Option<Vec<String>>, Query, description = "Id of a space; repeat it for several"),
        ("kind" = Option<Vec<KindJson>>, Query, description = "Kind of document; repeat it for several"),
        ("person" = Option<Vec<String>>, Query, description = "Account id of an author or last editor; repeat it for several"),
        ("label" = Option<Vec<String>>, Query, description = "Label; repeat it for several"),
        ("modified_from" = Option<String>, Query, format = DateTime, description = "Last modified at this instant (RFC 3339) or later"),
        ("modified_before" = Option<String>, Query, format = DateTime, description = "Last modified before this instant (RFC 3339)"),
        ("sort" = Option<SortJson>, Query, description = "Best first (relevance) or newest first (modified)"),
        ("offset" = Option<u64>, Query, maximum = 10_000, description = "Hits to pass over, at most 10,000"),
        ("limit" = Option<u64>, Query, minimum = 1, maximum = 100, description = "Hits in the answer, 1 to 100; 20 when absent"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the answer before, to the same question"),
        ("field" = Option<Vec<String>>, Query, description = "A member of the hits that is wanted; repeat it for several; all when absent"),
        ("facets" = Option<bool>, Query, description = "Whether the answer has facets; true when absent"),
        ("highlights" = Option<bool>, Query, description = "Whether matched words are marked; true when absent"),
        ("explain" = Option<bool>, Query, description = "Whether each hit tells why it stands where it stands"),
        ("other_spaces" = Option<bool>, Query, description = "Whether the answer tells what is to be found in the spaces that the question leaves out"),
    ),
    responses((status = 200, description = "What was found", body = HitsJson)))]
pub async fn search(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
    parameters: Parameters,
) -> Answer<Json<HitsJson>> {
    answered(&door, &caller, &[index], read(&parameters)?).await
}

/// Search an index with a body
///
/// The same search as GET, for questions that are long or have many filters. Changes nothing.
#[utoipa::path(post, path = "/indexes/{id}/search", tag = "search", params(("id" = String, Path, description = "Id of the index")),
    request_body = SearchRequest, responses((status = 200, description = "What was found", body = HitsJson)))]
pub async fn search_with_body(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
    Sent(request): Sent<SearchRequest>,
) -> Answer<Json<HitsJson>> {
    if !request.indexes.is_empty() {
        return Err(Failed::invalid(
            "indexes: the address says which index is searched; POST /search searches several",
        ));
    }
    answered(&door, &caller, &[index], request).await
}

/// Search several indexes
///
/// Those that are named, or all that are there for the key. What they find stands in one order: best first, each hit by its
/// share of the best score that its index has for the question, or newest first. Changes nothing.
#[utoipa::path(post, path = "/search", tag = "search", request_body = SearchRequest,
    responses((status = 200, description = "What was found", body = HitsJson)))]
pub async fn search_several(
    State(door): State<Door>,
    Asker(caller): Asker,
    Sent(request): Sent<SearchRequest>,
) -> Answer<Json<HitsJson>> {
    let ids = request.indexes.iter().map(|id| id.parse());
    let indexes: Vec<IndexId> = ids
        .collect::<domain::Result<_>>()
        .map_err(|error| Failed::from(error).about("indexes"))?;
    answered(&door, &caller, &indexes, request).await
}

async fn answered(
    door: &Door,
    caller: &Caller,
    indexes: &[IndexId],
    mut request: SearchRequest,
) -> Answer<Json<HitsJson>> {
    let showing = request.showing()?;
    let question = request.question();
    let (cursor, other_spaces) = (request.cursor.take(), request.other_spaces);
    let query = asked(request)?;
    if cursor.is_some() && query.offset > 0 {
        return Err(Failed::invalid(
            "offset: goes without a cursor, which knows where it goes on",
        ));
    }
    let places = cursor.map(|cursor| cursor::read_search(&question, &cursor));
    let places = places
        .transpose()
        .map_err(|error| Failed::from(error).about("cursor"))?;
    let found = door
        .app
        .search_several(caller, indexes, &query, places.as_deref())
        .await?;
    let next = found.after(found.hits.len());
    let next_cursor = next.map(|places| cursor::of_search(&question, &places));
    let mut answer = showing.answer(found, next_cursor, (query.offset, query.limit));
    if other_spaces {
        let elsewhere = door.app.hits_in_other_spaces(caller, indexes, &query).await?;
        answer.other_spaces = elsewhere.map(OtherSpacesJson::from);
    }
    Ok(Json(answer))
}

/// Complete a query
///
/// Fields, and the spaces, people, labels and titles that the caller may see.
#[utoipa::path(get, path = "/indexes/{id}/search/complete", tag = "search",
    params(
        ("id" = String, Path, description = "Id of the index"),
        ("text" = Option<String>, Query, description = "What was typed so far, at most 2,048 bytes"),
    ),
    responses((status = 200, description = "Ways to go on, likeliest first", body = CompletionsJson)))]
pub async fn complete(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
    parameters: Parameters,
) -> Answer<Json<CompletionsJson>> {
    let text = parameters.one("text")?.unwrap_or_default();
    let completions = door.app.completions(&caller, index, &text).await?;
    Ok(Json(CompletionsJson {
        completions: completions.into_iter().map(CompletionJson::from).collect(),
    }))
}

fn read(parameters: &Parameters) -> Result<SearchRequest, Failed> {
    let kinds = parameters
        .all("kind")
        .iter()
        .map(|word| KindJson::from_word(word))
        .collect::<Result<_, _>>()?;
    let sort = match parameters.one("sort")?.as_deref() {
        None | Some("relevance") => SortJson::Relevance,
        Some("modified") => SortJson::Modified,
        Some(_) => return Err(Failed::invalid("sort: is relevance or modified")),
    };
    Ok(SearchRequest {
        q: parameters.one("q")?.unwrap_or_default(),
        spaces: parameters.all("space"),
        kinds,
        people: parameters.all("person"),
        labels: parameters.all("label"),
        modified_from: parameters.one("modified_from")?,
        modified_before: parameters.one("modified_before")?,
        sort,
        indexes: Vec::new(),
        offset: parameters.number("offset")?.unwrap_or(0),
        limit: parameters.number("limit")?.unwrap_or(LIMIT_DEFAULT),
        cursor: parameters.one("cursor")?,
        fields: Some(parameters.all("field")).filter(|fields| !fields.is_empty()),
        facets: said(parameters, "facets")?.unwrap_or(true),
        highlights: said(parameters, "highlights")?.unwrap_or(true),
        explain: said(parameters, "explain")?.unwrap_or(false),
        other_spaces: said(parameters, "other_spaces")?.unwrap_or(false),
    })
}

/// A word that says yes or no.
fn said(parameters: &Parameters, name: &str) -> Result<Option<bool>, Failed> {
    match parameters.one(name)?.as_deref() {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Failed::invalid(format!("{name}: is true or false"))),
    }
}

fn asked(request: SearchRequest) -> Result<Query, Failed> {
    let longest = [
        request.spaces.len(),
        request.kinds.len(),
        request.people.len(),
        request.labels.len(),
    ];
    if longest.iter().any(|values| *values > FILTER_VALUES_MAX) {
        return Err(Failed::invalid(format!(
            "a filter has at most {FILTER_VALUES_MAX} values"
        )));
    }
    Ok(Query {
        text: request.q,
        meaning: None,
        filter: Filter {
            spaces: request.spaces.into_iter().map(SpaceId::new).collect(),
            kinds: request.kinds.into_iter().map(DocumentKind::from).collect(),
            people: request.people.into_iter().map(AccountId::new).collect(),
            labels: request.labels,
            modified_from: instant("modified_from", request.modified_from)?,
            modified_before: instant("modified_before", request.modified_before)?,
        },
        sort: match request.sort {
            SortJson::Relevance => Sort::Relevance,
            SortJson::Modified => Sort::Modified,
        },
        offset: request.offset,
        limit: request.limit,
    })
}

fn instant(name: &str, text: Option<String>) -> Result<Option<Timestamp>, Failed> {
    let instant = text.map(|text| Timestamp::parse(&text)).transpose();
    instant.map_err(|error| Failed::from(error).about(name))
}
