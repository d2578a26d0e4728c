//! The differences between Java's workers and ours that are accepted, each with its reason.

use crate::golden::Golden;
use crate::run::{Difference, NONE};
use crate::transcript::Line;

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
const REPLICATOR: &str = "the replicator's connector is built in";
const PLUGINS: &str = "the list of plugins has the replicator's connector and not MirrorMaker's";
const USAGE: &str = "the command line has options and a help of its own, which succeeds";
const START: &str = "the exit code counts; the words say which setting to change";
const NULL_POINTER: &str = "the exception's class counts; the words of a crash would not help anyone";
const LOCATION: &str = "Java's Location of a name with a percent sign in it leads to another connector";
const HALF: &str = "half of a surrogate pair is no character: it is refused, and so is not there afterwards";
const SCHEMA_CONTENT: &str = "a setting of Connect 4.2, which changes nothing where it is not set";
const OVERFLOW: &str = "a number that does not fit is an error; Java writes another number";

pub(crate) const KNOWN: &[Known] = &[
    server_error("Cannot deserialize*", PARSER),
    server_error("Cannot construct instance*", PARSER),
    server_error("Unrecognized field*", PARSER),
    server_error("Unrecognized token*", PARSER),
    server_error("Unexpected*", PARSER),
    server_error("Invalid UTF-8*", PARSER),
    half("PUT *", "200 *", "400 *"),
    half("POST *", "201 *", "400 *"),
    half("POST *", "500 *", "400 *"),
    half("PUT /connector-plugins/*", "400 *", "400 *"),
    half("PUT /admin/loggers/*", "404 *", "400 *"),
    half("GET *", "200 *", "200 *"),
    half("GET /connectors/half-%3F", "200 *", "404 *"),
    server_error("No content to map*", PARSER),
    server_error("Cannot invoke*", CRASH),
    server_error("Illegal base64*", PARSER),
    server_error("Input byte*", PARSER),
    Known {
        title: "*",
        label: "lets in",
        java: "[]",
        ours: "exit code Some(2)",
        reason: "files of logins that let nobody in are told at the start",
    },
    Known {
        title: "who_may on none",
        label: "accept text/*",
        java: "406 *",
        ours: "401 *",
        reason: "strangers are told first that they are strangers; some of ours answer in text",
    },
    Known {
        title: "what_is_open on none",
        label: "POST /connectors/x%2Fy/tasks []",
        java: "401 *",
        ours: "500 *",
        reason: "signatures protect the tasks of all names; Java's workers refuse each other where a name has a slash",
    },
    mirror("?connectorsOnly=false org.apache.kafka.connect.mirror.*"),
    mirror("?connectorsOnly=nonsense org.apache.kafka.connect.mirror.*"),
    mirror("?connectorsOnly=true org.apache.kafka.connect.mirror.*"),
    mirror(" org.apache.kafka.connect.mirror.*"),
    Known {
        title: "*",
        label: "*",
        java: "405 [no type] {*",
        ours: "405 [allow: *",
        reason: "HTTP wants the methods that there are to be told with a 405; Java does not",
    },
    Known {
        title: "variables on *",
        label: "FileStreamSource {*",
        java: "200 \"FileStreamSource\" 1 errors*",
        ours: "200 \"FileStreamSource\" 1 errors*",
        reason: "validation never shows what a config provider gave",
    },
    Known {
        title: "predicates on *",
        label: "*",
        java: "200 \"FileStreamSink\" 2 errors | \"predicates.p.pattern\"=null [\"Missing required configuration*",
        ours: "200 \"FileStreamSink\" 1 errors | \"predicates.p.pattern\"=null [\"Missing required configuration*",
        reason: "once is enough to say that a setting is missing; Java's second words are those of a crash",
    },
    Known {
        title: "restart_while_paused_and_stopped on distributed",
        label: "POST *",
        java: "409 *",
        ours: "404 {\"error_code\":404,\"message\":\"Unknown task: *",
        reason: "a stopped connector has no tasks; Java says that it does not know its leader",
    },
    // The paths of names with a percent sign in them.
    location("201 [location: http://<worker>/connectors/d-names_odd-odd%252Fpercent]*"),
    location("201 [location: http://<worker>/connectors/s-names_odd-odd%252Fpercent]*"),
    Known {
        title: "definitions_of_json.JsonConverter on *",
        label: "schema.content",
        java: NONE,
        ours: "*",
        reason: SCHEMA_CONTENT,
    },
    Known {
        title: "definitions_of_json.JsonConverter on *",
        label: "names",
        java: "converter.type, schemas.enable, schemas.cache.size, decimal.format, replace.null.with.default",
        ours: "converter.type, schemas.enable, schemas.cache.size, schema.content, decimal.format, replace.null.with.default",
        reason: SCHEMA_CONTENT,
    },
    json_definitions("definitions of Json"),
    json_definitions("definitions of JsonConverter"),
    replicator("?connectorsOnly=false io.confluent.connect.replicator.*"),
    replicator("?connectorsOnly=nonsense io.confluent.connect.replicator.*"),
    replicator("?connectorsOnly=true io.confluent.connect.replicator.*"),
    replicator(" io.confluent.connect.replicator.*"),
    server_error("Failed to find any class that implements Connector and which name matches*", PLUGINS),
    Known {
        title: "connector_that_is_not_there on standalone",
        label: "POST /connectors/none/tasks/0/restart",
        java: "500 *",
        ours: "404 {\"error_code\":404,\"message\":\"Unknown connector: *",
        reason: "a connector that is not there is nobody's crash; Java's distributed worker says 404, too",
    },
    usage("arguments_none on none", "distributed says", "not in the log: error: *"),
    usage("arguments_none on none", "standalone says", "not in the log: error: *"),
    usage("arguments_help on none", "distributed says", "not in the log: A Kafka Connect worker*"),
    usage("arguments_help on none", "standalone says", "not in the log: A Kafka Connect worker*"),
    usage("arguments_help on none", "distributed ends", "exit code Some(0)"),
    usage("arguments_help on none", "standalone ends", "exit code Some(0)"),
    start("bad_policy on none"),
    start("bad_algorithm on none"),
    start("bad_broker*"),
    start("bad_no_brokers*"),
    start("one_topic_for_config*"),
    start("connector_file_absent on none"),
    start("config_topic_deleted on none"),
    start("config_topic_of_two_partitions on none"),
    start("config_topic_two_policies on none"),
    null_pointer(
        "smt_HeaderFrom$Value_with_schema on *",
        "dead letter: TRANSFORMATION org.apache.kafka.connect.transforms.HeaderFrom$Value java.lang.NullPointerException Cannot*",
        "dead letter: TRANSFORMATION org.apache.kafka.connect.transforms.HeaderFrom$Value java.lang.NullPointerException *",
    ),
    null_pointer(
        "smt_TimestampConverter$*",
        "dead letter: TRANSFORMATION org.apache.kafka.connect.transforms.TimestampConverter$Value java.lang.NullPointerException Cannot*",
        "dead letter: TRANSFORMATION org.apache.kafka.connect.transforms.TimestampConverter$Value java.lang.NullPointerException *",
    ),
    overflow("6 '{\"schema\":{\"type\":\"int64\"},\"payload\":12345678901234567890}'"),
    overflow("8 '12345678901234567890'"),
];

