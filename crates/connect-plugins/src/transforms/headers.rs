//! DropHeaders and InsertHeader.

use connect_api::config_def::{Setting, Validator};
use connect_api::data::SchemaAndValue;
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};

use super::support::{def, required};
use crate::converters::values::parse_string;

pub(super) fn drop_config() -> ConfigDef {
    let key = required("headers", ConfigType::List, Importance::High, "Names of the headers to remove.");
    def([key.validator(Validator::non_empty_list())])
}

/// Removes headers.
#[derive(Debug)]
pub(super) struct DropHeaders(Vec<String>);

impl DropHeaders {
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        Ok(Self(drop_config().parse(config)?.list("headers").to_vec()))
    }
}

impl Transformation for DropHeaders {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        record.headers.0.retain(|header| !self.0.contains(&header.key));
        Ok(Some(record))
    }
}

pub(super) fn insert_config() -> ConfigDef {
    let non_null = || {
        Validator::new(|_, value| match value {
            Setting::Null => Err("entry must be non null".to_owned()),
            _ => Ok(()),
        })
    };
    let key = |name, text| required(name, ConfigType::String, Importance::High, text).validator(non_null());
    def([
        key("header", "Name of the header."),
        key("value.literal", "Value of the header on every record, read as SimpleHeaderConverter reads it."),
    ])
}

/// Adds a header.
#[derive(Debug)]
pub(super) struct InsertHeader {
    header: String,
    value: SchemaAndValue,
}

impl InsertHeader {
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        let config = insert_config().parse(config)?;
        let header = config.str("header").unwrap_or_default().to_owned();
        Ok(Self { header, value: parse_string(config.str("value.literal").unwrap_or_default())? })
    }
}

impl Transformation for InsertHeader {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        record.headers.add(self.header.as_str(), self.value.clone());
        Ok(Some(record))
    }
}
