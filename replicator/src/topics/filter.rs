//! Which topics are copied: blacklist beats whitelist and regex together, internal topics are never copied.
//! Pure: the topic monitor asks [`TopicFilter::matches`] for every name the origin lists.

use std::collections::BTreeSet;

pub use java::regex::{JavaRegex, RegexError};

/// Topics of Kafka and its companions that are never copied, not even when whitelisted: they belong to their
/// cluster.
pub const INTERNAL_TOPICS: [&str; 4] =
    ["__consumer_offsets", "__transaction_state", "__consumer_timestamps", "__share_group_state"];

/// The three filters together.
#[derive(Clone, Debug)]
pub struct TopicFilter {
    whitelist: BTreeSet<String>,
    regex: Option<JavaRegex>,
    blacklist: BTreeSet<String>,
    own: BTreeSet<String>,
}

impl TopicFilter {
    /// A filter from `topic.whitelist`, `topic.regex` and `topic.blacklist`.
    pub fn new(whitelist: &[String], regex: Option<JavaRegex>, blacklist: &[String]) -> Self {
        Self {
            whitelist: whitelist.iter().cloned().collect(),
            regex,
            blacklist: blacklist.iter().cloned().collect(),
            own: BTreeSet::new(),
        }
    }

    /// Also refuses `topics`: the worker's storage topics, when origin and destination are one cluster.
    #[must_use]
    pub fn never(mut self, topics: impl IntoIterator<Item = String>) -> Self {
        self.own.extend(topics);
        self
    }

    /// Whether `name` is to be copied. A name on which the regex gives up is not copied, and that is logged.
    pub fn matches(&self, name: &str) -> bool {
        if self.is_internal(name) || self.blacklist.contains(name) {
            return false;
        }
        self.whitelist.contains(name)
            || self.regex.as_ref().is_some_and(|regex| matches_or_warns(regex, name))
    }

    /// Whether `name` is never copied, whatever the lists say.
    pub fn is_internal(&self, name: &str) -> bool {
        INTERNAL_TOPICS.contains(&name) || self.own.contains(name)
    }

    /// Whitelisted names that must exist at the origin: those that neither the blacklist nor a rule removes.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.whitelist
            .iter()
            .map(String::as_str)
            .filter(|name| !self.blacklist.contains(*name) && !self.is_internal(name))
    }

    /// True when nothing can ever match: no whitelist and no regex.
    pub fn is_empty(&self) -> bool {
        self.whitelist.is_empty() && self.regex.is_none()
    }
}

fn matches_or_warns(regex: &JavaRegex, name: &str) -> bool {
    regex.is_match(name).unwrap_or_else(|error| {
        tracing::warn!(topic = name, regex = regex.as_str(), %error,
            "topic.regex gave up on this topic name, it is not copied; simplify topic.regex or whitelist the topic");
        false
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn blacklist_beats_whitelist_and_regex() {
        let regex = JavaRegex::new("topic[2-4]").unwrap();
        let filter = TopicFilter::new(&names(&["topic1"]), Some(regex), &names(&["topic4"]));
        let all = ["topic1", "topic2", "topic3", "topic4", "topic5", "xtopic2", "topic22"];
        let copied: Vec<_> = all.into_iter().filter(|name| filter.matches(name)).collect();
        assert_eq!(copied, ["topic1", "topic2", "topic3"]);
    }

    #[test]
    fn internal_topics_never_match_even_when_whitelisted() {
        let everything = JavaRegex::new(".*").unwrap();
        let filter = TopicFilter::new(&names(&["__consumer_offsets", "a"]), Some(everything), &[])
            .never(["connect-offsets".to_owned()]);
        for name in INTERNAL_TOPICS.into_iter().chain(["connect-offsets"]) {
            assert!(!filter.matches(name), "{name}");
        }
        assert!(filter.matches("_schemas"));
        assert_eq!(filter.required().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn nothing_is_copied_without_a_filter() {
        let filter = TopicFilter::new(&[], None, &names(&["x"]));
        assert!(filter.is_empty());
        assert!(!filter.matches("a"));
    }

    #[test]
    fn a_runaway_expression_is_an_error_and_no_match() {
        let regex = JavaRegex::new(r"((a+)+)+\2x").unwrap();
        let name = "a".repeat(200) + "bx";
        assert!(regex.is_match(&name).is_err());
        assert!(!TopicFilter::new(&[], Some(regex), &[]).matches(&name));
    }
}
