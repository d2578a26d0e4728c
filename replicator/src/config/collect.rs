//! Sorts every assignment of the command line, the files and the connector's own configuration into three maps: origin,
//! destination, connector and worker. Decides who wins, and says what is unknown, misplaced or without effect. Judges no value.

use std::collections::BTreeMap;

use connect_core::api::ConfigMap;
use connect_core::config::Properties;
use kafka_wire::settings::{HIDDEN, KnownProperty, consumer_property, is_secret, producer_property};

use super::assigned::{Assigned, Place, Rank, assign};
use super::classes;
use super::closest::{closest, closest_of};
use super::known::{Effect, Owner};
use super::notice::{Notice, NoticeLevel, Source};
use super::sources::{ConfigFile, Problem, Sources};
use super::table;
use super::unused;

/// The place of settings of Connect's own.
const POSTED: &str = "it belongs into the configuration of a connector that is posted to a worker";

/// Beginnings of the two clusters' client properties in a connector's configuration.
const ORIGIN: &[&str] = &["src.consumer.", "src.kafka."];
const DESTINATION: &[&str] = &["dest.kafka.", "dest.producer.", "producer.override."];

/// The three maps, by plain property name.
#[derive(Clone, Default)]
pub(super) struct Collected {
    /// Consumer properties for the origin.
    pub(super) origin: BTreeMap<String, Assigned>,
    /// Producer properties for the destination.
    pub(super) destination: BTreeMap<String, Assigned>,
    /// Connector and worker properties.
    pub(super) common: BTreeMap<String, Assigned>,
    pub(super) notices: Vec<Notice>,
    pub(super) problems: Vec<Problem>,
}

/// Reads all files and sorts what they say.
pub(super) fn collect(sources: &Sources) -> Collected {
    let mut collected = Collected::default();
    for setting in &sources.settings {
        let (key, value) = (setting.key.as_str(), setting.value.as_str());
        collected.common_key(key, key, value, &setting.source, Rank::CommandLine);
    }
    let places = [
        (Place::Consumer, &sources.consumer),
        (Place::Producer, &sources.producer),
        (Place::Replication, &sources.replication),
    ];
    for (place, file) in places {
        if let Some(properties) = file.as_ref().and_then(|file| collected.read(file)) {
            collected.file(place, &properties);
        }
    }
    for file in [&sources.consumer_monitoring, &sources.producer_monitoring].into_iter().flatten() {
        if collected.read(file).is_some() {
            let text = format!("{} has no effect: Control Center is not fed", file.path.display());
            collected.say(NoticeLevel::Info, &file.named_by, text);
        }
    }
    collected
}

impl Collected {
    fn read(&mut self, file: &ConfigFile) -> Option<Properties> {
        match Properties::read(&file.path) {
            Ok(properties) => Some(properties),
            Err(error) => {
                let reason = format!("cannot be read: {error}");
                self.problems.push(Problem::File { file: file.clone(), reason });
                None
            }
        }
    }

    /// Forgets what a connector with this configuration leaves unset, so that it means the same in every process.
    pub(super) fn keep_behind(&mut self, config: &ConfigMap) {
        let hidden = |key: &str| config.get(key).is_some_and(|value| value.trim() == HIDDEN);
        self.common.retain(|key, _| {
            let of_connector = table::find(key).is_some_and(|known| known.reaches_connector());
            !of_connector || hidden(key)
        });
        for (map, prefixes) in [(&mut self.origin, ORIGIN), (&mut self.destination, DESTINATION)] {
            let has = |plain: &str| prefixes.iter().any(|p| config.contains_key(&format!("{p}{plain}")));
            if has("bootstrap.servers") {
                map.retain(|plain, _| prefixes.iter().any(|prefix| hidden(&format!("{prefix}{plain}"))));
            }
        }
    }

    /// Adds the configuration that Connect holds of the connector, which beats everything else. What is hidden there
    /// counts as not set; a local file may have it.
    pub(super) fn connector(&mut self, config: &ConfigMap) {
        let (hidden, told): (Vec<_>, Vec<_>) = config.iter().partition(|(_, value)| value.trim() == HIDDEN);
        for (key, value) in told {
            self.line(Place::Connector, key, value.trim(), &Source::Connector);
        }
        for (key, _) in hidden {
            if !self.knows(key) {
                let text = format!("{key} is hidden, and no file of this worker sets it");
                self.warn(&Source::Connector, text);
            }
        }
    }

