//! Typed reads of connector and worker settings. Every read records the effective value with its source; a bad value
//! becomes a problem and the default is used until the end, so that all problems are found at once.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use kafka_wire::settings::{HIDDEN, is_secret};

use super::assigned::Assigned;
use super::choices::Choice;
use super::known::{Kind, Owner};
use super::notice::Source;
use super::settings::ConfigEntry;
use super::sources::Problem;
use super::table::{default_of, find};

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

    /// The place where `key` was set.
    pub(super) fn source(&self, key: &str) -> Source {
        self.set(key).map_or(Source::Default, |assigned| assigned.source.clone())
    }

    /// The worker's settings that are set and that the worker checks itself.
    pub(super) fn handed(&self) -> BTreeMap<String, String> {
        let handed = |key: &str| find(key).is_some_and(|known| known.owner == Owner::Handed);
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

    /// Any text; `default` replaces that of the table.
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
        self.choice(key)
    }

    /// One of the names that `T` has, the first of which stands in for a bad value.
    pub(super) fn choice<T: Choice>(&mut self, key: &str) -> T {
        let text = self.set(key).map_or(default_of(key), |assigned| &assigned.value);
        let known = T::NAMES.iter().zip(T::VALUES).find(|(name, _)| name.eq_ignore_ascii_case(text));
        match known {
            Some((name, choice)) => {
                self.record(key, name, self.source(key));
                *choice
            }
            None => {
                self.problem(key, format!("must be {}", T::NAMES.join(" or ")));
                T::VALUES[0]
            }
        }
    }

    /// A whole number within the bounds of the table, else the table's default.
    pub(super) fn number<T: Number>(&mut self, key: &str) -> T {
        let default = default_number(key);
        self.number_or(key, default)
    }

    /// A whole number within the bounds of the table, else `default`.
    pub(super) fn number_or<T: Number>(&mut self, key: &str, default: T) -> T {
        let Some(assigned) = self.set(key) else {
            self.record(key, default, Source::Default);
            return default;
        };
        let (low, high) = bounds(key);
        let within = |number: &T| (*number).try_into().is_ok_and(|number| (low..=high).contains(&number));
        match assigned.value.parse::<T>().ok().filter(within) {
            Some(number) => {
                self.record(key, number, self.source(key));
                number
            }
            None => {
                self.problem(key, format!("must be a whole number from {low} to {high}"));
                default
            }
        }
    }

    /// Milliseconds within the bounds of the table.
    pub(super) fn millis(&mut self, key: &str) -> Duration {
        Duration::from_millis(self.number(key))
    }
}

/// A type for whole numbers.
pub(super) trait Number: FromStr + Copy + Default + ToString + TryInto<i64> {}

impl<T: FromStr + Copy + Default + ToString + TryInto<i64>> Number for T {}

/// The table's default of a number.
pub(super) fn default_number<T: Number>(key: &str) -> T {
    default_of(key).parse().unwrap_or_default()
}

/// The table's bounds of a number.
fn bounds(key: &str) -> (i64, i64) {
    match find(key).map(|known| known.kind) {
        Some(Kind::Int(low, high) | Kind::Long(low, high)) => (low, high),
        _ => (i64::MIN, i64::MAX),
    }
}
