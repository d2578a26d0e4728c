//! The topic-replication source connector and everything about copying a topic.

pub mod config;
pub mod topics;
