//! Checks connector configurations (`validate`, and before every create or update): the worker's own settings, those of the
//! connector, its transformations, predicates and converters, and overrides of client settings, merged into one answer in
//! Connect's order. Herders call it through [`crate::herder::api::HerderReader::validate`].
//!
//! Guarantees: values that came from config providers are never part of an answer: the text with the variable is shown.

mod check;
mod client_types;
mod converters;
mod definitions;
mod enrich;
mod report;
mod rules;
#[cfg(test)]
mod tests;

use connect_api::config_def::ValidatedValue;
use connect_api::{ConfigDef, ConnectorPlugin, ConnectorType};
use java::order::sort_as_copied_hash_map;

pub(crate) use report::key_info;

use self::check::{Defined, Nulls, check};
use self::report::Report;
use crate::answers::ConfigInfos;
use crate::answers::HerderError;
use crate::api::ConfigMap;
use crate::plugins::{PluginKind, Plugins};
use crate::storage::Properties;

/// Gives the overrides of client settings that a policy forbids: keys with their reasons, for the prefix of a kind of client.
pub type Forbidden<'a> = dyn Fn(&str, &ConfigMap) -> Vec<(String, String)> + Sync + 'a;

/// Replaces variables of config providers.
pub type Resolve<'a> = dyn Fn(&ConfigMap) -> Result<ConfigMap, connect_api::ConnectError> + Sync + 'a;

/// The parts of a worker that take part in a check.
pub struct Rules<'a> {
    /// All plugins.
    pub plugins: &'a Plugins,
    /// `group.id`; `None` in standalone mode, where neither groups nor exactly-once delivery are looked at.
    pub group_id: Option<&'a str>,
    /// `exactly.once.source.support=enabled`.
    pub exactly_once: bool,
    /// Overrides that `connector.client.config.override.policy` forbids of a configuration: names of keys and reasons, for each kind of
    /// client as its prefix (`producer.override.`) names it.
    pub forbidden: &'a Forbidden<'a>,
    /// Replaces variables of config providers.
    pub resolve: &'a Resolve<'a>,
}

/// The keys that the worker adds to those of every connector of a kind.
pub(crate) fn connector_definitions(kind: ConnectorType) -> ConfigDef {
    match kind {
        ConnectorType::Source => definitions::source(),
        ConnectorType::Sink => definitions::sink(),
    }
}

/// Checks a configuration. Errors are only what keeps it from being checked at all: no `connector.class`, an unknown one, or
/// a config provider that fails.
pub async fn validate(rules: &Rules<'_>, config: &Properties) -> Result<ConfigInfos, HerderError> {
    let raw: ConfigMap =
        config.iter().filter_map(|(key, value)| Some((key.clone(), value.clone()?))).collect();
    let props = (rules.resolve)(&raw)
        .map_err(|e| HerderError::Other { class: e.class().to_owned(), message: e.to_string() })?;
    let Some(class) = props.get("connector.class") else {
        return Err(HerderError::BadRequest(format!(
            "Connector config {} contains no connector type",
            java_map(config)
        )));
    };
    let plugin = rules
        .plugins
        .connector(class)
        .map_err(|e| HerderError::Other { class: e.class().to_owned(), message: e.message().to_owned() })?;
    let answer = check_all(rules, plugin.as_ref(), class, &props, config).await?;
    Ok(report::hide_resolved(answer, &raw, &props))
}

async fn check_all(
    rules: &Rules<'_>,
    plugin: &dyn ConnectorPlugin,
    class: &str,
    props: &ConfigMap,
    config: &Properties,
) -> Result<ConfigInfos, HerderError> {
    let plugins = rules.plugins;
    let base = connector_definitions(plugin.kind());
    let find_class = |text: &str| class_of(plugins, text);
    let mut keys = enrich::enrich(&base, plugins, props);
    let nulls = nulls_of(config);
    let mut values = check(&keys, props, &nulls, &find_class);
    converters::check_classes(&mut values, plugins);
    enrich::check_types(&mut values, plugins, props);
    match plugin.kind() {
        ConnectorType::Source => rules::source(rules, plugin, props, &mut values).await,
        ConnectorType::Sink => rules::sink(rules, props, &mut values),
    }
    refuse_nulls(&nulls, &mut values);

    let own = plugin.config_def();
    let mut own_values = check_own(&own, props, &nulls);
    plugin.validate(props, &mut own_values).await;
    let groups = groups(&keys, &own);
    merge(&mut keys, &own);
    values.extend(own_values);

    let mut report = Report::new(class, groups);
    report.add_connector(&keys, values);
    rules::overrides(rules, plugin.kind(), props, &mut report)?;
    converters::add_settings(plugins, props, &mut report);
    Ok(report.finish())
}

/// The connector's own settings; its classes are its own business.
fn check_own(def: &ConfigDef, props: &ConfigMap, nulls: &Nulls) -> Vec<ValidatedValue> {
    let keys: Vec<Defined> = def.keys().iter().map(Defined::plain).collect();
    check(&keys, props, nulls, &|class| Some(class.to_owned()))
}

fn groups(keys: &[Defined], own: &ConfigDef) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for group in keys.iter().filter_map(|defined| defined.key.group.clone()).chain(own.groups()) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    groups
}

/// A key of the connector that the worker defines too replaces the worker's in its place.
fn merge(keys: &mut Vec<Defined>, own: &ConfigDef) {
    for key in own.keys() {
        match keys.iter_mut().find(|known| known.key.name == key.name) {
            Some(known) => *known = Defined::plain(key),
            None => keys.push(Defined::plain(key)),
        }
    }
}

fn nulls_of(config: &Properties) -> Nulls {
    config.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| name.clone()).collect()
}

fn refuse_nulls(nulls: &Nulls, values: &mut Vec<ValidatedValue>) {
    const MESSAGE: &str = "Null value can not be supplied as the configuration value.";
    for name in nulls {
        rules::value_of(values, name).errors.push(MESSAGE.to_owned());
    }
}

/// The full name of the class that a text means: of any plugin, or of one that holds plugins.
fn class_of(plugins: &Plugins, text: &str) -> Option<String> {
    let all = plugins.list();
    if let Some(plugin) =
        all.iter().find(|plugin| plugin.class == text && plugin.kind != PluginKind::ConfigProvider)
    {
        return Some(plugin.class.clone());
    }
    let class = None
        .or_else(|| plugins.connector(text).ok().map(|plugin| plugin.class().to_owned()))
        .or_else(|| plugins.converter(text).map(|plugin| plugin.class.to_owned()))
        .or_else(|| plugins.header_converter(text).map(|plugin| plugin.class.to_owned()))
        .or_else(|| plugins.transformation(text).map(|plugin| plugin.class.to_owned()))
        .or_else(|| plugins.predicate(text).map(|plugin| plugin.class.to_owned()));
    // Of Java's own classes these are the ones that are found in configurations by mistake.
    let foreign = text == enrich::CONVERTER || text == "java.lang.String" || text == "java.lang.Object";
    class.or_else(|| (foreign || !enrich::nested_of(plugins, text).is_empty()).then(|| text.to_owned()))
}

/// A map as Java prints a copy of it.
fn java_map(config: &Properties) -> String {
    let mut entries: Vec<_> = config.iter().collect();
    sort_as_copied_hash_map(&mut entries, config.len(), |(key, _)| key);
    let entry =
        |(key, value): (&String, &Option<String>)| format!("{key}={}", value.as_deref().unwrap_or("null"));
    format!("{{{}}}", entries.into_iter().map(entry).collect::<Vec<_>>().join(", "))
}
