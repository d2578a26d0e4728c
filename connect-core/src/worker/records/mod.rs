//! Work on records between a connector and Kafka, whichever way they go: transformations, conversion,
//! and what is done about errors. The loops of source and sink tasks call it.

mod chain;
mod converters;
mod errors;

pub(crate) use chain::{Applied, Chain};
pub(crate) use converters::{Converters, KafkaRecord};
pub(crate) use errors::{ErrorHandling, ErrorSettings, Failure, Origin, Reported, Reporter, Stage};

use bytes::Bytes;
use connect_api::TimestampType;

/// A record as it was read from Kafka. Clones share the bytes.
#[derive(Debug, Clone)]
pub(crate) struct Consumed {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp: Option<i64>,
    pub(crate) timestamp_type: TimestampType,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    pub(crate) headers: Vec<(String, Option<Bytes>)>,
}
