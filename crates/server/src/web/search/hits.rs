//! An index's first tab: a question, filters, hits.

use app::indexes::IndexView;
use askama::Template;
use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use domain::{
    AccountId, Error, ErrorKind, IndexId, Result, SpaceId,
    document::DocumentKind,
    hit::{Also, Fragment, Hit, Hits},
    query::{Filter, OFFSET_MAX, Query, Sort, TEXT_BYTES_MAX},
};
use http::StatusCode;

use super::{
    documents::here,
    error::{Shown, told},
    fields::Fields,
    moment::{self, Moment},
    page::{IndexHead, Page, counted, html, id, kind_name, link},
    session::SignedIn,
};
use crate::Door;

/// Hits on one page.
const HITS_SHOWN: usize = 20;
/// The most values of one filter that are offered.
const CHOICES_MAX: usize = 12;
/// Stands between the blocks of a passage.
const BETWEEN_BLOCKS: &str = " · ";
/// Begins the items of a list, which the dot sets apart already.
const LIST_ITEM: &str = "- ";
/// The most values of one filter that are read from the address.
const CHOSEN_MAX: usize = 50;

#[derive(Template)]
#[template(path = "search.html")]
struct SearchPage {
    page: Page,
    index: IndexHead,
    text: String,
    text_bytes_max: usize,
    /// The query without its filters.
    cleared: String,
    from: String,
    before: String,
    newest_first: bool,
    filtered: bool,
    spaces: Vec<Choice>,
    kinds: Vec<Choice>,
    people: Vec<Choice>,
    /// `42 documents`, `more than 10,000 documents`.
    total: String,
    /// What was searched beside words that may be mistyped: `“pmup”: pump`.
    also: Vec<String>,
    hits: Vec<HitShown>,
    importing: bool,
    problem: Option<String>,
    pages: Pages,
}

/// A value that the hits may be narrowed to.
struct Choice {
    value: String,
    name: String,
    count: Option<u64>,
    chosen: bool,
}

struct HitShown {
    link: String,
    /// Its page here, at the heading.
    here: String,
    /// What that page is called.
    name: String,
    /// What stands before the title: a comment has none of its own.
    before: &'static str,
    title: Vec<Fragment>,
    /// The page that an attachment belongs to.
    on: Option<String>,
    crumbs: Vec<String>,
    snippet: Vec<Fragment>,
    kind: String,
    author: Option<String>,
    editor: Option<String>,
    modified: Moment,
    more: Vec<MoreShown>,
    /// `3 more on this page`.
    more_told: Option<String>,
    alike: Vec<AlikeShown>,
    /// `2 more like this`.
    alike_told: Option<String>,
}

/// Another passage of the same document.
struct MoreShown {
    link: String,
    headings: String,
    snippet: Vec<Fragment>,
}

/// Another document with the same text.
struct AlikeShown {
    link: String,
    title: String,
    space: String,
}

/// The way to the pages before and after.
pub struct Pages {
    pub number: usize,
    pub last: usize,
    pub previous: Option<String>,
    pub next: Option<String>,
}

impl Pages {
    /// `way` is the page's address without its query.
    pub fn new(way: &str, query: &Fields, number: usize, total: u64, shown: usize) -> Self {
        let whole = usize::try_from(total).unwrap_or(usize::MAX);
        let last = whole.div_ceil(shown).clamp(1, OFFSET_MAX / shown + 1);
        let to = |page: usize| format!("{way}?{}", query.with("page", &page.to_string()));
        Self {
            number,
            last,
            previous: (number > 1).then(|| to(number - 1)),
            next: (number < last).then(|| to(number + 1)),
        }
    }

    /// The way to the last page, for a link that asks for one beyond it.
    pub fn past_the_end(&self, way: &str, query: &Fields) -> Option<Response> {
        let last = format!("{way}?{}", query.with("page", &self.last.to_string()));
        (self.number > self.last).then(|| Redirect::to(&last).into_response())
    }

    /// The page that the query asks for, from 1.
    pub fn asked(query: &Fields, shown: usize) -> usize {
        query.one("page").parse().unwrap_or(1).clamp(1, OFFSET_MAX / shown + 1)
    }
}

