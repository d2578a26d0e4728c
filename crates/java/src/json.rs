//! JSON as Java's workers write it, for REST and the internal topics: what serde_json writes, except that characters beyond the
//! basic plane are escaped, and that objects have the order of a `HashMap` where one was in between.

use std::fmt::Write;

use serde::Serialize;

use crate::order::hash_order;

/// Compact JSON of a value.
///
/// # Errors
/// If the value has keys that are no strings.
pub fn text(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(escaped)
}

/// JSON with every character beyond U+FFFF as its two UTF-16 units.
pub fn escaped(json: String) -> String {
    if json.chars().all(|c| c.len_utf16() == 1) {
        return json;
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if c.len_utf16() == 1 {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04X}");
        }
    }
    out
}

/// A JSON object with its members in the order in which Java's worker writes an object that it has read: that of a
/// `HashMap`. Keys of the offset topic are compared by their bytes, so they need it.
pub fn in_hash_order(
    object: &serde_json::Map<String, serde_json::Value>,
) -> serde_json::Map<String, serde_json::Value> {
    let members: Vec<_> = object.iter().collect();
    let order = hash_order(members.iter().map(|(key, _)| key.as_str()));
    order.into_iter().map(|index| (members[index].0.clone(), members[index].1.clone())).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_characters_beyond_the_basic_plane_are_escaped() {
        let json = text(&serde_json::json!({ "ü\u{1F600}": "\u{FFFD}\"\u{10FFFF}" })).unwrap();
        assert_eq!(json, "{\"ü\\uD83D\\uDE00\":\"\u{FFFD}\\\"\\uDBFF\\uDFFF\"}");
        assert_eq!(escaped("[\"plain\"]".to_owned()), "[\"plain\"]");
    }

    #[test]
    fn objects_take_the_order_of_a_hash_map() {
        let object = serde_json::json!({"protocol": 1, "owner": 2, "db": 3, "table": {"b": 1, "a": 2}});
        let ordered = in_hash_order(object.as_object().unwrap());
        assert_eq!(
            serde_json::Value::from(ordered).to_string(),
            r#"{"owner":2,"protocol":1,"db":3,"table":{"b":1,"a":2}}"#
        );
    }
}
