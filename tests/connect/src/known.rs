//! The differences between Java's workers and ours that are accepted, each with its reason.

use crate::golden::Golden;
use crate::run::Difference;

/// An accepted difference. In every pattern, `*` at the end stands for any rest.
pub(crate) struct Known {
    /// The scenario and its worker.
    pub(crate) title: &'static str,
    /// What is done or looked at.
    pub(crate) label: &'static str,
    /// What Java's worker says.
    pub(crate) java: &'static str,
    /// What ours says.
    pub(crate) ours: &'static str,
    /// Why it is accepted.
    pub(crate) reason: &'static str,
}

const PARSER: &str = "the status counts; the words are those of Java's JSON library";
const CRASH: &str = "the status counts; the words are those of a crash";
const MIRROR: &str = "MirrorMaker's connectors are not built in";

pub(crate) const KNOWN: &[Known] = &[
    server_error("Cannot deserialize*", PARSER),
    server_error("Cannot construct instance*", PARSER),
    server_error("Unrecognized field*", PARSER),
    server_error("Unrecognized token*", PARSER),
    server_error("Unexpected*", PARSER),
    server_error("No content to map*", PARSER),
    server_error("Cannot invoke*", CRASH),
    server_error("Illegal base64*", PARSER),
    mirror("?connectorsOnly=false org.apache.kafka.connect.mirror.*"),
    mirror("?connectorsOnly=nonsense org.apache.kafka.connect.mirror.*"),
    mirror("?connectorsOnly=true org.apache.kafka.connect.mirror.*"),
    mirror(" org.apache.kafka.connect.mirror.*"),
];

/// An answer 500 (or 400, for signatures) with this message.
const fn server_error(message: &'static str, reason: &'static str) -> Known {
    Known { title: "*", label: "*", java: message, ours: "*", reason }
}

const fn mirror(label: &'static str) -> Known {
    Known { title: "list on *", label, java: "{*", ours: "(nothing)", reason: MIRROR }
}

fn matches(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |start| text.starts_with(start))
}

/// A pattern of a Java text is that of the whole line, or of the message of an error.
fn matches_java(pattern: &str, line: &str) -> bool {
    matches(pattern, line) || message(line).is_some_and(|message| matches(pattern, message))
}

/// The message of an error answer, without its status.
fn message(line: &str) -> Option<&str> {
    line.split_once("\"message\":\"").map(|(_, message)| message)
}

/// The status with which a line of an exchange begins.
fn status(line: &str) -> Option<&str> {
    line.get(..3).filter(|status| status.bytes().all(|byte| byte.is_ascii_digit()))
}

pub(crate) fn is_listed(row: &Difference) -> bool {
    KNOWN.iter().any(|known| {
        matches(known.title, &row.title)
            && matches(known.label, &row.label)
            && matches_java(known.java, &row.java)
            && matches(known.ours, &row.seen)
            // Words may differ where a row says so, but never the status.
            && status(&row.java) == status(&row.seen)
            && !known.reason.is_empty()
    })
}

/// Whether a recording has something that this row is about, and that it differs from.
pub(crate) fn applies_to(known: &Known, golden: &Golden) -> bool {
    golden.all().any(|(title, line)| {
        matches(known.title, title)
            && matches(known.label, &line.label)
            && matches_java(known.java, &line.value)
            && line.value != known.ours
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(java: &str, seen: &str) -> Difference {
        let (java, seen) = (java.to_owned(), seen.to_owned());
        Difference {
            family: "bodies",
            title: "create on distributed".into(),
            label: "POST /".into(),
            java,
            seen,
        }
    }

    #[test]
    fn words_of_a_library_may_differ_and_the_status_may_not() {
        let java = r#"500 {"error_code":500,"message":"Unexpected end-of-input …"}"#;
        assert!(is_listed(&row(java, r#"500 {"error_code":500,"message":"no JSON"}"#)));
        assert!(!is_listed(&row(java, r#"400 {"error_code":400,"message":"no JSON"}"#)));
        let other = r#"500 {"error_code":500,"message":"Something else"}"#;
        assert!(!is_listed(&row(other, r#"500 {"error_code":500,"message":"no JSON"}"#)));
    }
}
