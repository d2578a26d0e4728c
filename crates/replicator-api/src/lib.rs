//! Answers of the product's own REST resources as types, and a client that reads them. The server serialises the same types, so that
//! server, command line and tests cannot differ about a field. Knows no other crate of the project.

mod client;
mod metrics;

pub use client::{Client, ClientError};
pub use metrics::{ConnectorMetrics, PartitionMetrics, PartitionState, ReplicatorMetrics, TaskMetrics};
