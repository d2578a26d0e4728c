//! Registry of the plugins of a worker, which names none of them: executables register what comes along, and their own.
//! Plugins are found by the names of their Java classes or by aliases.
//! Herders look connectors up, the worker makes converters, transformations and predicates, REST lists them all.

use std::fmt;
use std::sync::Arc;

use connect_api::{
    ConfigProviderPlugin, ConnectError, ConnectorPlugin, ConnectorType, ConverterPlugin, PluginSet,
    PredicatePlugin, TransformationPlugin,
};

/// Kind of a plugin, as Connect's REST interface groups and names it. The order is the one in which it lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum PluginKind {
    Sink,
    Source,
    Transformation,
    Predicate,
    Converter,
    HeaderConverter,
    ConfigProvider,
}

impl PluginKind {
    /// As Connect's REST interface writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Source => "source",
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
            Self::ConfigProvider => "configprovider",
        }
    }

    /// Text that an alias may leave out at the end of a class name.
    fn suffix(self) -> &'static str {
        match self {
            Self::Sink | Self::Source => "Connector",
            Self::Transformation => "Transformation",
            Self::Predicate => "Predicate",
            Self::Converter => "Converter",
            Self::HeaderConverter => "HeaderConverter",
            Self::ConfigProvider => "ConfigProvider",
        }
    }
}

/// One line of `GET /connector-plugins`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PluginInfo {
    /// What it does.
    pub kind: PluginKind,
    /// Full name of the Java class.
    pub class: String,
    /// Its version.
    pub version: String,
}

/// All plugins of a worker; none by default.
#[derive(Clone, Default)]
pub struct Plugins {
    connectors: Vec<Arc<dyn ConnectorPlugin>>,
    converters: Vec<ConverterPlugin>,
    transformations: Vec<TransformationPlugin>,
    predicates: Vec<PredicatePlugin>,
    providers: Vec<ConfigProviderPlugin>,
    /// Other class names of converters, with the one of the plugin.
    converter_names: Vec<(String, String)>,
}

impl fmt::Debug for Plugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list().iter().map(|plugin| &plugin.class)).finish()
    }
}

impl Plugins {
    /// With all plugins of a set; each hides one of the same class.
    #[must_use]
    pub fn with(self, set: PluginSet) -> Self {
        let all = set.connectors.into_iter().fold(self, Self::with_connector);
        let all = set.converters.into_iter().fold(all, Self::with_converter);
        let all = set.transformations.into_iter().fold(all, Self::with_transformation);
        let all = set.predicates.into_iter().fold(all, Self::with_predicate);
        set.providers.into_iter().fold(all, Self::with_provider)
    }

    /// With one more kind of connector; it hides one of the same class.
    #[must_use]
    pub fn with_connector(mut self, plugin: Arc<dyn ConnectorPlugin>) -> Self {
        self.connectors.retain(|known| known.class() != plugin.class());
        self.connectors.push(plugin);
        self
    }

    /// With one more kind of converter; it hides one of the same class.
    #[must_use]
    pub fn with_converter(mut self, plugin: ConverterPlugin) -> Self {
        self.converters.retain(|known| known.class != plugin.class);
        self.converters.push(plugin);
        self
    }

    /// With another class name for a kind of converter; it is not listed, and no alias of it is known.
    #[must_use]
    pub fn with_converter_name(mut self, name: impl Into<String>, class: impl Into<String>) -> Self {
        self.converter_names.push((name.into(), class.into()));
        self
    }

    /// With one more transformation; it hides one of the same class.
    #[must_use]
    pub fn with_transformation(mut self, plugin: TransformationPlugin) -> Self {
        self.transformations.retain(|known| known.class != plugin.class);
        self.transformations.push(plugin);
        self
    }

    /// With one more predicate; it hides one of the same class.
    #[must_use]
    pub fn with_predicate(mut self, plugin: PredicatePlugin) -> Self {
        self.predicates.retain(|known| known.class != plugin.class);
        self.predicates.push(plugin);
        self
    }

    /// With one more config provider; it hides one of the same class.
    #[must_use]
    pub fn with_provider(mut self, plugin: ConfigProviderPlugin) -> Self {
        self.providers.retain(|known| known.class != plugin.class);
        self.providers.push(plugin);
        self
    }

