//! Maps that yield their entries in the order in which Java's `HashMap` or `LinkedHashMap` would, because that order
//! reaches the bytes of JSON and the text of files.
//!
//! A `HashMap` orders by bucket, and inside a bucket by insertion; the number of buckets depends on how the map grew.
//! (Only buckets with more than eight keys of one hash, which Java turns into trees, may differ.)

use java::order::{
    DEFAULT_BUCKETS, FULL_BUCKET, TREE_BUCKETS, buckets_for, buckets_of_copy, spread, string_hash, threshold,
};

use super::hash::hash_code;
use super::value::Value;

/// From this many entries on, no bucket decides about the number of buckets.
const SEQUENTIAL: usize = 48;

/// A map; keys of any type, each once.
#[derive(Debug, Clone, Default)]
pub struct Map {
    entries: Vec<Entry>,
    table: Table,
}

#[derive(Debug, Clone)]
struct Entry {
    /// `hashCode` spread as `HashMap` does.
    hash: u32,
    pair: (Value, Value),
}

/// Number of buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Table {
    /// A `HashMap` before its first entry: the number of buckets that it will have.
    #[default]
    Default,
    Hash(u32),
    /// A `LinkedHashMap`: in the order of insertion.
    Linked,
}

impl Map {
    /// An empty `HashMap`.
    pub fn new() -> Self {
        Self::default()
    }

    /// `new HashMap(capacity)`: the number of buckets is the next power of two.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { entries: Vec::new(), table: Table::Hash(buckets_for(capacity)) }
    }

    /// An empty `LinkedHashMap`.
    pub fn linked() -> Self {
        Self { entries: Vec::new(), table: Table::Linked }
    }

    /// `new HashMap(map)`: a copy whose number of buckets depends on the size only, as in Java 17.
    #[must_use]
    pub fn copied(&self) -> Self {
        let mut copy = Self { entries: Vec::new(), table: Table::Hash(buckets_of_copy(self.len())) };
        copy.entries.reserve(self.len());
        copy.add_all(self.iter().map(|(key, value)| (key.clone(), value.clone())).collect());
        copy
    }

    /// True for what would be a `LinkedHashMap` in Java.
    pub fn is_linked(&self) -> bool {
        self.table == Table::Linked
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True without entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        let index = self.position(spread(hash_code(key)), |known| known == key)?;
        Some(&self.entries[index].pair.1)
    }

    /// The value of a string key.
    pub fn get_str(&self, key: &str) -> Option<&Value> {
        let is_key = |known: &Value| matches!(known, Value::String(text) if text == key);
        let index = self.position(spread(string_hash(key)), is_key)?;
        Some(&self.entries[index].pair.1)
    }

    /// Puts a value; gives the one that it replaces.
    pub fn put(&mut self, key: impl Into<Value>, value: Value) -> Option<Value> {
        let key = key.into();
        let hash = spread(hash_code(&key));
        if let Some(index) = self.position(hash, |known| *known == key) {
            return Some(std::mem::replace(&mut self.entries[index].pair.1, value));
        }
        let entry = Entry { hash, pair: (key, value) };
        let Some(buckets) = self.grown_to() else {
            self.entries.push(entry);
            return None;
        };
        let bucket = hash & (buckets - 1);
        let end = self.entries.partition_point(|known| known.hash & (buckets - 1) <= bucket);
        let start = self.entries.partition_point(|known| known.hash & (buckets - 1) < bucket);
        self.entries.insert(end, entry);
        if end - start >= FULL_BUCKET && buckets < TREE_BUCKETS {
            self.rehash(buckets * 2);
        }
        if let Some(buckets) = self.grown_to()
            && self.entries.len() > threshold(buckets)
        {
            self.rehash(buckets * 2);
        }
        None
    }

    /// Removes a string key; gives its value.
    pub fn remove_str(&mut self, key: &str) -> Option<Value> {
        let is_key = |known: &Value| matches!(known, Value::String(text) if text == key);
        let index = self.position(spread(string_hash(key)), is_key)?;
        Some(self.entries.remove(index).pair.1)
    }

    /// Keys and values in Java's order.
    pub fn iter(&self) -> impl Iterator<Item = (&Value, &Value)> {
        self.entries.iter().map(|entry| (&entry.pair.0, &entry.pair.1))
    }

    /// Number of buckets; `None` for a linked map.
    fn grown_to(&mut self) -> Option<u32> {
        match self.table {
            Table::Default => {
                self.table = Table::Hash(DEFAULT_BUCKETS);
                Some(DEFAULT_BUCKETS)
            }
            Table::Hash(buckets) => Some(buckets),
            Table::Linked => None,
        }
    }

    fn rehash(&mut self, buckets: u32) {
        self.table = Table::Hash(buckets);
        self.entries.sort_by_key(|entry| entry.hash & (buckets - 1));
    }

    fn position(&self, hash: u32, is_key: impl Fn(&Value) -> bool) -> Option<usize> {
        let found = |entry: &Entry| entry.hash == hash && is_key(&entry.pair.0);
        let Table::Hash(buckets) = self.table else {
            return self.entries.iter().position(found);
        };
        let bucket = hash & (buckets - 1);
        let start = self.entries.partition_point(|entry| entry.hash & (buckets - 1) < bucket);
        let mut inside =
            self.entries[start..].iter().take_while(|entry| entry.hash & (buckets - 1) == bucket);
        inside.position(found).map(|index| start + index)
    }

    /// Puts many. Into an empty map that takes n log n steps.
    fn add_all(&mut self, pairs: Vec<(Value, Value)>) {
        if pairs.len() <= SEQUENTIAL || !self.is_empty() {
            for (key, value) in pairs {
                self.put(key, value);
            }
            return;
        }
        let entries = pairs.into_iter().map(|pair| Entry { hash: spread(hash_code(&pair.0)), pair });
        self.entries = distinct(entries.collect());
        if let Some(mut buckets) = self.grown_to() {
            while self.entries.len() > threshold(buckets) {
                buckets *= 2;
            }
            self.rehash(buckets);
        }
    }
}

