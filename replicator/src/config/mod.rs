//! The replicator's configuration: command line and files become one [`ReplicatorConfig`], each value with where it
//! came from. The executable calls [`load`]; everything else reads the result and never asks a file again.
//!
//! Who wins: the command line, then the file that is meant for a key (client properties in the consumer and producer
//! files, all others in the replication file), then any other file that sets it, then the default.

mod build;
mod classes;
mod collect;
mod keys;
mod listeners;
mod settings;
mod show;
mod sizes;
mod sources;
#[cfg(test)]
mod tests;
mod values;

pub use build::load;
pub use settings::{
    BatchMode, ConfigEntry, CopySettings, Notice, NoticeLevel, OffsetSettings, OffsetStart, Profile,
    ReplicatorConfig, Source, TimestampType, TopicSettings,
};
pub use show::{CONNECTOR_CLASS, CONNECTOR_NAME};
pub use sources::{ConfigError, ConfigFile, Problem, Setting, Sources};
