//! The recorded transcripts of Java's workers: a text file per family of scenarios.
//!
//! A scenario is a line `# name on worker`; each observation is a line `> what` and a line `< what came of it`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::transcript::Line;

/// Every scenario of one family, in the order of their names.
#[derive(Default)]
pub(crate) struct Golden(BTreeMap<String, Vec<Line>>);

impl Golden {
    pub(crate) fn read(family: &str) -> Self {
        let text = std::fs::read_to_string(path(family)).unwrap_or_default();
        let mut cases: BTreeMap<String, Vec<Line>> = BTreeMap::new();
        let (mut current, mut label) = (None, None);
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("# ") {
                current = Some(cases.entry(name.to_owned()).or_default());
            } else if let Some(what) = line.strip_prefix("> ") {
                label = Some(what.to_owned());
            } else if let Some(value) = line.strip_prefix('<')
                && let (Some(lines), Some(label)) = (&mut current, label.take())
            {
                lines.push(Line { label, value: value.strip_prefix(' ').unwrap_or(value).to_owned() });
            }
        }
        Self(cases)
    }

    pub(crate) fn case(&self, title: &str) -> Option<&[Line]> {
        self.0.get(title).map(Vec::as_slice)
    }

    /// Every line with the title of its scenario.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Line)> {
        self.0.iter().flat_map(|(title, lines)| lines.iter().map(move |line| (title.as_str(), line)))
    }

    pub(crate) fn record(&mut self, title: &str, lines: &[Line]) {
        self.0.insert(title.to_owned(), lines.to_vec());
    }

    /// Keeps only the scenarios that there are.
    pub(crate) fn keep(&mut self, is_case: impl Fn(&str) -> bool) {
        self.0.retain(|title, _| is_case(title));
    }

    pub(crate) fn write(&self, family: &str) {
        let mut text = String::new();
        for (title, lines) in &self.0 {
            text += &format!("# {title}\n");
            lines.iter().for_each(|line| text += &format!("> {}\n< {}\n", line.label, line.value));
            text += "\n";
        }
        std::fs::write(path(family), text.trim_end().to_owned() + "\n").unwrap();
    }
}

fn path(family: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{family}.txt"))
}
