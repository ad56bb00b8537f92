//! What a question would find in the spaces that it leaves out: "4 hits in other spaces".

use std::cmp::Reverse;

use domain::{
    IndexId, Result,
    hit::SpaceCount,
    query::{Filter, Query},
    syntax::token,
};

use super::together::add_space;
use crate::{App, Caller};

/// The condition of a text that names a space.
const SPACE: &str = "space:";
/// The most spaces that are named.
const SPACES_MAX: usize = 20;

/// Hits in spaces that the question leaves out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// In all of them; counted as far as facets are.
    pub documents: u64,
    /// Most first; some of them when there are many.
    pub spaces: Vec<SpaceCount>,
    /// The question's text without its conditions for spaces.
    pub text: String,
}

impl App {
    /// How many documents match in the spaces that the query leaves out by its filter, or by `space:` in its text, of the
    /// same indexes. None when it leaves none out. Costs a search of each index, so it is for when little was found.
    pub async fn hits_in_other_spaces(
        &self,
        caller: &Caller,
        indexes: &[IndexId],
        query: &Query,
    ) -> Result<Option<Elsewhere>> {
        let (text, named) = without_spaces(&query.text);
        if query.filter.spaces.is_empty() && named.is_empty() {
            return Ok(None);
        }
        let wider = Query {
            text: text.clone(),
            filter: Filter {
                spaces: Vec::new(),
                ..query.filter.clone()
            },
            offset: 0,
            limit: 1,
            ..query.clone()
        };
        let found = self.search_several(caller, indexes, &wider, None).await?;
        let is_meant = |count: &SpaceCount| {
            let called = |name: &String| {
                let name = name.to_lowercase();
                count.key.to_lowercase() == name || count.name.to_lowercase() == name
            };
            // Both must hold, where both are there.
            (query.filter.spaces.is_empty() || query.filter.spaces.contains(&count.space))
                && (named.is_empty() || named.iter().any(called))
        };
        let mut spaces = Vec::new();
        for count in found.facets.spaces.into_iter().filter(|count| !is_meant(count)) {
            add_space(&mut spaces, count);
        }
        let documents = spaces.iter().map(|count| count.documents).sum();
        spaces.sort_by(|a, b| (Reverse(a.documents), &a.key).cmp(&(Reverse(b.documents), &b.key)));
        spaces.truncate(SPACES_MAX);
        Ok(Some(Elsewhere {
            documents,
            spaces,
            text,
        }))
    }
}

/// A text without `space:KEY` and `space:"A name"`, and what they name. Spaces that are excluded stay excluded.
fn without_spaces(text: &str) -> (String, Vec<String>) {
    let (mut kept, mut named) = (String::with_capacity(text.len()), Vec::new());
    let mut rest = text;
    while let Some(begin) = rest.find(|c: char| !c.is_whitespace()) {
        kept.push_str(&rest[..begin]);
        let token = token(&rest[begin..]);
        match token.field {
            Some(SPACE) if !token.negated && token.value.contains(char::is_alphanumeric) => {
                named.push(token.value.trim().to_owned());
            }
            _ => kept.push_str(token.whole),
        }
        rest = &rest[begin + token.whole.len()..];
    }
    (kept.trim().to_owned(), named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_for_spaces_are_taken_out_of_a_text_and_nothing_else() {
        for (text, kept, named) in [
            ("pump space:ENG", "pump", &["ENG"][..]),
            ("SPACE:\"Field notes\" pump space:OPS", "pump", &["Field notes", "OPS"]),
            ("\"a space:ENG b\" pump", "\"a space:ENG b\" pump", &[]),
            ("-space:ENG pump", "-space:ENG pump", &[]),
            ("space: pump", "space: pump", &[]),
            ("myspace:ENG", "myspace:ENG", &[]),
            ("title:\"x space:ENG\" ü", "title:\"x space:ENG\" ü", &[]),
            ("space:\"open", "", &["open"]),
            ("", "", &[]),
        ] {
            let (text_kept, found) = without_spaces(text);
            assert_eq!(
                (text_kept.as_str(), found.iter().map(String::as_str).collect::<Vec<_>>()),
                (kept, named.to_vec()),
                "{text}"
            );
        }
    }
}
