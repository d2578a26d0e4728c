//! The Kafka clients of connectors and tasks: which properties each gets from the worker and the connector, whether the
//! connector may override them, and how Java's properties are said to librdkafka.

mod policy;
mod producer;
mod properties;
mod rdkafka_config;
mod topics;

pub use policy::{ClientKind, OverridePolicy};
pub(crate) use producer::{
    DeliveryReport, NO_LOGIN, Named, RecordProducer, Transactions, fence, kafka_error, kafka_error_about,
    login_error,
};
pub(crate) use properties::Clients;
pub(crate) use rdkafka_config::client_config;
pub(crate) use topics::{TopicCreation, pattern};
