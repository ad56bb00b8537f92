//! `search`: words and filters in, the best passages out.

use std::collections::BTreeSet;

use app::{
    App, Caller,
    carried::CarriedSpace,
    indexes::IndexView,
    search_several::{HitsOfSeveral, Part},
};
use domain::{
    AccountId, Error, IndexId, Result, SpaceId, Timestamp,
    document::DocumentKind,
    hit::Hit,
    query::{Filter, Query, Sort},
};
use rmcp::schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    indexes::{self, Space},
    outside::{NOTICE, beginning, seen},
};
use crate::{cursor, place};

/// The most results of one answer.
const LIMIT_MAX: usize = 20;
/// How many an answer has when nobody says.
const LIMIT_DEFAULT: usize = 10;
/// The most bytes of results in one answer; the rest comes with its cursor.
pub const ANSWER_BYTES_MAX: usize = 32 << 10;
/// The most bytes of one result's text.
const TEXT_BYTES_MAX: usize = 8 << 10;
/// The most titles, headings and labels of one result.
const NAMES_MAX: usize = 20;
/// The most values of one filter.
const VALUES_MAX: usize = 50;
/// The most spaces or people that an error names to choose from.
const CHOICES_MAX: usize = 30;
/// What is looked for. Within a list any may match; all lists must; an empty one does not filter.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(crate = "rmcp::schemars", inline)]
pub struct Asked {
    /// The words to look for, at most 2,048 bytes. Empty lists every document that the filters let through.
    pub query: String,
    /// Id or name of the index to search. Without it, all are searched.
    pub index: Option<String>,
    /// Keys or names of spaces, such as ENG.
    pub space: Vec<String>,
    /// Kinds of documents: page, blogpost, comment, attachment.
    #[serde(rename = "type")]
    pub kind: Vec<String>,
    /// Labels.
    pub label: Vec<String>,
    /// Names, or account ids, of authors or last editors.
    pub person: Vec<String>,
    /// Last changed on this day or at this instant (2026-01-31, or RFC 3339), or later.
    pub updated_after: Option<String>,
    /// Last changed before this day or instant.
    pub updated_before: Option<String>,
    /// Newest first instead of best first.
    pub newest_first: bool,
    /// Results in the answer, 1 to 20; 10 when absent.
    #[schemars(range(min = 1, max = 20))]
    pub limit: Option<usize>,
    /// The next_cursor of the answer before, with all else as it was.
    pub cursor: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Found {
    /// What to bear in mind about titles and texts.
    pub notice: &'static str,
    /// One per document, best first.
    pub results: Vec<Answer>,
    /// Documents that match in all.
    pub total: u64,
    /// Indexes that could not answer just now: their documents are missing here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unanswered: Option<Vec<Silent>>,
    /// Present when there are more results.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// An index that could not answer.
#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Silent {
    /// Id of the index.
    pub index: String,
    pub name: String,
    pub reason: String,
}

/// A document that matched, with its best passage.
#[derive(Serialize, JsonSchema)]
#[schemars(crate = "rmcp::schemars")]
pub struct Answer {
    /// For fetch.
    pub id: String,
    pub title: String,
    /// Opens the passage in Confluence: cite this.
    pub url: String,
    /// The passage that matched, as Markdown.
    pub text: String,
    /// Its place in the document, for fetch: reading can begin there.
    pub passage: u32,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Id of its index.
    pub index: String,
    pub space: Space,
    /// Titles from the top of the space down to the document's parent.
    pub breadcrumb: Vec<String>,
    /// Headings from the top of the document down to the passage.
    pub headings: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub editor: Option<String>,
    pub created_at: String,
    pub updated_at: String,
    pub labels: Vec<String>,
}

/// One index as it is searched.
struct Searched {
    view: IndexView,
    spaces: Vec<CarriedSpace>,
}

pub async fn search(app: &App, caller: &Caller, asked: &Asked) -> Result<Found> {
    asked.check()?;
    let mut searched = Vec::new();
    for view in indexes::meant(app, caller, asked.index.as_deref()).await? {
        let spaces = app.carried_spaces(caller, view.index.id).await?;
        searched.push(Searched { view, spaces });
    }
    let known: BTreeSet<&str> = searched
        .iter()
        .flat_map(|of| &of.spaces)
        .map(|of| of.space.space.key.as_str())
        .collect();
    let unknown = |wanted: &&String| {
        !searched
            .iter()
            .flat_map(|of| &of.spaces)
            .any(|space| is_called(space, wanted))
    };
    if let Some(unknown) = asked.space.iter().find(unknown) {
        return Err(Error::invalid(format!(
            "no space is called {:?} here; there are {}",
            beginning(unknown, 60),
            chosen_from(known.into_iter())
        )));
    }
    let mut parts = Vec::new();
    for of in &searched {
        let index = of.view.index.id;
        if let Some(filter) = filter(app, caller, index, &of.spaces, asked).await? {
            parts.push(Part { index, filter });
        }
    }
    let query = Query {
        text: asked.query.clone(),
        sort: asked.sort(),
        limit: asked.limit.unwrap_or(LIMIT_DEFAULT),
        ..Query::default()
    };
    let cursor = asked.cursor.as_deref();
    let places = cursor.map(|cursor| cursor::read_search(&asked.question(), cursor));
    let hits = app
        .search_parts(caller, &parts, &query, places.transpose()?.as_deref())
        .await?;
    given(app, caller, asked, &searched, hits).await
}

/// As many of the hits as there is room for.
async fn given(
    app: &App,
    caller: &Caller,
    asked: &Asked,
    searched: &[Searched],
    found: HitsOfSeveral,
) -> Result<Found> {
    let (mut results, mut bytes) = (Vec::new(), 0);
    for hit in &found.hits {
        let Some(of) = searched.iter().find(|of| of.view.index.id == hit.index) else {
            continue;
        };
        let answer = of.answer(&hit.hit, passage(app, caller, hit.index, &hit.hit).await?);
        let size = serde_json::to_vec(&answer).map_or(ANSWER_BYTES_MAX, |json| json.len());
        if bytes + size > ANSWER_BYTES_MAX && !results.is_empty() {
            break;
        }
        bytes += size;
        results.push(answer);
    }
    let places = found.after(results.len());
    let silent = found.unanswered.into_iter().map(|of| Silent {
        index: of.index.to_string(),
        name: seen(&of.index_name),
        reason: of.reason,
    });
    let silent: Vec<Silent> = silent.collect();
    Ok(Found {
        notice: NOTICE,
        total: found.total,
        unanswered: (!silent.is_empty()).then_some(silent),
        next_cursor: places.map(|places| cursor::of_search(&asked.question(), &places)),
        results,
    })
}

impl Asked {
    fn check(&self) -> Result<()> {
        if self.limit.is_some_and(|limit| limit == 0 || limit > LIMIT_MAX) {
            return Err(Error::invalid(format!(
                "limit is 1 to {LIMIT_MAX}; the rest comes with next_cursor"
            )));
        }
        let lists = [&self.space, &self.kind, &self.label, &self.person];
        if lists.iter().any(|list| list.len() > VALUES_MAX) {
            return Err(Error::invalid(format!("a filter has at most {VALUES_MAX} values")));
        }
        Ok(())
    }

