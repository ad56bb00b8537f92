//! Given what each index answered, gives one answer: totals, facets and mended words added up.

use std::cmp::Reverse;

use domain::hit::{Also, DAYS_MAX, DayCount, Facets, PersonCount, SpaceCount};

use super::{HitOf, HitsOfSeveral, TotalOf, Unanswered, merge::Merged};

/// The most values of one facet, as of one index.
const VALUES_MAX: usize = 50;
/// The most words that an answer tells to have been searched beside another.
const ALSO_MAX: usize = 64;

pub fn together(merged: Merged) -> HitsOfSeveral {
    let names: Vec<_> = merged
        .lanes
        .iter()
        .map(|lane| (lane.index.id, lane.index.name.clone()))
        .collect();
    let hits = merged.hits.into_iter().map(|(lane, hit)| HitOf {
        index: names[lane].0,
        index_name: names[lane].1.clone(),
        hit,
    });
    let mut whole = HitsOfSeveral {
        hits: hits.collect(),
        more: merged.more,
        begun: merged.begun,
        ..HitsOfSeveral::default()
    };
    for lane in merged.lanes {
        let (index, index_name, counts) = (lane.index.id, lane.index.name, lane.counts);
        if let Some(failure) = lane.failure {
            whole.unanswered.push(Unanswered {
                index,
                index_name,
                reason: failure.message,
            });
            // It may have failed after it answered.
            if counts.total == 0 {
                continue;
            }
            whole.total += counts.total;
            whole.uncounted |= counts.uncounted;
        } else {
            whole.total += counts.total;
            whole.uncounted |= counts.uncounted;
            whole.answered.push(TotalOf {
                index,
                index_name,
                total: counts.total,
                uncounted: counts.uncounted,
            });
        }
        add_facets(&mut whole.facets, counts.facets);
        counts.also.into_iter().for_each(|also| add_also(&mut whole.also, also));
    }
    in_order(&mut whole.facets);
    whole
}

fn add_facets(whole: &mut Facets, facets: Facets) {
    for count in facets.spaces {
        add_space(&mut whole.spaces, count);
    }
    for (kind, documents) in facets.kinds {
        add_word(&mut whole.kinds, kind, documents);
    }
    for count in facets.people {
        add_person(&mut whole.people, count);
    }
    for (label, documents) in facets.labels {
        add_word(&mut whole.labels, label, documents);
    }
    for count in facets.days {
        add_day(&mut whole.days, count);
    }
}

fn add_word(whole: &mut Vec<(String, u64)>, word: String, documents: u64) {
    match whole.iter_mut().find(|(known, _)| *known == word) {
        Some((_, known)) => *known += documents,
        None => whole.push((word, documents)),
    }
}

/// Days stand newest first.
fn add_day(whole: &mut Vec<DayCount>, count: DayCount) {
    match whole.binary_search_by_key(&Reverse(count.day), |known| Reverse(known.day)) {
        Ok(place) => whole[place].documents += count.documents,
        Err(place) => whole.insert(place, count),
    }
}

/// A space that two indexes carry is one space: the filter for it filters both.
pub fn add_space(whole: &mut Vec<SpaceCount>, count: SpaceCount) {
    match whole.iter_mut().find(|known| known.space == count.space) {
        Some(known) => known.documents += count.documents,
        None => whole.push(count),
    }
}

fn add_person(whole: &mut Vec<PersonCount>, count: PersonCount) {
    match whole.iter_mut().find(|known| known.account == count.account) {
        Some(known) => known.documents += count.documents,
        None => whole.push(count),
    }
}

fn add_also(whole: &mut Vec<Also>, also: Also) {
    let Some(known) = whole.iter_mut().find(|known| known.asked == also.asked) else {
        if whole.len() < ALSO_MAX {
            whole.push(also);
        }
        return;
    };
    for word in also.searched {
        if !known.searched.contains(&word) && known.searched.len() < ALSO_MAX {
            known.searched.push(word);
        }
    }
}

/// Most first, as one index gives them.
fn in_order(facets: &mut Facets) {
    facets
        .spaces
        .sort_by(|a, b| (Reverse(a.documents), &a.key).cmp(&(Reverse(b.documents), &b.key)));
    facets.spaces.truncate(VALUES_MAX);
    facets
        .kinds
        .sort_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
    facets.kinds.truncate(VALUES_MAX);
    facets
        .labels
        .sort_by(|a, b| (Reverse(a.1), &a.0).cmp(&(Reverse(b.1), &b.0)));
    facets.labels.truncate(VALUES_MAX);
    facets.days.truncate(DAYS_MAX);
    facets
        .people
        .sort_by(|a, b| (Reverse(a.documents), &a.name).cmp(&(Reverse(b.documents), &b.name)));
    facets.people.truncate(VALUES_MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_and_days_of_several_indexes_are_added_up_and_keep_their_order() {
        let facets = |labels: &[(&str, u64)], days: &[(i64, u64)]| Facets {
            labels: labels
                .iter()
                .map(|(label, count)| ((*label).to_owned(), *count))
                .collect(),
            days: days
                .iter()
                .map(|(day, documents)| DayCount {
                    day: *day,
                    documents: *documents,
                })
                .collect(),
            ..Facets::default()
        };
        let mut whole = Facets::default();
        add_facets(&mut whole, facets(&[("a", 1), ("b", 2)], &[(5, 1), (3, 1)]));
        add_facets(&mut whole, facets(&[("b", 1)], &[(4, 2), (3, 1)]));
        in_order(&mut whole);
        assert_eq!(whole, facets(&[("b", 3), ("a", 1)], &[(5, 1), (4, 2), (3, 2)]));
    }
}
