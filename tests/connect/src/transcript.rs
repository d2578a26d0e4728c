//! A scenario at work: it acts on a worker and a broker, and notes what it sees.

use std::fmt::Display;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{self, Answer, Request};
use crate::kafka::Record;
use crate::lab::{Lab, On, Side, Worker};
use crate::text;

/// How long a scenario waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Headers that are part of the interface; `Content-Type: application/json` goes without saying.
const HEADERS: &[&str] = &[
    "content-type",
    "location",
    "allow",
    "www-authenticate",
    "access-control-allow-origin",
    "access-control-allow-credentials",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
    "access-control-expose-headers",
    "vary",
    "cache-control",
    "x-added",
    "x-set",
];

/// One observation: what was done or looked at, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) value: String,
}

/// A scenario at work.
pub(crate) struct T<'a> {
    pub(crate) lab: &'a Lab,
    pub(crate) on: On,
    case: String,
    began: i64,
    pub(crate) lines: Vec<Line>,
    /// What Java's worker said.
    recorded: Vec<Line>,
}

impl<'a> T<'a> {
    pub(crate) fn new(lab: &'a Lab, on: On, case: &str, recorded: &[Line]) -> Self {
        let (case, recorded) = (case.to_owned(), recorded.to_vec());
        Self { lab, on, case, began: text::now(), lines: Vec::new(), recorded }
    }

