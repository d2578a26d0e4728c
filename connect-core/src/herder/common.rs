//! What both kinds of herders answer in the same way: which plugins there are and what they can be told, and whether a
//! configuration will do.

use connect_api::ConfigDef;
use java::order::sort_as_copied_hash_map;

use super::api::HerderResult;
use super::error::HerderError;
use super::info::{ConfigInfos, ConfigKeyInfo, PluginInfo};
use crate::plugins::{PluginKind, Plugins};
use crate::storage::Properties;
use crate::validation;

/// `GET /connector-plugins`.
pub fn plugins(plugins: &Plugins, connectors_only: bool) -> Vec<PluginInfo> {
    let shown = |kind: PluginKind| match kind {
        PluginKind::Sink | PluginKind::Source => true,
        PluginKind::ConfigProvider => false,
        _ => !connectors_only,
    };
    let info = |plugin: crate::plugins::PluginInfo| PluginInfo {
        class: plugin.class,
        kind: plugin.kind.name().to_owned(),
        version: Some(plugin.version).filter(|version| version != "undefined"),
    };
    plugins.list().into_iter().filter(|plugin| shown(plugin.kind)).map(info).collect()
}

/// `GET /connector-plugins/{p}/config`: the plugin's own keys, then for connectors those of the worker.
pub fn plugin_config(plugins: &Plugins, plugin: &str) -> HerderResult<Vec<ConfigKeyInfo>> {
    let (own, base) = definitions(plugins, plugin)?;
    let further = base.keys().iter().filter(|key| own.key(&key.name).is_none());
    Ok(own.keys().iter().chain(further).map(|key| validation::key_info(key, "")).collect())
}

/// The keys that a plugin defines, and those that the worker adds.
fn definitions(plugins: &Plugins, plugin: &str) -> HerderResult<(ConfigDef, ConfigDef)> {
    if let Ok(connector) = plugins.connector(plugin) {
        return Ok((connector.config_def(), validation::connector_definitions(connector.kind())));
    }
    let own = None
        .or_else(|| plugins.converter(plugin).map(|found| (found.config_def)()))
        .or_else(|| plugins.header_converter(plugin).map(|found| (found.config_def)()))
        .or_else(|| plugins.transformation(plugin).map(|found| (found.config_def)()))
        .or_else(|| plugins.predicate(plugin).map(|found| (found.config_def)()));
    match own {
        Some(own) => Ok((own, ConfigDef::new())),
        None if plugins.provider(plugin).is_some() => Err(HerderError::BadRequest(format!(
            "Invalid plugin class {plugin}. Valid types are sink, source, converter, header_converter, transformation, \
             predicate."
        ))),
        None => Err(HerderError::NotFound(format!("Unknown plugin {plugin}."))),
    }
}

/// Refuses a configuration in which validation found errors, all of them in the message.
pub fn refuse_errors(validated: &ConfigInfos) -> HerderResult<()> {
    if validated.error_count == 0 {
        return Ok(());
    }
    let errors = validated.configs.iter().flat_map(|config| &config.value.errors);
    let errors: String = errors.map(|error| format!("\n{error}")).collect();
    Err(HerderError::BadRequest(format!(
        "Connector configuration is invalid and contains the following {} error(s):{errors}\nYou can also find the above \
         list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
        validated.error_count
    )))
}

/// A configuration with some keys changed, in the order of a hash map; a null removes its key.
pub fn patched(config: &Properties, patch: Properties) -> Properties {
    let mut patched = config.clone();
    for (key, value) in patch {
        match value {
            Some(value) => drop(patched.insert(key, Some(value))),
            None => drop(patched.shift_remove(&key)),
        }
    }
    let mut patched: Vec<_> = patched.into_iter().collect();
    sort_as_copied_hash_map(&mut patched, config.len(), |(key, _)| key);
    patched.into_iter().collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_connectors_own_keys_come_before_the_workers() {
        let plugins = Plugins::default().with(connect_plugins::all());
        let keys = plugin_config(&plugins, "FileStreamSource").unwrap();
        let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names[..5], ["file", "topic", "batch.size", "name", "connector.class"]);
        assert_eq!(plugin_config(&plugins, "Nobody").unwrap_err().to_string(), "Unknown plugin Nobody.");
        let provider = "org.apache.kafka.common.config.provider.FileConfigProvider";
        assert_eq!(plugin_config(&plugins, provider).unwrap_err().status(), 400);
        assert!(plugin_config(&plugins, "org.apache.kafka.connect.json.JsonConverter").unwrap().len() >= 4);
    }

    #[test]
    fn lists_have_connectors_first() {
        let all = super::plugins(&Plugins::default().with(connect_plugins::all()), false);
        assert_eq!(all[0].kind, "sink");
        assert!(all.iter().all(|plugin| plugin.kind != "configprovider"));
        let connectors = super::plugins(&Plugins::default().with(connect_plugins::all()), true);
        assert!(connectors.iter().all(|plugin| ["sink", "source"].contains(&plugin.kind.as_str())));
    }

    #[test]
    fn a_null_removes_a_key() {
        let config = |pairs: &[(&str, Option<&str>)]| -> Properties {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), v.map(str::to_owned))).collect()
        };
        let changed = patched(
            &config(&[("a", Some("1")), ("b", Some("2"))]),
            config(&[("b", None), ("c", Some("3")), ("d", None)]),
        );
        assert_eq!(changed, config(&[("a", Some("1")), ("c", Some("3"))]));
    }
}
