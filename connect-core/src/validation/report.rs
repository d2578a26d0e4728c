//! Puts checked values and their definitions together into the answer of `validate`.

use connect_api::config_def::ValidatedValue;
use connect_api::variables::mentions_variables;
use connect_api::{ConfigDef, ConfigKey, Setting, Type};

use super::check::Defined;
use crate::answers::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo};
use crate::api::ConfigMap;

/// An answer in the making.
pub(super) struct Report(ConfigInfos);

impl Report {
    pub(super) fn new(class: &str, groups: Vec<String>) -> Self {
        Self(ConfigInfos { name: class.to_owned(), error_count: 0, groups, configs: Vec::new() })
    }

    pub(super) fn finish(self) -> ConfigInfos {
        self.0
    }

    /// The connector's configuration: first values that nobody defines, then every key with its value; of two values of one
    /// name the later counts.
    pub(super) fn add_connector(&mut self, keys: &[Defined], values: Vec<ValidatedValue>) {
        let defined = |name: &str| keys.iter().any(|known| known.key.name == name);
        for value in values.iter().filter(|value| !defined(&value.name)) {
            self.0.error_count += value.errors.len();
            self.0.configs.push(ConfigInfo { definition: None, value: value_info(value, "") });
        }
        for Defined { key, .. } in keys {
            let Some(value) = values.iter().rev().find(|value| value.name == key.name) else { continue };
            self.0.error_count += value.errors.len();
            self.0
                .configs
                .push(ConfigInfo { definition: Some(key_info(key, "")), value: value_info(value, "") });
        }
    }

    /// Settings of a plugin or client behind a prefix. Connect counts the values that have errors, not the errors.
    pub(super) fn add_prefixed(&mut self, prefix: &str, def: &ConfigDef, values: Vec<ValidatedValue>) {
        for value in &values {
            let key = def.key(&value.name);
            if let Some(group) = key.and_then(|key| key.group.clone())
                && !self.0.groups.contains(&group)
            {
                self.0.groups.push(group);
            }
            self.0.error_count += usize::from(!value.errors.is_empty());
            let definition = key.map(|key| key_info(key, prefix));
            let value = ValidatedValue { visible: true, ..value.clone() };
            self.0.configs.push(ConfigInfo { definition, value: value_info(&value, prefix) });
        }
    }
}

/// A key as REST shows it, its name behind a prefix.
pub(crate) fn key_info(key: &ConfigKey, prefix: &str) -> ConfigKeyInfo {
    ConfigKeyInfo {
        name: format!("{prefix}{}", key.name),
        kind: key.kind.name().to_owned(),
        required: key.is_required(),
        default_value: key.default.as_ref().and_then(Setting::display),
        importance: key.importance.name().to_owned(),
        documentation: key.documentation.clone(),
        group: key.group.clone(),
        width: key.width.name().to_owned(),
        display_name: key.display_name.clone(),
        dependents: key.dependents.clone(),
        order: key.order,
    }
}

fn value_info(value: &ValidatedValue, prefix: &str) -> ConfigValueInfo {
    ConfigValueInfo {
        name: format!("{prefix}{}", value.name),
        value: value.value.display(),
        recommended_values: value.recommended.iter().filter_map(Setting::display).collect(),
        errors: value.errors.clone(),
        visible: value.visible,
    }
}

/// Takes out what config providers gave: values and messages show the text with its variables. Connect shows the secret.
pub(super) fn hide_resolved(mut answer: ConfigInfos, raw: &ConfigMap, resolved: &ConfigMap) -> ConfigInfos {
    for info in &mut answer.configs {
        let (Some(written), Some(secret)) = (raw.get(&info.value.name), resolved.get(&info.value.name))
        else {
            continue;
        };
        if written == secret || !mentions_variables(written) {
            continue;
        }
        let password = info.definition.as_ref().is_some_and(|key| key.kind == Type::Password.name());
        if info.value.value.is_some() && !password {
            info.value.value = Some(written.clone());
        }
        let secret = secret.trim();
        if !secret.is_empty() {
            for error in &mut info.value.errors {
                *error = error.replace(secret, written);
            }
        }
    }
    answer
}
