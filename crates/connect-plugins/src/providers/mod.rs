//! The built-in config providers.

mod allowed_paths;
mod directory;
mod env;
mod file;

use connect_api::ConfigProviderPlugin;

/// All of them.
pub fn plugins() -> Vec<ConfigProviderPlugin> {
    vec![
        ConfigProviderPlugin {
            class: "org.apache.kafka.common.config.provider.FileConfigProvider",
            create: |config| Ok(Box::new(file::FileConfigProvider::new(config)?)),
        },
        ConfigProviderPlugin {
            class: "org.apache.kafka.common.config.provider.DirectoryConfigProvider",
            create: |config| Ok(Box::new(directory::DirectoryConfigProvider::new(config)?)),
        },
        ConfigProviderPlugin {
            class: "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
            create: |config| Ok(Box::new(env::EnvVarConfigProvider::new(config)?)),
        },
    ]
}
