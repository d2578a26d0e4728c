//! The replicator's configuration: command line and files become one [`ReplicatorConfig`], each value with where it
//! came from. The executable calls [`load`]; everything else reads the result and never asks a file again.

mod settings;

pub use settings::{
    BatchMode, ConfigEntry, CopySettings, Notice, NoticeLevel, OffsetSettings, OffsetStart, Profile,
    ReplicatorConfig, Source, TimestampType, TopicSettings,
};
