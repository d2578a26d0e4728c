//! The differences between kafka-sim and real brokers that are accepted, each with its reason.

use crate::support::Release;

pub(crate) struct Known {
    pub(crate) case: &'static str,
    pub(crate) label: &'static str,
    /// `None`: both.
    pub(crate) release: Option<Release>,
    pub(crate) sim: &'static str,
    /// Why it is accepted.
    pub(crate) reason: &'static str,
}

pub(crate) const KNOWN: &[Known] = &[];

pub(crate) fn is_listed(case: &str, label: &str, release: Release, sim: &str) -> bool {
    KNOWN.iter().any(|known| {
        known.case == case
            && known.label == label
            && known.release.is_none_or(|only| only == release)
            && known.sim == sim
            && !known.reason.is_empty()
    })
}
