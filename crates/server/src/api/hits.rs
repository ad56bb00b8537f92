//! What a search found, as JSON.

use std::collections::BTreeSet;

use app::search_several::{HitOf, HitsOfSeveral, TotalOf, Unanswered, elsewhere::Elsewhere};
use domain::{
    Timestamp,
    hit::{Alike, Also, Explanation, Facets, Fragment, Hit, More, SpaceCount},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::api::{
    documents::{KindJson, PersonJson},
    problem::Failed,
    spaces::SpaceRefJson,
};

/// The most that is repeated of what a request held, in characters.
const REPEATED_CHARS_MAX: usize = 60;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What was found, of one index or of several.
#[derive(Serialize, ToSchema)]
#[schema(as = Hits)]
pub struct HitsJson {
    /// Documents that match in all, counted up to 10,000 of each index.
    pub total: u64,
    /// Whether there are more than `total`; facets then count the same ones.
    pub more_than_total: bool,
    /// What was searched beside words that are nowhere, or hardly: they may be mistyped.
    pub also_searched: Vec<AlsoJson>,
    pub offset: usize,
    pub limit: usize,
    /// One per document and index, in one order: by its share of the best score that its index has for the question, or by
    /// date.
    #[schema(value_type = Vec<HitJson>)]
    pub hits: Vec<HitGiven>,
    /// For `cursor`, with all else as it was: what follows. Null at the end.
    pub next_cursor: Option<String>,
    /// Null when they were not asked for.
    pub facets: Option<FacetsJson>,
    /// How many documents of each index match, in the order asked.
    pub indexes: Vec<IndexTotalJson>,
    /// Indexes that could not answer just now: what they hold is missing here.
    pub unanswered: Vec<UnansweredJson>,
    /// When asked for, and the question leaves out spaces: what it would find in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_spaces: Option<OtherSpacesJson>,
}

/// How many documents of an index match.
#[derive(Serialize, ToSchema)]
#[schema(as = IndexTotal)]
pub struct IndexTotalJson {
    pub index_id: String,
    pub index_name: String,
    pub total: u64,
    pub more_than_total: bool,
}

/// An index that could not answer.
#[derive(Serialize, ToSchema)]
#[schema(as = Unanswered)]
pub struct UnansweredJson {
    pub index_id: String,
    pub index_name: String,
    pub reason: String,
}

/// Matches in the spaces that a question leaves out.
#[derive(Serialize, ToSchema)]
#[schema(as = OtherSpaces)]
pub struct OtherSpacesJson {
    pub documents: u64,
    /// Most first, at most 20.
    pub spaces: Vec<SpaceCountJson>,
    /// The question without its conditions for spaces: ask this, without `spaces`, to find them.
    pub q: String,
}

/// A document that matched, with its best passage.
#[derive(Serialize, ToSchema)]
#[schema(as = Hit)]
pub struct HitJson {
    pub index_id: String,
    #[schema(required = false)]
    pub index_name: String,
    pub document_id: String,
    /// The passage's number in the document: `GET /indexes/{id}/documents/{document}/passages/{passage}` reads it.
    #[schema(required = false)]
    pub passage: u32,
    #[schema(required = false)]
    pub feed_id: String,
    #[schema(required = false)]
    pub kind: KindJson,
    #[schema(required = false)]
    pub title: String,
    /// The title again, with the matched words marked.
    #[schema(required = false)]
    pub title_fragments: Vec<FragmentJson>,
    /// Opens the document at Atlassian.
    #[schema(required = false)]
    pub url: String,
    #[schema(required = false)]
    pub space: SpaceRefJson,
    /// Titles from the top of the space down to the document's parent.
    #[schema(required = false)]
    pub breadcrumb: Vec<String>,
    /// Headings from the top of the document down to the passage.
    #[schema(required = false)]
    pub headings: Vec<String>,
    /// The passage's text around the matched words.
    #[schema(required = false)]
    pub snippet: Vec<FragmentJson>,
    pub author: Option<PersonJson>,
    /// Who edited it last.
    pub editor: Option<PersonJson>,
    #[schema(format = DateTime, required = false)]
    pub created_at: String,
    #[schema(format = DateTime, required = false)]
    pub modified_at: String,
    #[schema(required = false)]
    pub labels: Vec<String>,
    /// Higher is better; comparable within one answer and one index only.
    #[schema(required = false)]
    pub score: f32,
    /// Some of its other passages that match, best first.
    #[schema(required = false)]
    pub more: Vec<MoreJson>,
    /// How many of its other passages are among the best of all.
    #[schema(required = false)]
    pub more_passages: u64,
    /// Some of the documents that hold nearly the same text, and are not hits of their own.
    #[schema(required = false)]
    pub alike: Vec<AlikeJson>,
    #[schema(required = false)]
    pub alike_documents: u64,
    /// Why it stands where it stands; when asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explanation: Option<ExplanationJson>,
}

/// The members of a hit that may be asked for. Ids of index and document are always there.
pub const MEMBERS: [&str; 24] = [
    "alike",
    "alike_documents",
    "author",
    "breadcrumb",
    "created_at",
    "document_id",
    "editor",
    "explanation",
    "feed_id",
    "headings",
    "index_id",
    "index_name",
    "kind",
    "labels",
    "modified_at",
    "more",
    "more_passages",
    "passage",
    "score",
    "snippet",
    "space",
    "title",
    "title_fragments",
    "url",
];
/// Those that are always there.
const IDS: [&str; 2] = ["index_id", "document_id"];

/// A hit with all its members, or with those that were asked for.
#[derive(Serialize)]
#[serde(untagged)]
pub enum HitGiven {
    Whole(Box<HitJson>),
    Parts(Map<String, Value>),
}

/// What an answer shows of its hits.
pub struct Showing {
    pub explanations: bool,
    pub marks: bool,
    pub facets: bool,
    /// None stands for all.
    pub members: Option<BTreeSet<String>>,
}

impl Showing {
    /// Refuses members that no hit has.
    pub fn checked(&self) -> Result<(), Failed> {
        let unknown = self
            .members
            .iter()
            .flatten()
            .find(|name| !MEMBERS.contains(&name.as_str()));
        match unknown {
            None => Ok(()),
            Some(name) => {
                let name: String = name.chars().take(REPEATED_CHARS_MAX).collect();
                Err(Failed::invalid(format!(
                    "fields: {name:?} is no member of a hit; there are {}",
                    MEMBERS.join(", ")
                )))
            }
        }
    }

    fn hit(&self, of: HitOf) -> HitGiven {
        let mut hit = HitJson::from(of);
        if !self.explanations {
            hit.explanation = None;
        }
        if !self.marks {
            let more = hit.more.iter_mut().map(|more| &mut more.snippet);
            [&mut hit.title_fragments, &mut hit.snippet]
                .into_iter()
                .chain(more)
                .for_each(unmarked);
        }
        let hit = Box::new(hit);
        let Some(members) = &self.members else {
            return HitGiven::Whole(hit);
        };
        match serde_json::to_value(&hit) {
            Ok(Value::Object(mut parts)) => {
                parts.retain(|name, _| IDS.contains(&name.as_str()) || members.contains(name));
                HitGiven::Parts(parts)
            }
            _ => HitGiven::Whole(hit),
        }
    }

    pub fn answer(
        &self,
        found: HitsOfSeveral,
        next_cursor: Option<String>,
        (offset, limit): (usize, usize),
    ) -> HitsJson {
        HitsJson {
            total: found.total,
            more_than_total: found.uncounted,
            also_searched: found.also.into_iter().map(AlsoJson::from).collect(),
            offset,
            limit,
            hits: found.hits.into_iter().map(|hit| self.hit(hit)).collect(),
            next_cursor,
            facets: self.facets.then(|| found.facets.into()),
            indexes: found.answered.into_iter().map(IndexTotalJson::from).collect(),
            unanswered: found.unanswered.into_iter().map(UnansweredJson::from).collect(),
            other_spaces: None,
        }
    }
}

/// The same text in one run.
fn unmarked(fragments: &mut Vec<FragmentJson>) {
    let text: String = fragments.drain(..).map(|fragment| fragment.text).collect();
    if !text.is_empty() {
        fragments.push(FragmentJson { text, marked: false });
    }
}

impl From<Also> for AlsoJson {
    fn from(also: Also) -> Self {
        Self {
            asked: also.asked,
            searched: also.searched,
        }
    }
}

impl From<TotalOf> for IndexTotalJson {
    fn from(of: TotalOf) -> Self {
        Self {
            index_id: of.index.to_string(),
            index_name: of.index_name,
            total: of.total,
            more_than_total: of.uncounted,
        }
    }
}

impl From<Unanswered> for UnansweredJson {
    fn from(of: Unanswered) -> Self {
        Self {
            index_id: of.index.to_string(),
            index_name: of.index_name,
            reason: of.reason,
        }
    }
}

impl From<Elsewhere> for OtherSpacesJson {
    fn from(elsewhere: Elsewhere) -> Self {
        Self {
            documents: elsewhere.documents,
            spaces: elsewhere.spaces.into_iter().map(SpaceCountJson::from).collect(),
            q: elsewhere.text,
        }
    }
}

impl From<SpaceCount> for SpaceCountJson {
    fn from(count: SpaceCount) -> Self {
        Self {
            id: count.space.to_string(),
            key: count.key,
            name: count.name,
            documents: count.documents,
        }
    }
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

/// Another document with nearly the text of a hit.
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
#[schema(as = ScoreExplanation)]
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
    /// How many documents link to it, 1 to 1.1.
    pub links: f32,
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
            links,
            fusion,
        } = explanation;
        Self {
            words,
            title,
            together,
            coverage,
            recency,
            place,
            links,
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
    pub labels: Vec<LabelCountJson>,
    /// By the day of the last modification, newest first, as far back as a year of days on which anything was.
    pub days: Vec<DayCountJson>,
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
#[schema(as = LabelCount)]
pub struct LabelCountJson {
    pub label: String,
    pub documents: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DayCount)]
pub struct DayCountJson {
    /// A day of UTC, such as `2026-11-25`.
    #[schema(format = Date)]
    pub day: String,
    pub documents: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PersonCount)]
