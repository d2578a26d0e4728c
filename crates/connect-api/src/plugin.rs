//! The entries of a worker's registry of plugins. Connectors answer by themselves; of the other kinds an entry has a name, its
//! settings, and a closure that makes one. Names are owned and closures shared, so that plugins which are found only
//! when a process runs can be registered too. `connect-plugins` has those that come along; an embedder adds his own.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;

use crate::batches::BatchTask;
use crate::config_def::{ConfigDef, ValidatedValue};
use crate::connector::{Connector, ConnectorOffset, ConnectorTransactionBoundaries, ExactlyOnceSupport};
use crate::convert::{Converter, HeaderConverter};
use crate::provider::ConfigProvider;
use crate::sink::SinkTask;
use crate::source::SourceTask;
use crate::transform::{Predicate, Transformation};
use crate::{ConfigMap, ConnectError};

/// Direction of a connector's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectorType {
    /// Into Kafka.
    Source,
    /// Out of Kafka.
    Sink,
}

impl ConnectorType {
    /// Text in Connect's REST interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Sink => "sink",
        }
    }
}

/// A task, not yet started.
pub enum Task {
    /// Reads records from a source.
    Source(Box<dyn SourceTask>),
    /// Reads whole record batches from a source.
    Batches(Box<dyn BatchTask>),
    /// Writes to a sink.
    Sink(Box<dyn SinkTask>),
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source(_) => "Task::Source",
            Self::Batches(_) => "Task::Batches",
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

    /// Its settings, without those that the worker adds for every connector. They do not depend on a configuration: whoever
    /// registers a plugin of another process asks it for them once, beforehand.
    fn config_def(&self) -> ConfigDef;

    /// Checks beyond [`ConnectorPlugin::config_def`]: may add errors to `values`. It may ask another process.
    async fn validate(&self, _config: &ConfigMap, _values: &mut Vec<ValidatedValue>) {}

    /// A connector, not yet started.
    fn connector(&self) -> Box<dyn Connector>;

    /// A task, not yet started.
    fn task(&self) -> Task;

    /// Source: whether it delivers exactly once with this configuration; `None`: it does not say.
    async fn exactly_once_support(&self, _config: &ConfigMap) -> Option<ExactlyOnceSupport> {
        None
    }

    /// Source: whether its tasks can say where transactions end.
    async fn can_define_transaction_boundaries(&self, _config: &ConfigMap) -> ConnectorTransactionBoundaries {
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

/// Kind of data that a converter works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum ConverterType {
    Key,
    Value,
    Header,
}

/// Gives the definition of a plugin's settings, which depends on no configuration.
pub type Define = Arc<dyn Fn() -> ConfigDef + Send + Sync>;

/// Makes one plugin from its settings (those under its prefix, the prefix removed); it parses and checks them by its own
/// [`ConfigDef`].
pub type Make<T> = Arc<dyn Fn(&ConfigMap) -> Result<Box<T>, ConnectError> + Send + Sync>;

/// Makes a converter for keys, values or headers, as [`Make`].
pub type MakeConverter =
    Arc<dyn Fn(&ConfigMap, ConverterType) -> Result<Box<dyn Converter>, ConnectError> + Send + Sync>;

/// A converter.
#[derive(Clone)]
pub struct ConverterPlugin {
    /// Full name of the Java class.
    pub class: String,
    /// Its settings.
    pub config_def: Define,
    /// Makes one for keys or values; `None`: it converts only headers.
    pub converter: Option<MakeConverter>,
    /// Makes one for headers.
    pub header_converter: Option<Make<dyn HeaderConverter>>,
}

impl ConverterPlugin {
    /// An entry that converts nothing yet.
    pub fn new(class: impl Into<String>, config_def: impl Fn() -> ConfigDef + Send + Sync + 'static) -> Self {
        let config_def = Arc::new(config_def);
        Self { class: class.into(), config_def, converter: None, header_converter: None }
    }

    /// Converts keys and values by what `make` makes.
    #[must_use]
    pub fn of_data(
        self,
        make: impl Fn(&ConfigMap, ConverterType) -> Result<Box<dyn Converter>, ConnectError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { converter: Some(Arc::new(make)), ..self }
    }

    /// Converts headers by what `make` makes.
    #[must_use]
    pub fn of_headers(
        self,
        make: impl Fn(&ConfigMap) -> Result<Box<dyn HeaderConverter>, ConnectError> + Send + Sync + 'static,
    ) -> Self {
        Self { header_converter: Some(Arc::new(make)), ..self }
    }
}

impl fmt::Debug for ConverterPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConverterPlugin({})", self.class)
    }
}

/// A transformation.
#[derive(Clone)]
pub struct TransformationPlugin {
    /// Full name of the Java class, such as `org.apache.kafka.connect.transforms.Cast$Value`.
    pub class: String,
    /// Its settings.
    pub config_def: Define,
    /// Makes one.
    pub create: Make<dyn Transformation>,
}

impl TransformationPlugin {
    /// An entry.
    pub fn new(
        class: impl Into<String>,
        config_def: impl Fn() -> ConfigDef + Send + Sync + 'static,
        create: impl Fn(&ConfigMap) -> Result<Box<dyn Transformation>, ConnectError> + Send + Sync + 'static,
    ) -> Self {
        Self { class: class.into(), config_def: Arc::new(config_def), create: Arc::new(create) }
    }
}

impl fmt::Debug for TransformationPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransformationPlugin({})", self.class)
    }
}

/// A predicate.
#[derive(Clone)]
pub struct PredicatePlugin {
    /// Full name of the Java class.
    pub class: String,
    /// Its settings.
    pub config_def: Define,
    /// Makes one.
    pub create: Make<dyn Predicate>,
}

impl PredicatePlugin {
    /// An entry.
    pub fn new(
        class: impl Into<String>,
        config_def: impl Fn() -> ConfigDef + Send + Sync + 'static,
        create: impl Fn(&ConfigMap) -> Result<Box<dyn Predicate>, ConnectError> + Send + Sync + 'static,
    ) -> Self {
        Self { class: class.into(), config_def: Arc::new(config_def), create: Arc::new(create) }
    }
}

impl fmt::Debug for PredicatePlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PredicatePlugin({})", self.class)
    }
}

/// A config provider.
#[derive(Clone)]
pub struct ConfigProviderPlugin {
    /// Full name of the Java class.
    pub class: String,
    /// Makes one.
    pub create: Make<dyn ConfigProvider>,
}

impl ConfigProviderPlugin {
    /// An entry.
    pub fn new(
        class: impl Into<String>,
        create: impl Fn(&ConfigMap) -> Result<Box<dyn ConfigProvider>, ConnectError> + Send + Sync + 'static,
    ) -> Self {
        Self { class: class.into(), create: Arc::new(create) }
    }
}

impl fmt::Debug for ConfigProviderPlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConfigProviderPlugin({})", self.class)
    }
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
