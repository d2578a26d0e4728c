//! FileConfigProvider: keys of a properties file.

use connect_api::{ConfigMap, ConfigProvider, ConnectError, Provided};
use java::properties::Properties;

use super::allowed_paths::AllowedPaths;

/// The provider.
#[derive(Debug)]
pub(super) struct FileConfigProvider(AllowedPaths);

impl FileConfigProvider {
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        AllowedPaths::new(config).map(Self)
    }
}

impl ConfigProvider for FileConfigProvider {
    fn get(&self, path: &str, keys: &[String]) -> Result<Provided, ConnectError> {
        if path.is_empty() {
            return Ok(Provided::default());
        }
        let Some(file) = self.0.checked(path) else { return Ok(Provided::default()) };
        let properties = Properties::read(&file).map_err(|error| {
            tracing::error!(path, %error, "a config provider cannot read this properties file");
            ConnectError::config(format!("Could not read properties from file {path}"))
        })?;
        let mut data = properties.to_map();
        data.retain(|key, _| keys.contains(key));
        Ok(Provided { data, ttl: None })
    }
}
