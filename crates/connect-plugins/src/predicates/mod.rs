//! The built-in predicates, each under the name of its Java class.

use connect_api::config_def::Validator;
use connect_api::{
    ConfigDef, ConfigKey, ConfigMap, ConnectError, Importance, Predicate, PredicatePlugin, Record, Type,
};
use java::regex::JavaRegex;

use crate::transforms::regex_validator;

/// All of them.
pub fn plugins() -> Vec<PredicatePlugin> {
    vec![
        PredicatePlugin::new(
            "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
            header_config,
            |config| Ok(Box::new(HasHeaderKey::new(config)?)),
        ),
        PredicatePlugin::new(
            "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
            ConfigDef::new,
            |_| Ok(Box::new(RecordIsTombstone)),
        ),
        PredicatePlugin::new(
            "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
            topic_config,
            |config| Ok(Box::new(TopicNameMatches::new(config)?)),
        ),
    ]
}

fn header_config() -> ConfigDef {
    let key = ConfigKey::new("name", Type::String, Importance::Medium, "Name of the header.");
    ConfigDef::new().define(key.validator(Validator::non_empty()))
}

/// True for records with at least one header of a name.
#[derive(Debug)]
struct HasHeaderKey(String);

impl HasHeaderKey {
    fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        Ok(Self(header_config().parse(config)?.str("name").unwrap_or_default().to_owned()))
    }
}

impl Predicate for HasHeaderKey {
    fn test(&self, record: &Record) -> Result<bool, ConnectError> {
        Ok(record.headers.last(&self.0).is_some())
    }
}

/// True for records without value.
#[derive(Debug)]
struct RecordIsTombstone;

impl Predicate for RecordIsTombstone {
    fn test(&self, record: &Record) -> Result<bool, ConnectError> {
        Ok(record.value.value.is_null())
    }
}

fn topic_config() -> ConfigDef {
    let text = "Regular expression that the whole topic name must match.";
    let (non_empty, regex) = (Validator::non_empty(), regex_validator());
    let both = Validator::new(move |name, value| {
        non_empty.check(name, value)?;
        regex.check(name, value)
    });
    ConfigDef::new().define(ConfigKey::new("pattern", Type::String, Importance::Medium, text).validator(both))
}

/// True for records of topics whose names match.
#[derive(Debug)]
struct TopicNameMatches(JavaRegex);

impl TopicNameMatches {
    fn new(config: &ConfigMap) -> Result<Self, ConnectError> {
        let config = topic_config().parse(config)?;
        JavaRegex::new(config.str("pattern").unwrap_or_default()).map(Self).map_err(ConnectError::config)
    }
}

impl Predicate for TopicNameMatches {
    fn test(&self, record: &Record) -> Result<bool, ConnectError> {
        self.0.is_match(&record.topic).map_err(ConnectError::new)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use connect_api::{SchemaAndValue, Value};

    use super::*;

    fn test(name: &str, config: &[(&str, &str)], record: &Record) -> bool {
        let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let plugin = plugins().into_iter().find(|plugin| plugin.class.ends_with(name)).unwrap();
        (plugin.create)(&config).unwrap().test(record).unwrap()
    }

    #[test]
    fn records_are_told_apart() {
        let mut record = Record::new("topic-1", SchemaAndValue::NULL, SchemaAndValue::NULL);
        assert!(test("RecordIsTombstone", &[], &record));
        record.value = SchemaAndValue::schemaless(Value::Int32(1));
        assert!(!test("RecordIsTombstone", &[], &record));
        assert!(test("TopicNameMatches", &[("pattern", "topic-[0-9]")], &record));
        assert!(!test("TopicNameMatches", &[("pattern", "topic")], &record));
        assert!(!test("HasHeaderKey", &[("name", "h")], &record));
        record.headers.add("h", SchemaAndValue::NULL);
        assert!(test("HasHeaderKey", &[("name", "h")], &record));
    }

    #[test]
    fn settings_are_checked() {
        for (name, config, message) in [
            ("TopicNameMatches", [("pattern", "")], "String must be non-empty"),
            ("TopicNameMatches", [("pattern", "(")], "Invalid regex"),
            ("HasHeaderKey", [("name", "")], "String must be non-empty"),
        ] {
            let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
            let plugin = plugins().into_iter().find(|plugin| plugin.class.ends_with(name)).unwrap();
            assert!((plugin.create)(&config).err().unwrap().message().contains(message), "{name}");
        }
    }
}