pub struct PersonCountJson {
    pub account_id: String,
    pub name: String,
    pub documents: u64,
}

impl From<HitOf> for HitJson {
    fn from(of: HitOf) -> Self {
        let HitOf { index, index_name, hit } = of;
        let Hit { passage, .. } = hit;
        Self {
            index_id: index.to_string(),
            index_name,
            passage: passage.ordinal,
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
            explanation: Some(hit.explanation.into()),
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
        let spaces = facets.spaces.into_iter().map(SpaceCountJson::from);
        let kinds = facets
            .kinds
            .into_iter()
            .map(|(kind, documents)| KindCountJson { kind, documents });
        let people = facets.people.into_iter().map(|count| PersonCountJson {
            account_id: count.account.to_string(),
            name: count.name,
            documents: count.documents,
        });
        let labels = facets
            .labels
            .into_iter()
            .map(|(label, documents)| LabelCountJson { label, documents });
        let days = facets.days.into_iter().map(|count| DayCountJson {
            day: day(count.day),
            documents: count.documents,
        });
        Self {
            spaces: spaces.collect(),
            kinds: kinds.collect(),
            people: people.collect(),
            labels: labels.collect(),
            days: days.collect(),
        }
    }
}

/// A day since 1970 as a date.
fn day(days: i64) -> String {
    let begins = Timestamp(days.saturating_mul(DAY_MS)).to_string();
    begins.split('T').next().unwrap_or_default().to_owned()
}
