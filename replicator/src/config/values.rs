//! Typed reads of connector and worker settings. Every read records the effective value with its source; a bad value
//! becomes a problem and the default is used until the end, so that all problems are found at once.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use kafka_wire::settings::{HIDDEN, is_secret};

use super::collect::Assigned;
use super::keys::{Effect, default_of, find};
use super::settings::{ConfigEntry, Source};
use super::sources::Problem;

/// Reads one map; see the module.
pub(super) struct Values {
    map: BTreeMap<String, Assigned>,
    pub(super) entries: Vec<ConfigEntry>,
    pub(super) problems: Vec<Problem>,
}

impl Values {
    pub(super) fn new(map: BTreeMap<String, Assigned>, problems: Vec<Problem>) -> Self {
        Self { map, entries: Vec::new(), problems }
    }

    /// The value as set, if it is set to something.
    pub(super) fn set(&self, key: &str) -> Option<&Assigned> {
        self.map.get(key).filter(|assigned| !assigned.value.is_empty())
    }

    /// Where `key` was set.
    pub(super) fn source(&self, key: &str) -> Source {
        self.set(key).map_or(Source::Default, |assigned| assigned.source.clone())
    }

    /// What is set of the worker's settings that the worker checks itself.
    pub(super) fn handed(&self) -> BTreeMap<String, String> {
        let handed = |key: &str| find(key).is_some_and(|known| known.effect == Effect::Handed);
        let set = self.map.iter().filter(|(key, assigned)| handed(key) && !assigned.value.is_empty());
        set.map(|(key, assigned)| (key.clone(), assigned.value.clone())).collect()
    }

    /// Records that `value` applies.
    pub(super) fn record(&mut self, key: &str, value: impl ToString, source: Source) {
        let secret = is_secret(key);
        let value = if secret { HIDDEN.to_owned() } else { value.to_string() };
        self.entries.push(ConfigEntry { key: key.to_owned(), value, source, secret });
    }

    /// Records that the value of `key` cannot be used.
    pub(super) fn problem(&mut self, key: &str, reason: impl Into<String>) {
        let (written, value, source) = match self.map.get(key) {
            Some(assigned) => (assigned.written.clone(), assigned.value.clone(), assigned.source.clone()),
            None => (key.to_owned(), String::new(), Source::Default),
        };
        let value = if is_secret(key) { HIDDEN.to_owned() } else { value };
        self.problems.push(Problem::Value { source, key: written, value, reason: reason.into() });
    }

    /// Any text; `default` replaces that of the list of keys.
    pub(super) fn text_or(&mut self, key: &str, default: &str) -> String {
        let value = self.set(key).map_or_else(|| default.to_owned(), |assigned| assigned.value.clone());
        self.record(key, &value, self.source(key));
        value
    }

    /// Any text.
    pub(super) fn text(&mut self, key: &str) -> String {
        self.text_or(key, default_of(key))
    }

    /// A comma-separated list.
    pub(super) fn list(&mut self, key: &str) -> Vec<String> {
        super::classes::list(&self.text(key)).into_iter().map(str::to_owned).collect()
    }

    /// `true` or `false`, in any case.
    pub(super) fn boolean(&mut self, key: &str) -> bool {
        self.choice(key, &[("true", true), ("false", false)])
    }

    /// One of `choices`, the first of which stands in for a bad default.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> T {
        let text = self.set(key).map_or(default_of(key), |assigned| &assigned.value);
        match choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)) {
            Some(&(name, choice)) => {
                self.record(key, name, self.source(key));
                choice
            }
            None => {
                let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
                self.problem(key, format!("must be {}", names.join(" or ")));
                choices[0].1
            }
        }
    }

    /// A whole number in `range`, else `default`.
    pub(super) fn number<T>(&mut self, key: &str, default: T, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Copy + ToString,
    {
        let Some(assigned) = self.set(key) else {
            self.record(key, default, Source::Default);
            return default;
        };
        match assigned.value.parse::<T>() {
            Ok(number) if range.contains(&number) => {
                self.record(key, number, self.source(key));
                number
            }
            _ => {
                let (low, high) = (range.start().to_string(), range.end().to_string());
                self.problem(key, format!("must be a whole number from {low} to {high}"));
                default
            }
        }
    }

    /// A whole number in `range`, with the default of the list of keys.
    pub(super) fn listed_number<T>(&mut self, key: &str, range: RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + Copy + ToString,
    {
        let default = default_of(key).parse().unwrap_or(*range.start());
        self.number(key, default, range)
    }

    /// Milliseconds from `least` on, at most a year.
    pub(super) fn millis(&mut self, key: &str, least: u64) -> Duration {
        const YEAR: u64 = 365 * 24 * 3_600_000;
        Duration::from_millis(self.listed_number(key, least..=YEAR))
    }
}
