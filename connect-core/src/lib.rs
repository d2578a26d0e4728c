//! Kafka Connect worker core: what a connector is, what runs it and what it stores.

pub mod api;
pub mod config;
pub mod herder;
pub mod loggers;
pub mod rest;
pub mod storage;
pub mod worker;