    /// All kinds of connectors.
    pub fn connectors(&self) -> &[Arc<dyn ConnectorPlugin>] {
        &self.connectors
    }

    /// The kind of connector that `connector.class` means. The error has Connect's words: no class matches, or more than
    /// one does.
    pub fn connector(&self, class: &str) -> Result<&Arc<dyn ConnectorPlugin>, ConnectError> {
        if let Some(exact) = self.connectors.iter().find(|plugin| plugin.class() == class) {
            return Ok(exact);
        }
        let means = |plugin: &&Arc<dyn ConnectorPlugin>| is_alias(class, plugin.class(), PluginKind::Source);
        let matches: Vec<_> = self.connectors.iter().filter(means).collect();
        match matches[..] {
            [one] => Ok(one),
            [] => Err(ConnectError::new(format!(
                "Failed to find any class that implements Connector and which name matches {class}, available \
                 connectors are: {}",
                descriptions(self.connectors.iter())
            ))),
            _ => Err(ConnectError::new(format!(
                "More than one connector matches alias {class}. Please use full package and class name instead. \
                 Classes found: {}",
                descriptions(matches.iter().copied())
            ))),
        }
    }

    /// A converter for keys and values.
    pub fn converter(&self, class: &str) -> Option<&ConverterPlugin> {
        let usable = self.converters.iter().filter(|plugin| plugin.converter.is_some());
        find(usable, self.converter_class(class), PluginKind::Converter, |plugin| &plugin.class)
    }

    /// A converter for headers.
    pub fn header_converter(&self, class: &str) -> Option<&ConverterPlugin> {
        let class = self.converter_class(class);
        let usable = || self.converters.iter().filter(|plugin| plugin.header_converter.is_some());
        // Most of them are converters of keys and values too, and have that alias as well.
        find(usable(), class, PluginKind::HeaderConverter, |plugin| &plugin.class)
            .or_else(|| find(usable(), class, PluginKind::Converter, |plugin| &plugin.class))
    }

    fn converter_class<'a>(&'a self, class: &'a str) -> &'a str {
        self.converter_names.iter().find(|(name, _)| *name == class).map_or(class, |(_, class)| class)
    }

    /// A transformation.
    pub fn transformation(&self, class: &str) -> Option<&TransformationPlugin> {
        find(self.transformations.iter(), class, PluginKind::Transformation, |plugin| &plugin.class)
    }

    /// A predicate.
    pub fn predicate(&self, class: &str) -> Option<&PredicatePlugin> {
        find(self.predicates.iter(), class, PluginKind::Predicate, |plugin| &plugin.class)
    }

    /// A config provider.
    pub fn provider(&self, class: &str) -> Option<&ConfigProviderPlugin> {
        find(self.providers.iter(), class, PluginKind::ConfigProvider, |plugin| &plugin.class)
    }

    /// Everything, in the order in which Connect lists it: by kind, then by class.
    pub fn list(&self) -> Vec<PluginInfo> {
        const OWN: &str = env!("CARGO_PKG_VERSION");
        let info = |kind, class: &str, version: &str| PluginInfo {
            kind,
            class: class.to_owned(),
            version: version.to_owned(),
        };
        let mut all = Vec::new();
        for plugin in &self.connectors {
            let kind = match plugin.kind() {
                ConnectorType::Source => PluginKind::Source,
                ConnectorType::Sink => PluginKind::Sink,
            };
            all.push(info(kind, plugin.class(), plugin.version()));
        }
        for plugin in &self.converters {
            if plugin.converter.is_some() {
                all.push(info(PluginKind::Converter, &plugin.class, OWN));
            }
            if plugin.header_converter.is_some() {
                all.push(info(PluginKind::HeaderConverter, &plugin.class, OWN));
            }
        }
        let transformations = self.transformations.iter();
        all.extend(transformations.map(|plugin| info(PluginKind::Transformation, &plugin.class, OWN)));
        all.extend(self.predicates.iter().map(|plugin| info(PluginKind::Predicate, &plugin.class, OWN)));
        all.extend(self.providers.iter().map(|plugin| info(PluginKind::ConfigProvider, &plugin.class, OWN)));
        all.sort();
        all
    }
}

