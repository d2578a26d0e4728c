//! A connector on which every request is tried: a file source of its own file and topic, or a file sink.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::lots::until;
use crate::topics::{Said, said};
use crate::workers::{Fleet, PATIENCE};

/// A file source.
pub(crate) struct Subject<'a> {
    fleet: &'a Fleet,
    pub(crate) name: String,
    pub(crate) topic: String,
    file: PathBuf,
}

impl<'a> Subject<'a> {
    /// Creates the connector by a request to a member; its file has the line `first`.
    pub(crate) fn create(fleet: &'a Fleet, name: &str, via: usize) -> Self {
        let topic = format!("{}-{name}", fleet.name);
        let file = fleet.folder().join(format!("{name}.txt"));
        let subject = Self { fleet, name: name.to_owned(), topic, file };
        subject.append("first");
        fleet.create(via, name, &subject.config(&subject.topic));
        subject
    }

    pub(crate) fn config(&self, topic: &str) -> Value {
        json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": self.file, "topic": topic, "batch.size": "100"})
    }

    /// The configuration, taken up by the connector's task.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/connectors/{}{rest}", self.name)
    }

    pub(crate) fn append(&self, line: &str) {
        let mut file = File::options().create(true).append(true).open(&self.file).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// How often a line is in a topic.
    pub(crate) fn count(&self, topic: &str, line: &str) -> usize {
        self.fleet.read(topic).iter().filter(|(_, value)| value == line).count()
    }

    pub(crate) fn await_count(&self, topic: &str, line: &str, wanted: usize) {
        until(&format!("{topic} has {line} {wanted} times"), PATIENCE, || {
            let count = self.count(topic, line);
            if count >= wanted { Ok(()) } else { Err(format!("{count} times; {:?}", self.fleet.states(0))) }
        });
    }

    /// Waits until both members say so.
    pub(crate) fn await_states(&self, connector: &str, task: Option<&str>) {
        await_states(self.fleet, &self.name, connector, task);
    }

    /// Acts and waits until these instances have been started anew.
    pub(crate) fn starts(&self, what: &str, instances: &[String], act: impl FnOnce()) -> Vec<Said> {
        let before = said(self.fleet).len();
        act();
        until(&format!("{what} starts {instances:?}"), PATIENCE, || {
            let since = said(self.fleet).split_off(before);
            let started =
                |name: &String| since.iter().any(|said| &said.of == name && said.state == "RUNNING");
            if instances.iter().all(started) { Ok(since) } else { Err(format!("{since:?}")) }
        })
    }

    /// Sends a request and waits until these instances, and no others of this connector, have been started anew.
    pub(crate) fn restarts(&self, via: usize, path: &str, status: u16, instances: &[String]) {
        let since = self.starts(&format!("{path} by member {via}"), instances, || {
            self.fleet.call(via, "POST", &self.path(path), None, status);
        });
        let own = [self.name.clone(), self.task()];
        for said in since.iter().filter(|said| own.contains(&said.of)) {
            assert!(instances.contains(&said.of), "only {instances:?} restart, but: {said:?}");
        }
    }

    /// As in [`Said::of`].
    pub(crate) fn task(&self) -> String {
        format!("{}-0", self.name)
    }
}

/// Waits until both members say so of a connector and its task (`None`: it has no task).
pub(crate) fn await_states(fleet: &Fleet, name: &str, connector: &str, task: Option<&str>) {
    for member in 0..2 {
        until(&format!("{name} is {connector} {task:?}, says member {member}"), PATIENCE, || {
            let states = fleet.states(member);
            let is = |name: &str, wanted: Option<&str>| {
                states.get(name).map(|found| found.state.as_str()) == wanted
            };
            let all = is(name, Some(connector)) && is(&format!("{name}-0"), task);
            if all { Ok(()) } else { Err(format!("{states:#?}")) }
        });
    }
}
