//! Asynchronous Kafka protocol client for raw record batches.

pub mod settings;
