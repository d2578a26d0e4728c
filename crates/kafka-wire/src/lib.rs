//! Asynchronous Kafka protocol client for what librdkafka has no API for: raw record batches in and out,
//! fetch sessions with leader epochs and topic ids, and the admin calls around them. Knows nothing of
//! Connect.
//!
//! Layers, lowest first: [`transport`] (bytes), [`frame`] (requests and responses on one connection),
//! [`cluster`] (which broker to ask), [`admin`], [`fetch`], [`produce`] and [`group`] (what to ask).
//! [`batch`] is the record format, [`settings`] the Java client properties.

pub mod admin;
pub mod batch;
pub mod cluster;
mod error;
mod error_code;
pub mod failpoint;
pub mod fetch;
pub mod frame;
pub mod group;
pub mod log;
pub mod produce;
mod reminder;
pub mod settings;
mod topic_partition;
pub mod transport;

pub use error::WireError;
pub use error_code::{ErrorCode, code_name};
pub use kafka_protocol;
pub use reminder::Reminder;
pub use topic_partition::TopicPartition;
