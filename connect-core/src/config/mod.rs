//! Configuration of a worker: properties files as Java reads them, and the worker's own settings.

pub mod keys;
pub mod rest;
pub mod worker;

pub use connect_api::properties::{self, Properties, Property};
pub use rest::RestSettings;
pub use worker::{StorageTopic, WorkerSettings};
