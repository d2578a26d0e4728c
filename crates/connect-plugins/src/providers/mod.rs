//! The built-in config providers.

mod allowed_paths;
mod directory;
mod env;
mod file;

use connect_api::ConfigProviderPlugin;

/// All of them.
pub fn plugins() -> Vec<ConfigProviderPlugin> {
    vec![
        ConfigProviderPlugin::new("org.apache.kafka.common.config.provider.FileConfigProvider", |config| {
            Ok(Box::new(file::FileConfigProvider::new(config)?))
        }),
        ConfigProviderPlugin::new(
            "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
            |config| Ok(Box::new(directory::DirectoryConfigProvider::new(config)?)),
        ),
        ConfigProviderPlugin::new("org.apache.kafka.common.config.provider.EnvVarConfigProvider", |config| {
            Ok(Box::new(env::EnvVarConfigProvider::new(config)?))
        }),
    ]
}
