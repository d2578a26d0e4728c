//! The settings that the worker adds to those of every connector. Names, types, defaults, groups and orders are Connect's.

use connect_api::config_def::Validator;
use connect_api::{ConfigDef, ConfigKey, Importance, Setting, Type, Width};

const COMMON: &str = "Common";
const ERRORS: &str = "Error Handling";
const EXACTLY_ONCE: &str = "Exactly Once Support";

/// Place of a key in a form.
struct Place(&'static str, i32, Width, &'static str);

fn key(name: &str, kind: Type, importance: Importance, place: Place, text: &str) -> ConfigKey {
    let Place(group, order, width, display) = place;
    ConfigKey::new(name, kind, importance, text).group(group, order).display(width, display)
}

/// A name: not empty, no control characters; a missing one is reported as missing only.
fn name_validator() -> Validator {
    let strict = Validator::non_empty_without_control_characters();
    Validator::new(move |name, value| match value {
        Setting::Null => Ok(()),
        value => strict.check(name, value),
    })
}

/// No alias twice.
pub(super) fn unique_aliases() -> Validator {
    Validator::new(|_, value| {
        let Setting::List(items) = value else { return Err("entry must be non null".to_owned()) };
        let twice = items.iter().enumerate().any(|(n, item)| items[..n].contains(item));
        if twice { Err("Duplicate alias provided.".to_owned()) } else { Ok(()) }
    })
}

fn none() -> Vec<String> {
    Vec::new()
}

/// Settings of every connector.
fn common() -> ConfigDef {
    use Importance::{High, Low, Medium};
    use Width::{Long, Medium as MediumWidth, Short};
    let converter = |name: &str, order, display, what: &str| {
        let text = format!(
            "Class that converts {what} between Connect's data and what is written to Kafka; without it the worker's is used"
        );
        key(name, Type::Class, Low, Place(COMMON, order, Short, display), &text).optional()
    };
    ConfigDef::new()
        .define(
            key("name", Type::String, High, Place(COMMON, 1, MediumWidth, "Connector name"), "Name of the connector, which no other has")
                .validator(name_validator()),
        )
        .define(key(
            "connector.class",
            Type::String,
            High,
            Place(COMMON, 2, Long, "Connector class"),
            "Class of the connector: its full name, its simple name, or that without the ending Connector",
        ))
        .define(
            key("tasks.max", Type::Int, High, Place(COMMON, 3, Short, "Tasks max"), "Largest number of tasks")
                .default(1)
                .validator(Validator::at_least(1)),
        )
        .define(
            key(
                "tasks.max.enforce",
                Type::Boolean,
                Low,
                Place(COMMON, 4, Short, "Enforce tasks max"),
                "(Deprecated) Whether a connector that makes more tasks than tasks.max allows fails",
            )
            .default(true),
        )
        .define(converter("key.converter", 5, "Key converter class", "keys"))
        .define(converter("value.converter", 6, "Value converter class", "values"))
        .define(converter("header.converter", 7, "Header converter class", "headers"))
        .define(
            key("transforms", Type::List, Low, Place("Transforms", 8, Long, "Transforms"), "Aliases of the transformations of records")
                .default(none())
                .validator(unique_aliases()),
        )
        .define(
            key("predicates", Type::List, Low, Place("Predicates", 9, Long, "Predicates"), "Aliases of the predicates of transformations")
                .default(none())
                .validator(unique_aliases()),
        )
        .define(
            key(
                "config.action.reload",
                Type::String,
                Low,
                Place(COMMON, 10, MediumWidth, "Reload Action"),
                "What happens when values of config providers expire: restart, or none",
            )
            .default("restart")
            .validator(Validator::one_of(&["none", "restart"])),
        )
        .define(
            key(
                "errors.retry.timeout",
                Type::Long,
                Medium,
                Place(ERRORS, 1, MediumWidth, "Retry Timeout for Errors"),
                "Longest time in ms for which an operation that failed is tried again; 0: it is not; -1: without end",
            )
            .default(0i64),
        )
        .define(
            key(
                "errors.retry.delay.max.ms",
                Type::Long,
                Medium,
                Place(ERRORS, 2, MediumWidth, "Maximum Delay Between Retries for Errors"),
                "Longest pause in ms between two tries",
            )
            .default(60_000i64),
        )
        .define(
            key(
                "errors.tolerance",
                Type::String,
                Medium,
                Place(ERRORS, 3, Short, "Error Tolerance"),
                "none: the first record that cannot be handled fails the task; all: it is skipped",
            )
            .default("none")
            .validator(Validator::one_of(&["none", "all"])),
        )
        .define(
            key("errors.log.enable", Type::Boolean, Medium, Place(ERRORS, 4, Short, "Log Errors"), "Whether tolerated errors are logged")
                .default(false),
        )
        .define(
            key(
                "errors.log.include.messages",
                Type::Boolean,
                Medium,
                Place(ERRORS, 5, Short, "Log Error Details"),
                "Whether the log of an error shows the record",
            )
            .default(false),
        )
}

