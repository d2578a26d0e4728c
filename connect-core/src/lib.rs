//! Kafka Connect worker core: what runs connectors and their tasks, and what it stores.

pub mod answers;
pub mod config;
pub mod connect;
pub mod group;
pub mod herder;
pub mod ids;
mod jaas;
mod java_json;
mod java_order;
pub mod loggers;
pub mod plugins;
mod reminder;
pub mod rest;
pub mod storage;
pub mod validation;
pub mod worker;

/// What connectors and other plugins implement.
pub use connect_api as api;