    /// Whether something sets the client or connector property `key`.
    fn knows(&self, key: &str) -> bool {
        let plain = |prefixes: &[&str]| prefixes.iter().find_map(|prefix| key.strip_prefix(prefix));
        let (origin, destination) = (plain(ORIGIN), plain(DESTINATION));
        match (origin, destination) {
            (Some(plain), _) => self.origin.contains_key(plain),
            (_, Some(plain)) => self.destination.contains_key(plain),
            _ => self.common.contains_key(key),
        }
    }

    /// Adds a notice, unless the same was said before.
    pub(super) fn say(&mut self, level: NoticeLevel, source: &Source, text: String) {
        if !self.notices.iter().any(|notice| notice.text == text) {
            self.notices.push(Notice { level, source: Some(source.clone()), text });
        }
    }

    fn warn(&mut self, source: &Source, text: String) {
        self.say(NoticeLevel::Warning, source, text);
    }

    fn file(&mut self, place: Place, properties: &Properties) {
        let at = |line| Source::File { path: properties.path.clone(), line };
        for (earlier, last) in properties.repeated() {
            let text = format!("{} is set again in line {}, which counts", earlier.key, last.line);
            self.warn(&at(earlier.line), text);
        }
        for property in properties.effective() {
            self.line(place, &property.key, property.value.trim(), &at(property.line));
        }
    }

    fn line(&mut self, place: Place, key: &str, value: &str, source: &Source) {
        match place {
            Place::Consumer if consumer_property(key).is_some() => {
                self.origin_key(key, key, value, source, Rank::RightFile);
            }
            Place::Producer if producer_property(key).is_some() => {
                self.destination_key(key, key, value, source, Rank::RightFile);
            }
            _ if self.prefixed(place, key, value, source) => {}
            _ if table::find(key).is_some() => self.common_key(key, key, value, source, place.common()),
            _ => self.stranger(place, key, source),
        }
    }

    /// `src.kafka.x`, `src.consumer.x`, `dest.kafka.x`, `producer.override.x`: unambiguous in every file.
    fn prefixed(&mut self, place: Place, key: &str, value: &str, source: &Source) -> bool {
        if table::find(key).is_some() {
            return false;
        }
        let tables: [(&str, bool, bool); 6] = [
            ("src.consumer.", true, true),
            ("src.kafka.", true, false),
            ("dest.kafka.", false, false),
            ("dest.producer.", false, true),
            ("producer.override.", false, true),
            ("producer.", false, false),
        ];
        for (prefix, origin, exactly) in tables {
            let Some(plain) = key.strip_prefix(prefix) else {
                continue;
            };
            let rank = place.prefixed(exactly);
            if origin && consumer_property(plain).is_some() {
                self.origin_key(plain, key, value, source, rank);
            } else if !origin && producer_property(plain).is_some() {
                self.destination_key(plain, key, value, source, rank);
            } else {
                self.unknown(key, source, closest(plain, origin).map(|name| format!("{prefix}{name}")));
            }
            return true;
        }
        false
    }

    fn origin_key(&mut self, plain: &str, written: &str, value: &str, source: &Source, rank: Rank) {
        if let Some(property) = consumer_property(plain)
            && self.takes_effect(property, written, value, source)
        {
            let loser = assign(&mut self.origin, plain, written, value, source, rank);
            self.overridden(loser, plain, true);
        }
    }

    fn destination_key(&mut self, plain: &str, written: &str, value: &str, source: &Source, rank: Rank) {
        if let Some(property) = producer_property(plain)
            && self.takes_effect(property, written, value, source)
        {
            let loser = assign(&mut self.destination, plain, written, value, source, rank);
            self.overridden(loser, plain, false);
        }
    }

