//! The built-in transformations, each under the names of its Java classes, with Connect's results and messages.

mod cast;
mod cast_values;
mod extract_field;
mod field_path;
mod flatten;
mod header_from;
mod headers;
mod hoist_field;
mod insert_field;
mod mask_field;
mod replace_field;
mod routers;
mod set_schema_metadata;
mod support;
mod timestamp_converter;
mod value_to_key;

use connect_api::{ConfigDef, Record, Transformation, TransformationPlugin};

pub(crate) use self::routers::regex_validator;
use self::support::Side;

/// Entries of a transformation for keys and one for values.
macro_rules! sided {
    ($name:literal, $module:ident :: $kind:ident) => {
        [
            TransformationPlugin::new(
                concat!("org.apache.kafka.connect.transforms.", $name, "$Key"),
                $module::config_def,
                |config| Ok(Box::new($module::$kind::new(config, Side::Key)?)),
            ),
            TransformationPlugin::new(
                concat!("org.apache.kafka.connect.transforms.", $name, "$Value"),
                $module::config_def,
                |config| Ok(Box::new($module::$kind::new(config, Side::Value)?)),
            ),
        ]
    };
}

/// The entry of a transformation that exists once.
macro_rules! single {
    ($name:literal, $def:path, $kind:path) => {
        TransformationPlugin::new(concat!("org.apache.kafka.connect.transforms.", $name), $def, |config| {
            Ok(Box::new(<$kind>::new(config)?))
        })
    };
}

/// All of them.
pub fn plugins() -> Vec<TransformationPlugin> {
    let sided = [
        sided!("Cast", cast::Cast),
        sided!("ExtractField", extract_field::ExtractField),
        sided!("Flatten", flatten::Flatten),
        sided!("HeaderFrom", header_from::HeaderFrom),
        sided!("HoistField", hoist_field::HoistField),
        sided!("InsertField", insert_field::InsertField),
        sided!("MaskField", mask_field::MaskField),
        sided!("ReplaceField", replace_field::ReplaceField),
        sided!("SetSchemaMetadata", set_schema_metadata::SetSchemaMetadata),
        sided!("TimestampConverter", timestamp_converter::TimestampConverter),
    ];
    let single = [
        single!("DropHeaders", headers::drop_config, headers::DropHeaders),
        TransformationPlugin::new("org.apache.kafka.connect.transforms.Filter", ConfigDef::new, |_| {
            Ok(Box::new(Filter))
        }),
        single!("InsertHeader", headers::insert_config, headers::InsertHeader),
        single!("RegexRouter", routers::regex_config, routers::RegexRouter),
        single!("TimestampRouter", routers::timestamp_config, routers::TimestampRouter),
        single!("ValueToKey", value_to_key::config_def, value_to_key::ValueToKey),
    ];
    sided.into_iter().flatten().chain(single).collect()
}

/// Drops every record; which ones is for a predicate to say.
#[derive(Debug)]
struct Filter;

impl Transformation for Filter {
    fn apply(&self, _record: Record) -> Result<Option<Record>, connect_api::ConnectError> {
        Ok(None)
    }
}