/// Keeps the first of equal keys, with the last of their values, in the order of insertion.
fn distinct(entries: Vec<Entry>) -> Vec<Entry> {
    let mut indexed: Vec<(usize, Entry)> = entries.into_iter().enumerate().collect();
    indexed.sort_by_key(|(index, entry)| (entry.hash, *index));
    let mut kept: Vec<(usize, Entry)> = Vec::with_capacity(indexed.len());
    for (index, entry) in indexed {
        let same_hash = kept.iter_mut().rev().take_while(|(_, known)| known.hash == entry.hash);
        let mut same_key = same_hash.filter(|(_, known)| known.pair.0 == entry.pair.0);
        match same_key.next() {
            Some((_, known)) => known.pair.1 = entry.pair.1,
            None => kept.push((index, entry)),
        }
    }
    kept.sort_by_key(|(index, _)| *index);
    kept.into_iter().map(|(_, entry)| entry).collect()
}

/// As `AbstractMap.equals`: the order does not matter.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

/// A `HashMap` into which the pairs are put one by one.
impl<K: Into<Value>> FromIterator<(K, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(pairs: I) -> Self {
        let mut map = Self::new();
        map.add_all(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect());
        map
    }
}

impl<K: Into<Value>, const N: usize> From<[(K, Value); N]> for Map {
    fn from(pairs: [(K, Value); N]) -> Self {
        pairs.into_iter().collect()
    }
}

impl From<Vec<(Value, Value)>> for Map {
    fn from(pairs: Vec<(Value, Value)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        let pairs: Vec<_> = self.entries.into_iter().map(|entry| entry.pair).collect();
        pairs.into_iter()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn keys(map: &Map) -> Vec<String> {
        map.iter().map(|(key, _)| super::super::java_string(key)).collect()
    }

    #[test]
    fn keys_come_by_bucket() {
        let map: Map = ["version", "name", "id", "Aa", "BB"].map(|key| (key, Value::Null)).into();
        assert_eq!(keys(&map), ["Aa", "BB", "name", "id", "version"]);
        let mut linked = Map::linked();
        for key in ["z", "a", "m"] {
            linked.put(key, Value::Null);
        }
        assert_eq!(keys(&linked), ["z", "a", "m"]);
        assert_eq!(keys(&linked.copied()), ["a", "z", "m"].map(str::to_owned).as_slice());
    }

    #[test]
    fn many_at_once_are_the_same_as_one_by_one() {
        let pairs: Vec<(Value, Value)> =
            (0..500).map(|n| (Value::from(format!("key{}", n % 400)), Value::Int32(n))).collect();
        let at_once: Map = pairs.clone().into();
        let mut one_by_one = Map::new();
        for (key, value) in pairs {
            one_by_one.put(key, value);
        }
        assert_eq!(keys(&at_once), keys(&one_by_one));
        assert_eq!(at_once, one_by_one);
        assert_eq!(at_once.len(), 400);
        assert_eq!(at_once.get_str("key7"), Some(&Value::Int32(407)));
    }

    #[test]
    fn entries_are_replaced_and_removed() {
        let mut map = Map::with_capacity(0);
        assert_eq!(map.put("a", Value::Int32(1)), None);
        assert_eq!(map.put("a", Value::Int32(2)), Some(Value::Int32(1)));
        assert_eq!(map.get(&Value::from("a")), Some(&Value::Int32(2)));
        assert_eq!(map.put(Value::Null, Value::Int32(3)), None);
        assert_eq!(map.remove_str("a"), Some(Value::Int32(2)));
        assert_eq!((map.len(), map.get_str("a")), (1, None));
        assert_ne!(Map::from([(Value::Int32(1), Value::Null)]), Map::from([(Value::Int64(1), Value::Null)]));
    }
}
