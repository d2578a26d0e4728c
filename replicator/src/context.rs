//! What the connector and its tasks share: the configuration, the figures, and what is known of destination topics.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use kafka_wire::admin::TopicPartition;
use kafka_wire::cluster::Cluster;
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::{SharedConnector, TcpConnector, TlsError};
use uuid::Uuid;

use crate::config::ReplicatorConfig;
use crate::monitoring::Monitor;

/// A destination topic as the copy needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DestinationTopic {
    /// Its name.
    pub(crate) name: String,
    /// `message.timestamp.type=LogAppendTime`.
    pub(crate) log_append_time: bool,
}

/// How clusters are reached: makes what opens connections for one client's settings. TCP is [`tcp`]; a simulated
/// network can be another.
pub type Network = Arc<dyn Fn(&ClientSettings) -> Result<SharedConnector, TlsError> + Send + Sync>;

/// The network of the real world: TCP, with TLS where the settings ask for it.
pub fn tcp() -> Network {
    Arc::new(|settings| Ok(Arc::new(TcpConnector::new(settings)?)))
}

/// Shared by the connector and its tasks.
pub(crate) struct Context {
    pub(crate) config: ReplicatorConfig,
    pub(crate) monitor: Arc<Monitor>,
    network: Network,
    /// By origin topic.
    destinations: RwLock<BTreeMap<String, DestinationTopic>>,
    /// Ids of the origin's topics, as this process first saw them.
    topic_ids: RwLock<BTreeMap<String, Uuid>>,
    /// Where the origin's log was found to be another one than was read, and how: positions beyond mean nothing.
    cuts: RwLock<BTreeMap<TopicPartition, Cut>>,
}

/// The log of a partition was truncated below the position of its copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cut {
    /// First offset that is not the one that was read.
    pub(crate) offset: i64,
    /// For people.
    pub(crate) reason: String,
}

impl Context {
    pub(crate) fn new(config: ReplicatorConfig, monitor: Arc<Monitor>, network: Network) -> Self {
        Self {
            config,
            monitor,
            network,
            destinations: RwLock::default(),
            topic_ids: RwLock::default(),
            cuts: RwLock::default(),
        }
    }

    /// A client of the origin, with connections of its own.
    pub(crate) fn origin(&self) -> Result<Cluster, TlsError> {
        self.client("origin", &self.config.origin.client)
    }

    /// A client of the destination, with connections of its own.
    pub(crate) fn destination(&self) -> Result<Cluster, TlsError> {
        self.client("destination", &self.config.destination.client)
    }

    fn client(&self, role: &'static str, settings: &ClientSettings) -> Result<Cluster, TlsError> {
        Ok(Cluster::new(role, settings.clone(), (self.network)(settings)?))
    }

    pub(crate) fn destination_topic(&self, origin_topic: &str) -> Option<DestinationTopic> {
        self.destinations.read().unwrap_or_else(PoisonError::into_inner).get(origin_topic).cloned()
    }

    /// The id under which this process knows an origin topic: `id`, where it is the first (nil: the broker has none).
    pub(crate) fn known_topic_id(&self, topic: &str, id: Uuid) -> Uuid {
        let mut ids = self.topic_ids.write().unwrap_or_else(PoisonError::into_inner);
        match id.is_nil() {
            true => ids.get(topic).copied().unwrap_or_default(),
            false => *ids.entry(topic.to_owned()).or_insert(id),
        }
    }

    /// Remembers a cut, for the tasks that come after a new division of the work: the offset store knows of none.
    pub(crate) fn remember_cut(&self, partition: TopicPartition, cut: Cut) {
        self.cuts.write().unwrap_or_else(PoisonError::into_inner).insert(partition, cut);
    }

    /// The cut that keeps a partition from going on at `position`. One at or before the cut is in what both logs have:
    /// reading on from there, everything after it is of the new log, and the cut is forgotten.
    pub(crate) fn cut_before(&self, partition: &TopicPartition, position: i64) -> Option<Cut> {
        let mut cuts = self.cuts.write().unwrap_or_else(PoisonError::into_inner);
        if cuts.get(partition).is_some_and(|cut| position <= cut.offset) {
            cuts.remove(partition);
        }
        cuts.get(partition).cloned()
    }

    pub(crate) fn set_destination_topic(&self, origin_topic: &str, topic: DestinationTopic) {
        let mut destinations = self.destinations.write().unwrap_or_else(PoisonError::into_inner);
        destinations.insert(origin_topic.to_owned(), topic);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::{ConfigFile, Source, Sources, load};

    fn context() -> Context {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text = "cluster.id=c\nsrc.kafka.bootstrap.servers=a:1\ndest.kafka.bootstrap.servers=b:1\n";
        std::fs::write(file.path(), text).unwrap();
        let file = ConfigFile { path: file.path().to_owned(), named_by: Source::Default };
        let config = load(&Sources { replication: Some(file), ..Sources::default() });
        Context::new(config.unwrap(), Arc::default(), tcp())
    }

    #[test]
    fn a_cut_holds_until_reading_begins_before_it() {
        let context = context();
        let partition = ("t".to_owned(), 0);
        let cut = Cut { offset: 10, reason: "truncated".to_owned() };
        context.remember_cut(partition.clone(), cut.clone());
        assert_eq!(context.cut_before(&partition, 11), Some(cut.clone()));
        assert_eq!(context.cut_before(&("t".to_owned(), 1), 11), None);
        assert_eq!(context.cut_before(&partition, 12), Some(cut), "asking changes nothing");
        assert_eq!(context.cut_before(&partition, 10), None);
        assert_eq!(context.cut_before(&partition, 11), None, "what is beyond is of the new log now");
    }
}
