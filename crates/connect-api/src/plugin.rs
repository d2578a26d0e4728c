//! What a registry entry of each kind of plugin says. `connect-plugins` has those that come along; an embedder adds his own.

use std::sync::Arc;

use async_trait::async_trait;

use crate::config_def::{ConfigDef, ValidatedValue};
use crate::connector::{Connector, ConnectorOffset, ConnectorTransactionBoundaries, ExactlyOnceSupport};
use crate::convert::{Converter, HeaderConverter};
use crate::provider::ConfigProvider;
use crate::sink::SinkTask;
use crate::source::SourceTask;
use crate::transform::{Predicate, Transformation};
use crate::{ConfigMap, ConnectError};

/// Which way a connector's data goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectorType {
    /// Into Kafka.
    Source,
    /// Out of Kafka.
    Sink,
}

impl ConnectorType {
    /// As Connect's REST interface writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
        }
    }
}

/// A task, not yet started.
pub enum Task {
    /// Reads from a source.
    Source(Box<dyn SourceTask>),
    /// Writes to a sink.
    Sink(Box<dyn SinkTask>),
}

impl std::fmt::Debug for Task {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Source(_) => "Task::Source",
            Self::Sink(_) => "Task::Sink",
        })
    }
}

/// A connector as a plugin: known by its Java class name, it makes instances and tasks.
#[async_trait]
pub trait ConnectorPlugin: Send + Sync {
    /// Full name of the Java class.
    fn class(&self) -> &str;

    /// Full name of the Java class of its tasks; `task.class` of task configurations.
    fn task_class(&self) -> &str;

    /// Its version.
    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    /// Source or sink.
    fn kind(&self) -> ConnectorType;

    /// Told once, before anything else is asked: the properties of the worker, variables resolved. They hold secrets.
    fn on_worker(&self, _properties: &ConfigMap) {}

    /// Its settings, without those that the worker adds for every connector.
    fn config_def(&self) -> ConfigDef;

    /// Checks beyond [`ConnectorPlugin::config_def`]: may add errors to `values`.
    fn validate(&self, _config: &ConfigMap, _values: &mut Vec<ValidatedValue>) {}

    /// A connector, not yet started.
    fn connector(&self) -> Box<dyn Connector>;

    /// A task, not yet started.
    fn task(&self) -> Task;

    /// Source: whether it delivers exactly once with this configuration; `None`: it does not say.
    fn exactly_once_support(&self, _config: &ConfigMap) -> Option<ExactlyOnceSupport> {
        None
    }

    /// Source: whether its tasks can say where transactions end.
    fn can_define_transaction_boundaries(&self, _config: &ConfigMap) -> ConnectorTransactionBoundaries {
        ConnectorTransactionBoundaries::Unsupported
    }

    /// Checks offsets that are about to be written or reset (no offset), and changes those that the connector keeps
    /// elsewhere. True: the result is complete; false: only the framework's offsets are changed.
    async fn alter_offsets(
        &self,
        _config: &ConfigMap,
        _offsets: &[ConnectorOffset],
    ) -> Result<bool, ConnectError> {
        Ok(false)
    }
}

/// Whether a converter works on keys or values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConverterType {
    Key,
    Value,
    Header,
}

/// Makes one plugin from its settings (those under its prefix, the prefix removed); it parses and checks them by its own
/// [`ConfigDef`].
pub type Make<T> = fn(&ConfigMap) -> Result<Box<T>, ConnectError>;

/// Makes a converter for keys, values or headers, as [`Make`].
pub type MakeConverter = fn(&ConfigMap, ConverterType) -> Result<Box<dyn Converter>, ConnectError>;

/// A converter.
#[derive(Clone, Copy, Debug)]
pub struct ConverterPlugin {
    /// Full name of the Java class.
    pub class: &'static str,
    /// Its settings.
    pub config_def: fn() -> ConfigDef,
    /// Makes one for keys or values; `None`: it converts only headers.
    pub converter: Option<MakeConverter>,
    /// Makes one for headers.
    pub header_converter: Option<Make<dyn HeaderConverter>>,
}

/// A transformation.
#[derive(Clone, Copy, Debug)]
pub struct TransformationPlugin {
    /// Full name of the Java class, such as `org.apache.kafka.connect.transforms.Cast$Value`.
    pub class: &'static str,
    /// Its settings.
    pub config_def: fn() -> ConfigDef,
    /// Makes one.
    pub create: Make<dyn Transformation>,
}

/// A predicate.
#[derive(Clone, Copy, Debug)]
pub struct PredicatePlugin {
    /// Full name of the Java class.
    pub class: &'static str,
    /// Its settings.
    pub config_def: fn() -> ConfigDef,
    /// Makes one.
    pub create: Make<dyn Predicate>,
}

/// A config provider.
#[derive(Clone, Copy, Debug)]
pub struct ConfigProviderPlugin {
    /// Full name of the Java class.
    pub class: &'static str,
    /// Makes one.
    pub create: Make<dyn ConfigProvider>,
}

/// Plugins that come together, such as those of a library. A worker takes them with its registry's `with`.
#[derive(Clone, Default)]
pub struct PluginSet {
    /// Kinds of connectors.
    pub connectors: Vec<Arc<dyn ConnectorPlugin>>,
    /// Converters of keys, values and headers.
    pub converters: Vec<ConverterPlugin>,
    /// Transformations.
    pub transformations: Vec<TransformationPlugin>,
    /// Predicates.
    pub predicates: Vec<PredicatePlugin>,
    /// Config providers.
    pub providers: Vec<ConfigProviderPlugin>,
}
