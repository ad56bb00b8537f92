//! What helps when nothing was typed, or nothing was found.

use app::widened::{Narrowing, Widened};
use domain::{
    Result,
    query::Query,
    syntax::{Token, tokens},
};

use super::{Answer, Scope, Standing, narrowing::NARROWING};
use crate::{
    Door,
    web::{
        fields::Fields,
        page::{counted, readable_key},
        session::SignedIn,
    },
};

/// The most other questions that are tried for an empty answer, beside those without one of the filters.
const TRIED_MAX: usize = 4;
/// The most spaces that are named of those where there are hits.
const SPACES_NAMED: usize = 3;
/// The fields of the address that filter documents.
const FILTERS: [&str; 7] = ["space", "kind", "person", "label", "updated", "from", "before"];

/// What is said beside the hits, or in their place.
#[derive(Default)]
pub struct Help {
    /// Nothing was typed or chosen: how one searches.
    pub tips: Vec<Tip>,
    /// Nothing was found: `No document matches`, `Nothing found in Engineering; 4 hits in other spaces`.
    pub nothing: String,
    /// Other questions, and what each would find.
    pub ways: Vec<Way>,
    /// There are hits in spaces that were not chosen.
    pub outside: Option<Way>,
}

/// Something to type, and what for.
pub struct Tip {
    pub text: String,
    pub told: &'static str,
    pub link: String,
}

/// Another question.
#[derive(PartialEq, Eq)]
pub struct Way {
    pub told: String,
    /// `12 documents`.
    pub count: String,
    pub link: String,
}

pub async fn of(
    door: &Door,
    who: &SignedIn,
    scope: &Scope,
    fields: &Fields,
    (query, answer): (&Query, &Answer),
    standing: &Standing,
) -> Result<Help> {
    let filtered = NARROWING.iter().any(|(name, _)| !fields.one(name).is_empty());
    if query.limit == 0 || scope.searched.is_empty() {
        return Ok(Help::default());
    }
    if answer.hits.total > 0 {
        return Ok(Help {
            tips: match query.text.is_empty() && !filtered {
                true => tips(scope, answer),
                false => Vec::new(),
            },
            outside: outside(scope, fields, answer),
            ..Help::default()
        });
    }
    instead(door, who, scope, fields, (query, answer), standing).await
}

/// Questions that would find something, of those that are near.
async fn instead(
    door: &Door,
    who: &SignedIn,
    scope: &Scope,
    fields: &Fields,
    (query, answer): (&Query, &Answer),
    standing: &Standing,
) -> Result<Help> {
    let fields = fields.without_any(&["page"]);
    let mut help = Help {
        nothing: "No document matches".to_owned(),
        ..Help::default()
    };
    let (caller, indexes) = (&who.caller, &scope.searched[..]);
    if let Some(elsewhere) = door.app.hits_in_other_spaces(caller, indexes, query).await?
        && elsewhere.documents > 0
    {
        let hits = counted(elsewhere.documents, "hit", "hits");
        help.nothing = format!(
            "Nothing found in {}; {hits} in other spaces",
            these_spaces(query, standing)
        );
        let wider = fields.without_any(&["space"]).having("q", &elsewhere.text);
        for count in elsewhere.spaces.iter().take(SPACES_NAMED) {
            help.ways.push(Way {
                told: format!("Search in {}", count.name),
                count: counted(count.documents, "document", "documents"),
                link: wider.having("space", count.space.as_str()).after(&scope.way),
            });
        }
        help.ways.push(Way {
            told: "Search in all spaces".to_owned(),
            count: counted(elsewhere.documents, "document", "documents"),
            link: wider.after(&scope.way),
        });
    }
    for widened in answer.widened.iter().filter(|widened| widened.total > 0) {
        let (names, told): (&[&str], &str) = match widened.without {
            // Told above.
            Narrowing::Spaces => continue,
            Narrowing::Kinds => (&["kind"], "Any type"),
            Narrowing::People => (&["person"], "By anybody"),
            Narrowing::Labels => (&["label"], "With any label, or none"),
            Narrowing::Modified => (&["updated", "from", "before"], "Updated at any time"),
        };
        help.ways.push(Way {
            told: told.to_owned(),
            count: counted(widened.total, "document", "documents"),
            link: fields.without_any(names).after(&scope.way),
        });
    }
    for (told, text, kept) in nearby(&query.text, &answer.widened).into_iter().take(TRIED_MAX) {
        let asked = Query {
            filter: match kept {
                Kept::Filters => query.filter.clone(),
                Kept::Nothing => Default::default(),
            },
            text,
            offset: 0,
            limit: 1,
            ..query.clone()
        };
        let found = door.app.search_several(caller, indexes, &asked, None).await?;
        let question = match kept {
            Kept::Filters => fields.having("q", &asked.text),
            Kept::Nothing => fields.without_any(&FILTERS).having("q", &asked.text),
        };
        let way = Way {
            told,
            count: counted(found.total, "document", "documents"),
            link: question.after(&scope.way),
        };
        if found.total > 0 && help.ways.iter().all(|known| known.link != way.link) {
            help.ways.push(way);
        }
    }
    Ok(help)
}

/// What of a question stays.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kept {
    Filters,
    Nothing,
}

