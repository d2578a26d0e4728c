//! Runs connectors and tasks in this process: everything between a task's configuration and Kafka. A herder decides which of
//! them run here and keeps their statuses; the [`Worker`] knows plugins, converters, clients, offsets and metrics, and
//! nothing of groups or REST.
//!
//! Guarantees: each connector and each task runs on a thread of its own; one that blocks or panics harms no other, nor the
//! worker. A panic is a failure. Stopping takes at most `task.shutdown.graceful.timeout.ms`; who is not done by then is left
//! behind, can no longer commit offsets and is no longer heard.

mod clients;
mod connector_life;
mod connectors;
mod exactly_once;
pub mod executor;
mod handle;
mod instances;
mod listener;
pub mod metrics;
mod offsets;
mod plan;
mod records;
mod report;
mod settings;
mod sink;
mod sink_plan;
mod source;
mod source_plan;
mod stop;
mod surroundings;
mod tasks;
mod values;
mod variables;

pub use self::clients::{ClientKind, OverridePolicy};
pub use self::connector_life::Reconfigure;
pub use self::exactly_once::ExactlyOnce;
pub use self::executor::{Executor, Job, Launcher};
pub use self::handle::Worker;
pub use self::listener::StatusListener;
pub use self::metrics::Metrics;
pub use self::offsets::{OffsetBacking, TaskOffsets};
pub use self::report::{StopReport, TaskReport};
pub use self::settings::WorkerSettings;
pub use self::stop::{StopSignal, StopSwitch};
pub use self::surroundings::{ClusterMaker, Surroundings};
pub use self::variables::Variables;
