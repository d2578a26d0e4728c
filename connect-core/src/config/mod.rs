//! Configuration of a worker: properties files as Java reads them, and the worker's own settings.

mod definition;
pub mod keys;
pub mod rest;
pub mod worker;
mod worker_config;

pub use connect_api::properties::{self, Properties, Property};
pub use rest::RestSettings;
pub use worker::{StorageTopic, WorkerSettings};
pub use worker_config::{Mode, WorkerConfig};
