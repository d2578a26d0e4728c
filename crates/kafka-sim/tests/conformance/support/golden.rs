//! The recorded transcripts of the real brokers: one text file per release.
//!
//! A case is a line `# name`, then `label: value` lines.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Release;
use super::transcript::Line;

type Lines = Vec<(String, String)>;

/// Every case of one release, in the order of their names.
#[derive(Default)]
pub(crate) struct Golden(BTreeMap<String, Lines>);

impl Golden {
    pub(crate) fn read(release: Release) -> Self {
        let text = std::fs::read_to_string(path(release)).unwrap_or_default();
        let mut cases: BTreeMap<String, Lines> = BTreeMap::new();
        let mut current = None;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("# ") {
                current = Some(cases.entry(name.to_owned()).or_default());
            } else if let (Some(lines), Some((label, value))) = (&mut current, line.split_once(": ")) {
                lines.push((label.to_owned(), value.to_owned()));
            }
        }
        Self(cases)
    }

    pub(crate) fn case(&self, name: &str) -> Option<&Lines> {
        self.0.get(name)
    }

    pub(crate) fn record(&mut self, name: &str, lines: &[Line]) {
        let lines = lines.iter().map(|line| (line.label.clone(), line.value.clone())).collect();
        self.0.insert(name.to_owned(), lines);
    }

    /// Keeps only the cases that there are.
    pub(crate) fn keep(&mut self, names: &[&str]) {
        self.0.retain(|name, _| names.contains(&name.as_str()));
    }

    pub(crate) fn write(&self, release: Release) {
        let mut text = String::new();
        for (name, lines) in &self.0 {
            text += &format!("# {name}\n");
            lines.iter().for_each(|(label, value)| text += &format!("{label}: {value}\n"));
            text += "\n";
        }
        std::fs::write(path(release), text.trim_end().to_owned() + "\n").unwrap();
    }
}

fn path(release: Release) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/golden");
    folder.join(format!("{}.txt", release.as_str()))
}
