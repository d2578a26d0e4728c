//! Checks settings key by key as `ConfigDef.validate` does: a value that cannot be parsed is null, and its validator judges the
//! null as well; a value that is parsed but wrong is shown beside what is wrong with it.

use std::collections::{BTreeMap, BTreeSet};

use connect_api::config_def::ValidatedValue;
use connect_api::{ConfigKey, Setting, Type};

use crate::api::ConfigMap;

/// A key among others, its name possibly behind a prefix that its validator does not see.
#[derive(Clone)]
pub(super) struct Defined {
    pub(super) key: ConfigKey,
    pub(super) prefix: String,
}

impl Defined {
    pub(super) fn plain(key: &ConfigKey) -> Self {
        Self { key: key.clone(), prefix: String::new() }
    }

    fn own_name(&self) -> &str {
        self.key.name.strip_prefix(&self.prefix).unwrap_or(&self.key.name)
    }
}

/// Finds the full name of the class that a text means; `None`: there is no such class.
pub(super) type FindClass<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// Keys that are given the value null: they have no default then, and count as given.
pub(super) type Nulls = BTreeSet<String>;

/// Checks all keys, in their order.
pub(super) fn check(
    keys: &[Defined],
    props: &ConfigMap,
    nulls: &Nulls,
    classes: &FindClass<'_>,
) -> Vec<ValidatedValue> {
    let mut values: Vec<ValidatedValue> =
        keys.iter().map(|key| check_one(key, props, nulls, classes)).collect();
    let parsed: BTreeMap<String, Setting> =
        values.iter().map(|value| (value.name.clone(), value.value.clone())).collect();
    for (defined, value) in keys.iter().zip(&mut values) {
        if let Some(recommender) = &defined.key.recommender {
            value.recommended = recommender.valid_values(&defined.key.name, &parsed);
            value.visible = recommender.visible(&defined.key.name, &parsed);
        }
    }
    values
}

fn check_one(defined: &Defined, props: &ConfigMap, nulls: &Nulls, classes: &FindClass<'_>) -> ValidatedValue {
    let key = &defined.key;
    let mut errors = Vec::new();
    let value = match (props.get(&key.name), &key.default) {
        (Some(text), _) => parse(key, text, classes).unwrap_or_else(|error| {
            errors.push(error);
            Setting::Null
        }),
        (None, _) if nulls.contains(&key.name) => Setting::Null,
        (None, Some(default)) => default.clone(),
        (None, None) => {
            errors
                .push(format!("Missing required configuration \"{}\" which has no default value.", key.name));
            Setting::Null
        }
    };
    if let Some(validator) = &key.validator
        && let Err(reason) = validator.check(defined.own_name(), &value)
    {
        // Some say the whole of it, about another key than their own.
        errors.push(if validator.is_complete() || reason.starts_with("Invalid value ") {
            reason
        } else {
            let (shown, name) = (java_text(&value), defined.own_name());
            format!("Invalid value {shown} for configuration {name}: {reason}")
        });
    }
    ValidatedValue { name: key.name.clone(), value, recommended: vec![], errors, visible: true }
}

fn parse(key: &ConfigKey, text: &str, classes: &FindClass<'_>) -> Result<Setting, String> {
    if key.kind != Type::Class {
        return key.parse(text);
    }
    let name = text.trim();
    classes(name).map(Setting::Class).ok_or_else(|| {
        format!("Invalid value {name} for configuration {}: Class {name} could not be found.", key.name)
    })
}

/// A value as Java prints it in messages.
pub(super) fn java_text(value: &Setting) -> String {
    match value {
        Setting::List(items) => format!("[{}]", items.join(", ")),
        value => value.display().unwrap_or_else(|| "null".to_owned()),
    }
}