/// Settings of every source connector.
pub(super) fn source() -> ConfigDef {
    use Importance::{Low, Medium};
    use Width::{Long, Short};
    let non_empty = Validator::non_empty();
    common()
        .define(
            key(
                "topic.creation.groups",
                Type::List,
                Low,
                Place("Topic Creation", 1, Long, "Topic Creation Groups"),
                "Groups of settings for topics that are created for this connector",
            )
            .default(none())
            .validator(unique_aliases()),
        )
        .define(
            key(
                "exactly.once.support",
                Type::String,
                Medium,
                Place(EXACTLY_ONCE, 2, Short, "Exactly once support"),
                "required: the connector is refused unless it delivers exactly once; requested: it may be unable to",
            )
            .default("requested")
            .validator(Validator::one_of_ignoring_case(&["REQUIRED", "REQUESTED"])),
        )
        .define(
            key(
                "transaction.boundary",
                Type::String,
                Medium,
                Place(EXACTLY_ONCE, 3, Short, "Transaction Boundary"),
                "Where transactions end: poll (after every batch), interval, or connector (where it says)",
            )
            .default("poll")
            .validator(Validator::one_of_ignoring_case(&["INTERVAL", "POLL", "CONNECTOR"])),
        )
        .define(
            key(
                "transaction.boundary.interval.ms",
                Type::Long,
                Low,
                Place(EXACTLY_ONCE, 4, Short, "Transaction boundary interval"),
                "Time in ms between two ends of transactions with transaction.boundary=interval; not set: the worker's \
                 offset.flush.interval.ms",
            )
            .optional()
            .validator(Validator::new(|name, value| match value {
                Setting::Null => Ok(()),
                value => Validator::at_least(0).check(name, value),
            })),
        )
        .define(
            key(
                "offsets.storage.topic",
                Type::String,
                Low,
                Place("offsets.topic", 1, Long, "Offsets topic"),
                "Topic for the offsets of this connector alone; not set: the worker's",
            )
            .optional()
            .validator(Validator::new(move |name, value| match value {
                Setting::Null => Ok(()),
                value => non_empty.check(name, value),
            })),
        )
}

/// Settings of every sink connector.
pub(super) fn sink() -> ConfigDef {
    use Importance::{High, Medium};
    use Width::{Long, Medium as MediumWidth};
    common()
        .define(
            key("topics", Type::List, High, Place(COMMON, 4, Long, "Topics"), "Topics to read, separated by commas")
                .default(none()),
        )
        .define(
            key(
                "topics.regex",
                Type::String,
                High,
                Place(COMMON, 4, Long, "Topics regex"),
                "Java regular expression of the topics to read; either this or topics",
            )
            .default("")
            .validator(Validator::new(|_, value| java_regex(value))),
        )
        .define(
            key(
                "errors.deadletterqueue.topic.name",
                Type::String,
                Medium,
                Place(ERRORS, 6, MediumWidth, "Dead Letter Queue Topic Name"),
                "Topic for records that cannot be handled; empty: they are not kept",
            )
            .default(""),
        )
        .define(
            key(
                "errors.deadletterqueue.topic.replication.factor",
                Type::Short,
                Medium,
                Place(ERRORS, 7, MediumWidth, "Dead Letter Queue Topic Replication Factor"),
                "Replication factor of that topic when it must be created",
            )
            .default(Setting::Short(3)),
        )
        .define(
            key(
                "errors.deadletterqueue.context.headers.enable",
                Type::Boolean,
                Medium,
                Place(ERRORS, 8, MediumWidth, "Enable Error Context Headers"),
                "Whether headers of such a record say what happened, under names that begin with __connect.errors.",
            )
            .default(false),
        )
}

fn java_regex(value: &Setting) -> Result<(), String> {
    match java::regex::JavaRegex::new(value.as_str().unwrap_or_default()) {
        Ok(_) => Ok(()),
        Err(reason) => Err(format!("Invalid regex: {reason}")),
    }
}

/// Settings of every transformation.
pub(super) fn transformation() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::new(
                "predicate",
                Type::String,
                Importance::Medium,
                "Alias of the predicate that chooses the records for this transformation",
            )
            .optional(),
        )
        .define(
            ConfigKey::new(
                "negate",
                Type::Boolean,
                Importance::Medium,
                "Whether the predicate is turned round",
            )
            .default(false),
        )
}
