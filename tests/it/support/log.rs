//! What the executable writes, as it comes, and the judgement on it: a warning that no test announced is a failure.

use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One of the executable's outputs.
pub(crate) struct Output {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    /// Reads `stream` to its end on a thread of its own.
    pub(crate) fn of(stream: impl Read + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let into = text.clone();
        let reader = std::thread::spawn(move || {
            let mut stream = BufReader::new(stream);
            let mut line = Vec::new();
            while stream.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
                into.lock().unwrap().push_str(&String::from_utf8_lossy(&line));
                line.clear();
            }
        });
        Self { text, reader: Some(reader) }
    }

    /// Everything so far.
    pub(crate) fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// Everything; to be asked for when the process has ended.
    pub(crate) fn end(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}

/// Warnings, errors and panics of a text log.
pub(crate) fn complaints(log: &str) -> Vec<&str> {
    let level = |line: &str| line.split_whitespace().nth(1).unwrap_or_default().to_owned();
    log.lines()
        .filter(|line| ["WARN", "ERROR"].contains(&level(line).as_str()) || line.contains("panicked"))
        .collect()
}

/// What a test knows about the complaints to come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Announcements {
    expected: Vec<String>,
    tolerated: Vec<String>,
}

impl Announcements {
    /// A complaint with `text` must come.
    pub(crate) fn expect(&mut self, text: &str) {
        self.expected.push(text.to_owned());
    }

    /// A complaint with `text` may come.
    pub(crate) fn tolerate(&mut self, text: &str) {
        self.tolerated.push(text.to_owned());
    }

    /// # Panics
    /// If something was complained about that was not announced, or the other way round.
    pub(crate) fn judge(&self, log: &str) {
        let complaints = complaints(log);
        let known = |line: &&str| self.expected.iter().chain(&self.tolerated).any(|text| line.contains(text));
        let surprises: Vec<_> = complaints.iter().copied().filter(|line| !known(line)).collect();
        assert!(
            surprises.is_empty(),
            "not announced by the test:\n{}\n\nthe log:\n{log}",
            surprises.join("\n")
        );
        for text in &self.expected {
            let came = complaints.iter().any(|line| line.contains(text));
            assert!(came, "no warning or error says {text:?}; the log:\n{log}");
        }
    }
}
