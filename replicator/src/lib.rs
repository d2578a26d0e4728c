//! The product: a source connector that copies topics between Kafka clusters, whole batch by whole batch.
//!
//! [`config`] reads what the user said, `connector` finds topics and divides the work, `copy` judges every batch,
//! [`monitoring`] tells how it goes. [`plugin`] is what workers register. The worker around it is `connect-core`.

pub mod config;
mod connector;
mod context;
mod copy;
pub mod monitoring;
mod offsets;
mod origin_history;
mod plugin;
mod retry;
pub mod topics;
mod worker;

pub use context::{Network, tcp};
pub use plugin::{ReplicatorPlugin, plugin, register};
pub use worker::{StartError, Surroundings, Worker};
