//! Property files of brokers, controllers and ZooKeeper: the smallest set that makes a small cluster behave.

use std::path::Path;

use crate::security::Security;

/// Which Kafka, and what keeps its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Kafka 3.9.2 with ZooKeeper.
    V39Zk,
    /// Kafka 3.9.2 with KRaft.
    V39Kraft,
    /// Kafka 4.3.0, KRaft.
    V43,
}

impl Version {
    /// The release whose jars run it.
    pub fn release(self) -> crate::Release {
        match self {
            Version::V39Zk | Version::V39Kraft => crate::Release::V3_9_2,
            Version::V43 => crate::Release::V4_3_0,
        }
    }

    /// `zookeeper` or `kraft`.
    pub fn mode(self) -> &'static str {
        if self == Version::V39Zk { "zookeeper" } else { "kraft" }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Kafka {} ({})", self.release().as_str(), self.mode())
    }
}

/// A broker's listeners; every cluster has the plaintext one, the others come with
/// [`crate::ClusterBuilder::with_security`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listener {
    /// No encryption, no login. Brokers talk to each other on it.
    Plaintext,
    /// TLS.
    Ssl,
    /// SASL/PLAIN without encryption.
    SaslPlaintext,
    /// SASL/PLAIN inside TLS.
    SaslSsl,
}

impl Listener {
    pub(crate) const SECURED: [Listener; 3] = [Listener::Ssl, Listener::SaslPlaintext, Listener::SaslSsl];

    /// The value of `security.protocol`.
    pub fn protocol(self) -> &'static str {
        match self {
            Listener::Plaintext => "PLAINTEXT",
            Listener::Ssl => "SSL",
            Listener::SaslPlaintext => "SASL_PLAINTEXT",
            Listener::SaslSsl => "SASL_SSL",
        }
    }
}

/// What is the same for all brokers of a cluster.
pub(crate) struct Layout<'a> {
    pub(crate) brokers: u16,
    /// ZooKeeper's port, or `None` in KRaft mode.
    pub(crate) zookeeper: Option<u16>,
    /// `(node id, port)` of the KRaft controllers; they run inside the first brokers.
    pub(crate) controllers: &'a [(i32, u16)],
    pub(crate) security: Option<&'a Security>,
}

/// A cluster of three or more keeps its metadata in the first three brokers, a smaller one in the first.
pub(crate) fn controller_count(brokers: u16) -> u16 {
    if brokers >= 3 { 3 } else { 1 }
}

type Properties = Vec<(String, String)>;

/// `server.properties` of broker `id`; `extra` overrides.
pub(crate) fn broker(
    id: i32,
    ports: &[(Listener, u16)],
    data: &Path,
    layout: &Layout<'_>,
    extra: &[(String, String)],
) -> String {
    let mut properties = common(data, layout.brokers);
    let listeners: Vec<String> =
        ports.iter().map(|(listener, port)| format!("{}://127.0.0.1:{port}", listener.protocol())).collect();
    set(&mut properties, "advertised.listeners", listeners.join(","));
    match layout.zookeeper {
        Some(port) => zookeeper_mode(&mut properties, id, port, listeners.join(",")),
        None => kraft_mode(&mut properties, id, layout.controllers, listeners),
    }
    properties.extend(layout.security.map(Security::broker_properties).unwrap_or_default());
    properties.retain(|(key, _)| extra.iter().all(|(other, _)| other != key));
    properties.extend_from_slice(extra);
    render(&properties)
}

fn common(data: &Path, brokers: u16) -> Properties {
    let mut properties = Properties::new();
    let copies = brokers.min(3);
    set(&mut properties, "log.dirs", data.display());
    set(&mut properties, "offsets.topic.replication.factor", copies);
    set(&mut properties, "offsets.topic.num.partitions", 5);
    set(&mut properties, "transaction.state.log.replication.factor", copies);
    set(&mut properties, "transaction.state.log.min.isr", copies.min(2));
    set(&mut properties, "transaction.state.log.num.partitions", 5);
    set(&mut properties, "group.initial.rebalance.delay.ms", 0);
    // The default of 128 MB would be a quarter of the heap.
    set(&mut properties, "log.cleaner.dedupe.buffer.size", 16 << 20);
    set(&mut properties, "controlled.shutdown.retry.backoff.ms", 500);
    properties
}

