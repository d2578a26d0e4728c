//! The config providers of a worker: made from its properties, asked for the variables of every configuration that it uses.
//! The rules of variables are those of `connect_api::variables`.

use std::sync::Arc;

use connect_api::variables::{self, Providers};
use connect_api::{ConfigMap, ConnectError};

use super::settings::{list, text, with_prefix};
use crate::plugins::Plugins;

/// The config providers of a worker (`config.providers`). Clones share them.
#[derive(Clone, Default)]
pub struct Variables(Arc<Providers>);

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Variables({:?})", self.0.keys())
    }
}

impl Variables {
    /// Makes the providers that a worker's properties name.
    ///
    /// # Errors
    /// An unknown class, or a provider that refuses its parameters.
    pub fn from_properties(properties: &ConfigMap, plugins: &Plugins) -> Result<Self, ConnectError> {
        let mut providers = Providers::new();
        for name in list(properties, "config.providers") {
            let key = format!("config.providers.{name}.class");
            let class = text(properties, &key).ok_or_else(|| {
                ConnectError::config(format!("{key} is missing, but config.providers names {name}"))
            })?;
            let plugin = plugins.provider(class).ok_or_else(|| {
                ConnectError::config(format!(
                    "Invalid value {class} for configuration {key}: Class {class} could not be found."
                ))
            })?;
            let params = with_prefix(properties, &format!("config.providers.{name}.param."));
            providers.insert(name, (plugin.create)(&params)?.into());
        }
        Ok(Self(Arc::new(providers)))
    }

    /// The same configuration with its variables replaced.
    ///
    /// # Errors
    /// A provider that fails, for example because its file is missing.
    pub fn resolve(&self, config: &ConfigMap) -> Result<ConfigMap, ConnectError> {
        variables::resolve(config, &self.0).map(|(resolved, _)| resolved)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> ConfigMap {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn providers_come_from_the_worker_s_settings() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secrets.properties");
        std::fs::write(&file, "key=s\\u0065cret\nother=x\n").unwrap();
        let worker = map(&[
            ("config.providers", "f, d"),
            ("config.providers.f.class", "org.apache.kafka.common.config.provider.FileConfigProvider"),
            ("config.providers.f.param.allowed.paths", folder.path().to_str().unwrap()),
            ("config.providers.d.class", "DirectoryConfigProvider"),
        ]);
        let variables =
            Variables::from_properties(&worker, &Plugins::default().with(connect_plugins::all())).unwrap();
        let variable = format!("${{f:{}:key}}", file.display());
        let content = format!("${{d:{}:secrets.properties}}", folder.path().display());
        let forbidden = "${f:/etc/passwd:key}";
        let config = map(&[("a", &variable), ("b", forbidden), ("c", &content)]);
        let resolved = variables.resolve(&config).unwrap();
        assert_eq!((resolved["a"].as_str(), resolved["b"].as_str()), ("secret", forbidden));
        assert!(resolved["c"].starts_with("key="));
        let missing = map(&[("a", &format!("${{f:{}/none:key}}", folder.path().display()))]);
        let error = variables.resolve(&missing).unwrap_err();
        assert!(error.message().starts_with("Could not read properties from file "), "{error}");
        let unknown = map(&[("config.providers", "x"), ("config.providers.x.class", "X")]);
        assert!(
            Variables::from_properties(&unknown, &Plugins::default().with(connect_plugins::all()))
                .unwrap_err()
                .message()
                .contains("could not be found")
        );
    }
}
