//! Texts of transcripts: what differs from run to run has a name instead, and everything stands on one line.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Deserializer, Value};

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

/// Replaces every number that is a time in ms between `began` and the next day by `<time>`.
pub(crate) fn without_times(text: &str, began: i64) -> String {
    let mut out = String::new();
    let mut digits = String::new();
    for letter in text.chars().chain(['\0']) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        let is_now = digits.len() == 13
            && digits.parse().is_ok_and(|time: i64| (began - 60_000..began + 86_400_000).contains(&time));
        out += if is_now { "<time>" } else { &digits };
        digits.clear();
        out.push(letter);
    }
    out.pop();
    out
}

/// What follows the first line of a trace (of ours with neither frames nor cause: the next field), or the words of Java's JSON
/// library, inside a JSON string.
const ENDS: [&str; 4] = ["\\n\\tat ", "\\nCaused by: ", "\\n at [Source: ", "\\n\",\"version\":\""];

/// Keeps of every Java stack trace inside a JSON text its first line, and of a message of Java's JSON library what it says before
/// it says where: ` …` stands for the rest.
pub(crate) fn without_frames(json: &str) -> String {
    let mut out = String::new();
    let mut rest = json;
    while let Some(at) = ENDS.iter().filter_map(|start| rest.find(start)).min() {
        out += &rest[..at];
        out += " …";
        rest = &rest[at..];
        rest = &rest[end_of_string(rest)..];
    }
    out + rest
}

/// The words that explain a setting are each worker's own.
pub(crate) fn without_documentation(json: &str) -> String {
    const FIELD: &str = "\"documentation\":\"";
    let mut parts = json.split(FIELD);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out = out + FIELD + "…" + &part[end_of_string(part)..];
    }
    out
}

/// Java shows an array of bytes as `[B@` and a number of that moment.
pub(crate) fn without_identities(text: &str) -> String {
    let mut parts = text.split("[B@");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out += "[B@<id>";
        out += part.trim_start_matches(|letter: char| letter.is_ascii_hexdigit());
    }
    out
}

/// The version and the commit of the recorded worker.
const JAVA: (&str, &str) = ("3.9.2", "5e9866f43ab8e7e4");
/// Those of ours, which a build without Git does not know.
const OURS: (&str, &str) = (env!("CARGO_PKG_VERSION"), "unknown");

/// Whether two lines say the same. Versions are each product's own, and statuses tell them only since Connect 4; the order of keys means
/// nothing in JSON, and Java's is that of hashes.
pub(crate) fn agree(label: &str, java: &str, seen: &str) -> bool {
    let [java, seen] = [java, seen].map(without_versions);
    let is_answer =
        java.get(..4).is_some_and(|start| start.ends_with(' ') && start.trim().parse::<u16>().is_ok());
    let is_json = is_answer || label.contains("-configs '");
    java == seen || (is_json && parts(&java).is_some_and(|java| Some(java) == parts(&seen)))
}

fn without_versions(text: &str) -> String {
    let mut text = text.to_owned();
    for (version, commit) in [JAVA, OURS] {
        text = without_status_versions(&text, version);
        text = text.replace(&format!("\"version\":\"{version}\""), "\"version\":\"<version>\"");
        text = text.replace(&format!("\"commit\":\"{commit}\""), "\"commit\":\"<commit>\"");
        let logged = format!("version='{version}', encodedVersion={version},");
        text = text.replace(&logged, "version=<version>,");
    }
    text
}

/// Plugins have their version behind their type; every other one that is not the first of its object is that of a status.
fn without_status_versions(text: &str, version: &str) -> String {
    let field = format!(",\"version\":\"{version}\"");
    let mut parts = text.split(&field);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_plugin = out.rsplit([',', '{']).next().is_some_and(|last| last.starts_with("\"type\":"));
        out = out + if is_plugin { &field } else { "" } + part;
    }
    out
}

