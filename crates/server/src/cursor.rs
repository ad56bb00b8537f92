//! Where an answer goes on, in a word that the client gives back. It is bound to its question, and what it holds is read
//! like everything from outside: it can lead nowhere that the question alone could not.

use app::search_several::{INDEXES_MAX, Place};
use domain::{
    Error, IndexId, Result,
    query::{LIMIT_MAX, OFFSET_MAX},
};
use sha2::{Digest, Sha256};

/// The longest cursor that is read; Circuit's own are shorter.
const CURSOR_BYTES_MAX: usize = 4_000;
/// An index gives no more hits than those that begin at the deepest place.
const GIVEN_MAX: usize = OFFSET_MAX + LIMIT_MAX;

fn foreign() -> Error {
    Error::invalid("this cursor is not one of this question's; ask again without a cursor")
}

/// How far an answer to this question came in each index that it searched.
pub fn of_search(question: &str, places: &[Place]) -> String {
    let places = places.iter().map(|place| {
        let scale = place
            .scale
            .map_or_else(String::new, |scale| format!("{:x}", scale.to_bits()));
        format!("{}-{}-{scale}", place.index, place.given)
    });
    format!("{}.{}", mark(question), places.collect::<Vec<_>>().join("."))
}

/// The same again, read.
pub fn read_search(question: &str, cursor: &str) -> Result<Vec<Place>> {
    let rest = bounded(cursor)?
        .strip_prefix(&mark(question))
        .and_then(|rest| rest.strip_prefix('.'));
    let places: Vec<Place> = rest.ok_or_else(foreign)?.split('.').map(place).collect::<Result<_>>()?;
    match places.len() <= INDEXES_MAX {
        true => Ok(places),
        false => Err(foreign()),
    }
}

fn place(text: &str) -> Result<Place> {
    let (place, scale) = text.rsplit_once('-').ok_or_else(foreign)?;
    let (index, given) = pair(place)?;
    let scale = match scale {
        "" => None,
        scale => Some(f32::from_bits(u32::from_str_radix(scale, 16).map_err(|_| foreign())?)),
    };
    match given <= GIVEN_MAX && scale.is_none_or(|scale| scale.is_finite() && scale >= 0.0) {
        true => Ok(Place { index, given, scale }),
        false => Err(foreign()),
    }
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
        let place = |index, given, scale| Place {
            index: IndexId(index),
            given,
            scale,
        };
        let places = vec![
            place(3, 10, Some(0.123_456_79)),
            place(12, 0, None),
            place(4, 2, Some(0.0)),
        ];
        let cursor = of_search("pump", &places);
        assert_eq!(read_search("pump", &cursor).unwrap(), places);
        assert!(read_search("valve", &cursor).is_err());
        let own = |rest: &str| format!("{}.{rest}", mark("pump"));
        let not_a_number = own("3-1-7fc00000");
        let many = own(&vec!["1-1-0"; INDEXES_MAX + 1].join("."));
        for odd in [
            "",
            ".",
            "x",
            "deadbeef.1-1-0",
            &own(""),
            &own("1-1"),
            &own("1-1-x"),
            &own("1-99999999-0"),
            &own("1-1--1"),
            &not_a_number,
            &own("3-1-bf800000"),
            &many,
            &format!("{cursor}."),
            &"9".repeat(5_000),
        ] {
            assert!(read_search("pump", odd).is_err(), "{odd:?}");
        }
        assert_eq!(read_place(&of_place(-7, 42)).unwrap(), (-7, 42));
        assert!(read_place("7").is_err() && read_place("7-x").is_err() && read_place("7--1").is_err());
    }
}