    /// The worker of the scenario.
    pub(crate) fn worker(&self) -> &'a Worker {
        self.lab.worker(self.on).expect("a scenario without a worker does not ask for it")
    }

    /// A name for connectors and topics that no other scenario has; the same in every run and on both sides, so that what
    /// depends on hashes of names does not differ.
    pub(crate) fn name(&self, name: &str) -> String {
        format!("{}-{}-{name}", &self.on.name()[..1], self.case.replace('$', "-"))
    }

    /// A file of this scenario, which need not exist.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.lab.folder().join(self.name(name))
    }

    /// A file of this scenario with this text.
    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// A topic of its own.
    pub(crate) fn topic(&self, name: &str, partitions: i32) -> String {
        let topic = self.name(name);
        self.lab.kafka.create(&topic, partitions);
        topic
    }

    /// Records an observation.
    pub(crate) fn note(&mut self, label: impl Display, value: impl Display) {
        let label = text::one_line(&self.plain(&label.to_string()));
        let value = text::one_line(&self.plain(&value.to_string()));
        let same = self.lines.iter().filter(|line| line.label.split(" #").next() == Some(&label)).count();
        let label = if same == 0 { label } else { format!("{label} #{}", same + 1) };
        self.lines.push(Line { label, value });
    }

    /// Records what a log says. Java's says it after `start` on its line; the log of the other side says it, too, if the same text
    /// is anywhere in it.
    pub(crate) fn note_logged(&mut self, label: &str, log: &str, start: &str) {
        let said = self.recorded.iter().find(|line| line.label == label).map(|line| line.value.clone());
        let log = self.plain(log);
        if self.lab.side == Side::Ours
            && let Some(said) = said
        {
            let value = if log.contains(&said) { said } else { format!("not in the log: {log}") };
            self.note(label, value);
            return;
        }
        // While Java's worker ends, its REST server complains, too.
        let lines = log.lines().filter(|line| !line.contains("ServiceLocatorImpl"));
        let last = lines.filter_map(|line| line.split_once(start)).next_back();
        self.note(label, last.map_or_else(|| format!("no {start} in: {log}"), |(_, said)| said.to_owned()));
    }

    /// Replaces what differs from run to run.
    fn plain(&self, text: &str) -> String {
        let mut text = text::without_identities(&text::without_frames(&text::without_documentation(text)));
        let mut replace = |what: &str, name: &str| text = text.replace(what, name);
        if let Some(worker) = self.lab.worker(self.on) {
            replace(&worker.address, "<worker>");
            replace(worker.admin.as_deref().unwrap_or("no admin"), "<admin>");
        }
        replace(&self.lab.kafka.bootstrap, "<bootstrap>");
        replace(&self.lab.cluster_id, "<cluster>");
        replace(&self.lab.folder().display().to_string(), "<folder>");
        text::without_times(&text, self.began)
    }

    /// Sends a request. While the worker says that a rebalance or a changed configuration is in the way, it is sent again: other
    /// scenarios on the same worker cause them.
    pub(crate) fn quietly(&self, request: &Request) -> Answer {
        let address = self.worker().address.clone();
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = http::send(&address, request).unwrap_or_else(|error| panic!("{request:?}: {error}"));
            let passing = ["rebalance", "stale configuration"].iter().any(|why| answer.body.contains(why));
            if !(passing && matches!(answer.status, 409 | 500)) || Instant::now() > deadline {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Sends a request, once, whatever the answer, and notes the exchange.
    pub(crate) fn once(&mut self, request: Request) {
        self.send_to(&self.worker().address.clone(), request);
    }

    /// Sends a request, once, to another address than the worker's, and notes the exchange.
    pub(crate) fn send_to(&mut self, address: &str, request: Request) {
        let answer = http::send(address, &request);
        let line = answer.map_or_else(|error| error.to_string(), |answer| answer_line(&answer));
        self.note(request_line(&request), line);
    }

    /// Sends a request and notes the exchange.
    pub(crate) fn send(&mut self, request: Request) -> Answer {
        let answer = self.quietly(&request);
        self.note(request_line(&request), answer_line(&answer));
        answer
    }

    pub(crate) fn get(&mut self, path: impl Into<String>) -> Answer {
        self.send(Request::new("GET", path))
    }

    /// A request with a body of JSON, given as text.
    pub(crate) fn put(&mut self, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Request::new("PUT", path).json(body))
    }

    pub(crate) fn post(&mut self, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Request::new("POST", path).json(body))
    }

    pub(crate) fn patch(&mut self, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Answer {
        self.send(Request::new("PATCH", path).json(body))
    }

    pub(crate) fn delete(&mut self, path: impl Into<String>) -> Answer {
        self.send(Request::new("DELETE", path))
    }

    /// A request without a body.
    pub(crate) fn bare(&mut self, method: &str, path: impl Into<String>) -> Answer {
        self.send(Request::new(method, path))
    }

    /// Creates a connector or gives it a new configuration, without a note unless it is refused.
    pub(crate) fn configure(&mut self, name: &str, config: &Value) -> bool {
        let request = Request::new("PUT", format!("/connectors/{name}/config")).json(config.to_string());
        let answer = self.quietly(&request);
        let done = matches!(answer.status, 200 | 201);
        if !done {
            self.note(request_line(&request), answer_line(&answer));
        }
        done
    }

    /// Creates a FileStreamSource of `text`, writing to a topic of its own, and waits for its task; gives its name and topic.
    pub(crate) fn source(&mut self, text: &str, more: Value) -> (String, String) {
        let (name, topic) = (self.name("source"), self.name("lines"));
        if self.lab.kafka.partitions(&topic).is_none() {
            self.lab.kafka.create(&topic, 1);
        }
        let file = self.file("source.txt", text);
        let config =
            json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic});
        if self.configure(&name, &merged(config, more)) {
            self.await_state(&name, "RUNNING", &["RUNNING"]);
        }
        (name, topic)
    }

    /// Deletes a connector; one that is not there is not worth a word.
    pub(crate) fn remove(&self, name: &str) {
        self.quietly(&Request::new("DELETE", format!("/connectors/{name}")));
    }

    /// The states of a connector and its tasks, as `RUNNING [RUNNING, FAILED]`.
    pub(crate) fn states(&self, name: &str) -> String {
        states_in(&self.quietly(&Request::new("GET", format!("/connectors/{name}/status"))))
    }

    /// Waits until connector and tasks are in these states; a note is made only of a wait in vain.
    pub(crate) fn await_state(&mut self, name: &str, connector: &str, tasks: &[&str]) -> bool {
        let wanted = states_of(connector, tasks);
        let found = self.until(|t| (t.states(name) == wanted).then_some(()));
        if found.is_none() {
            let seen = self.states(name);
            self.note(format!("waited for {name} to be {wanted}"), seen);
        }
        found.is_some()
    }

    /// Waits until connector and tasks are in these states, and notes the status that says so.
    pub(crate) fn get_status(&mut self, name: &str, connector: &str, tasks: &[&str]) {
        let wanted = states_of(connector, tasks);
        self.get_until(format!("/connectors/{name}/status"), |answer| states_in(answer) == wanted);
    }

    /// Waits until a request is answered in a way that pleases, and notes the last answer.
    pub(crate) fn get_until(&mut self, path: impl Into<String>, pleases: impl Fn(&Answer) -> bool) -> Answer {
        let request = Request::new("GET", path);
        let found = self.until(|t| Some(t.quietly(&request)).filter(&pleases));
        let answer = found.unwrap_or_else(|| self.quietly(&request));
        self.note(request_line(&request), answer_line(&answer));
        answer
    }

    /// Tries until there is something, 30 s at most.
    pub(crate) fn until<V>(&self, mut ready: impl FnMut(&Self) -> Option<V>) -> Option<V> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = ready(self) {
                return Some(found);
            }
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    /// Waits until a topic has `count` records and notes each as it is.
    pub(crate) fn records(&mut self, topic: &str, count: usize) {
        let records = self.lab.kafka.read(topic, count, PATIENCE);
        let several = self.lab.kafka.partitions(topic) > Some(1);
        for (number, record) in records.iter().enumerate() {
            // A record without a key goes to a partition of the producer's choice.
            let line = self.record_line(record, several && record.key.is_some());
            self.note(format!("{topic} record {number}"), line);
            for (name, value) in &record.headers {
                self.note(format!("{topic} record {number} header {name}"), text::bytes(value.as_deref()));
            }
        }
    }

    /// A record on one line, without its headers.
    pub(crate) fn record_line(&self, record: &Record, with_partition: bool) -> String {
        let (key, value) = (text::bytes(record.key.as_deref()), text::bytes(record.value.as_deref()));
        let line = format!("{key}={value} @{}", record.time);
        if with_partition { format!("partition {} {line}", record.partition) } else { line }
    }

    /// Waits until a file has `count` lines and notes all it has, byte for byte.
    pub(crate) fn lines_of(&mut self, file: &str, count: usize) {
        let path = self.path(file);
        let lines = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        let read = || std::fs::read(&path).unwrap_or_default();
        let found = self.until(|_| Some(read()).filter(|bytes| lines(bytes) >= count));
        let bytes = found.unwrap_or_else(read);
        for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            self.note(format!("{file} line {number}"), text::bytes(Some(line)));
        }
        if lines(&bytes) != count {
            self.note(format!("{file} has"), format!("{} of {count} lines", lines(&bytes)));
        }
    }
}

