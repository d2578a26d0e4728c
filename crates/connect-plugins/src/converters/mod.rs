//! The built-in converters, each under the name of its Java class.

mod encoding;
mod json;
mod primitive;
mod simple_header;
pub(crate) mod values;

use connect_api::config_def::Validator;
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, ConverterPlugin, ConverterType, Importance, ParsedConfig,
    Type,
};

pub use json::JsonConverter;
pub use primitive::StringConverter;
pub use simple_header::SimpleHeaderConverter;

/// All of them.
pub fn plugins() -> Vec<ConverterPlugin> {
    let mut plugins = vec![json::plugin()];
    plugins.extend(primitive::plugins());
    plugins.push(simple_header::plugin());
    plugins
}

const CONVERTER_TYPE: &str = "converter.type";

/// Settings of every converter. Its maker sets them, if the user did not.
fn config_def() -> ConfigDef {
    let key = ConfigKey::new(CONVERTER_TYPE, Type::String, Importance::Low, "What this converter converts.");
    ConfigDef::new().define(key.validator(Validator::one_of(&["key", "value", "header"])))
}

fn parse_config(
    def: &ConfigDef,
    config: &ConfigMap,
    kind: ConverterType,
) -> Result<ParsedConfig, ConnectError> {
    let mut config = config.clone();
    let kind = match kind {
        ConverterType::Key => "key",
        ConverterType::Value => "value",
        ConverterType::Header => "header",
    };
    config.insert(CONVERTER_TYPE.to_owned(), kind.to_owned());
    def.parse(&config)
}
