//! Where an answer goes on, in a word that the client gives back.

use domain::{Error, IndexId, Result};
use sha2::{Digest, Sha256};

/// The longest cursor that is read; Circuit's own are shorter.
const CURSOR_BYTES_MAX: usize = 4_000;

fn foreign() -> Error {
    Error::invalid("this cursor is not one of this question's; ask again without a cursor")
}

/// How many results were given of each index that has more, for one question.
pub fn of_search(question: &str, given: &[(IndexId, usize)]) -> Option<String> {
    if given.is_empty() {
        return None;
    }
    let given: Vec<String> = given.iter().map(|(index, given)| format!("{index}-{given}")).collect();
    Some(format!("{}.{}", mark(question), given.join(".")))
}

/// The same again, read.
pub fn read_search(question: &str, cursor: &str) -> Result<Vec<(IndexId, usize)>> {
    let rest = bounded(cursor)?
        .strip_prefix(&mark(question))
        .and_then(|rest| rest.strip_prefix('.'));
    rest.ok_or_else(foreign)?.split('.').map(pair).collect()
}

/// Two numbers: which state of what was read, and how far it was read.
pub fn of_place(state: i64, place: usize) -> String {
    format!("{state}-{place}")
}

pub fn read_place(cursor: &str) -> Result<(i64, usize)> {
    pair(bounded(cursor)?).map(|(IndexId(state), place)| (state, place))
}

fn pair(text: &str) -> Result<(IndexId, usize)> {
    let (first, second) = text.rsplit_once('-').ok_or_else(foreign)?;
    match (first.parse(), second.parse()) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        _ => Err(foreign()),
    }
}

fn bounded(cursor: &str) -> Result<&str> {
    match cursor.len() <= CURSOR_BYTES_MAX {
        true => Ok(cursor),
        false => Err(foreign()),
    }
}

/// Tells questions apart: a cursor of another one would pass over what nobody saw.
fn mark(question: &str) -> String {
    let digest = Sha256::digest(question.as_bytes());
    digest[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_on_with_its_own_question_only() {
        let given = vec![(IndexId(3), 10), (IndexId(12), 0)];
        let cursor = of_search("pump", &given).unwrap();
        assert_eq!(read_search("pump", &cursor).unwrap(), given);
        assert!(read_search("valve", &cursor).is_err());
        for odd in ["", ".", "x", "deadbeef.1-1", &format!("{cursor}."), &"9".repeat(5_000)] {
            assert!(read_search("pump", odd).is_err(), "{odd:?}");
        }
        assert_eq!(read_place(&of_place(-7, 42)).unwrap(), (-7, 42));
        assert!(read_place("7").is_err() && read_place("7-x").is_err() && read_place("7--1").is_err());
    }
}
