//! Connectors that move data: what goes in, and all that comes out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::http::Request;
use crate::kafka::Record;
use crate::transcript::{PATIENCE, T, merged};

/// Prefix of the headers of dead letters.
const ERRORS: &str = "__connect.errors.";

/// Writes the records to a topic, lets a FileStreamSink have them, and notes what became of each: the line in the file or the
/// dead letter. `names` are the labels of the records. The sink is gone afterwards.
pub(super) fn sink(t: &mut T<'_>, config: &Value, records: &[Record], names: &[String]) {
    let (name, topic, dead) = (t.name("sink"), t.topic("in", 1), t.name("dead"));
    t.lab.kafka.write(&topic, records);
    let base = json!({
        "connector.class": "FileStreamSink", "topics": topic, "file": t.path("out.txt").display().to_string(),
        "errors.tolerance": "all", "errors.deadletterqueue.topic.name": dead,
        "errors.deadletterqueue.topic.replication.factor": "1",
        "errors.deadletterqueue.context.headers.enable": "true",
    });
    if t.configure(&name, &merged(base, config.clone())) {
        await_sink(t, &name, records.len());
        outcomes(t, &dead, names);
    }
    t.remove(&name);
}

/// Waits until a sink has committed the end of its topic, or has failed; notes a failure.
pub(super) fn await_sink(t: &mut T<'_>, name: &str, end: usize) {
    let committed = format!("\"kafka_offset\":{end}}}");
    let offsets = Request::new("GET", format!("/connectors/{name}/offsets"));
    let done = t.until(|t| {
        let done = t.quietly(&offsets).body.contains(&committed) || t.states(name).contains("FAILED");
        done.then_some(())
    });
    if done.is_none() || t.states(name).contains("FAILED") {
        failure(t, name);
    }
}

/// Notes the states and the first line of each trace.
pub(super) fn failure(t: &mut T<'_>, name: &str) {
    let answer = t.quietly(&Request::new("GET", format!("/connectors/{name}/status")));
    t.note(format!("status of {name}"), answer.body);
}

/// One note for each record: its line, or why there is none.
fn outcomes(t: &mut T<'_>, dead: &str, names: &[String]) {
    let text = std::fs::read_to_string(t.path("out.txt")).unwrap_or_default();
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let letters = dead_letters(t, dead, names.len() - lines.len().min(names.len()));
    let expected = names.len() - letters.len();
    if lines.len() != expected {
        t.note("lines", format!("{} where {expected} were expected", lines.len()));
    }
    lines.reverse();
    for (offset, name) in names.iter().enumerate() {
        let outcome = match letters.get(&offset) {
            Some(letter) => letter.clone(),
            None => lines.pop().map_or("(nothing)".to_owned(), |line| line.trim_end_matches('\n').to_owned()),
        };
        t.note(name, outcome);
    }
}

/// Dead letters by the offset of the record, told in one line.
fn dead_letters(t: &T<'_>, dead: &str, count: usize) -> BTreeMap<usize, String> {
    let mut letters = BTreeMap::new();
    if count == 0 || t.lab.kafka.partitions(dead).is_none() {
        return letters;
    }
    for letter in t.lab.kafka.read(dead, count, PATIENCE / 15) {
        let of = |name: &str| {
            let found = letter.headers.iter().find(|(key, _)| *key == format!("{ERRORS}{name}"));
            found
                .and_then(|(_, value)| value.as_deref())
                .map_or("-".into(), String::from_utf8_lossy)
                .into_owned()
        };
        let line = format!(
            "dead letter: {} {} {} {}",
            of("stage"),
            of("class.name"),
            of("exception.class.name"),
            of("exception.message")
        );
        letters.insert(of("offset").parse().unwrap_or(usize::MAX), line);
    }
    letters
}

/// Lets a FileStreamSource read lines, and notes the `count` records that it makes of them in its topic. `topics`: where else
/// records shall be looked for, with their number.
pub(super) fn source(t: &mut T<'_>, config: &Value, text: &str, count: usize, topics: &[(&str, usize)]) {
    let (name, topic) = (t.name("source"), t.name("lines"));
    if t.lab.kafka.partitions(&topic).is_none() {
        t.lab.kafka.create(&topic, 1);
    }
    let file = t.file("in.txt", text);
    let base = json!({"connector.class": "FileStreamSource", "file": file, "topic": topic});
    if t.configure(&name, &merged(base, config.clone())) {
        for (topic, count) in [(topic.as_str(), count)].iter().chain(topics) {
            await_source(t, &name, topic, *count);
        }
    }
    t.remove(&name);
}

/// Waits for records in a topic, or the failure of the source, and notes them.
pub(super) fn await_source(t: &mut T<'_>, name: &str, topic: &str, count: usize) {
    let done = t.until(|t| {
        let enough = t.lab.kafka.end(topic) >= count as i64;
        (enough || t.states(name).contains("FAILED")).then_some(())
    });
    let failed = t.states(name).contains("FAILED");
    if done.is_none() || failed {
        failure(t, name);
    }
    if done.is_some() && count + usize::from(failed) > 0 {
        t.records(topic, if failed { 0 } else { count });
    }
}