pub async fn show(State(door): State<Door>, who: SignedIn, Path(index): Path<String>, query: Fields) -> Shown {
    let index: IndexId = id(&index)?;
    let view = door.app.index(&who.caller, index).await?;
    let number = Pages::asked(&query, HITS_SHOWN);
    let answered = match asked(&query, number) {
        Ok(asked) => door.app.search(&who.caller, index, &asked).await,
        Err(error) => Err(error),
    };
    let (hits, problem) = match answered {
        Ok(hits) => (hits, None),
        Err(error) if error.kind == ErrorKind::Invalid => (Hits::default(), Some(error)),
        Err(error) => return Err(error.into()),
    };
    let way = format!("/indexes/{index}");
    if problem.is_none()
        && let Some(end) = Pages::new(&way, &query, number, hits.total, HITS_SHOWN).past_the_end(&way, &query)
    {
        return Ok(end);
    }
    let importing = importing(&door, &who, &view).await?;
    let page = Page::new(&who, view.index.name.clone()).noticing(&query);
    Ok(page_of(page, &view, &query, number, hits, importing, problem))
}

fn page_of(
    page: Page,
    view: &IndexView,
    query: &Fields,
    number: usize,
    hits: Hits,
    importing: bool,
    problem: Option<Error>,
) -> Response {
    let index = IndexHead::new(view, "search");
    let spaces = hits.facets.spaces.iter();
    let people = hits.facets.people.iter();
    let kinds = hits.facets.kinds.iter();
    let spaces = choices(
        spaces.map(|count| (count.space.0.clone(), count.name.clone(), count.documents)),
        query.filled("space"),
    );
    let people = choices(
        people.map(|count| (count.account.0.clone(), count.name.clone(), count.documents)),
        query.filled("person"),
    );
    let kinds = choices(
        kinds.map(|(word, documents)| (word.clone(), kind_name(word).to_owned(), *documents)),
        query.filled("kind"),
    );
    let status = match problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let shown = SearchPage {
        page,
        text: query.one("q").to_owned(),
        text_bytes_max: TEXT_BYTES_MAX,
        cleared: Fields::default().with("q", query.one("q")),
        from: query.one("from").to_owned(),
        before: query.one("before").to_owned(),
        newest_first: query.one("sort") == "modified",
        filtered: ["space", "kind", "person", "from", "before"]
            .iter()
            .any(|name| !query.one(name).is_empty()),
        spaces,
        kinds,
        people,
        total: match hits.uncounted {
            true => format!("more than {}", counted(hits.total, "document", "documents")),
            false => counted(hits.total, "document", "documents"),
        },
        also: hits.also.iter().map(also).collect(),
        pages: Pages::new(&format!("/indexes/{}", index.id), query, number, hits.total, HITS_SHOWN),
        hits: hits.hits.into_iter().map(|found| hit(index.id, found)).collect(),
        importing,
        problem: problem.as_ref().map(told),
        index,
    };
    html(status, &shown)
}

/// The query that the address asks. Without words, everything, newest first.
fn asked(query: &Fields, number: usize) -> Result<Query> {
    let text = query.one("q").to_owned();
    let kinds = query.filled("kind");
    let kinds: Result<Vec<_>> = kinds
        .iter()
        .take(CHOSEN_MAX)
        .map(|word| DocumentKind::from_word(word))
        .collect();
    let chosen = |name: &str| query.filled(name).into_iter().take(CHOSEN_MAX);
    let sort = match query.one("sort") {
        "modified" => Sort::Modified,
        _ if text.is_empty() => Sort::Modified,
        _ => Sort::Relevance,
    };
    Ok(Query {
        text,
        meaning: None,
        filter: Filter {
            spaces: chosen("space").map(SpaceId).collect(),
            kinds: kinds?,
            people: chosen("person").map(AccountId).collect(),
            labels: Vec::new(),
            modified_from: moment::day(query.one("from"))?,
            modified_before: moment::day(query.one("before"))?,
        },
        sort,
        offset: (number - 1) * HITS_SHOWN,
        limit: HITS_SHOWN,
    })
}

/// What was counted, most first, and what is chosen though nothing has it.
fn choices(counted: impl Iterator<Item = (String, String, u64)>, chosen: Vec<String>) -> Vec<Choice> {
    let mut choices: Vec<Choice> = counted
        .map(|(value, name, count)| Choice {
            chosen: chosen.contains(&value),
            name,
            count: Some(count),
            value,
        })
        .collect();
    for value in chosen.into_iter().take(CHOSEN_MAX) {
        if choices.iter().all(|choice| choice.value != value) {
            choices.push(Choice {
                name: kind_name(&value).to_owned(),
                count: None,
                chosen: true,
                value,
            });
        }
    }
    let mut place = 0;
    choices.retain(|choice| {
        place += 1;
        place <= CHOICES_MAX || choice.chosen
    });
    choices
}