/// Questions that ask less than this one, each in words. At most four.
fn nearby(text: &str, filters: &[Widened]) -> Vec<(String, String, Kept)> {
    let mut near: Vec<(String, String, Kept)> = Vec::new();
    let mut add = |told: &str, text: String, kept: Kept| {
        let new = near.iter().all(|(_, known, of)| (known, *of) != (&text, kept));
        if new && text.contains(char::is_alphanumeric) {
            near.push((told.to_owned(), text, kept));
        }
    };
    let tokens = tokens(text);
    let without = |leaving: &dyn Fn(&Token<'_>) -> bool| -> String {
        let kept = tokens.iter().filter(|token| !leaving(token));
        kept.map(|token| token.whole).collect::<Vec<_>>().join(" ")
    };
    let is_condition = |token: &Token<'_>| token.field.is_some();
    let is_excluded = |token: &Token<'_>| token.negated;
    let unquoted = |text: &str| {
        text.split('"')
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ")
            .trim()
            .to_owned()
    };
    if text.contains('"') {
        add("The words of the phrase in any place", unquoted(text), Kept::Filters);
    }
    if tokens.iter().any(is_condition) {
        add(
            "Without the conditions in the text",
            without(&is_condition),
            Kept::Filters,
        );
    }
    if tokens.iter().any(is_excluded) {
        add("Without taking words out", without(&is_excluded), Kept::Filters);
    }
    let words = unquoted(&without(&|token| is_condition(token) || is_excluded(token)));
    let whole = without(&|_| false);
    match filters.is_empty() {
        true if words != whole => add("The words alone", words, Kept::Filters),
        // What it finds without the one filter is known.
        false if words != whole || filters.len() > 1 => {
            add("The words alone, without any filter", words, Kept::Nothing)
        }
        _ => {}
    }
    near
}

/// What the one space is called that is asked for, by the filter or in the text.
fn these_spaces(query: &Query, standing: &Standing) -> String {
    let chosen = query.filter.spaces.iter();
    let chosen = chosen.map(|space| standing.spaces.get(&space.0).map_or("this space", String::as_str));
    let typed = tokens(&query.text).into_iter();
    let typed = typed.filter(|token| token.field == Some("space:") && !token.negated);
    let typed = typed.map(|token| token.value);
    let named: Vec<&str> = chosen.chain(typed).collect();
    match named[..] {
        [one] => one.to_owned(),
        _ => "these spaces".to_owned(),
    }
}

/// Where more is, when spaces are chosen.
fn outside(scope: &Scope, fields: &Fields, answer: &Answer) -> Option<Way> {
    let widened = answer
        .widened
        .iter()
        .find(|widened| widened.without == Narrowing::Spaces)?;
    let more = widened.total.saturating_sub(answer.hits.total);
    let told = match widened.uncounted || answer.hits.uncounted {
        true => "Search in all spaces".to_owned(),
        false => format!("{more} more in other spaces"),
    };
    (more > 0).then(|| Way {
        told,
        count: String::new(),
        link: fields.without_any(&["space", "page"]).after(&scope.way),
    })
}

/// Things to type that find something here.
fn tips(scope: &Scope, answer: &Answer) -> Vec<Tip> {
    let facets = &answer.hits.facets;
    let quoted = |name: &str| match name.contains(|letter: char| !letter.is_alphanumeric()) {
        true => format!("\"{}\"", name.replace('"', "")),
        false => name.to_owned(),
    };
    let mut texts = vec![
        ("\"in this order\"".to_owned(), "words next to each other"),
        ("wanted -unwanted".to_owned(), "without a word"),
        ("title:runbook".to_owned(), "in the title"),
    ];
    let key = facets
        .spaces
        .iter()
        .map(|count| readable_key(&count.key))
        .find(|key| !key.is_empty());
    texts.extend(key.map(|key| (format!("space:{}", quoted(key)), "in a space")));
    let person = facets.people.first();
    texts.extend(person.map(|person| (format!("author:{}", quoted(&person.name)), "by somebody")));
    let label = facets.labels.first();
    texts.extend(label.map(|(label, _)| (format!("label:{}", quoted(label)), "with a label")));
    let tip = |(text, told): (String, &'static str)| Tip {
        link: Fields::default().having("q", &text).after(&scope.way),
        text,
        told,
    };
    texts.into_iter().map(tip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(text: &str) -> Vec<String> {
        nearby(text, &[]).into_iter().map(|(_, text, _)| text).collect()
    }

    #[test]
    fn a_question_that_finds_nothing_is_asked_with_less() {
        assert_eq!(near("pump \"run dry\""), ["pump run dry"]);
        assert_eq!(
            near("pump title:\"old one\" -draft"),
            [
                "pump title: old one -draft",
                "pump -draft",
                "pump title:\"old one\"",
                "pump"
            ]
        );
        assert_eq!(near("-label:x pump"), ["pump"]);
        assert!(near("pump").is_empty() && near("").is_empty() && near("title:x").is_empty());
        assert!(near("std::fmt - --").is_empty());
    }

    #[test]
    fn filters_are_all_taken_away_only_where_that_is_not_known_yet() {
        let one = |without| Widened {
            without,
            total: 0,
            uncounted: false,
            facets: Default::default(),
        };
        let (kinds, labels) = (one(Narrowing::Kinds), one(Narrowing::Labels));
        assert!(nearby("pump", std::slice::from_ref(&kinds)).is_empty());
        let near = nearby("pump", &[kinds, labels]);
        assert!(matches!(&near[..], [(_, text, Kept::Nothing)] if text == "pump"));
    }
}
