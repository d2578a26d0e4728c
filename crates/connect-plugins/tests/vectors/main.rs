//! Replays what Kafka Connect's own classes did (`tests/vectors` at the project's root says how that was recorded).
#![allow(clippy::unwrap_used)]

mod converters;
mod definitions;
mod json;
mod notation;
mod texts;
mod transforms;

use connect_api::ConnectError;
use serde_json::Value as Json;

/// One case: what went in, and what came out in Java.
struct Case {
    input: Json,
}

impl Case {
    fn text(&self, name: &str) -> &str {
        self.input[name].as_str().unwrap()
    }

    fn integer(&self, name: &str) -> i64 {
        self.input[name].as_i64().unwrap()
    }

    /// Settings of a plugin.
    fn config(&self) -> connect_api::ConfigMap {
        let members = self.input["config"].as_object().unwrap().iter();
        members.map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned())).collect()
    }

    /// The result in Java, or class and message of the exception.
    fn expected(&self) -> Result<&Json, (&str, Option<&str>)> {
        match self.input.get("error") {
            Some(chain) => Err((chain[0][0].as_str().unwrap(), chain[0][1].as_str())),
            None => Ok(&self.input["out"]),
        }
    }
}

/// Runs all cases of a file, which is in the folder `CONNECT_VECTORS` if that is set. `run` gives our result, or `None` for a difference that its author knows.
fn replay(file: &str, least: usize, run: impl Fn(&Case) -> Option<Result<Json, ConnectError>>) {
    let stored = || format!("{}/../../tests/vectors/data", env!("CARGO_MANIFEST_DIR"));
    let folder = std::env::var("CONNECT_VECTORS").unwrap_or_else(|_| stored());
    let text = std::fs::read_to_string(format!("{folder}/{file}")).unwrap();
    let mut wrong = Vec::new();
    let mut checked = 0;
    for line in text.lines() {
        let case = Case { input: serde_json::from_str(line).unwrap() };
        let Some(ours) = run(&case) else { continue };
        checked += 1;
        if !agree(&case, &ours) {
            let shown = match ours {
                Ok(value) => value.to_string(),
                Err(error) => format!("{}: {}", error.class(), error.message()),
            };
            wrong.push(format!("{line}\n    ours: {shown}"));
        }
    }
    let most = std::env::var("CONNECT_VECTORS").map_or(40, |_| usize::MAX);
    let shown = wrong.iter().take(most).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {checked} differ from Java:\n{shown}", wrong.len());
    assert!(checked >= least, "only {checked} cases");
}

/// Exceptions that are accidents in Java: ours need only be errors too.
const ACCIDENTS: [&str; 5] = [
    "java.lang.ArrayIndexOutOfBoundsException",
    "java.lang.NullPointerException",
    "java.lang.ClassCastException",
    "java.lang.IndexOutOfBoundsException",
    "java.lang.StringIndexOutOfBoundsException",
];

fn agree(case: &Case, ours: &Result<Json, ConnectError>) -> bool {
    match (case.expected(), ours) {
        (Ok(expected), Ok(ours)) => expected == ours,
        (Err((class, _)), Err(_)) if ACCIDENTS.contains(&class) => true,
        (Err((class, message)), Err(ours)) => {
            // What is wrong with an expression is said in other words, and we have no object ids.
            let message = message.unwrap_or_default();
            let cut = [
                "Invalid regex: ",
                "org.apache.kafka.connect.transforms.InsertField$InsertionSpec@",
                // Data of records do not belong into messages.
                "SourceRecord{",
            ];
            let same = match cut.into_iter().find_map(|at| message.split_once(at)) {
                Some((start, _)) => ours.message().starts_with(start),
                None => ours.message() == message,
            };
            ours.class() == class && same
        }
        _ => false,
    }
}
