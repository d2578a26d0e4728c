//! The orders in which Java visits strings. They decide ties in an assignment, and a leader of ours must decide them as
//! a Java leader does, or work would move for no reason whenever leadership passes from one kind to the other. They are also
//! seen in answers of REST and in records of the config topic.

use std::cmp::Ordering;

use connect_api::data::java::string_hash;

use crate::ids::TaskId;

/// `String.compareTo`: by UTF-16 units, which differs from Rust's order beyond the basic plane.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

/// `ConnectorTaskId.compareTo`.
pub(crate) fn compare_tasks(left: &TaskId, right: &TaskId) -> Ordering {
    compare(&left.connector, &right.connector).then(left.task.cmp(&right.task))
}

/// The order in which a `HashMap` that got these keys one after the other, from empty, visits them.
pub(crate) fn sort_as_hash_map<T>(items: &mut [T], key: impl Fn(&T) -> &str) {
    sort_from(16, items, key);
}

/// The order in which a `HashMap` visits these keys that was made as a copy of a map with `copied` of them: such a map
/// may be smaller.
pub(crate) fn sort_as_copied_hash_map<T>(items: &mut [T], copied: usize, key: impl Fn(&T) -> &str) {
    // As `new HashMap<>(map)`: the next power of two above 4/3 of the size.
    let capacity = (copied as u32).saturating_mul(4) / 3 + 1;
    sort_from(capacity.next_power_of_two(), items, key);
}

fn sort_from<T>(mut capacity: u32, items: &mut [T], key: impl Fn(&T) -> &str) {
    while items.len() as u64 * 4 > u64::from(capacity) * 3 {
        capacity *= 2;
    }
    // Within a bucket the order of insertion stays: the sort is stable.
    items.sort_by_key(|item| bucket(key(item), capacity));
}

fn bucket(key: &str, capacity: u32) -> u32 {
    let hash = string_hash(key) as u32;
    (hash ^ (hash >> 16)) & (capacity - 1)
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