    /// False for client properties that change nothing, after saying so if the value is not Kafka's default.
    fn takes_effect(
        &mut self,
        property: &KnownProperty,
        written: &str,
        value: &str,
        source: &Source,
    ) -> bool {
        let Some(reason) = property.unused_because.map(unused::reason) else {
            return true;
        };
        if property.name == "interceptor.classes" {
            self.notices.extend(classes::interceptors(value, source));
        } else if !value.is_empty() && !value.eq_ignore_ascii_case(property.default) {
            self.say(NoticeLevel::Info, source, format!("{written} has no effect: {reason}"));
        }
        false
    }

    fn common_key(&mut self, key: &str, written: &str, value: &str, source: &Source, rank: Rank) {
        let Some(known) = table::find(key) else {
            return self.unknown(written, source, None);
        };
        let quiet = value.is_empty() || value.eq_ignore_ascii_case(known.default);
        match known.effect {
            Effect::Works => self.working_key(known.owner, key, written, value, source, rank),
            Effect::Refused => match classes::converter_problem(value) {
                Some(reason) => self.problems.push(Problem::Value {
                    source: source.clone(),
                    key: written.to_owned(),
                    value: value.to_owned(),
                    reason,
                }),
                None => {
                    self.common.remove(key);
                }
            },
            Effect::NotYet if !quiet => self.warn(source, format!("{written} has no effect yet")),
            Effect::Ignored(reason) if !quiet => {
                self.say(NoticeLevel::Info, source, format!("{written} is ignored: {reason}"));
            }
            Effect::NotYet | Effect::Ignored(_) => {}
        }
    }

    /// A key that has an effect, if it stands where its owner looks for it.
    fn working_key(
        &mut self,
        owner: Owner,
        key: &str,
        written: &str,
        value: &str,
        source: &Source,
        rank: Rank,
    ) {
        let posted = *source == Source::Connector;
        match owner {
            Owner::Framework if posted => {}
            Owner::Framework | Owner::Nobody => {
                self.warn(source, format!("{written} has no effect here: {POSTED}"));
            }
            Owner::Worker | Owner::Handed if posted => {
                self.warn(source, format!("{written} has no effect here: it is a setting of the worker"));
            }
            Owner::Connector | Owner::AnyConnector | Owner::Process | Owner::Worker | Owner::Handed => {
                let loser = assign(&mut self.common, key, written, value, source, rank);
                self.overridden(loser, key, false);
            }
        }
    }

    /// Says that a value from a file lost against another file; a command line that beats a file is no news.
    fn overridden(&mut self, loser: Option<(Assigned, Assigned)>, key: &str, origin: bool) {
        let Some((loser, winner)) = loser.filter(|(loser, winner)| loser.value != winner.value) else {
            return;
        };
        if winner.rank >= Rank::CommandLine {
            return;
        }
        let value = if is_secret(key) { HIDDEN } else { &winner.value };
        let side = if origin { " for the origin" } else { "" };
        let text = format!("{} is overridden{side} by {} ({value})", loser.written, winner.source);
        self.warn(&loser.source, text);
    }

    /// A key that does not belong where it stands.
    fn stranger(&mut self, place: Place, key: &str, source: &Source) {
        let (consumers, producers) = (consumer_property(key).is_some(), producer_property(key).is_some());
        let text = match place {
            Place::Consumer if producers => {
                format!(
                    "{key} is a producer property and has no effect here; put it into the producer's file"
                )
            }
            Place::Producer if consumers => {
                format!(
                    "{key} is a consumer property and has no effect here; put it into the consumer's file"
                )
            }
            Place::Connector if consumers || producers => format!(
                "{key} has no effect here; write src.kafka.{key}, src.consumer.{key} or dest.kafka.{key}"
            ),
            Place::Replication if consumers || producers => format!(
                "{key} has no effect here: put it into the file of --consumer.config or --producer.config, or \
                 write src.consumer.{key} or dest.kafka.{key}"
            ),
            _ => {
                let plain = match place {
                    Place::Consumer => closest(key, true),
                    Place::Producer => closest(key, false),
                    Place::Replication | Place::Connector => None,
                };
                let meant = plain.or_else(|| closest_of(key, table::names())).map(str::to_owned);
                return self.unknown(key, source, meant);
            }
        };
        self.warn(source, text);
    }

    fn unknown(&mut self, key: &str, source: &Source, meant: Option<String>) {
        let hint = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
        self.warn(source, format!("unknown key {key}, ignored{hint}"));
    }
}
