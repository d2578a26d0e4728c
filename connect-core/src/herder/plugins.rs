//! The plugins that a worker has and the keys that each defines, as REST shows them.

use connect_api::ConfigDef;

use super::api::HerderResult;
use crate::answers::HerderError;
use crate::answers::{ConfigKeyInfo, PluginInfo};
use crate::plugins::{PluginKind, Plugins};
use crate::validation;

/// `GET /connector-plugins`.
pub(super) fn list(plugins: &Plugins, connectors_only: bool) -> Vec<PluginInfo> {
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
pub(super) fn keys(plugins: &Plugins, plugin: &str) -> HerderResult<Vec<ConfigKeyInfo>> {
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_connectors_own_keys_come_before_the_workers() {
        let plugins = Plugins::default().with(connect_plugins::all());
        let found = keys(&plugins, "FileStreamSource").unwrap();
        let names: Vec<&str> = found.iter().map(|key| key.name.as_str()).collect();
        assert_eq!(names[..5], ["file", "topic", "batch.size", "name", "connector.class"]);
        assert_eq!(keys(&plugins, "Nobody").unwrap_err().to_string(), "Unknown plugin Nobody.");
        let provider = "org.apache.kafka.common.config.provider.FileConfigProvider";
        assert_eq!(keys(&plugins, provider).unwrap_err().status(), 400);
        assert!(keys(&plugins, "org.apache.kafka.connect.json.JsonConverter").unwrap().len() >= 4);
    }

    #[test]
    fn lists_have_connectors_first() {
        let all = list(&Plugins::default().with(connect_plugins::all()), false);
        assert_eq!(all[0].kind, "sink");
        assert!(all.iter().all(|plugin| plugin.kind != "configprovider"));
        let connectors = list(&Plugins::default().with(connect_plugins::all()), true);
        assert!(connectors.iter().all(|plugin| ["sink", "source"].contains(&plugin.kind.as_str())));
    }
}
