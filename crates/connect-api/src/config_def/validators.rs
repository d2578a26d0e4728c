//! Checks of parsed settings, with the messages of Kafka's `ConfigDef` validators.

use std::sync::Arc;

use super::setting::Setting;

type Check = dyn Fn(&str, &Setting) -> Result<(), String> + Send + Sync;

/// Checks a parsed value; the error is the reason, without the key and the value.
#[derive(Clone)]
pub struct Validator {
    check: Arc<Check>,
    complete: bool,
}

impl std::fmt::Debug for Validator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Validator")
    }
}

impl Validator {
    /// A check of one's own: takes the key's name and the value.
    pub fn new(check: impl Fn(&str, &Setting) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { check: Arc::new(check), complete: false }
    }

    /// A check whose error is the complete message, as of validators in Java that throw their own `ConfigException`.
    pub fn with_messages(check: impl Fn(&Setting) -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self { check: Arc::new(move |_, value| check(value)), complete: true }
    }

    /// True if its errors are complete messages.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// The check.
    pub fn check(&self, name: &str, value: &Setting) -> Result<(), String> {
        (self.check)(name, value)
    }

    /// A list with at least one item.
    pub fn non_empty_list() -> Self {
        Self::new(|_, value| match value {
            Setting::List(items) if !items.is_empty() => Ok(()),
            _ => Err("Empty list".to_owned()),
        })
    }

    /// At least `min`.
    pub fn at_least(min: i64) -> Self {
        Self::new(move |_, value| match value.as_f64() {
            Some(n) if n < min as f64 => Err(format!("Value must be at least {min}")),
            None => Err("Value must be non-null".to_owned()),
            _ => Ok(()),
        })
    }

    /// Between `min` and `max`, both included.
    pub fn between(min: i64, max: i64) -> Self {
        Self::new(move |_, value| match value.as_f64() {
            Some(n) if n < min as f64 => Err(format!("Value must be at least {min}")),
            Some(n) if n > max as f64 => Err(format!("Value must be no more than {max}")),
            None => Err("Value must be non-null".to_owned()),
            _ => Ok(()),
        })
    }

    /// One of these texts.
    pub fn one_of(texts: &'static [&'static str]) -> Self {
        Self::new(move |_, value| match value.as_str() {
            Some(text) if texts.contains(&text) => Ok(()),
            _ => Err(format!("String must be one of: {}", texts.join(", "))),
        })
    }

    /// One of these texts, in any case.
    pub fn one_of_ignoring_case(texts: &'static [&'static str]) -> Self {
        Self::new(move |_, value| match value.as_str() {
            Some(text) if texts.iter().any(|known| known.eq_ignore_ascii_case(text)) => Ok(()),
            _ => Err(format!("String must be one of (case insensitive): {}", texts.join(", "))),
        })
    }

    /// Not the empty text; null passes.
    pub fn non_empty() -> Self {
        Self::new(|_, value| match value.as_str() {
            Some("") => Err("String must be non-empty".to_owned()),
            _ => Ok(()),
        })
    }

    /// Not empty, and without control characters.
    pub fn non_empty_without_control_characters() -> Self {
        Self::new(|_, value| {
            let Some(text) = value.as_str() else {
                return Err("String may not be null".to_owned());
            };
            if text.is_empty() {
                return Err("String may not be empty".to_owned());
            }
            let controls = text.chars().filter(|c| c.is_control()).map(|c| (c as u32).to_string());
            let controls: Vec<String> = controls.collect();
            if controls.is_empty() {
                return Ok(());
            }
            Err(format!(
                "String may not contain control sequences but had the following ASCII chars: {}",
                controls.join(", ")
            ))
        })
    }
}