fn also(also: &Also) -> String {
    format!("“{}”: {}", also.asked, also.searched.join(", "))
}

fn hit(index: IndexId, hit: Hit) -> HitShown {
    let told = |count: u64, what: &str| (count > 0).then(|| format!("{count} more {what}"));
    let more_told = told(hit.more_passages, "on this page");
    let alike_told = told(hit.alike_documents, "like this");
    let more = hit.more.into_iter().map(|more| MoreShown {
        link: link(&more.url),
        headings: more.headings.join(" › "),
        snippet: in_one_line(more.snippet),
    });
    let alike = hit.alike.into_iter().map(|alike| AlikeShown {
        link: link(&alike.url),
        title: alike.title,
        space: alike.space_name,
    });
    let (more, alike) = (more.collect(), alike.collect());
    let passage = hit.passage;
    let place = passage
        .url
        .split_once('#')
        .map_or(String::new(), |(_, place)| format!("#{place}"));
    let fresh = passage.modified_at == passage.created_at && passage.editor == passage.author;
    let mut breadcrumb = passage.breadcrumb;
    let (before, on) = match passage.kind {
        DocumentKind::Comment => {
            // The title already names the page.
            breadcrumb.pop_if(|last| *last == passage.title);
            ("Comment on ", None)
        }
        DocumentKind::Attachment => ("", breadcrumb.pop()),
        DocumentKind::Page | DocumentKind::BlogPost => ("", None),
    };
    HitShown {
        link: link(&passage.url),
        here: here(index, &passage.document) + &place,
        name: format!("{before}{}", passage.title),
        before,
        title: hit.title,
        on,
        crumbs: [passage.space_name]
            .into_iter()
            .chain(breadcrumb)
            .chain(passage.headings)
            .collect(),
        snippet: in_one_line(hit.snippet),
        kind: kind_name(passage.kind.word()).to_owned(),
        author: passage.author.map(|person| person.name),
        editor: passage.editor.filter(|_| !fresh).map(|person| person.name),
        modified: Moment::new(passage.modified_at),
        more,
        more_told,
        alike,
        alike_told,
    }
}

/// Blocks of a passage are lines; shown in one, a dot keeps them apart.
fn in_one_line(mut snippet: Vec<Fragment>) -> Vec<Fragment> {
    for fragment in &mut snippet {
        if fragment.text.contains('\n') {
            fragment.text = joined(&fragment.text);
        }
    }
    if let Some(first) = snippet.first_mut() {
        let text = first.text.strip_prefix(BETWEEN_BLOCKS).unwrap_or(&first.text);
        first.text = text.strip_prefix(LIST_ITEM).unwrap_or(text).to_owned();
    }
    if let Some(last) = snippet.last_mut()
        && let Some(rest) = last.text.strip_suffix(BETWEEN_BLOCKS)
    {
        last.text = rest.to_owned();
    }
    snippet
}

/// A text's lines in one; where it begins or ends with a break, another fragment's text is kept apart.
fn joined(text: &str) -> String {
    let mut one = String::new();
    let mut broken = false;
    for line in text.split_inclusive('\n') {
        let said = line.trim_end_matches(['\n', '\r']);
        let said = match broken {
            true => said.strip_prefix(LIST_ITEM).unwrap_or(said),
            false => said,
        };
        if !said.trim().is_empty() {
            if broken {
                one.push_str(BETWEEN_BLOCKS);
            }
            one.push_str(said);
            broken = false;
        }
        broken |= line.ends_with('\n');
    }
    if broken {
        one.push_str(BETWEEN_BLOCKS);
    }
    one
}

async fn importing(door: &Door, who: &SignedIn, view: &IndexView) -> Result<bool> {
    if !view.searchable {
        return Ok(true);
    }
    for feed in door.app.feeds(&who.caller, view.index.id).await? {
        let picture = door.app.feed_picture(&who.caller, feed.id).await?;
        let unfinished = picture.spaces.iter().any(|space| space.imported_at.is_none());
        if picture.running.is_some() && unfinished || picture.headline == "importing" {
            return Ok(true);
        }
    }
    Ok(false)
}
