//! Which topics are copied, and how they look at the destination.

use super::notice::{Notice, NoticeLevel};
use super::settings::TopicSettings;
use super::values::Values;
use crate::topics::filter::{INTERNAL_TOPICS, JavaRegex};
use crate::topics::rename::{RenameFormat, check_name};

/// Reads the settings about topics.
pub(super) fn topics(values: &mut Values, notices: &mut Vec<Notice>) -> TopicSettings {
    let whitelist = topic_names(values, "topic.whitelist");
    let blacklist = topic_names(values, "topic.blacklist");
    let expression = values.text("topic.regex");
    let regex = regex(values, &expression);
    if whitelist.is_empty() && expression.is_empty() {
        let text = "no topic is copied: neither topic.whitelist (--whitelist) nor topic.regex (--topic.regex) is set";
        notices.push(Notice { level: NoticeLevel::Warning, source: None, text: text.to_owned() });
    }
    for name in whitelist.iter().filter(|name| INTERNAL_TOPICS.contains(&name.as_str())) {
        let text =
            format!("{name} is never copied, although topic.whitelist names it: it belongs to its cluster");
        let source = Some(values.source("topic.whitelist"));
        notices.push(Notice { level: NoticeLevel::Warning, source, text });
    }
    let rename_format = values.text("topic.rename.format");
    if let Err(error) = RenameFormat::parse(&rename_format) {
        values.problem("topic.rename.format", error.to_string());
    }
    TopicSettings {
        whitelist,
        regex,
        blacklist,
        rename_format,
        auto_create: values.boolean("topic.auto.create"),
        preserve_partitions: values.boolean("topic.preserve.partitions"),
        create_backoff: values.millis("topic.create.backoff.ms"),
        config_sync: values.boolean("topic.config.sync"),
        config_sync_interval: values.millis("topic.config.sync.interval.ms"),
        poll_interval: values.millis("topic.poll.interval.ms"),
        timestamp_type: values.choice("topic.timestamp.type"),
        replication_factor: values.number("dest.topic.replication.factor"),
    }
}

fn regex(values: &mut Values, expression: &str) -> Option<JavaRegex> {
    if expression.is_empty() {
        return None;
    }
    let read = JavaRegex::new(expression);
    read.inspect_err(|error| {
        values.problem("topic.regex", format!("is not a Java regular expression: {error}"));
    })
    .ok()
}

fn topic_names(values: &mut Values, key: &str) -> Vec<String> {
    let mut names = values.list(key);
    if let Some((name, reason)) = names.iter().find_map(|name| Some((name, check_name(name).err()?))) {
        let text = format!("{name:?} is not a topic name ({reason}); patterns go into topic.regex");
        values.problem(key, text);
    }
    let mut seen = std::collections::BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}
