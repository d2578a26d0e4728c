//! The settings of the connector as Connect's REST interface shows and checks them: `connector-plugins/…/config` and
//! `validate`: rows of the table of settings, and the properties of Kafka's clients under their prefixes. A test holds the
//! checks here against those of [`super::posted`].

use connect_core::api::config_def::{ValidatedValue, Validator};
use connect_core::api::{ConfigDef, ConfigKey, Importance, Setting, Type, Width};
use kafka_wire::settings::{KnownProperty, consumer_properties, is_secret, producer_properties};

use super::known::{Effect, Kind, KnownSetting, Owner};
use super::sources::{ConfigError, Problem};
use super::table::SETTINGS;

const ORIGIN: &str = "Source Kafka";
const DESTINATION: &str = "Destination Kafka";

/// The group of all settings that do nothing, whatever they are about.
const WITHOUT_EFFECT: &str = "Without Effect";

/// Rows of the table that are the connector's own, group by group; those without effect last.
fn rows() -> impl Iterator<Item = &'static KnownSetting> {
    let own = |known: &&KnownSetting| {
        matches!(known.owner, Owner::Connector | Owner::Process) && !known.is_beginning()
    };
    let mut rows: Vec<_> = SETTINGS.iter().filter(own).collect();
    let at = |group: &str| SETTINGS.iter().position(|known| known.group == group);
    rows.sort_by_key(|known| (group(known) == WITHOUT_EFFECT, at(group(known))));
    rows.into_iter()
}

fn group(known: &KnownSetting) -> &'static str {
    match known.effect {
        Effect::Works | Effect::Refused => known.group,
        Effect::NotYet | Effect::Ignored(_) => WITHOUT_EFFECT,
    }
}

/// All settings of the connector, without those of Connect's own. `complete`: the connector's configuration is all there
/// is, so that it must name the origin; the destination is the worker's cluster if it names no other.
pub(crate) fn definition(complete: bool) -> ConfigDef {
    let mut order = 0;
    let mut def = ConfigDef::new();
    for property in consumer_properties().filter(|property| property.unused_because.is_none()) {
        let shared = producer_properties().any(|other| other.name == property.name);
        let prefix = if shared { "src.kafka." } else { "src.consumer." };
        order += 1;
        def = def.define(client_key(prefix, property, complete).group(ORIGIN, order));
    }
    for property in producer_properties().filter(|property| property.unused_because.is_none()) {
        order += 1;
        def = def.define(client_key("dest.kafka.", property, false).group(DESTINATION, order));
    }
    for known in rows() {
        order += 1;
        def = def.define(row_key(known).group(group(known), order));
    }
    def
}

fn row_key(known: &KnownSetting) -> ConfigKey {
    let (kind, validator) = match known.kind {
        Kind::Boolean => (Type::Boolean, None),
        Kind::Text if is_secret(known.name) => (Type::Password, None),
        Kind::Text => (Type::String, None),
        Kind::List => (Type::List, None),
        Kind::Int(low, high) => (Type::Int, Some(Validator::between(low, high))),
        Kind::Long(low, high) => (Type::Long, Some(Validator::between(low, high))),
        Kind::Choice(names) => (Type::String, Some(Validator::one_of_ignoring_case(names))),
        Kind::Converter => (Type::Class, None),
    };
    let key = ConfigKey::new(known.name, kind, known.importance, known.full_text());
    let key = with_default(key, known.default).display(Width::Medium, known.name);
    match validator {
        Some(validator) => key.validator(validator),
        None => key,
    }
}

/// A property of Kafka's clients. Its values are checked by those who read them.
fn client_key(prefix: &str, property: &KnownProperty, complete: bool) -> ConfigKey {
    let name = format!("{prefix}{}", property.name);
    let servers = property.name == "bootstrap.servers";
    let kind = match property.default {
        _ if servers => Type::List,
        _ if is_secret(property.name) => Type::Password,
        default if default.parse::<i32>().is_ok() => Type::Int,
        _ => Type::String,
    };
    let whose = if prefix.starts_with("src.") { "reads the origin" } else { "writes to the destination" };
    let text = match property.name {
        "group.id" => {
            "Consumer group at the origin for which progress is committed; default: cluster.id, or the \
                       name of the connector."
                .to_owned()
        }
        "bootstrap.servers" if prefix.starts_with("dest.") => {
            "Brokers of the destination to ask first, as host:port. Without any dest.kafka. setting the worker's cluster is \
             the destination."
                .to_owned()
        }
        "bootstrap.servers" => "Brokers of the origin to ask first, as host:port.".to_owned(),
        plain => format!("Kafka's client property {plain} for the client that {whose}."),
    };
    let importance = if servers { Importance::High } else { Importance::Low };
    let key = ConfigKey::new(&name, kind, importance, text).display(Width::Medium, &name);
    if servers && complete { key } else { with_default(key, property.default) }
}