    fn sort(&self) -> Sort {
        match self.newest_first {
            true => Sort::Modified,
            false => Sort::Relevance,
        }
    }

    /// All that makes it another question.
    fn question(&self) -> String {
        json!([
            self.query,
            self.index,
            self.space,
            self.kind,
            self.label,
            self.person,
            self.updated_after,
            self.updated_before,
            self.newest_first,
        ])
        .to_string()
    }
}

/// The filters in the words of one index; none when nothing of this index can pass.
async fn filter(
    app: &App,
    caller: &Caller,
    index: IndexId,
    spaces: &[CarriedSpace],
    asked: &Asked,
) -> Result<Option<Filter>> {
    let of_name = |carried: &&CarriedSpace| asked.space.iter().any(|name| is_called(carried, name));
    let chosen: BTreeSet<SpaceId> = spaces
        .iter()
        .filter(of_name)
        .map(|carried| carried.space.space.id.clone())
        .collect();
    if chosen.is_empty() && !asked.space.is_empty() {
        return Ok(None);
    }
    Ok(Some(Filter {
        spaces: chosen.into_iter().collect(),
        kinds: asked
            .kind
            .iter()
            .map(|word| DocumentKind::from_word(word))
            .collect::<Result<_>>()?,
        people: people(app, caller, index, asked).await?,
        labels: asked.label.clone(),
        modified_from: instant("updated_after", asked.updated_after.as_deref())?,
        modified_before: instant("updated_before", asked.updated_before.as_deref())?,
    }))
}

fn is_called(carried: &CarriedSpace, name: &str) -> bool {
    let (space, name) = (&carried.space.space, name.trim());
    space.key.eq_ignore_ascii_case(name)
        || space.id.as_str() == name
        || space.name.to_lowercase() == name.to_lowercase()
}

/// The accounts of the people who are named: among those who wrote what matches, most of it first.
async fn people(app: &App, caller: &Caller, index: IndexId, asked: &Asked) -> Result<Vec<AccountId>> {
    if asked.person.is_empty() {
        return Ok(Vec::new());
    }
    let query = Query {
        text: asked.query.clone(),
        limit: 1,
        ..Query::default()
    };
    let known = app.search(caller, index, &query).await?.facets.people;
    let mut people = Vec::new();
    for name in &asked.person {
        let called = name.trim().to_lowercase();
        let of_name = known
            .iter()
            .filter(|person| !called.is_empty() && person.name.to_lowercase().contains(&called));
        let before = people.len();
        people.extend(of_name.map(|person| person.account.clone()));
        if people.len() == before {
            // An account id, or somebody who wrote nothing of this.
            people.push(AccountId::new(name.trim()));
        }
    }
    Ok(people)
}

/// An instant, or the beginning of a day.
fn instant(field: &str, text: Option<&str>) -> Result<Option<Timestamp>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let day = text.len() == "2026-01-31".len();
    let whole = if day {
        format!("{text}T00:00:00Z")
    } else {
        text.to_owned()
    };
    Timestamp::parse(&whole)
        .map(Some)
        .map_err(|_| Error::invalid(format!("{field} is a day such as 2026-01-31 or an RFC 3339 instant")))
}

