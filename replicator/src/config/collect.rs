//! Sorts every assignment of the command line and the files into three maps: origin, destination, connector and
//! worker. Decides who wins, and says what is unknown, misplaced or without effect. Judges no value.

use std::collections::BTreeMap;

use connect_core::config::Properties;
use kafka_wire::settings::{
    HIDDEN, KnownProperty, consumer_properties, consumer_property, is_secret, producer_properties,
    producer_property,
};

use super::classes;
use super::keys::{self, Effect};
use super::settings::{Notice, NoticeLevel, Source};
use super::sources::{ConfigFile, Problem, Sources};

/// A value with where it came from.
#[derive(Clone, Debug)]
pub(super) struct Assigned {
    /// The key as the user wrote it.
    pub(super) written: String,
    pub(super) value: String,
    pub(super) source: Source,
    rank: Rank,
}

/// Who wins when a key is set twice: the later of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// In a file that is meant for something else.
    WrongFile,
    /// In a file that is meant for something else, with the most telling prefix.
    WrongFileExactly,
    /// In the file that is meant for it.
    RightFile,
    /// On the command line or in the environment.
    CommandLine,
}

/// Which file a line stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Consumer,
    Producer,
    Replication,
}

/// The three maps, by plain property name.
#[derive(Default)]
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
            _ if self.prefixed(key, value, source) => {}
            _ if keys::find(key).is_some() => {
                let rank = if place == Place::Replication { Rank::RightFile } else { Rank::WrongFile };
                self.common_key(key, key, value, source, rank);
            }
            _ => self.stranger(place, key, source),
        }
    }

    /// `src.kafka.x`, `src.consumer.x`, `dest.kafka.x`, `producer.override.x`: unambiguous in every file.
    fn prefixed(&mut self, key: &str, value: &str, source: &Source) -> bool {
        if keys::find(key).is_some() {
            return false;
        }
        let tables: [(&str, bool, Rank); 6] = [
            ("src.consumer.", true, Rank::WrongFileExactly),
            ("src.kafka.", true, Rank::WrongFile),
            ("dest.kafka.", false, Rank::WrongFile),
            ("dest.producer.", false, Rank::WrongFileExactly),
            ("producer.override.", false, Rank::WrongFileExactly),
            ("producer.", false, Rank::WrongFile),
        ];
        for (prefix, origin, rank) in tables {
            let Some(plain) = key.strip_prefix(prefix) else {
                continue;
            };
            match origin {
                true if consumer_property(plain).is_some() => {
                    self.origin_key(plain, key, value, source, rank)
                }
                false if producer_property(plain).is_some() => {
                    self.destination_key(plain, key, value, source, rank);
                }
                _ => self.unknown(key, source, closest(plain, origin).map(|name| format!("{prefix}{name}"))),
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
        let Some(reason) = property.unused_because else {
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
        let Some(known) = keys::find(key) else {
            return self.unknown(written, source, None);
        };
        let quiet = value.is_empty() || value.eq_ignore_ascii_case(known.default);
        match known.effect {
            Effect::Connector | Effect::Worker => {
                let loser = assign(&mut self.common, key, written, value, source, rank);
                self.overridden(loser, key, false);
            }
            Effect::Converter => match classes::converter_problem(value) {
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

    /// Says that a value from a file lost against another file; a command line that beats a file is no news.
    fn overridden(&mut self, loser: Option<(Assigned, Assigned)>, key: &str, origin: bool) {
        let Some((loser, winner)) = loser.filter(|(loser, winner)| loser.value != winner.value) else {
            return;
        };
        if winner.rank == Rank::CommandLine {
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
            Place::Replication if consumers || producers => format!(
                "{key} has no effect here: put it into the file of --consumer.config or --producer.config, or \
                 write src.consumer.{key} or dest.kafka.{key}"
            ),
            _ => {
                let plain = match place {
                    Place::Consumer => closest(key, true),
                    Place::Producer => closest(key, false),
                    Place::Replication => None,
                };
                let meant = plain.or_else(|| closest_of(key, keys::names())).map(str::to_owned);
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

/// Enters a value; returns loser and winner if there were two.
fn assign(
    map: &mut BTreeMap<String, Assigned>,
    key: &str,
    written: &str,
    value: &str,
    source: &Source,
    rank: Rank,
) -> Option<(Assigned, Assigned)> {
    let new = Assigned { written: written.to_owned(), value: value.to_owned(), source: source.clone(), rank };
    match map.get_mut(key) {
        None => {
            map.insert(key.to_owned(), new);
            None
        }
        Some(old) if old.rank > rank => Some((new, old.clone())),
        Some(old) => Some((std::mem::replace(old, new.clone()), new)),
    }
}

fn closest(key: &str, origin: bool) -> Option<&'static str> {
    match origin {
        true => closest_of(key, consumer_properties().map(|property| property.name)),
        false => closest_of(key, producer_properties().map(|property| property.name)),
    }
}

/// The candidate that differs least from `key`, if it differs by little.
fn closest_of(key: &str, candidates: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let key = key.to_ascii_lowercase().replace('_', ".");
    let allowed = (key.len() / 4).clamp(1, 4);
    candidates
        .map(|name| (strsim::damerau_levenshtein(&key, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}
