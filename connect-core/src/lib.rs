//! Kafka Connect worker core: what a connector is, what runs it and what it stores.

pub mod config;
