//! Things that the connector and its tasks share when they run in one process: the configuration, the figures, and what is known
//! of topics. Whoever starts finds it by the configuration it was given, so that none depends on another being here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock, Weak};

use connect_core::api::{ConfigMap, ConnectError};
use kafka_wire::cluster::Cluster;
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::{SharedConnector, TcpConnector, TlsError};

use crate::config::{self, CONNECTOR_NAME, Local, ReplicatorConfig};
use crate::copy::assignment::{PARTITION_ASSIGNMENT, TASK_ID};
use crate::monitoring::{Monitor, MonitorHandle};
use crate::origin_history::OriginHistory;

/// Key that the worker adds to the configuration of a task.
const TASK_CLASS_KEY: &str = "task.class";

/// A destination topic as the copy needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DestinationTopic {
    /// Its name.
    pub(crate) name: String,
    /// `message.timestamp.type=LogAppendTime`.
    pub(crate) log_append_time: bool,
}

/// Way to clusters: makes what opens connections for one client's settings. TCP is [`tcp`]; a simulated
/// network can be another.
pub type Network = Arc<dyn Fn(&ClientSettings) -> Result<SharedConnector, TlsError> + Send + Sync>;

/// The network of the real world: TCP, with TLS where the settings ask for it.
pub fn tcp() -> Network {
    Arc::new(|settings| Ok(Arc::new(TcpConnector::new(settings)?)))
}

/// A client of a cluster, with connections of its own.
pub(crate) fn client(
    network: &Network,
    role: &'static str,
    settings: &ClientSettings,
) -> Result<Cluster, TlsError> {
    Ok(Cluster::new(role, settings.clone(), network(settings)?))
}

/// The name of the connector whose configuration, or whose task's, this is.
pub(crate) fn connector_name(config: &ConfigMap) -> &str {
    config.get("name").map_or(CONNECTOR_NAME, String::as_str)
}

/// Shared by the connector and its tasks, as long as their configuration stays the same.
pub(crate) struct Context {
    pub(crate) config: ReplicatorConfig,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) history: Arc<OriginHistory>,
    /// The connector's configuration in Connect that `config` was made from.
    map: ConfigMap,
    network: Network,
    /// By origin topic.
    destinations: RwLock<BTreeMap<String, DestinationTopic>>,
}

impl Context {
    /// A client of the origin, with connections of its own.
    pub(crate) fn origin(&self) -> Result<Cluster, TlsError> {
        client(&self.network, "origin", &self.config.origin.client)
    }

    /// A client of the destination, with connections of its own.
    pub(crate) fn destination(&self) -> Result<Cluster, TlsError> {
        client(&self.network, "destination", &self.config.destination.client)
    }

    /// The group at the origin for which progress is committed.
    pub(crate) fn group(&self) -> &str {
        self.config.origin.group_id.as_deref().unwrap_or(&self.config.cluster_id)
    }

    pub(crate) fn destination_topic(&self, origin_topic: &str) -> Option<DestinationTopic> {
        self.destinations.read().unwrap_or_else(PoisonError::into_inner).get(origin_topic).cloned()
    }

    pub(crate) fn set_destination_topic(&self, origin_topic: &str, topic: DestinationTopic) {
        let mut destinations = self.destinations.write().unwrap_or_else(PoisonError::into_inner);
        destinations.insert(origin_topic.to_owned(), topic);
    }
}

/// The contexts of a process: one for each connector and configuration in use.
pub(crate) struct Contexts {
    local: Option<Local>,
    /// The properties of the worker.
    worker: OnceLock<ConfigMap>,
    network: Network,
    pub(crate) monitors: MonitorHandle,
    known: Mutex<BTreeMap<String, Known>>,
}

/// Rest of a connector while nothing of it runs.
struct Known {
    /// Addresses of the origin; another one's topics are other topics.
    origin: Vec<(String, u16)>,
    history: Arc<OriginHistory>,
    newest: Weak<Context>,
}

impl Contexts {
    /// `local`: what the executable's command line and files say, for its own connector.
    pub(crate) fn new(local: Option<Local>, network: Network) -> Self {
        let (worker, monitors, known) = Default::default();
        Self { local, worker, network, monitors, known }
    }

    /// Connectors that name no destination write to the cluster of the worker with these properties.
    pub(crate) fn on_worker(&self, properties: &ConfigMap) {
        // A process has one worker.
        let _ = self.worker.set(properties.clone());
    }

    /// True in the executable.
    pub(crate) fn has_local(&self) -> bool {
        self.local.is_some()
    }

    /// True when a connector of this name has local files behind its configuration.
    pub(crate) fn is_own(&self, connector: &str) -> bool {
        self.has_local() && connector == CONNECTOR_NAME
    }

