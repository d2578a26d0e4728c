//! RegexRouter and TimestampRouter: other topics for records.

use connect_api::config_def::Validator;
use connect_api::{
    ConfigDef, ConfigMap, ConnectError, Importance, Record, Transformation, Type as ConfigType,
};
use java::date_format::SimpleDateFormat;
use java::regex::{JavaRegex, Replacement};

use super::support::{def, required};

/// Checks that a setting is a regular expression.
pub(crate) fn regex_validator() -> Validator {
    Validator::new(|_, value| match JavaRegex::new(value.as_str().unwrap_or_default()) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("Invalid regex: {error}")),
    })
}

pub(super) fn regex_config() -> ConfigDef {
    let key = |name, text| required(name, ConfigType::String, Importance::High, text);
    def([
        key("regex", "Regular expression that the whole topic name must match.").validator(regex_validator()),
        key("replacement", "The new name: replaces the first match; may hold $1 or ${name} for groups."),
    ])
}

/// Renames topics that match an expression.
#[derive(Debug)]
pub(super) struct RegexRouter {
    regex: JavaRegex,
    replacement: Replacement,
}

impl RegexRouter {
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        let config = regex_config().parse(config)?;
        let regex = JavaRegex::new(config.str("regex").unwrap_or_default()).map_err(ConnectError::config)?;
        Ok(Self { regex, replacement: Replacement::new(config.str("replacement").unwrap_or_default()) })
    }
}

impl Transformation for RegexRouter {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let failed =
            |error: java::regex::RegexError| ConnectError::of("java.lang.IllegalArgumentException", error);
        if self.regex.is_match(&record.topic).map_err(failed)? {
            record.topic = self.regex.replace_first(&record.topic, &self.replacement).map_err(failed)?;
        }
        Ok(Some(record))
    }
}

pub(super) fn timestamp_config() -> ConfigDef {
    let key = |name, text| required(name, ConfigType::String, Importance::High, text);
    def([
        key(
            "topic.format",
            "The new name, with ${topic} and ${timestamp} for the old one and for the record's time.",
        )
        .default("${topic}-${timestamp}"),
        key("timestamp.format", "Format of the time, as java.text.SimpleDateFormat has it; UTC.")
            .default("yyyyMMdd"),
    ])
}

/// Renames topics by the records' time.
#[derive(Debug)]
pub(super) struct TimestampRouter {
    topic: String,
    timestamp: SimpleDateFormat,
}

impl TimestampRouter {
    /// Java notices a wrong format only with the first record.
    pub(super) fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        let config = timestamp_config().parse(config)?;
        let format = config.str("timestamp.format").unwrap_or_default();
        let timestamp = SimpleDateFormat::new(format).map_err(|error| {
            ConnectError::config(format!(
                "Invalid value {format} for configuration timestamp.format: {error}"
            ))
        })?;
        Ok(Self { topic: config.str("topic.format").unwrap_or_default().to_owned(), timestamp })
    }
}

impl Transformation for TimestampRouter {
    fn apply(&self, mut record: Record) -> Result<Option<Record>, ConnectError> {
        let Some(timestamp) = record.timestamp else {
            let topic = &record.topic;
            return Err(ConnectError::data(format!("Timestamp missing on record: topic '{topic}'")));
        };
        let topic = self.topic.replace("${topic}", &record.topic);
        record.topic = topic.replace("${timestamp}", &self.timestamp.format(timestamp));
        Ok(Some(record))
    }
}
