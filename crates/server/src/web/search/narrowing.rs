//! What the hits may be narrowed to, with counts, and what they are narrowed to already.

use app::widened::Narrowing;
use domain::{Timestamp, hit::Facets};

use super::{
    Answer,
    asked::{CHOSEN_MAX, UPDATED, day_of},
    scope::{Scope, Standing},
};
use crate::web::{
    fields::Fields,
    page::{grouped, kind_name},
};

/// The most values of one facet that are seen at once; the rest unfolds.
const CHOICES_SEEN: usize = 6;
/// Names of the fields that narrow the hits, in the order of their chips, and what their chips say before the value.
pub const NARROWING: [(&str, &str); 8] = [
    ("index", "Index"),
    ("space", "Space"),
    ("kind", "Type"),
    ("person", "By"),
    ("label", "Label"),
    ("updated", "Updated"),
    ("from", "From"),
    ("before", "Before"),
];

/// What is asked for each time, of a facet of which only one value is chosen.
const ANY: &str = "Any time";

/// Values of one field, to choose from.
pub struct Facet {
    pub field: &'static str,
    pub legend: &'static str,
    /// `checkbox`, or `radio` where one value excludes the others.
    pub control: &'static str,
    pub first: Vec<Choice>,
    /// What unfolds.
    pub rest: Vec<Choice>,
    /// Something of the rest is chosen.
    pub open: bool,
}

/// A value that the hits may be narrowed to.
#[derive(Clone)]
pub struct Choice {
    pub value: String,
    pub name: String,
    pub count: Option<String>,
    pub chosen: bool,
}

/// A value that is chosen, to be taken away.
pub struct Chip {
    pub what: &'static str,
    pub name: String,
    /// The same question without it.
    pub without: String,
}

/// Counts of a field stand for what there would be with its own filter taken away: what is chosen can be widened.
pub fn facets(scope: &Scope, fields: &Fields, answer: &Answer, standing: &Standing, now: Timestamp) -> Vec<Facet> {
    let counts = |narrowing: Narrowing| -> &Facets {
        let widened = answer.widened.iter().find(|widened| widened.without == narrowing);
        widened.map_or(&answer.hits.facets, |widened| &widened.facets)
    };
    let spaces = counts(Narrowing::Spaces).spaces.iter();
    let kinds = counts(Narrowing::Kinds).kinds.iter();
    let people = counts(Narrowing::People).people.iter();
    let labels = counts(Narrowing::Labels).labels.iter();
    let indexes = scope
        .all
        .iter()
        .filter(|_| scope.index.is_none() && scope.all.len() > 1);
    let plain = |value: &str| value.to_owned();
    let space_name = |value: &str| standing.spaces.get(value).cloned().unwrap_or_else(|| plain(value));
    let facets = [
        facet(
            ("index", "Index"),
            indexes.map(|view| (view.index.id.to_string(), view.index.name.clone(), None)),
            fields,
            plain,
        ),
        facet(
            ("space", "Space"),
            spaces.map(|count| (count.space.0.clone(), count.name.clone(), Some(count.documents))),
            fields,
            space_name,
        ),
        facet(
            ("kind", "Type"),
            kinds.map(|(word, count)| (word.clone(), kind_name(word).to_owned(), Some(*count))),
            fields,
            |word| kind_name(word).to_owned(),
        ),
        facet(
            ("person", "Author or editor"),
            people.map(|count| (count.account.0.clone(), count.name.clone(), Some(count.documents))),
            fields,
            plain,
        ),
        facet(
            ("label", "Label"),
            labels.map(|(label, count)| (label.clone(), label.clone(), Some(*count))),
            fields,
            plain,
        ),
        updated(fields, counts(Narrowing::Modified), now),
    ];
    let said = |facet: &Facet| !facet.first.is_empty();
    facets.into_iter().filter(said).collect()
}

/// What was counted, most first, and what is chosen though nothing has it.
fn facet(
    (field, legend): (&'static str, &'static str),
    counted: impl Iterator<Item = (String, String, Option<u64>)>,
    fields: &Fields,
    named: impl Fn(&str) -> String,
) -> Facet {
    let chosen = fields.filled(field);
    let mut choices: Vec<Choice> = counted
        .map(|(value, name, count)| Choice {
            chosen: chosen.contains(&value),
            name,
            count: count.map(grouped),
            value,
        })
        .collect();
    for value in chosen.into_iter().take(CHOSEN_MAX) {
        if choices.iter().all(|choice| choice.value != value) {
            choices.push(Choice {
                name: named(&value),
                count: None,
                chosen: true,
                value,
            });
        }
    }
    let rest = choices.split_off(CHOICES_SEEN.min(choices.len()));
    Facet {
        field,
        legend,
        control: "checkbox",
        first: choices,
        open: rest.iter().any(|choice| choice.chosen),
        rest,
    }
}

/// Documents since so many days; nothing when none can be.
fn updated(fields: &Fields, facets: &Facets, now: Timestamp) -> Facet {
    let (today, asked) = (day_of(now), fields.one("updated"));
    let since = |days: i64| {
        let counted = facets.days.iter().filter(|count| count.day >= today - days);
        counted.map(|count| count.documents).sum::<u64>()
    };
    let each = UPDATED.iter().map(|(word, days, name)| Choice {
        value: (*word).to_owned(),
        name: (*name).to_owned(),
        count: Some(grouped(since(*days))),
        chosen: asked == *word,
    });
    let mut choices: Vec<Choice> = each.collect();
    if !choices.iter().any(|choice| choice.chosen) && facets.days.is_empty() {
        choices.clear();
    } else {
        let any = Choice {
            value: String::new(),
            name: ANY.to_owned(),
            count: None,
            chosen: choices.iter().all(|choice| !choice.chosen),
        };
        choices.insert(0, any);
    }
    Facet {
        field: "updated",
        legend: "Updated",
        control: "radio",
        first: choices,
        rest: Vec::new(),
        open: false,
    }
}

/// What is chosen, in words, each with the way to the question without it.
pub fn chips(scope: &Scope, fields: &Fields, facets: &[Facet]) -> Vec<Chip> {
    let mut chips = Vec::new();
    for (field, what) in NARROWING {
        if field == "index" && scope.index.is_some() {
            continue;
        }
        let facet = facets.iter().find(|facet| facet.field == field);
        for value in fields.filled(field).into_iter().take(CHOSEN_MAX) {
            let choices = facet
                .into_iter()
                .flat_map(|facet| facet.first.iter().chain(&facet.rest));
            let name = choices.into_iter().find(|choice| choice.value == value);
            let name = name.map_or_else(|| value.clone(), |choice| choice.name.clone());
            chips.push(Chip {
                what,
                name: match field {
                    "updated" => name.to_lowercase(),
                    _ => name,
                },
                without: fields.without_any(&["page"]).without(field, &value).after(&scope.way),
            });
        }
    }
    chips
}
