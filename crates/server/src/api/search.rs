//! Searching an index: a question in, hits out.

use axum::{Json, extract::State};
use domain::{
    AccountId, IndexId, SpaceId, Timestamp,
    document::DocumentKind,
    hit::{Facets, Fragment, Hit, Hits},
    query::{Filter, Query, Sort},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    Door,
    api::{
        auth::Asker,
        documents::{KindJson, PersonJson},
        problem::{Answer, Failed},
        request::{Id, Parameters, Sent},
        spaces::SpaceRefJson,
    },
};

/// How many hits an answer has when nobody says.
const LIMIT_DEFAULT: usize = 20;
/// The most values of one filter.
const FILTER_VALUES_MAX: usize = 100;

/// What is looked for. Within a list any may match; all lists must; an empty one does not filter.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SearchRequest {
    /// The words to look for, at most 2,048 bytes. Empty matches every document.
    pub q: String,
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
    /// Hits to pass over, at most 10,000.
    #[schema(maximum = 10_000)]
    pub offset: usize,
    /// Hits in the answer, 1 to 100.
    #[schema(minimum = 1, maximum = 100)]
    pub limit: usize,
}

impl Default for SearchRequest {
    fn default() -> Self {
        Self {
            q: String::new(),
            spaces: Vec::new(),
            kinds: Vec::new(),
            people: Vec::new(),
            labels: Vec::new(),
            modified_from: None,
            modified_before: None,
            sort: SortJson::Relevance,
            offset: 0,
            limit: LIMIT_DEFAULT,
        }
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

#[derive(Serialize, ToSchema)]
#[schema(as = Hits)]
pub struct HitsJson {
    /// Documents that match in all.
    pub total: u64,
    pub offset: usize,
    pub limit: usize,
    /// One per document.
    pub hits: Vec<HitJson>,
    pub facets: FacetsJson,
}

/// A document that matched, with its best passage.
#[derive(Serialize, ToSchema)]
#[schema(as = Hit)]
pub struct HitJson {
    pub document_id: String,
    pub feed_id: String,
    pub kind: KindJson,
    pub title: String,
    /// The title again, with the matched words marked.
    pub title_fragments: Vec<FragmentJson>,
    /// Opens the document at Atlassian.
    pub url: String,
    pub space: SpaceRefJson,
    /// Titles from the top of the space down to the document's parent.
    pub breadcrumb: Vec<String>,
    /// Headings from the top of the document down to the passage.
    pub headings: Vec<String>,
    /// The passage's text around the matched words.
    pub snippet: Vec<FragmentJson>,
    pub author: Option<PersonJson>,
    /// Who edited it last.
    pub editor: Option<PersonJson>,
    #[schema(format = DateTime)]
    pub created_at: String,
    #[schema(format = DateTime)]
    pub modified_at: String,
    pub labels: Vec<String>,
    /// Higher is better; comparable within one answer only.
    pub score: f32,
}

/// A run of text, marked when it is a matched word.
#[derive(Serialize, ToSchema)]
#[schema(as = Fragment)]
pub struct FragmentJson {
    pub text: String,
    pub marked: bool,
}

/// How many of the matching documents each value has, most first.
#[derive(Serialize, ToSchema)]
#[schema(as = Facets)]
pub struct FacetsJson {
    pub spaces: Vec<SpaceCountJson>,
    pub kinds: Vec<KindCountJson>,
    pub people: Vec<PersonCountJson>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SpaceCount)]
pub struct SpaceCountJson {
    pub id: String,
    pub key: String,
    pub name: String,
    pub documents: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = KindCount)]
pub struct KindCountJson {
    pub kind: String,
    pub documents: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PersonCount)]
pub struct PersonCountJson {
    pub account_id: String,
    pub name: String,
    pub documents: u64,
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
    ),
    responses((status = 200, description = "What was found", body = HitsJson)))]
pub async fn search(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
    parameters: Parameters,
) -> Answer<Json<HitsJson>> {
    let query = asked(read(&parameters)?)?;
    let hits = door.app.search(&caller, index, &query).await?;
    Ok(Json(answered(&query, hits)))
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
    let query = asked(request)?;
    let hits = door.app.search(&caller, index, &query).await?;
    Ok(Json(answered(&query, hits)))
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
        offset: parameters.number("offset")?.unwrap_or(0),
        limit: parameters.number("limit")?.unwrap_or(LIMIT_DEFAULT),
    })
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

fn answered(query: &Query, hits: Hits) -> HitsJson {
    HitsJson {
        total: hits.total,
        offset: query.offset,
        limit: query.limit,
        hits: hits.hits.into_iter().map(HitJson::from).collect(),
        facets: hits.facets.into(),
    }
}

impl From<Hit> for HitJson {
    fn from(hit: Hit) -> Self {
        let passage = hit.passage;
        Self {
            document_id: passage.document.to_string(),
            feed_id: passage.feed.to_string(),
            kind: passage.kind.into(),
            title: passage.title,
            title_fragments: fragments(hit.title),
            url: passage.url,
            space: SpaceRefJson {
                id: passage.space.to_string(),
                key: passage.space_key,
                name: passage.space_name,
            },
            breadcrumb: passage.breadcrumb,
            headings: passage.headings,
            snippet: fragments(hit.snippet),
            author: passage.author.map(PersonJson::from),
            editor: passage.editor.map(PersonJson::from),
            created_at: passage.created_at.to_string(),
            modified_at: passage.modified_at.to_string(),
            labels: passage.labels,
            score: hit.score,
        }
    }
}

fn fragments(fragments: Vec<Fragment>) -> Vec<FragmentJson> {
    let json = |Fragment { text, marked }| FragmentJson { text, marked };
    fragments.into_iter().map(json).collect()
}

impl From<Facets> for FacetsJson {
    fn from(facets: Facets) -> Self {
        let spaces = facets.spaces.into_iter().map(|count| SpaceCountJson {
            id: count.space.to_string(),
            key: count.key,
            name: count.name,
            documents: count.documents,
        });
        let kinds = facets
            .kinds
            .into_iter()
            .map(|(kind, documents)| KindCountJson { kind, documents });
        let people = facets.people.into_iter().map(|count| PersonCountJson {
            account_id: count.account.to_string(),
            name: count.name,
            documents: count.documents,
        });
        Self {
            spaces: spaces.collect(),
            kinds: kinds.collect(),
            people: people.collect(),
        }
    }
}