/// `base` with the keys of `more` added or replaced; a null removes one.
pub(crate) fn merged(mut base: Value, more: Value) -> Value {
    let into = base.as_object_mut().expect("a configuration is an object");
    for (key, value) in more.as_object().cloned().unwrap_or_default() {
        match value {
            Value::Null => _ = into.shift_remove(&key),
            value => _ = into.insert(key, value),
        }
    }
    base
}

fn request_line(request: &Request) -> String {
    let mut line = format!("{} {}", request.method, request.path);
    for (name, value) in &request.headers {
        if !value.eq_ignore_ascii_case("application/json") {
            line += &format!(" [{name}: {value}]");
        }
    }
    if let Some(body) = &request.body {
        line += &format!(" {}", String::from_utf8_lossy(body));
        if !request.headers.iter().any(|(name, _)| name == "Content-Type") {
            line += " [no type]";
        }
    }
    line
}

/// Status, the headers that are part of the interface, body.
pub(crate) fn answer_line(answer: &Answer) -> String {
    let mut line = answer.status.to_string();
    for name in HEADERS {
        for value in answer.header(name) {
            if (*name, value) != ("content-type", "application/json") {
                line += &format!(" [{name}: {value}]");
            }
        }
    }
    if !answer.body.is_empty() {
        if !answer.header("content-type").any(|_| true) {
            line += " [no type]";
        }
        line += &format!(" {}", answer.body);
    }
    line
}

/// States as scenarios compare them.
fn states_of(connector: &str, tasks: &[&str]) -> String {
    format!("{connector} [{}]", tasks.join(", "))
}

fn state(of: &Value) -> &str {
    of["state"].as_str().unwrap_or("?")
}

/// The states of a connector and its tasks in an answer; its code if there are none.
fn states_in(answer: &Answer) -> String {
    let status: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let tasks: Vec<&str> = status["tasks"].as_array().into_iter().flatten().map(state).collect();
    match answer.status {
        200 => states_of(state(&status["connector"]), &tasks),
        code => code.to_string(),
    }
}
