//! The replicator's configuration: command line, files and the configuration that Connect holds of the connector become
//! one [`ReplicatorConfig`], each value with where it came from. The executable calls [`load`], connector and tasks call
//! [`posted`]; everything else reads the result and never asks a file again.
//!
//! Who wins: the connector's configuration, then the command line, then the file that is meant for a key (client
//! properties in the consumer and producer files, all others in the replication file), then any other file that sets
//! it, then the default.

mod build;
mod classes;
mod collect;
mod definition;
mod keys;
mod listeners;
mod settings;
mod show;
mod sizes;
mod sources;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use build::with_destination_of;
pub use build::{Local, load, posted};
pub(crate) use definition::{add_problems, definition};
pub use settings::{
    BatchMode, ConfigEntry, CopySettings, Notice, NoticeLevel, OffsetSettings, OffsetStart, Profile,
    ReplicatorConfig, Source, TimestampType, TopicSettings,
};
pub use show::{CONNECTOR_CLASS, CONNECTOR_NAME};
pub use sources::{ConfigError, ConfigFile, Problem, Setting, Sources};
