//! The differences between Java's workers and ours that are accepted, each with its reason.

use crate::golden::Golden;
use crate::run::Difference;

/// An accepted difference.
pub(crate) struct Known {
    /// The scenario and its worker; `*` at the end: all that begin so.
    pub(crate) title: &'static str,
    /// What is looked at; `*` at the end: all that begin so.
    pub(crate) label: &'static str,
    /// What ours says; `*` at the end: all that begin so.
    pub(crate) ours: &'static str,
    /// Why it is accepted.
    pub(crate) reason: &'static str,
}

pub(crate) const KNOWN: &[Known] = &[];

fn matches(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |start| text.starts_with(start))
}

pub(crate) fn is_listed(row: &Difference) -> bool {
    KNOWN.iter().any(|known| {
        matches(known.title, &row.title)
            && matches(known.label, &row.label)
            && matches(known.ours, &row.seen)
            && !known.reason.is_empty()
    })
}

/// Whether a recording has something that this row is about, and that it differs from.
pub(crate) fn applies_to(known: &Known, golden: &Golden) -> bool {
    golden.all().any(|(title, line)| {
        matches(known.title, title) && matches(known.label, &line.label) && line.value != known.ours
    })
}
