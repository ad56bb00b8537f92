//! Given a CQL query and a site, gives which content matches.

use crate::{
    call::Call,
    cql::{Clause, Operator},
    moment::{DAY_MS, HOUR_MS, MINUTE_MS, parsed},
    storage_format::text,
    world::{Kind, SpaceStatus},
};

/// A clause made ready: names looked up, times read.
pub enum Check {
    All(Vec<Check>),
    Any(Vec<Check>),
    Not(Box<Check>),
    Space(Vec<u32>),
    SpaceKind(Vec<String>),
    Kind(Vec<Kind>),
    Id(Vec<u32>),
    Title(Vec<String>),
    /// Each value's words, all of which must occur in the title.
    TitleWords(Vec<String>),
    /// The same, in the title or the body.
    Words(Vec<String>),
    Label(Vec<String>),
    Creator(Vec<u16>),
    Contributor(Vec<u16>),
    Modified(Span),
    Created(Span),
    Parent(Vec<u32>),
    Ancestor(Vec<u32>),
    Container(Vec<u32>),
}

/// From the first millisecond to before the second.
#[derive(Clone, Copy)]
pub struct Span(i64, i64);

impl Span {
    fn holds(self, at: i64) -> bool {
        (self.0..self.1).contains(&at)
    }
}

impl Check {
    pub fn of(call: &Call, clause: &Clause) -> Result<Self, String> {
        let each = |clauses: &[Clause]| {
            clauses
                .iter()
                .map(|clause| Self::of(call, clause))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match clause {
            Clause::All(clauses) => Self::All(each(clauses)?),
            Clause::Any(clauses) => Self::Any(each(clauses)?),
            Clause::Not(clause) => Self::Not(Box::new(Self::of(call, clause)?)),
            Clause::Test {
                field,
                operator,
                values,
            } => test(call, field, *operator, values)?,
        })
    }

    /// The spaces outside of which nothing matches.
    pub fn spaces(&self) -> Option<&[u32]> {
        match self {
            Self::Space(places) => Some(places),
            Self::All(checks) => checks.iter().find_map(Self::spaces),
            _ => None,
        }
    }

    /// The kinds besides which nothing matches.
    pub fn kinds(&self) -> Option<&[Kind]> {
        match self {
            Self::Kind(kinds) => Some(kinds),
            Self::All(checks) => checks.iter().find_map(Self::kinds),
            _ => None,
        }
    }

    /// The ids besides which nothing matches.
    pub fn ids(&self) -> Option<&[u32]> {
        match self {
            Self::Id(slots) => Some(slots),
            Self::All(checks) => checks.iter().find_map(Self::ids),
            _ => None,
        }
    }

    pub fn holds(&self, call: &Call, slot: u32) -> bool {
        let site = call.site;
        let item = site.item(slot);
        match self {
            Self::All(checks) => checks.iter().all(|check| check.holds(call, slot)),
            Self::Any(checks) => checks.iter().any(|check| check.holds(call, slot)),
            Self::Not(check) => !check.holds(call, slot),
            Self::Space(places) => places.contains(&item.space),
            Self::SpaceKind(kinds) => kinds.contains(&site.space_of(slot).kind),
            Self::Kind(kinds) => kinds.contains(&item.kind),
            Self::Id(slots) => slots.contains(&slot),
            Self::Title(titles) => titles.contains(&site.title(slot).to_lowercase()),
            Self::TitleWords(words) => has_words(&site.title(slot), words),
            Self::Words(words) => {
                let body = text(&site.body(slot));
                has_words(&format!("{} {body}", site.title(slot)), words)
            }
            Self::Label(labels) => site.labels(slot).iter().any(|label| labels.contains(label)),
            Self::Creator(people) => people.contains(&item.author),
            Self::Contributor(people) => people.contains(&item.author) || people.contains(&item.editor),
            Self::Modified(span) => span.holds(item.modified_at),
            Self::Created(span) => span.holds(item.created_at),
            Self::Parent(slots) => {
                let parent = item.reply_to.or(item.holder.filter(|_| item.kind == Kind::Page));
                parent.is_some_and(|parent| slots.contains(&parent))
            }
            Self::Ancestor(slots) => site.ancestors(slot).iter().any(|above| slots.contains(above)),
            Self::Container(slots) => {
                matches!(item.kind, Kind::Comment | Kind::Attachment)
                    && item.holder.is_some_and(|holder| slots.contains(&holder))
            }
        }
    }
}

fn has_words(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word.as_str()))
}

fn words_of(value: &str) -> Vec<String> {
    let word = |word: &str| {
        word.trim_matches(|letter: char| !letter.is_alphanumeric())
            .to_lowercase()
    };
    value
        .split_whitespace()
        .map(word)
        .filter(|word| !word.is_empty())
        .collect()
}

