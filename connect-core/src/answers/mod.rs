//! Answers of herders, in Connect's JSON shapes: names, order of fields and what is left out are those of Connect 3.9. Herders
//! give them, REST shows them, workers send them to each other; they know none of these.

mod connectors;
mod error;
mod offsets;
mod plugins;
mod worker;

pub use self::connectors::{
    ActiveTopics, ConnectorInfo, ConnectorKind, ConnectorStateInfo, ConnectorTaskId, Created, StateInfo,
    TaskInfo, TaskStateInfo,
};
pub use self::error::{BAD_REQUEST_CLASS, HerderError};
pub use self::offsets::{ConnectorOffsets, OffsetEntry};
pub use self::plugins::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo, PluginInfo};
pub use self::worker::{InternalRequestSignature, LoggerLevel, LoggerLevels, Stage};
