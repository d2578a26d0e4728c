//! Parsing and checking settings by their definition.

use std::collections::BTreeMap;

use super::definition::{ConfigDef, ConfigKey, Type};
use super::setting::Setting;
use crate::ConfigMap;
use crate::error::ConnectError;

/// Verdict of a validation about one key.
#[derive(Debug, Clone)]
pub struct ValidatedValue {
    /// Name.
    pub name: String,
    /// The parsed value; null when it cannot be parsed.
    pub value: Setting,
    /// Proposals.
    pub recommended: Vec<Setting>,
    /// Messages about what is wrong with it.
    pub errors: Vec<String>,
    /// False when it means nothing with the other settings.
    pub visible: bool,
}

/// Settings that have passed their definition.
#[derive(Debug, Clone, Default)]
pub struct ParsedConfig(BTreeMap<String, Setting>);

impl ParsedConfig {
    /// A setting; null when it is not defined.
    pub fn get(&self, name: &str) -> &Setting {
        self.0.get(name).unwrap_or(&Setting::Null)
    }

    /// Text of a string, class or password setting; `None` when it is null.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.get(name).as_str()
    }

    /// Items of a list; empty when it is null.
    pub fn list(&self, name: &str) -> &[String] {
        match self.get(name) {
            Setting::List(items) => items,
            _ => &[],
        }
    }

    /// A boolean; false when it is null.
    pub fn bool(&self, name: &str) -> bool {
        matches!(self.get(name), Setting::Boolean(true))
    }

    /// A short, int or long; `None` when it is null.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Setting::Int(n) => Some(i64::from(*n)),
            Setting::Short(n) => Some(i64::from(*n)),
            Setting::Long(n) => Some(*n),
            _ => None,
        }
    }
}

impl ConfigDef {
    /// Parses settings; keys without definition are ignored. The error is that of the first key that is wrong.
    pub fn parse(&self, config: &ConfigMap) -> Result<ParsedConfig, ConnectError> {
        let parsed = self.keys().iter().map(|key| {
            let value = key.value(config.get(&key.name).map(String::as_str))?;
            Ok((key.name.clone(), value))
        });
        parsed.collect::<Result<_, String>>().map(ParsedConfig).map_err(ConnectError::config)
    }

    /// Checks settings key by key, in the order of the definition.
    pub fn validate(&self, config: &ConfigMap) -> Vec<ValidatedValue> {
        let mut values: Vec<ValidatedValue> = self.keys().iter().map(|key| key.validate(config)).collect();
        let parsed: BTreeMap<String, Setting> =
            values.iter().map(|value| (value.name.clone(), value.value.clone())).collect();
        for (key, value) in self.keys().iter().zip(&mut values) {
            if let Some(recommender) = &key.recommender {
                value.recommended = recommender.valid_values(&key.name, &parsed);
                value.visible = recommender.visible(&key.name, &parsed);
            }
        }
        values
    }
}

impl ConfigKey {
    /// The value of this key from its text: parsed, defaulted and checked.
    pub fn value(&self, text: Option<&str>) -> Result<Setting, String> {
        let value = match (text, &self.default) {
            (Some(text), _) => self.parse(text)?,
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(self.missing()),
        };
        if let Some(validator) = &self.validator {
            validator.check(&self.name, &value).map_err(|reason| {
                let shown = match &value {
                    Setting::List(items) => format!("[{}]", items.join(", ")),
                    value => value.display().unwrap_or_else(|| "null".to_owned()),
                };
                if validator.is_complete() { reason } else { invalid(&self.name, &shown, Some(&reason)) }
            })?;
        }
        Ok(value)
    }

    fn validate(&self, config: &ConfigMap) -> ValidatedValue {
        let (value, errors) = match self.value(config.get(&self.name).map(String::as_str)) {
            Ok(value) => (value, vec![]),
            Err(error) => (Setting::Null, vec![error]),
        };
        ValidatedValue { name: self.name.clone(), value, recommended: vec![], errors, visible: true }
    }

    fn missing(&self) -> String {
        format!("Missing required configuration \"{}\" which has no default value.", self.name)
    }

    /// As `ConfigDef.parseType` reads text of this type.
    pub fn parse(&self, text: &str) -> Result<Setting, String> {
        // As Java's `trim`: blanks beyond ASCII belong to the value.
        let trimmed = text.trim_matches(|c| c <= ' ');
        let number = |kind: &str| invalid(&self.name, text, Some(&format!("Not a number of type {kind}")));
        Ok(match self.kind {
            Type::Boolean if trimmed.eq_ignore_ascii_case("true") => Setting::Boolean(true),
            Type::Boolean if trimmed.eq_ignore_ascii_case("false") => Setting::Boolean(false),
            Type::Boolean => {
                let reason = "Expected value to be either true or false";
                return Err(invalid(&self.name, text, Some(reason)));
            }
            Type::String => Setting::String(trimmed.to_owned()),
            Type::Password => Setting::Password(trimmed.to_owned()),
            Type::Class => Setting::Class(trimmed.to_owned()),
            Type::Int => Setting::Int(trimmed.parse().map_err(|_| number("INT"))?),
            Type::Short => Setting::Short(trimmed.parse().map_err(|_| number("SHORT"))?),
            Type::Long => Setting::Long(trimmed.parse().map_err(|_| number("LONG"))?),
            Type::Double => Setting::Double(trimmed.parse().map_err(|_| number("DOUBLE"))?),
            Type::List if trimmed.is_empty() => Setting::List(vec![]),
            Type::List => Setting::List(trimmed.split(',').map(|item| item.trim().to_owned()).collect()),
        })
    }
}

fn invalid(name: &str, value: &str, reason: Option<&str>) -> String {
    let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    format!("Invalid value {value} for configuration {name}{reason}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Importance, Validator};
    use super::*;

    fn def() -> ConfigDef {
        ConfigDef::new()
            .define(ConfigKey::new("file", Type::String, Importance::High, "The file."))
            .define(
                ConfigKey::new("batch.size", Type::Int, Importance::Low, "Lines.")
                    .default(2000)
                    .validator(Validator::at_least(1)),
            )
            .define(
                ConfigKey::new("names", Type::List, Importance::Low, "Names.").default(Vec::<String>::new()),
            )
    }

    fn config(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn settings_are_parsed_trimmed_and_defaulted() {
        let parsed = def().parse(&config(&[("file", " /x "), ("names", "a , b")])).unwrap();
        assert_eq!(parsed.str("file"), Some("/x"));
        assert_eq!(parsed.integer("batch.size"), Some(2000));
        assert_eq!(parsed.list("names"), ["a", "b"]);
    }

    #[test]
    fn errors_are_in_kafkas_words() {
        let error = |pairs: &[(&str, &str)]| def().parse(&config(pairs)).unwrap_err().message().to_owned();
        assert_eq!(error(&[]), "Missing required configuration \"file\" which has no default value.");
        assert_eq!(
            error(&[("file", "x"), ("batch.size", "many")]),
            "Invalid value many for configuration batch.size: Not a number of type INT"
        );
        assert_eq!(
            error(&[("file", "x"), ("batch.size", "0")]),
            "Invalid value 0 for configuration batch.size: Value must be at least 1"
        );
        let all = def().validate(&config(&[("batch.size", "0")]));
        assert_eq!(all.iter().map(|v| v.errors.len()).collect::<Vec<_>>(), [1, 1, 0]);
    }
}