/// What stands before, in, and after the first JSON object of a line, or the array that begins with it.
fn parts(line: &str) -> Option<(&str, Value, &str)> {
    let at = line.find('{')?;
    let at = at - usize::from(line[..at].ends_with('['));
    let mut values = Deserializer::from_str(&line[at..]).into_iter();
    let value = values.next()?.ok()?;
    Some((&line[..at], value, &line[at + values.byte_offset()..]))
}

/// Where the JSON string ends whose inside begins with `rest`.
fn end_of_string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, letter) in rest.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at,
            _ => {}
        }
    }
    rest.len()
}

/// The same text on one line; control characters are visible.
pub(crate) fn one_line(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match letter {
            '\n' => out.push('␤'),
            '\r' => out.push('␍'),
            '\t' => out.push('␉'),
            letter if letter.is_control() => out += &format!("<{:02x}>", u32::from(letter)),
            letter => out.push(letter),
        }
    }
    out
}

/// Bytes of a record: text where they are text, otherwise hexadecimal.
pub(crate) fn bytes(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|letter| letter.is_control() && !"\n\r\t".contains(letter)) => {
            format!("'{text}'")
        }
        _ => "0x".to_owned() + &bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_run_are_named_and_others_kept() {
        let text = r#"{"a":1795282006014,"b":1577934245678,"c":17952820060140}"#;
        let expected = r#"{"a":<time>,"b":1577934245678,"c":17952820060140}"#;
        assert_eq!(without_times(text, 1_795_282_006_000), expected);
    }

    #[test]
    fn traces_keep_their_first_line_and_the_string_its_end() {
        let text = r#"{"trace":"x.Y: \"no\"\n\tat a.b(C.java:1)\nCaused by: z\n\tat \"d\"","b":"\n"}"#;
        assert_eq!(without_frames(text), r#"{"trace":"x.Y: \"no\" …","b":"\n"}"#);
        let text = r#"{"message":"No\n at [Source: x; line: 1]","c":1}"#;
        assert_eq!(without_frames(text), r#"{"message":"No …","c":1}"#);
        let text = r#"{"trace":"x.Y: no\nCaused by: z\n"}"#;
        assert_eq!(without_frames(text), r#"{"trace":"x.Y: no …"}"#);
    }

    #[test]
    fn documentation_is_left_out() {
        let text = r#"[{"documentation":"a \"b\"","c":1},{"documentation":"","c":2}]"#;
        assert_eq!(
            without_documentation(text),
            r#"[{"documentation":"…","c":1},{"documentation":"…","c":2}]"#
        );
    }

    #[test]
    fn identities_are_named() {
        assert_eq!(without_identities("a=[B@3ea9e1e5,b=[B@f]"), "a=[B@<id>,b=[B@<id>]");
    }

    #[test]
    fn order_of_keys_and_versions_do_not_count() {
        let java = r#"200 [{"a":1,"b":{"c":2}}]"#;
        assert!(agree("GET /", java, r#"200 [{"b":{"c":2},"a":1}]"#));
        assert!(!agree("GET /", java, r#"201 [{"b":{"c":2},"a":1}]"#));
        assert!(!agree("GET /", java, r#"200 [{"b":{"c":3},"a":1}]"#));
        assert!(!agree("GET /", "200 one", "200 two"));
        assert!(!agree("t record 0", "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}"));
        let ours = OURS.0;
        let status = format!(r#"200 {{"state":"RUNNING","version":"{ours}"}}"#);
        assert!(agree("GET /", r#"200 {"state":"RUNNING"}"#, &status));
        let plugin = format!(r#"{{"class":"C","type":"sink","version":"{ours}"}}"#);
        assert!(agree("C", r#"{"class":"C","type":"sink","version":"3.9.2"}"#, &plugin));
        assert!(!agree("C", r#"{"class":"C","type":"sink"}"#, &plugin));
    }

    #[test]
    fn bytes_are_text_or_numbers() {
        assert_eq!(bytes(None), "null");
        assert_eq!(bytes(Some(b"a\n")), "'a\n'");
        assert_eq!(bytes(Some(&[0, 255])), "0x00ff");
        assert_eq!(bytes(Some(&[0, 1])), "0x0001");
    }
}
