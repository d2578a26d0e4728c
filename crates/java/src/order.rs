//! The orders in which Java visits strings and the keys of a `HashMap`. They decide ties in an assignment, and a leader of ours
//! must decide them as a Java leader does, or work would move for no reason whenever leadership passes from one kind to
//! the other. They are also seen in answers of REST, in JSON and in records of the config topic.
//!
//! A `HashMap` orders by bucket, and inside a bucket by insertion; the number of buckets depends on how the map grew.
//! (Only buckets with more than eight keys of one hash, which Java turns into trees, may differ.)

use std::cmp::Ordering;

/// Number of buckets of `new HashMap()`.
pub const DEFAULT_BUCKETS: u32 = 16;

/// A bucket with this many keys doubles a table below [`TREE_BUCKETS`] when it gets one more.
pub const FULL_BUCKET: usize = 8;

/// From this many buckets on, a full bucket becomes a tree instead.
pub const TREE_BUCKETS: u32 = 64;

/// `String.compareTo`: by UTF-16 units, which differs from Rust's order beyond the basic plane.
pub fn compare(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// `String.hashCode`: over UTF-16 units.
pub fn string_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)))
}

/// A `hashCode` as `HashMap` uses it: its low bits, with which buckets are chosen, depend on the high ones too.
pub fn spread(hash: i32) -> u32 {
    let hash = hash as u32;
    hash ^ (hash >> 16)
}

/// Buckets for a capacity, as `HashMap.tableSizeFor`.
pub fn buckets_for(capacity: usize) -> u32 {
    u32::try_from(capacity.max(1).next_power_of_two()).unwrap_or(1 << 30).min(1 << 30)
}

/// Buckets of `new HashMap(map)` for a map of this size, as in Java 17.
pub fn buckets_of_copy(len: usize) -> u32 {
    match len {
        0 => DEFAULT_BUCKETS,
        // Java computes in floats.
        len => buckets_for((len as f32 / 0.75 + 1.0) as usize),
    }
}

/// Number of entries; one more doubles the buckets.
pub fn threshold(buckets: u32) -> usize {
    if buckets >= 1 << 30 { usize::MAX } else { (buckets as f32 * 0.75) as usize }
}

/// The order in which a `HashMap` with these string keys, put one by one, yields them: indices into `keys`, which must
/// be distinct.
pub fn hash_order<'a>(keys: impl IntoIterator<Item = &'a str>) -> Vec<usize> {
    let mut keys: Vec<(usize, &str)> = keys.into_iter().enumerate().collect();
    sort_as_hash_map(&mut keys, |(_, key)| key);
    keys.into_iter().map(|(index, _)| index).collect()
}

/// Sorts items into the order in which a `HashMap` that got their keys one after the other, from empty, visits them.
pub fn sort_as_hash_map<T>(items: &mut [T], key: impl Fn(&T) -> &str) {
    sort_from(DEFAULT_BUCKETS, items, key);
}

/// Sorts items into the order in which a `HashMap` visits their keys that was made as a copy of a map with `copied` of
/// them: such a map may be smaller.
pub fn sort_as_copied_hash_map<T>(items: &mut [T], copied: usize, key: impl Fn(&T) -> &str) {
    sort_from(buckets_of_copy(copied), items, key);
}

fn sort_from<T>(buckets: u32, items: &mut [T], key: impl Fn(&T) -> &str) {
    let hash = |item: &T| spread(string_hash(key(item)));
    let hashes: Vec<u32> = items.iter().map(hash).collect();
    let mask = grown(buckets, &hashes) - 1;
    // Within a bucket the order of insertion stays: the sort is stable.
    items.sort_by_key(|item| hash(item) & mask);
}

/// Number of buckets after keys with these hashes were put one by one.
fn grown(mut buckets: u32, hashes: &[u32]) -> u32 {
    for (len, hash) in hashes.iter().enumerate() {
        let same_bucket = |known: &&u32| (*known ^ hash) & (buckets - 1) == 0;
        if buckets < TREE_BUCKETS && hashes[..len].iter().filter(same_bucket).count() >= FULL_BUCKET {
            buckets *= 2;
        }
        if len + 1 > threshold(buckets) {
            buckets *= 2;
        }
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_compare_by_utf16_units() {
        assert_eq!(compare("a", "b"), Ordering::Less);
        assert_eq!(compare("a", "a-1"), Ordering::Less);
        // U+1F600 begins with the unit D83D, which is below FF21.
        assert_eq!(compare("\u{1F600}", "\u{FF21}"), Ordering::Less);
        assert_eq!("\u{1F600}".cmp("\u{FF21}"), Ordering::Greater);
    }

    #[test]
    fn hashes_are_javas() {
        assert_eq!(string_hash("filename"), -734_768_633);
        assert_eq!(string_hash("grüße \u{1F600}"), string_hash("grüße \u{1F600}"));
    }

    #[test]
    fn keys_are_visited_as_java_visits_them() {
        // As `new ArrayList<>(new HashMap<>(...).keySet())` prints them.
        let mut few = ["worker-b", "worker-a", "x"];
        sort_as_hash_map(&mut few, |key| key);
        assert_eq!(few, ["worker-b", "x", "worker-a"]);
        let mut many: Vec<String> = (0..13).map(|n| format!("w{n}")).collect();
        sort_as_hash_map(&mut many, |key| key);
        assert_eq!(many.join(" "), "w7 w8 w9 w11 w10 w0 w12 w1 w2 w3 w4 w5 w6");
    }

    #[test]
    fn a_copied_map_may_be_smaller() {
        let mut task = ["connector.class", "file", "name", "task.class", "topic"];
        sort_as_copied_hash_map(&mut task, 4, |key| key);
        assert_eq!(task, ["connector.class", "name", "topic", "file", "task.class"]);
        sort_as_hash_map(&mut task, |key| key);
        assert_eq!(task, ["connector.class", "file", "task.class", "name", "topic"]);
    }
}