fn zookeeper_mode(properties: &mut Properties, id: i32, port: u16, listeners: String) {
    set(properties, "broker.id", id);
    set(properties, "listeners", listeners);
    set(properties, "zookeeper.connect", format!("127.0.0.1:{port}"));
    // How long a killed broker stays registered; it cannot come back before.
    set(properties, "zookeeper.session.timeout.ms", 6000);
    set(properties, "zookeeper.connection.timeout.ms", 30_000);
}

fn kraft_mode(properties: &mut Properties, id: i32, controllers: &[(i32, u16)], mut listeners: Vec<String>) {
    let own = controllers.iter().find(|(controller, _)| *controller == id);
    if let Some((_, port)) = own {
        listeners.push(format!("CONTROLLER://127.0.0.1:{port}"));
    }
    let voters: Vec<String> =
        controllers.iter().map(|(controller, port)| format!("{controller}@127.0.0.1:{port}")).collect();
    set(properties, "process.roles", if own.is_some() { "broker,controller" } else { "broker" });
    set(properties, "node.id", id);
    set(properties, "listeners", listeners.join(","));
    set(properties, "controller.listener.names", "CONTROLLER");
    set(properties, "controller.quorum.voters", voters.join(","));
    let map =
        "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL";
    set(properties, "listener.security.protocol.map", map);
    set(properties, "broker.session.timeout.ms", 6000);
    set(properties, "broker.heartbeat.interval.ms", 1000);
}

/// ZooKeeper's own configuration.
pub(crate) fn zookeeper(port: u16, data: &Path) -> String {
    let mut properties = Properties::new();
    set(&mut properties, "dataDir", data.display());
    set(&mut properties, "clientPort", port);
    set(&mut properties, "clientPortAddress", "127.0.0.1");
    set(&mut properties, "maxClientCnxns", 0);
    set(&mut properties, "tickTime", 2000);
    set(&mut properties, "admin.enableServer", false);
    set(&mut properties, "4lw.commands.whitelist", "ruok,srvr");
    render(&properties)
}

fn set(properties: &mut Properties, key: &str, value: impl ToString) {
    properties.push((key.to_owned(), value.to_string()));
}

/// Java's properties syntax: a backslash in a value is doubled.
fn render(properties: &[(String, String)]) -> String {
    properties.iter().map(|(key, value)| format!("{key}={}\n", value.replace('\\', "\\\\"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extra_property_replaces_ours() {
        let layout = Layout { brokers: 1, zookeeper: None, controllers: &[(1, 5)], security: None };
        let extra = [("offsets.topic.num.partitions".to_owned(), "50".to_owned())];
        let text = broker(1, &[(Listener::Plaintext, 9)], Path::new("/d"), &layout, &extra);
        assert_eq!(text.matches("offsets.topic.num.partitions").count(), 1);
        assert!(text.contains("offsets.topic.num.partitions=50\n"));
        assert!(text.contains("\nlisteners=PLAINTEXT://127.0.0.1:9,CONTROLLER://127.0.0.1:5\n"));
    }

    #[test]
    fn a_broker_beyond_the_controllers_is_only_a_broker() {
        let layout =
            Layout { brokers: 4, zookeeper: None, controllers: &[(1, 5), (2, 6), (3, 7)], security: None };
        let text = broker(4, &[(Listener::Plaintext, 9)], Path::new("/d"), &layout, &[]);
        assert!(text.contains("process.roles=broker\n") && !text.contains("CONTROLLER://"), "{text}");
    }
}
