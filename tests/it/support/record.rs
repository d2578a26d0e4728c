//! A record as a client sees it.

use std::fmt;

use rdkafka::Timestamp;

/// Key, value, headers and time. Null and empty are different.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    /// In their order, duplicates and all.
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
    pub(crate) time: Time,
}

/// A timestamp with its type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Time {
    /// -1.
    #[default]
    None,
    /// The producer's, ms since 1970.
    Create(i64),
    /// The broker's, ms since 1970.
    Append(i64),
}

/// A record in a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stored {
    pub(crate) offset: i64,
    pub(crate) record: Record,
}

impl Record {
    /// A record with a key and a value, at a time that lies in the past.
    pub(crate) fn new(key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        let (key, value) = (Some(key.as_ref().to_vec()), Some(value.as_ref().to_vec()));
        Self { key, value, headers: Vec::new(), time: Time::Create(1_600_000_000_000) }
    }

    /// With another header.
    pub(crate) fn header(mut self, key: &str, value: Option<&[u8]>) -> Self {
        self.headers.push((key.to_owned(), value.map(<[u8]>::to_vec)));
        self
    }

    /// With another time of creation, ms since 1970.
    pub(crate) fn at(self, time: i64) -> Self {
        Self { time: Time::Create(time), ..self }
    }
}

impl From<Timestamp> for Time {
    fn from(timestamp: Timestamp) -> Self {
        match timestamp {
            Timestamp::NotAvailable => Self::None,
            Timestamp::CreateTime(time) => Self::Create(time),
            Timestamp::LogAppendTime(time) => Self::Append(time),
        }
    }
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |bytes: &Option<Vec<u8>>| match bytes {
            None => "null".to_owned(),
            Some(bytes) if bytes.len() > 60 => format!("{} bytes", bytes.len()),
            Some(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        };
        let headers: Vec<_> =
            self.headers.iter().map(|(key, value)| format!("{key}:{}", text(value))).collect();
        write!(f, "{}={} {headers:?} {:?}", text(&self.key), text(&self.value), self.time)
    }
}