fn chosen_from<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<String> = names.take(CHOICES_MAX).map(seen).collect();
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    }
}

/// The passage as Markdown.
async fn passage(app: &App, caller: &Caller, index: IndexId, hit: &Hit) -> Result<String> {
    let text = &hit.passage.text;
    match app.document(caller, index, &hit.passage.document).await {
        Ok(held) => place::rendered(app, held, text).await,
        // Taken away a moment ago.
        Err(_) => Ok(text.clone()),
    }
}

impl Searched {
    fn answer(&self, hit: &Hit, text: String) -> Answer {
        let passage = &hit.passage;
        let index = self.view.index.id;
        let checked = self
            .spaces
            .iter()
            .find(|of| of.feed == passage.feed && of.space.space.id == passage.space);
        Answer {
            id: format!("{index}/{}", passage.document),
            title: seen(&passage.title),
            url: passage.url.clone(),
            text: beginning(&seen(&text), TEXT_BYTES_MAX).to_owned(),
            passage: passage.ordinal,
            kind: passage.kind.word(),
            index: index.to_string(),
            space: Space {
                key: seen(&passage.space_key),
                name: seen(&passage.space_name),
                checked_at: checked.and_then(|of| of.checked_at).map(|at| at.to_string()),
            },
            breadcrumb: names(&passage.breadcrumb),
            headings: names(&passage.headings),
            author: passage.author.as_ref().map(|person| seen(&person.name)),
            editor: passage.editor.as_ref().map(|person| seen(&person.name)),
            created_at: passage.created_at.to_string(),
            updated_at: passage.modified_at.to_string(),
            labels: names(&passage.labels),
        }
    }
}

fn names(names: &[String]) -> Vec<String> {
    names.iter().take(NAMES_MAX).map(|name| seen(name)).collect()
}