    /// The typed configuration of a connector or task.
    pub(crate) fn typed(&self, map: &ConfigMap) -> Result<ReplicatorConfig, config::ConfigError> {
        let name = connector_name(map);
        if self.is_own(name) {
            return config::posted(self.local.as_ref(), name, map);
        }
        match self.worker.get() {
            Some(worker) => config::posted(None, name, &config::with_destination_of(worker, map.clone())),
            None => config::posted(None, name, map),
        }
    }

    /// The context for the configuration of a connector or of one of its tasks.
    ///
    /// # Errors
    /// A `ConfigException` with every problem of the configuration.
    pub(crate) fn of(&self, config: &ConfigMap) -> Result<Arc<Context>, ConnectError> {
        let mut map = config.clone();
        map.retain(|key, _| ![TASK_ID, PARTITION_ASSIGNMENT, TASK_CLASS_KEY].contains(&key.as_str()));
        let name = connector_name(config);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = all.get(name).and_then(|known| known.newest.upgrade());
        if let Some(context) = newest.filter(|context| context.map == map) {
            return Ok(context);
        }
        let config = self.typed(&map).map_err(ConnectError::config)?;
        let origin = config.origin.client.bootstrap_servers.clone();
        let history = match all.get(name) {
            Some(known) if known.origin == origin => known.history.clone(),
            _ => Arc::default(),
        };
        let context = Arc::new(Context {
            config,
            monitor: self.monitors.of(name),
            history: history.clone(),
            map,
            network: self.network.clone(),
            destinations: RwLock::default(),
        });
        let newest = Arc::downgrade(&context);
        all.insert(name.to_owned(), Known { origin, history, newest });
        Ok(context)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn config(extra: &[(&str, &str)]) -> ConfigMap {
        let least =
            [("name", "c"), ("src.kafka.bootstrap.servers", "o:1"), ("dest.kafka.bootstrap.servers", "d:1")];
        least.iter().chain(extra).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn without_a_destination_it_is_the_cluster_of_the_worker() {
        let contexts = Contexts::new(None, tcp());
        let mut config = config(&[]);
        config.remove("dest.kafka.bootstrap.servers");
        let error = contexts.typed(&config).unwrap_err().to_string();
        assert!(error.contains("dest.kafka.bootstrap.servers"), "{error}");
        let login = "x.PlainLoginModule required username=\"u\" password=\"p\";";
        let worker = [
            ("bootstrap.servers", "w:1"),
            ("security.protocol", "SASL_PLAINTEXT"),
            ("sasl.mechanism", "PLAIN"),
            ("sasl.jaas.config", login),
            ("group.id", "g"),
        ];
        contexts.on_worker(&worker.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        let client = contexts.typed(&config).unwrap().destination.client;
        assert_eq!(client.bootstrap_servers, [("w".to_owned(), 1)]);
        assert!(client.security.sasl.is_some());
        config.insert("dest.kafka.bootstrap.servers".to_owned(), "d:1".to_owned());
        let client = contexts.typed(&config).unwrap().destination.client;
        assert_eq!(client.bootstrap_servers, [("d".to_owned(), 1)]);
        assert!(client.security.sasl.is_none(), "nothing of the two is mixed");
    }

    #[test]
    fn one_context_for_a_connector_and_its_tasks_until_the_configuration_changes() {
        let contexts = Contexts::new(None, tcp());
        let connector = contexts.of(&config(&[])).unwrap();
        let task = contexts.of(&config(&[("task.id", "c-0"), ("task.class", "x")])).unwrap();
        assert!(Arc::ptr_eq(&connector, &task));
        let other = contexts.of(&config(&[("name", "d")])).unwrap();
        assert!(!Arc::ptr_eq(&connector.monitor, &other.monitor));
        assert!(Arc::ptr_eq(&connector, &contexts.of(&config(&[])).unwrap()));
        let changed = contexts.of(&config(&[("topic.rename.format", "${topic}.r")])).unwrap();
        assert_eq!(changed.config.topics.rename_format, "${topic}.r");
        assert!(Arc::ptr_eq(&connector.monitor, &changed.monitor));
    }

    #[test]
    fn what_is_known_of_topics_outlives_tasks_but_not_a_change_of_the_origin() {
        let contexts = Contexts::new(None, tcp());
        let partition = ("t".to_owned(), 0);
        let (first, second) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let id = |extra: &[(&str, &str)], id| {
            contexts.of(&config(extra)).unwrap().history.known_topic_id(&partition, id)
        };
        assert_eq!(id(&[], first), first);
        assert_eq!(id(&[("topic.whitelist", "t")], second), first);
        assert_eq!(id(&[("src.kafka.bootstrap.servers", "elsewhere:1")], second), second);
    }

    #[test]
    fn a_bad_configuration_is_an_error_that_names_its_keys() {
        let contexts = Contexts::new(None, tcp());
        let error = contexts.of(&config(&[("topic.rename.format", "/")])).err().unwrap();
        assert_eq!(error.class(), "org.apache.kafka.common.config.ConfigException");
        assert!(error.message().contains("topic.rename.format=/"), "{error}");
    }
}
