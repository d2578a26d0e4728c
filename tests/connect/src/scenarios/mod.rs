//! Every scenario, by family.

mod basic_auth;
mod bodies;
mod connectors;
mod flow;
mod general;
mod guarded;
mod internals;
mod offsets;
mod plugins;
mod processes;
mod sinks;
mod sources;
mod states;
mod topic_creation;
mod transforms;
mod validate;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::lab::On;
use crate::run::Scenario;
use crate::transcript::{T, merged};

const BOTH: &[On] = &[On::Distributed, On::Standalone];
const DISTRIBUTED: &[On] = &[On::Distributed];
const STANDALONE: &[On] = &[On::Standalone];
const GUARDED: &[On] = &[On::Guarded];
const OTHER: &[On] = &[On::Other];
const OWN: &[On] = &[On::Own];

/// Adds the scenarios of a family.
type Fill = fn(&mut List);

/// All of them.
pub(crate) fn all() -> Vec<Scenario> {
    let families: [(&'static str, Fill); 15] = [
        ("general", general::list),
        ("connectors", connectors::list),
        ("bodies", bodies::list),
        ("states", states::list),
        ("plugins", plugins::list),
        ("validate", validate::list),
        ("offsets", offsets::list),
        ("sources", sources::list),
        ("sinks", sinks::list),
        ("transforms", transforms::list),
        ("guarded", guarded::list),
        ("internals", internals::list),
        ("processes", processes::list),
        ("basic_auth", basic_auth::list),
        ("topic_creation", topic_creation::list),
    ];
    let mut all = Vec::new();
    for (family, fill) in families {
        let mut list = List { family, all: Vec::new() };
        fill(&mut list);
        all.append(&mut list.all);
    }
    all
}

/// The scenarios of a family while it is being listed.
struct List {
    family: &'static str,
    all: Vec<Scenario>,
}

impl List {
    /// Adds a scenario for each of these workers.
    fn add(&mut self, on: &[On], name: &str, run: impl Fn(&mut T<'_>) + Send + Sync + 'static) {
        let run = Arc::new(run);
        for on in on {
            let (family, name, run) = (self.family, name.to_owned(), run.clone());
            self.all.push(Scenario { family, name, on: *on, run });
        }
    }
}

/// The configuration of a source that runs and finds nothing to read.
fn idle(t: &T<'_>) -> Value {
    let file = t.path("nothing.txt");
    json!({"connector.class": "FileStreamSource", "file": file.display().to_string(), "topic": "idle"})
}

/// A connector that runs and does nothing, created without a note.
fn start_idle(t: &mut T<'_>, more: Value) -> String {
    let name = t.name("idle");
    let config = merged(idle(t), more);
    if t.configure(&name, &config) {
        t.await_state(&name, "RUNNING", &["RUNNING"]);
    }
    name
}
