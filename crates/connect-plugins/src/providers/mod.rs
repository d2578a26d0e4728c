//! The built-in config providers, and the replacement of `${provider:path:key}` in settings by what they give.

mod allowed_paths;
mod directory;
mod env;
mod file;
pub mod transformer;

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
