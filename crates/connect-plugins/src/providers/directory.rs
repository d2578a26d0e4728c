//! DirectoryConfigProvider: keys are the names of files in a folder, values what they hold.

use connect_api::{ConfigMap, ConfigProvider, ConnectError, Provided};
use java::utf8::utf8_text;

use super::allowed_paths::AllowedPaths;

/// The provider.
#[derive(Debug)]
pub(super) struct DirectoryConfigProvider(AllowedPaths);

impl DirectoryConfigProvider {
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        AllowedPaths::new(config).map(Self)
    }
}

impl ConfigProvider for DirectoryConfigProvider {
    fn get(&self, path: &str, keys: &[String]) -> Result<Provided, ConnectError> {
        let mut provided = Provided::default();
        if path.is_empty() {
            return Ok(provided);
        }
        let Some(folder) = self.0.checked(path) else { return Ok(provided) };
        if !folder.is_dir() {
            tracing::warn!(path, "a config provider finds no folder at this path");
            return Ok(provided);
        }
        // A key is one name inside of the folder, never a path out of it.
        for key in keys.iter().filter(|key| !key.contains('/')) {
            let file = folder.join(key);
            if !file.is_file() {
                continue;
            }
            let bytes = std::fs::read(&file).map_err(|error| {
                let file = file.display();
                tracing::error!(%file, %error, "a config provider cannot read this file");
                ConnectError::config(format!("Could not read file {file} for property {key}"))
            })?;
            provided.data.insert(key.clone(), utf8_text(&bytes));
        }
        Ok(provided)
    }
}
