//! Configuration of a worker: properties files as Java reads them, and the worker's own settings.

pub mod keys;
pub mod properties;
pub mod rest;
pub mod worker;

pub use properties::{Properties, Property};
pub use rest::RestSettings;
pub use worker::{StorageTopic, WorkerSettings};
