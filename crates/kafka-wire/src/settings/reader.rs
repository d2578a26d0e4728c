//! Typed reads from a flat map of properties, with the ranges that Kafka's own definitions have.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::names::is_secret;

/// A property whose value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}={value}: {reason}")]
pub struct SettingError {
    /// The property.
    pub key: String,
    /// Its value, `[hidden]` for secrets, empty if it is missing.
    pub value: String,
    /// The fault, and what is allowed.
    pub reason: String,
}

/// Text that stands for a secret in every message.
pub const HIDDEN: &str = "[hidden]";

/// Reads one map.
pub(super) struct Reader<'a>(pub(super) &'a BTreeMap<String, String>);

impl<'a> Reader<'a> {
    /// The value of `key`, if it is set to something.
    pub(super) fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// An error about `key` and its value.
    pub(super) fn error(&self, key: &str, reason: impl Into<String>) -> SettingError {
        let value = self.0.get(key).map_or("", String::as_str);
        let value = if is_secret(key) && !value.is_empty() { HIDDEN } else { value };
        SettingError { key: key.to_owned(), value: value.to_owned(), reason: reason.into() }
    }

    /// A whole number in `range`.
    pub(super) fn number(
        &self,
        key: &str,
        default: i64,
        range: RangeInclusive<i64>,
    ) -> Result<i64, SettingError> {
        let Some(text) = self.text(key) else {
            return Ok(default);
        };
        match text.parse() {
            Ok(number) if range.contains(&number) => Ok(number),
            _ => {
                let (low, high) = (range.start(), range.end());
                let allowed = match *high {
                    i64::MAX => format!("must be a whole number, at least {low}"),
                    _ => format!("must be a whole number from {low} to {high}"),
                };
                Err(self.error(key, allowed))
            }
        }
    }

    /// A number that fits 32 bits, at least `low`.
    pub(super) fn int(&self, key: &str, default: i32, low: i32) -> Result<i32, SettingError> {
        let number = self.number(key, default.into(), low.into()..=i32::MAX.into())?;
        Ok(i32::try_from(number).unwrap_or(i32::MAX))
    }

    /// Milliseconds, not negative.
    pub(super) fn millis(&self, key: &str, default: u64) -> Result<Duration, SettingError> {
        let default = i64::try_from(default).unwrap_or(i64::MAX);
        let millis = self.number(key, default, 0..=i64::MAX)?;
        Ok(Duration::from_millis(millis.unsigned_abs()))
    }

    /// One of `choices`, compared without regard to case; `None` if not set.
    pub(super) fn choice<T: Copy>(
        &self,
        key: &str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>, SettingError> {
        let Some(text) = self.text(key) else {
            return Ok(None);
        };
        let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        let allowed = || choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        match found {
            Some(&(_, choice)) => Ok(Some(choice)),
            None => Err(self.error(key, format!("must be one of {}", allowed()))),
        }
    }
}
