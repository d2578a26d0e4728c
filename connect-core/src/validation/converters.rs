//! Converters that a connector's configuration names: whether the class is one, and its settings under its prefix.

use connect_api::ConfigDef;
use connect_api::config_def::ValidatedValue;
use java::order::sort_as_hash_map;

use super::check::{Defined, Nulls, check};
use super::enrich::not_an_instance;
use super::report::Report;
use crate::api::ConfigMap;
use crate::config::keys::prefixed;
use crate::plugins::Plugins;

const HEADER: &str = "header.converter";
const KEY: &str = "key.converter";
const VALUE: &str = "value.converter";

fn definition(plugins: &Plugins, property: &str, class: &str) -> Option<ConfigDef> {
    let plugin = match property {
        HEADER => plugins.header_converter(class)?,
        _ => plugins.converter(class)?,
    };
    Some((plugin.config_def)())
}

/// Refuses classes that are there but are no converters.
pub(super) fn check_classes(values: &mut [ValidatedValue], plugins: &Plugins) {
    for value in values.iter_mut().filter(|value| [HEADER, KEY, VALUE].contains(&value.name.as_str())) {
        let Some(class) = value.value.as_str() else { continue };
        if definition(plugins, &value.name, class).is_none() {
            let interface = if value.name == HEADER { "HeaderConverter" } else { "Converter" };
            let reason = not_an_instance(plugins, class, interface);
            value.errors.push(reason);
        }
    }
}

/// Adds the settings of converters that can be used, each behind the prefix of its property.
pub(super) fn add_settings(plugins: &Plugins, props: &ConfigMap, report: &mut Report) {
    for (property, kind) in [(HEADER, "header"), (KEY, "key"), (VALUE, "value")] {
        let class = props.get(property).map(|class| class.trim());
        let Some(def) = class.and_then(|class| definition(plugins, property, class)) else { continue };
        let prefix = format!("{property}.");
        let mut own = prefixed(props, &prefix);
        own.entry("converter.type".to_owned()).or_insert_with(|| kind.to_owned());
        let keys: Vec<Defined> = def.keys().iter().map(Defined::plain).collect();
        let mut values = check(&keys, &own, &Nulls::new(), &|class| Some(class.to_owned()));
        // Connect collects them in a hash map.
        sort_as_hash_map(&mut values, |value| &value.name);
        report.add_prefixed(&prefix, &def, values);
    }
}
