//! Where each key's vector is: places in an array of keys, found by the keys themselves, which are hashes already.

/// No place.
pub const NONE: u32 = u32::MAX;
/// The fewest buckets.
const BUCKETS_MIN: usize = 64;

/// Half of it is empty at least. Four bytes a bucket: keys are looked at where they are kept anyway.
#[derive(Default)]
pub struct Table {
    buckets: Vec<u32>,
    count: usize,
}

impl Table {
    pub fn get(&self, keys: &[u64], key: u64) -> Option<u32> {
        if self.buckets.is_empty() {
            return None;
        }
        match self.buckets[self.bucket(keys, key)] {
            NONE => None,
            place => Some(place),
        }
    }

    /// Whatever was there for this key is there no more.
    pub fn insert(&mut self, keys: &[u64], place: u32) {
        if (self.count + 1) * 2 > self.buckets.len() {
            let former = std::mem::take(&mut self.buckets);
            self.buckets = vec![NONE; (former.len() * 2).max(BUCKETS_MIN)];
            for place in former.into_iter().filter(|place| *place != NONE) {
                let bucket = self.bucket(keys, keys[place as usize]);
                self.buckets[bucket] = place;
            }
        }
        let bucket = self.bucket(keys, keys[place as usize]);
        self.count += usize::from(self.buckets[bucket] == NONE);
        self.buckets[bucket] = place;
    }

    /// The bucket that holds the key, or the empty one where it would be.
    fn bucket(&self, keys: &[u64], key: u64) -> usize {
        // The number of buckets is a power of two.
        let last = self.buckets.len() - 1;
        let mut bucket = usize::try_from(key & last as u64).unwrap_or(0);
        while self.buckets[bucket] != NONE && keys[self.buckets[bucket] as usize] != key {
            bucket = (bucket + 1) & last;
        }
        bucket
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_found_and_no_other() {
        let keys: Vec<u64> = (1..=1_000).map(|n| n * 64).collect();
        let mut table = Table::default();
        assert_eq!(table.get(&[], 64), None);
        for place in 0..1_000 {
            table.insert(&keys[..=place as usize], place);
        }
        for place in 0..1_000 {
            assert_eq!(table.get(&keys, keys[place as usize]), Some(place));
        }
        assert_eq!(table.get(&keys, 65), None);
    }
}