/// The last part of a class name, as Java's `getSimpleName`.
pub fn simple_name(class: &str) -> &str {
    class.rsplit(['.', '$']).next().unwrap_or(class)
}

/// The exact class, else the only one that the alias fits.
fn find<'a, T>(
    plugins: impl Iterator<Item = &'a T>,
    class: &str,
    kind: PluginKind,
    name: impl Fn(&T) -> &str,
) -> Option<&'a T> {
    let mut by_alias = Vec::new();
    for plugin in plugins {
        if name(plugin) == class {
            return Some(plugin);
        }
        if is_alias(class, name(plugin), kind) {
            by_alias.push(plugin);
        }
    }
    match by_alias[..] {
        [one] => Some(one),
        _ => None,
    }
}

fn is_alias(alias: &str, class: &str, kind: PluginKind) -> bool {
    let simple = simple_name(class);
    let pruned = match simple.rfind(kind.suffix()) {
        Some(at) if at > 0 => &simple[..at],
        _ => simple,
    };
    alias == simple || alias == pruned
}

fn descriptions<'a>(plugins: impl Iterator<Item = &'a Arc<dyn ConnectorPlugin>>) -> String {
    let describe = |plugin: &Arc<dyn ConnectorPlugin>| {
        let (class, version, kind) = (plugin.class(), plugin.version(), plugin.kind().name());
        format!(
            "PluginDesc{{klass=class {class}, name='{class}', version='{version}', encodedVersion={version}, \
             type={kind}, typeName='{kind}', location='classpath'}}"
        )
    };
    let mut plugins: Vec<_> = plugins.collect();
    // Sinks first, as Java's worker lists them.
    plugins.sort_by_key(|plugin| (plugin.kind().name(), plugin.class()));
    plugins.into_iter().map(describe).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use connect_api::ConfigDef;

    fn predicate(class: &'static str) -> PredicatePlugin {
        PredicatePlugin::new(class, ConfigDef::new, |_| Err(ConnectError::new("none")))
    }

    #[test]
    fn converters_of_headers_are_known_by_both_names() {
        let plugins = Plugins::default().with(connect_plugins::all());
        for (alias, class) in [
            ("Json", "org.apache.kafka.connect.json.JsonConverter"),
            ("StringConverter", "org.apache.kafka.connect.storage.StringConverter"),
            ("Simple", "org.apache.kafka.connect.storage.SimpleHeaderConverter"),
        ] {
            assert_eq!(plugins.header_converter(alias).unwrap().class, class);
        }
    }

    #[test]
    fn aliases_are_simple_names_with_or_without_the_kind() {
        let plugins = Plugins::default()
            .with_predicate(predicate("a.b.HasHeaderPredicate"))
            .with_predicate(predicate("a.b.Is$Key"))
            .with_predicate(predicate("c.d.Was$Key"));
        for alias in ["a.b.HasHeaderPredicate", "HasHeaderPredicate", "HasHeader"] {
            assert_eq!(plugins.predicate(alias).unwrap().class, "a.b.HasHeaderPredicate");
        }
        assert!(plugins.predicate("Key").is_none(), "it means two");
        assert!(plugins.predicate("Is$Key").is_none());
        assert_eq!(plugins.predicate("c.d.Was$Key").unwrap().class, "c.d.Was$Key");
        let listed: Vec<_> = plugins.list().into_iter().map(|plugin| plugin.class).collect();
        assert_eq!(listed, ["a.b.HasHeaderPredicate", "a.b.Is$Key", "c.d.Was$Key"]);
    }

    #[test]
    fn a_converter_may_have_another_name() {
        let class = "org.apache.kafka.connect.converters.ByteArrayConverter";
        let plugins = Plugins::default()
            .with(connect_plugins::all())
            .with_converter_name("x.y.ByteArrayConverter", class);
        assert_eq!(plugins.converter("x.y.ByteArrayConverter").unwrap().class, class);
        assert_eq!(plugins.header_converter("x.y.ByteArrayConverter").unwrap().class, class);
        assert_eq!(
            plugins.converter("ByteArrayConverter").unwrap().class,
            class,
            "the alias is still unique"
        );
        assert!(plugins.list().iter().all(|plugin| plugin.class != "x.y.ByteArrayConverter"));
    }
}
