//! Configuration of a worker: properties files as Java reads them, and the worker's own settings.

pub mod properties;
pub mod worker;

pub use properties::{Properties, Property};
pub use worker::{StorageTopic, WorkerSettings};
