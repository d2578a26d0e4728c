//! The transcript of a case: labelled observations in which random values have names, so that two runs can be compared.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::TopicName;
use kafka_protocol::protocol::StrBytes;

use super::batch::Stored;
use super::{Client, Release, Target};

const DAY: i64 = 86_400_000;

/// One observation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) label: String,
    pub(crate) value: String,
    /// What the rule says, where one does.
    pub(crate) expected: Option<String>,
}

/// A case at work.
pub(crate) struct T<'a> {
    target: &'a dyn Target,
    case: &'static str,
    nonce: String,
    began: i64,
    names: BTreeMap<i64, String>,
    pub(crate) lines: Vec<Line>,
    pub(crate) client: Client,
    /// The time that batches of the case start at: a minute before it began.
    pub(crate) base: i64,
}

impl<'a> T<'a> {
    pub(crate) fn new(target: &'a dyn Target, case: &'static str) -> Self {
        let began = now();
        Self {
            target,
            case,
            nonce: format!("{:x}", began & 0xfff_ffff),
            began,
            names: BTreeMap::new(),
            lines: Vec::new(),
            client: Client::connect(&target.address()),
            base: began - 60_000,
        }
    }

    /// A connection of its own.
    pub(crate) fn connect(&self) -> Client {
        Client::connect(&self.target.address())
    }

    /// `host:port` of the broker.
    pub(crate) fn address(&self) -> String {
        self.target.address()
    }

    pub(crate) fn is_4_3(&self) -> bool {
        self.target.release() == Release::V4_3
    }

    /// The value of this release.
    pub(crate) fn by<V>(&self, v3_9: V, v4_3: V) -> V {
        if self.is_4_3() { v4_3 } else { v3_9 }
    }

    /// A name that no other run uses; the transcript shows it as given.
    pub(crate) fn unique(&self, name: &str) -> String {
        format!("{}-{name}-{}", self.case, self.nonce)
    }

    pub(crate) fn clean(&self, topic: &str) {
        self.target.clean(topic);
    }

    pub(crate) fn throttle(&self, client_id: &str, bytes: u32) {
        self.target.throttle(client_id, bytes);
    }

    pub(crate) fn retain(&self) {
        self.target.retain();
    }

    /// Records an observation.
    pub(crate) fn note(&mut self, label: impl Display, value: impl Display) {
        self.push(label.to_string(), value.to_string(), None);
    }

    /// Records an observation and what it must be.
    pub(crate) fn expect(&mut self, label: impl Display, value: impl Display, expected: impl Display) {
        self.push(label.to_string(), value.to_string(), Some(expected.to_string()));
    }

    fn push(&mut self, label: String, value: String, expected: Option<String>) {
        assert!(!label.contains(": "), "a label with a colon: {label}");
        assert!(self.lines.iter().all(|line| line.label != label), "{} notes {label} twice", self.case);
        let value = value.replace(&format!("{}-", self.case), "").replace(&format!("-{}", self.nonce), "");
        self.lines.push(Line { label, value: value.replace('\n', " ").trim().to_owned(), expected });
    }

    /// Gives a random number (a producer id) a name.
    pub(crate) fn call_it(&mut self, value: i64, name: &str) {
        self.names.insert(value, name.to_owned());
    }

    pub(crate) fn named(&self, value: i64) -> String {
        self.names.get(&value).cloned().unwrap_or_else(|| value.to_string())
    }

    /// A time relative to the case's, `now` where it is of this moment.
    pub(crate) fn time(&self, time: i64) -> String {
        let offset = time - self.base;
        if (self.began - 100..=now() + 100).contains(&time) {
            "now".to_owned()
        } else if (self.began - 100..=now() + 100).contains(&(time - DAY)) {
            "now+24h".to_owned()
        } else if offset.abs() < 3 * DAY {
            format!("T{offset:+}")
        } else {
            time.to_string()
        }
    }

    /// A stored batch on one line: header, then records.
    pub(crate) fn batch(&self, stored: &Stored) -> String {
        let batch = &stored.batch;
        let first = batch.base_offset;
        let (id, epoch, sequence) = batch.producer;
        let mut text = format!(
            "{first}..{} n={} attr=0x{:02x} base={} max={} pid={}/{epoch}/{sequence} leader={} crc={}",
            stored.next_offset() - 1,
            batch.count,
            batch.attributes,
            self.time(batch.base_time),
            self.time(batch.max_time),
            self.named(id),
            batch.leader_epoch,
            if stored.crc_ok { "ok" } else { "wrong" },
        );
        let part = |part: &Option<Vec<u8>>| match part {
            None => "-".to_owned(),
            Some(bytes) if bytes.iter().all(|b| (32..127).contains(b)) && bytes.len() < 40 => {
                String::from_utf8_lossy(bytes).into_owned()
            }
            Some(bytes) if bytes.len() < 40 => bytes.iter().map(|b| format!("{b:02x}")).collect(),
            Some(bytes) => format!("{} bytes", bytes.len()),
        };
        for record in &batch.records {
            let offset = first + i64::from(record.delta);
            let time = self.time(batch.base_time + record.time);
            text += &format!(" | {offset} @{time} {}={}", part(&record.key), part(&record.value));
        }
        text
    }

    /// Tries until `ready` gives something; panics after 20 s.
    pub(crate) fn until<V>(&mut self, what: &str, ready: impl FnMut(&mut Self) -> Option<V>) -> V {
        self.within(Duration::from_secs(20), ready).unwrap_or_else(|| panic!("waited in vain: {what}"))
    }

    /// Tries until `ready` gives something or the time is over.
    pub(crate) fn within<V>(
        &mut self,
        limit: Duration,
        mut ready: impl FnMut(&mut Self) -> Option<V>,
    ) -> Option<V> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(found) = ready(self) {
                return Some(found);
            }
            if Instant::now() > deadline {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

/// An error code with its name.
pub(crate) fn code(code: i16) -> String {
    match ResponseError::try_from_code(code) {
        None => "0".to_owned(),
        Some(error) => format!("{code} {error:?}"),
    }
}

pub(crate) fn name(topic: &str) -> TopicName {
    TopicName(text(topic))
}

pub(crate) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}