/// The default from its text; nothing at all is null, for a list no entries.
fn with_default(mut key: ConfigKey, text: &str) -> ConfigKey {
    let nothing = text.is_empty() && key.kind != Type::List;
    let parsed = if nothing { Some(Setting::Null) } else { key.parse(text).ok() };
    key.default = Some(parsed.unwrap_or(Setting::Null));
    key
}

/// Adds what [`super::posted`] found to the answer of `validate`: to the key that it is about, unless that has an error
/// already.
pub(crate) fn add_problems(values: &mut Vec<ValidatedValue>, error: &ConfigError) {
    for problem in &error.problems {
        let (key, text) = match problem {
            Problem::Value { key, value, reason, .. } if value.is_empty() => (key.as_str(), reason.clone()),
            Problem::Value { key, value, reason, .. } => {
                (key.as_str(), format!("Invalid value {value} for configuration {key}: {reason}"))
            }
            // What concerns files of this worker, and no setting of the connector.
            other => ("connector.class", other.to_string()),
        };
        match values.iter_mut().find(|value| value.name == key) {
            Some(value) if value.errors.is_empty() => value.errors.push(text),
            Some(_) => {}
            None => values.push(ValidatedValue {
                name: key.to_owned(),
                value: Setting::Null,
                recommended: vec![],
                errors: vec![text],
                visible: true,
            }),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use connect_core::api::ConfigMap;

    use super::super::posted;
    use super::*;

    fn config(extra: &[(&str, &str)]) -> ConfigMap {
        let least = [("src.kafka.bootstrap.servers", "o:1"), ("dest.kafka.bootstrap.servers", "d:1")];
        least.iter().chain(extra).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_setting_of_the_connector_is_defined() {
        let def = definition(true);
        let works = |known: &&KnownSetting| known.effect == Effect::Works;
        let of_connector = |known: &&KnownSetting| known.reaches_connector() || known.owner == Owner::Process;
        let known: BTreeSet<&str> = SETTINGS
            .iter()
            .filter(|known| works(known) && of_connector(known))
            .map(|known| known.name)
            .filter(|name| *name != "tasks.max")
            .collect();
        let defined: BTreeSet<&str> = rows().filter(works).map(|known| known.name).collect();
        assert_eq!(defined, known);
        for key in def.keys() {
            assert!(!key.documentation.is_empty() && key.group.is_some(), "{}", key.name);
            let required = key.name == "src.kafka.bootstrap.servers";
            assert_eq!(key.is_required(), required, "{}", key.name);
        }
        assert!(definition(false).keys().iter().all(|key| !key.is_required()));
        assert!(def.validate(&config(&[])).iter().all(|value| value.errors.is_empty()));
    }

    /// Bounds and choices stand here and where settings are read: both must say the same.
    #[test]
    fn definition_and_reader_accept_and_refuse_the_same() {
        let def = definition(true);
        for KnownSetting { name, kind, .. } in rows().filter(|known| group(known) != WITHOUT_EFFECT) {
            let values: Vec<String> = match kind {
                Kind::Boolean => ["true", "FALSE", "yes"].map(str::to_owned).into(),
                Kind::Int(low, high) | Kind::Long(low, high) => {
                    let numbers =
                        [i128::from(*low) - 1, (*low).into(), (*high).into(), i128::from(*high) + 1];
                    numbers.iter().map(ToString::to_string).chain(["many".to_owned()]).collect()
                }
                Kind::Choice(names) => names.iter().copied().chain(["neither"]).map(str::to_owned).collect(),
                Kind::Text | Kind::List | Kind::Converter => continue,
            };
            for value in values {
                let here = def.key(name).unwrap().value(Some(&value)).is_ok();
                let there = posted(None, "c", &config(&[(name, &value)]));
                assert_eq!(here, there.is_ok(), "{name}={value}: {there:?}");
            }
        }
    }

    #[test]
    fn problems_are_told_at_their_keys_once() {
        let config = config(&[
            ("topic.regex", "("),
            ("topic.poll.interval.ms", "never"),
            ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ]);
        let mut values = definition(true).validate(&config);
        add_problems(&mut values, &posted(None, "c", &config).unwrap_err());
        let wrong: Vec<_> = values.iter().filter(|value| !value.errors.is_empty()).collect();
        let names: Vec<&str> = wrong.iter().map(|value| value.name.as_str()).collect();
        assert_eq!(names, ["topic.regex", "topic.poll.interval.ms", "key.converter"]);
        assert!(wrong.iter().all(|value| value.errors.len() == 1), "{wrong:?}");
        assert!(wrong[0].errors[0].starts_with("Invalid value ( for configuration topic.regex"), "{wrong:?}");
    }
}