fn test(call: &Call, field: &str, operator: Operator, values: &[String]) -> Result<Check, String> {
    let span = |zone_ms: i64| span(call, operator, values, zone_ms);
    let zone_ms = call.fake.options.cql_zone_minutes * MINUTE_MS;
    let check = match field {
        "lastmodified" => return Ok(Check::Modified(span(zone_ms)?)),
        "created" => return Ok(Check::Created(span(zone_ms)?)),
        "title" if matches!(operator, Operator::Contains | Operator::ContainsNot) => {
            Check::TitleWords(values.iter().flat_map(|value| words_of(value)).collect())
        }
        "text" | "sitesearch" => Check::Words(values.iter().flat_map(|value| words_of(value)).collect()),
        "title" => Check::Title(values.iter().map(|value| value.to_lowercase()).collect()),
        "space" | "space.key" => Check::Space(values.iter().filter_map(|key| call.site.space_by_key(key)).collect()),
        "space.type" => Check::SpaceKind(values.to_vec()),
        "type" => Check::Kind(values.iter().filter_map(|word| kind(word)).collect()),
        "id" | "content" => Check::Id(slots(call, values)),
        "label" => Check::Label(values.iter().map(|label| label.to_lowercase()).collect()),
        "creator" => Check::Creator(people(call, values)),
        "contributor" => Check::Contributor(people(call, values)),
        "parent" => Check::Parent(slots(call, values)),
        "ancestor" => Check::Ancestor(slots(call, values)),
        "container" => Check::Container(slots(call, values)),
        other => return Err(format!("No field exists with name: {other}")),
    };
    match operator {
        Operator::Is | Operator::In | Operator::Contains => Ok(check),
        Operator::IsNot | Operator::NotIn | Operator::ContainsNot => Ok(Check::Not(Box::new(check))),
        Operator::Above | Operator::AtLeast | Operator::Below | Operator::AtMost => {
            Err(format!("The field {field} does not support this operator"))
        }
    }
}

fn kind(word: &str) -> Option<Kind> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.word().eq_ignore_ascii_case(word))
}

fn slots(call: &Call, values: &[String]) -> Vec<u32> {
    values.iter().filter_map(|id| call.site.slot(id)).collect()
}

fn people(call: &Call, values: &[String]) -> Vec<u16> {
    let account = |value: &String| match value.as_str() {
        "currentuser()" => call.world.person(call.account),
        account => call.world.person(account),
    };
    values.iter().filter_map(account).collect()
}

fn span(call: &Call, operator: Operator, values: &[String], zone_ms: i64) -> Result<Span, String> {
    let value = values.first().map(String::as_str).unwrap_or_default();
    let (begin, length) = moment(value, call.now, zone_ms)?;
    let end = begin + length;
    Ok(match operator {
        Operator::Is | Operator::In | Operator::Contains => Span(begin, end),
        Operator::Above => Span(end, i64::MAX),
        Operator::AtLeast => Span(begin, i64::MAX),
        Operator::Below => Span(i64::MIN, begin),
        Operator::AtMost => Span(i64::MIN, end),
        Operator::IsNot | Operator::NotIn | Operator::ContainsNot => {
            return Err("A date field does not support this operator".into());
        }
    })
}

/// When it begins and how long it is: a minute, or a day if no time is given.
fn moment(value: &str, now: i64, zone_ms: i64) -> Result<(i64, i64), String> {
    let minute = |at: i64| at.div_euclid(MINUTE_MS) * MINUTE_MS;
    if let Some(argument) = value.strip_prefix("now(").and_then(|rest| rest.strip_suffix(')')) {
        return Ok((minute(now + shift(argument)?), MINUTE_MS));
    }
    if value.starts_with("startofday(") {
        return Ok(((now + zone_ms).div_euclid(DAY_MS) * DAY_MS - zone_ms, MINUTE_MS));
    }
    let at = parsed(value).ok_or_else(|| format!("'{value}' is not a valid date"))? - zone_ms;
    match value.contains(':') {
        true => Ok((at, MINUTE_MS)),
        false => Ok((at, DAY_MS)),
    }
}

/// `-1d`, `4w`, `-30m` …
fn shift(argument: &str) -> Result<i64, String> {
    if argument.is_empty() {
        return Ok(0);
    }
    let invalid = || format!("'{argument}' is not a valid increment");
    let (number, unit) = argument.split_at_checked(argument.len() - 1).ok_or_else(invalid)?;
    let number: i64 = number.parse().map_err(|_| invalid())?;
    let unit = match unit {
        "m" => MINUTE_MS,
        "h" => HOUR_MS,
        "d" => DAY_MS,
        "w" => 7 * DAY_MS,
        "M" => 30 * DAY_MS,
        "y" => 365 * DAY_MS,
        _ => return Err(invalid()),
    };
    number.checked_mul(unit).ok_or_else(invalid)
}

/// Whether a search looks into archived spaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Archived {
    LeftOut,
    Included,
}

/// Archived pages and the trash are never found.
pub fn searched(call: &Call, slot: u32, archived: Archived) -> bool {
    let space = call.site.space_of(slot);
    (archived == Archived::Included || space.status == SpaceStatus::Current) && call.site.shows(call.reader, slot)
}
