//! The replicator's configuration: command line, files and the configuration that Connect holds of the connector become
//! one [`ReplicatorConfig`], each value with where it came from. The executable calls [`load`], connector and tasks call
//! [`posted`]; everything else reads the result and never asks a file again.
//!
//! Precedence: the connector's configuration, then the command line, then the file that is meant for a key (client
//! properties in the consumer and producer files, all others in the replication file), then any other file that sets
//! it, then the default.

mod assigned;
mod build;
mod choices;
mod classes;
mod clients;
mod closest;
mod collect;
mod definition;
#[cfg(test)]
mod document;
mod known;
mod listeners;
mod local;
mod notice;
mod settings;
mod show;
mod sizes;
mod sources;
mod table;
#[cfg(test)]
mod tests;
mod topics;
mod unused;
mod values;
mod worker;

pub use build::{load, posted};
pub use choices::{BatchMode, OffsetStart, Profile, TimestampType};
pub(crate) use clients::with_destination_of;
pub(crate) use definition::{add_problems, definition};
pub use known::{Effect, FileParameter, Flag, Kind, KnownSetting, Owner};
pub use local::Local;
pub use notice::{Notice, NoticeLevel, Source};
pub use settings::{ConfigEntry, CopySettings, OffsetSettings, ReplicatorConfig, TopicSettings};
pub use show::{CONNECTOR_CLASS, CONNECTOR_NAME};
pub use sources::{ConfigError, ConfigFile, Problem, Setting, Sources};
pub use table::{FILES, SETTINGS};
