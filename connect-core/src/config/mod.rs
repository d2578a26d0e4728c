//! Configuration of a worker: properties files as Java reads them, and the worker's own settings.

mod definition;
pub mod keys;
pub mod rest;
mod storage_topics;
mod worker_config;

pub use java::properties::{self, Properties, Property};
pub use rest::RestSettings;
pub use storage_topics::{StorageTopic, StorageTopics};
pub use worker_config::{Mode, WorkerConfig};