/// An answer 500 (or 400, for signatures) with this message.
const fn server_error(message: &'static str, reason: &'static str) -> Known {
    Known { title: "*", label: "*", java: message, ours: "*", reason }
}

const fn half(label: &'static str, java: &'static str, ours: &'static str) -> Known {
    Known { title: "half_a_surrogate_pair on *", label, java, ours, reason: HALF }
}

const fn location(ours: &'static str) -> Known {
    Known { title: "names_odd on *", label: "POST /connectors {*", java: "201 *", ours, reason: LOCATION }
}

const fn json_definitions(label: &'static str) -> Known {
    Known {
        title: "definitions_by_other_names on *",
        label,
        java: "200 5 definitions",
        ours: "200 6 definitions",
        reason: SCHEMA_CONTENT,
    }
}

const fn replicator(label: &'static str) -> Known {
    Known { title: "list on *", label, java: NONE, ours: "{*", reason: REPLICATOR }
}

const fn usage(title: &'static str, label: &'static str, ours: &'static str) -> Known {
    Known { title, label, java: "*", ours, reason: USAGE }
}

/// What a worker says that does not start.
const fn start(title: &'static str) -> Known {
    Known { title, label: "says", java: "*", ours: "not in the log: *", reason: START }
}

const fn null_pointer(title: &'static str, java: &'static str, ours: &'static str) -> Known {
    Known { title, label: "*", java, ours, reason: NULL_POINTER }
}

const fn overflow(label: &'static str) -> Known {
    Known {
        title: "read_json*",
        label,
        java: "-6101065172474983726",
        ours: "dead letter: VALUE_CONVERTER org.apache.kafka.connect.json.JsonConverter *",
        reason: OVERFLOW,
    }
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
            // Words may differ where a row says so, the status only if the row names it.
            && (status(known.ours).is_some() || status(&row.java) == status(&row.seen))
            && !known.reason.is_empty()
    })
}

/// Whether a recording has something that this row is about, and that it differs from.
pub(crate) fn applies_to(known: &Known, golden: &Golden) -> bool {
    if known.java == NONE {
        let of_title = |(title, _): &(&str, &Line)| matches(known.title, title);
        return golden.all().any(|row| of_title(&row))
            && !golden.all().filter(of_title).any(|(_, line)| matches(known.label, &line.label));
    }
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
