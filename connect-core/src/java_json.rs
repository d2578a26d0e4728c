//! JSON text as Java's workers write it, for REST and the internal topics: what serde_json writes, except that characters
//! beyond the basic plane are escaped.

use std::fmt::Write;

use serde::Serialize;

/// Compact JSON of a value that always has one: its keys are strings and its numbers are finite.
pub(crate) fn text(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(escaped)
}

/// JSON with every character beyond U+FFFF as its two UTF-16 units.
pub(crate) fn escaped(json: String) -> String {
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
}
