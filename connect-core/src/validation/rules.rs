//! Rules that look at several settings: topics of sinks, their groups, exactly-once delivery of sources, overrides of client
//! settings.

use connect_api::config_def::ValidatedValue;
use connect_api::{
    ConnectorPlugin, ConnectorTransactionBoundaries, ConnectorType, ExactlyOnceSupport, Setting,
};
use java::regex::JavaRegex;

use super::Rules;
use super::client_types;
use super::report::Report;
use crate::answers::HerderError;
use crate::api::ConfigMap;
use crate::config::keys::{prefixed, string_list};

const GROUP_OVERRIDE: &str = "consumer.override.group.id";
const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";

/// The value of this name, added when there is none.
pub(super) fn value_of<'a>(values: &'a mut Vec<ValidatedValue>, name: &str) -> &'a mut ValidatedValue {
    let found = values.iter().position(|value| value.name == name);
    let index = found.unwrap_or_else(|| {
        values.push(ValidatedValue {
            name: name.to_owned(),
            value: Setting::Null,
            recommended: vec![],
            errors: vec![],
            visible: true,
        });
        values.len() - 1
    });
    &mut values[index]
}

fn refuse(values: &mut Vec<ValidatedValue>, name: &str, message: impl Into<String>) {
    value_of(values, name).errors.push(message.into());
}

fn text<'a>(props: &'a ConfigMap, key: &str) -> &'a str {
    props.get(key).map(|value| value.trim()).unwrap_or_default()
}

/// Rules for sinks only.
pub(super) fn sink(rules: &Rules<'_>, props: &ConfigMap, values: &mut Vec<ValidatedValue>) {
    topics(props, values);
    let Some(group) = rules.group_id else { return };
    match props.get(GROUP_OVERRIDE) {
        Some(own) if own == group => {
            let message = format!("Consumer group {own} conflicts with Connect worker group {group}");
            value_of(values, GROUP_OVERRIDE).value = Setting::String(own.clone());
            refuse(values, GROUP_OVERRIDE, message);
        }
        Some(_) => {}
        None if format!("connect-{}", text(props, "name")) == group => {
            let message = format!(
                "Consumer group for sink connector named {} conflicts with Connect worker group {group}",
                text(props, "name")
            );
            refuse(values, "name", message);
        }
        None => {}
    }
}

fn topics(props: &ConfigMap, values: &mut Vec<ValidatedValue>) {
    let (list, regex, dead) = (text(props, "topics"), text(props, "topics.regex"), text(props, DEAD_LETTERS));
    let both = match (list.is_empty(), regex.is_empty()) {
        (false, false) => Some("topics and topics.regex are mutually exclusive options, but both are set."),
        (true, true) => Some("Must configure one of topics or topics.regex"),
        _ => None,
    };
    if let Some(message) = both {
        refuse(values, "topics", message);
        refuse(values, "topics.regex", message);
    }
    if dead.is_empty() {
        return;
    }
    let list = string_list(list);
    if list.iter().any(|topic| topic == dead) {
        let message = format!(
            "The DLQ topic '{dead}' may not be included in the list of topics ('topics=[{}]') consumed by the connector",
            list.join(", ")
        );
        refuse(values, "topics", message);
    }
    let matched = !regex.is_empty() && JavaRegex::new(regex).is_ok_and(|r| r.is_match(dead).unwrap_or(false));
    if matched {
        let message = format!(
            "The DLQ topic '{dead}' may not be matched by the regex for the topics ('topics.regex={regex}') consumed by \
             the connector"
        );
        refuse(values, "topics.regex", message);
    }
}

/// Rules for sources only: in a group, exactly-once delivery where it is required.
pub(super) async fn source(
    rules: &Rules<'_>,
    plugin: &dyn ConnectorPlugin,
    props: &ConfigMap,
    values: &mut Vec<ValidatedValue>,
) {
    if rules.group_id.is_none() {
        return;
    }
    let is = |values: &mut Vec<ValidatedValue>, key: &str, wanted: &str| {
        let value = value_of(values, key);
        value.errors.is_empty() && value.value.as_str().is_some_and(|text| text.eq_ignore_ascii_case(wanted))
    };
    if is(values, "exactly.once.support", "required") {
        if !rules.exactly_once {
            let message = "This worker does not have exactly-once source support enabled.";
            refuse(values, "exactly.once.support", message);
        }
        match plugin.exactly_once_support(props).await {
            Some(ExactlyOnceSupport::Supported) => {}
            Some(ExactlyOnceSupport::Unsupported) => {
                let message =
                    "The connector does not support exactly-once semantics with the provided configuration.";
                refuse(values, "exactly.once.support", message);
            }
            None => refuse(values, "exactly.once.support", NO_ANSWER),
        }
    }
    if is(values, "transaction.boundary", "connector")
        && plugin.can_define_transaction_boundaries(props).await != ConnectorTransactionBoundaries::Supported
    {
        let message = "The connector does not support connector-defined transaction boundaries with the given \
                       configuration. Please reconfigure it to use a different transaction boundary definition.";
        refuse(values, "transaction.boundary", message);
    }
}

const NO_ANSWER: &str = "The connector does not implement the API required for preflight validation of exactly-once source \
                         support. Please consult the documentation for the connector to determine whether it supports \
                         exactly-once semantics, and then consider reconfiguring the connector to use the value \
                         \"requested\" for this property (which will disable this preflight check and allow the \
                         connector to be created).";

/// Whether a source reads its offsets with clients of its own: in a group, when it delivers exactly once or keeps its offsets in
/// a topic of its own.
fn has_own_offset_clients(rules: &Rules<'_>, props: &ConfigMap) -> bool {
    rules.group_id.is_some() && (rules.exactly_once || !text(props, "offsets.storage.topic").is_empty())
}

/// Adds overrides of client settings for the clients that this connector has, with what the policy forbids. A value that
/// is not of the setting's type ends the validation.
pub(super) fn overrides(
    rules: &Rules<'_>,
    kind: ConnectorType,
    props: &ConfigMap,
    report: &mut Report,
) -> Result<(), HerderError> {
    let dead_letters = kind == ConnectorType::Sink && !text(props, DEAD_LETTERS).is_empty();
    let creates_topics = props.keys().any(|key| key.starts_with("topic.creation."));
    let source = kind == ConnectorType::Source;
    let own_offsets = source && has_own_offset_clients(rules, props);
    for (client, used) in [
        ("producer", source || dead_letters),
        ("consumer", !source || own_offsets),
        ("admin", dead_letters || own_offsets || source && creates_topics),
    ] {
        let Some(def) = client_types::definition(client).filter(|_| used) else { continue };
        let prefix = format!("{client}.override.");
        let forbidden = (rules.forbidden)(&prefix, props);
        let value = |(name, text): (String, String)| {
            let full = format!("{prefix}{name}");
            let value = client_types::parse(def, &name, &text).map_err(|message| HerderError::Other {
                class: "org.apache.kafka.common.config.ConfigException".to_owned(),
                message,
            })?;
            let errors = forbidden.iter().filter(|(key, _)| *key == full).map(|(_, reason)| reason.clone());
            let errors = errors.collect();
            Ok(ValidatedValue { name, value, recommended: vec![], errors, visible: true })
        };
        let values = prefixed(props, &prefix).into_iter().map(value).collect::<Result<_, _>>()?;
        report.add_prefixed(&prefix, def, values);
    }
    Ok(())
}
