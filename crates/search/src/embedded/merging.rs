//! Which segments become one. Filling an index, segments stay small: a merge reads what it merges whole, and what it reads
//! counts as memory until it is done. At rest they grow, for a search pays for each segment.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tantivy::{
    SegmentMeta,
    indexer::{LogMergePolicy, MergeCandidate, MergePolicy},
};

/// So many small segments become one.
const MERGED: usize = 4;
/// The largest small segment, in passages.
const SMALL_MAX: u32 = 40_000;
/// So many larger ones become one, at rest.
const MERGED_AT_REST: usize = 3;
/// What larger ones become has no more passages: a site of a hundred thousand pages has some eight segments then, and a
/// merge reads little more than a hundred megabytes.
const LARGE_MAX: u32 = 200_000;
/// An index is at rest when nothing was written for so long.
const REST: Duration = Duration::from_secs(20);

/// Whether an index is being filled or at rest, as its writes tell.
#[derive(Debug, Default)]
pub struct Resting {
    written: Mutex<Option<Instant>>,
    rests: AtomicBool,
}

impl Resting {
    /// Something is about to be written at this time.
    pub fn writes(&self, now: Instant) {
        let before = self.written.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        let rests = before.is_none_or(|before| now.duration_since(before) >= REST);
        self.rests.store(rests, Ordering::Relaxed);
    }
}

/// The policy of one index.
#[derive(Debug)]
pub struct Merging {
    small: LogMergePolicy,
    resting: Arc<Resting>,
}

impl Merging {
    pub fn of(resting: Arc<Resting>) -> Self {
        let mut small = LogMergePolicy::default();
        small.set_min_num_segments(MERGED);
        small.set_min_layer_size(SMALL_MAX);
        small.set_max_docs_before_merge(SMALL_MAX as usize);
        Self { small, resting }
    }
}

impl MergePolicy for Merging {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let small = self.small.compute_merge_candidates(segments);
        if !small.is_empty() || !self.resting.rests.load(Ordering::Relaxed) {
            return small;
        }
        let sizes: Vec<u32> = segments.iter().map(SegmentMeta::num_docs).collect();
        let chosen = together(&sizes).into_iter().map(|place| segments[place].id());
        let chosen: Vec<_> = chosen.collect();
        if chosen.is_empty() {
            Vec::new()
        } else {
            vec![MergeCandidate(chosen)]
        }
    }
}

/// Which of the larger segments, by their passages, become one at rest: the smallest ones, as many as fit.
fn together(sizes: &[u32]) -> Vec<usize> {
    let larger = |place: &usize| (SMALL_MAX + 1..=LARGE_MAX / 2).contains(&sizes[*place]);
    let mut places: Vec<usize> = (0..sizes.len()).filter(larger).collect();
    places.sort_by_key(|place| sizes[*place]);
    let mut sum = 0;
    places.retain(|place| {
        sum += sizes[*place];
        sum <= LARGE_MAX
    });
    if places.len() < MERGED_AT_REST {
        places.clear();
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn larger_segments_become_one_as_far_as_they_fit() {
        assert_eq!(together(&[60_000, 41_000, 12, 45_000, 50_000, 150_000]), [1, 3, 4, 0]);
        assert!(together(&[90_000, 90_000, 90_000]).is_empty(), "three do not fit");
        assert!(together(&[39_000, 60_000, 60_000]).is_empty(), "two are not worth it");
    }

    #[test]
    fn an_index_that_is_written_again_and_again_does_not_rest() {
        let (resting, start) = (Resting::default(), Instant::now());
        let rests = |seconds| {
            resting.writes(start + Duration::from_secs(seconds));
            resting.rests.load(Ordering::Relaxed)
        };
        assert!(rests(0), "after a start");
        assert!(!rests(19));
        assert!(!rests(38), "since the last write, not since the first");
        assert!(rests(58));
    }
}
