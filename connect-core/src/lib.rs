//! Kafka Connect worker core: what runs connectors and their tasks, and what it stores.

pub mod answers;
pub mod config;
pub mod connect;
pub mod group;
pub mod herder;
pub mod ids;
mod jaas;
pub mod loggers;
pub mod plugins;
pub mod rest;
pub mod storage;
pub mod validation;
pub mod worker;

/// The traits that connectors and other plugins implement.
pub use connect_api as api;
