//! Searching an index: a question in, hits out.

use axum::{Json, extract::State};
use domain::{
    AccountId, IndexId, SpaceId, Timestamp,
    document::DocumentKind,
    hit::{Alike, Completion, CompletionKind, Explanation, Facets, Fragment, Hit, Hits, More},
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
    /// Whether each hit tells why it stands where it stands.
    pub explain: bool,
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
            explain: false,
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
    /// Documents that match in all, counted up to 10,000.
    pub total: u64,
    /// Whether there are more than `total`; facets then count the same ones.
    pub more_than_total: bool,
    /// What was searched beside words that are nowhere, or hardly: they may be mistyped.
    pub also_searched: Vec<AlsoJson>,
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
    /// Some of its other passages that match, best first.
    pub more: Vec<MoreJson>,
    /// How many of its other passages are among the best of all.
    pub more_passages: u64,
    /// Some of the documents that hold the same text, and are not hits of their own.
    pub alike: Vec<AlikeJson>,
    pub alike_documents: u64,
    /// Why it stands where it stands; when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<ExplanationJson>,
}

/// Words that were searched beside one that may be mistyped.
#[derive(Serialize, ToSchema)]
#[schema(as = AlsoSearched)]
pub struct AlsoJson {
    pub asked: String,
    pub searched: Vec<String>,
}

/// Another passage of a hit's document.
#[derive(Serialize, ToSchema)]
#[schema(as = MorePassage)]
pub struct MoreJson {
    pub headings: Vec<String>,
    pub snippet: Vec<FragmentJson>,
    pub url: String,
}

/// Another document with the text of a hit.
#[derive(Serialize, ToSchema)]
#[schema(as = AlikeDocument)]
pub struct AlikeJson {
    pub document_id: String,
    pub title: String,
    pub space_name: String,
    pub url: String,
}

/// Why a hit stands where it stands: its score is the product of all of these, or, with `fusion`, the sum of its two parts.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationJson {
    /// BM25 of the words asked for.
    pub words: f32,
    /// How much of the question the title is, 1 to 1.5.
    pub title: f32,
    /// How many of the words stand together as typed, 1 to 1.25.
    pub together: f32,
    /// How many of the words are there, at most 1.
    pub coverage: f32,
    /// How new it is, 1 to 1.1.
    pub recency: f32,
    /// How near it is to the top of its space, 1 to 1.05; 0.85 for comments and files.
    pub place: f32,
    /// How words and meaning place it, where both were asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fusion: Option<FusionJson>,
}

/// How words and meaning place a hit: two parts of its score.
#[derive(Serialize, ToSchema)]
#[schema(as = Fusion)]
pub struct FusionJson {
    /// The cosine between question and passage; null while the passage's meaning is not known.
    pub similarity: Option<f32>,
    /// What the words and all signals give it, measured at the best by words.
    pub words: f32,
    /// What its meaning gives it.
    pub meaning: f32,
    /// Its place by words, from 1; null when it holds none of them.
    pub rank_by_words: Option<u32>,
    /// Its place by meaning, from 1.
    pub rank_by_meaning: Option<u32>,
}

impl From<Explanation> for ExplanationJson {
    fn from(explanation: Explanation) -> Self {
        let Explanation {
            words,
            title,
            together,
            coverage,
            recency,
            place,
            fusion,
        } = explanation;
        Self {
            words,
            title,
            together,
            coverage,
            recency,
            place,
            fusion: fusion.map(|fusion| FusionJson {
                similarity: fusion.similarity,
                words: fusion.words,
                meaning: fusion.meaning,
                rank_by_words: fusion.rank_by_words,
                rank_by_meaning: fusion.rank_by_meaning,
            }),
        }
    }
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
        ("explain" = Option<bool>, Query, description = "Whether each hit tells why it stands where it stands"),
    ),
    responses((status = 200, description = "What was found", body = HitsJson)))]
pub async fn search(
    State(door): State<Door>,
    Asker(caller): Asker,
    Id(index): Id<IndexId>,
    parameters: Parameters,
) -> Answer<Json<HitsJson>> {
    let request = read(&parameters)?;
    let telling = Telling::of(&request);
    let query = asked(request)?;
    let hits = door.app.search(&caller, index, &query).await?;
    Ok(Json(answered(&query, hits, telling)))
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
    let telling = Telling::of(&request);
    let query = asked(request)?;
    let hits = door.app.search(&caller, index, &query).await?;
    Ok(Json(answered(&query, hits, telling)))
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
        offset: parameters.number("offset")?.unwrap_or(0),
        limit: parameters.number("limit")?.unwrap_or(LIMIT_DEFAULT),
        explain: match parameters.one("explain")?.as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Failed::invalid("explain: is true or false")),
        },
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

/// Whether an answer tells why.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    Why,
    Nothing,
}

impl Telling {
    fn of(request: &SearchRequest) -> Self {
        match request.explain {
            true => Self::Why,
            false => Self::Nothing,
        }
    }
}

fn answered(query: &Query, hits: Hits, telling: Telling) -> HitsJson {
    let also = hits.also.into_iter().map(|also| AlsoJson {
        asked: also.asked,
        searched: also.searched,
    });
    let hit = |hit: Hit| {
        let explanation = (telling == Telling::Why).then(|| hit.explanation.into());
        HitJson {
            explanation,
            ..HitJson::from(hit)
        }
    };
    HitsJson {
        total: hits.total,
        more_than_total: hits.uncounted,
        also_searched: also.collect(),
        offset: query.offset,
        limit: query.limit,
        hits: hits.hits.into_iter().map(hit).collect(),
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
            more: hit.more.into_iter().map(MoreJson::from).collect(),
            more_passages: hit.more_passages,
            alike: hit.alike.into_iter().map(AlikeJson::from).collect(),
            alike_documents: hit.alike_documents,
            explanation: None,
        }
    }
}

impl From<More> for MoreJson {
    fn from(more: More) -> Self {
        Self {
            headings: more.headings,
            snippet: fragments(more.snippet),
            url: more.url,
        }
    }
}

impl From<Alike> for AlikeJson {
    fn from(alike: Alike) -> Self {
        Self {
            document_id: alike.document.to_string(),
            title: alike.title,
            space_name: alike.space_name,
            url: alike.url,
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
