//! Which properties the clients of a connector's tasks get: Connect's own defaults, the worker's `producer.`, `consumer.`
//! and `admin.` properties, the connector's overrides, in this order. Names are Java's.

use connect_api::{ConfigMap, ConnectError};

use super::policy::ClientKind;
use crate::ids::TaskId;
use crate::worker::WorkerSettings;
use crate::worker::settings::text;

/// Makes the properties of one connector's clients.
pub(crate) struct Clients<'a> {
    pub(crate) worker: &'a WorkerSettings,
    /// The connector's configuration, variables resolved.
    pub(crate) connector: &'a ConfigMap,
}

impl Clients<'_> {
    /// The producer of a source task. `transactional` has its transactional id with exactly-once support.
    pub(crate) fn producer(
        &self,
        id: &TaskId,
        transactional: Option<&str>,
    ) -> Result<ConfigMap, ConnectError> {
        let mut properties = self.base_producer(&format!("connector-producer-{id}"));
        self.finish(ClientKind::Producer, &mut properties)?;
        if let Some(transactional) = transactional {
            // What exactly-once support stands on cannot be overridden.
            set(&mut properties, "enable.idempotence", "true");
            set(&mut properties, "transactional.id", transactional);
            // A batch that is too large cannot be taken apart inside a transaction; Java's size is what topics are made for.
            properties.entry("batch.size".to_owned()).or_insert_with(|| "16384".to_owned());
            if !self.overrides("max.in.flight.requests.per.connection") {
                properties.remove("max.in.flight.requests.per.connection");
            }
            if !self.overrides("delivery.timeout.ms") {
                properties.remove("delivery.timeout.ms");
            }
        }
        Ok(properties)
    }

    /// The producer with which the worker itself writes in transactions: it has the worker's own properties, and none of those of
    /// connectors' producers.
    pub(crate) fn own_producer(&self, transactional: &str) -> ConfigMap {
        let mut properties = self.base(&format!("{transactional}-leader"));
        let own = self.worker.properties.iter().filter(|(key, _)| concerns_connections(key));
        properties.extend(own.map(|(key, value)| (key.clone(), value.clone())));
        set(&mut properties, "acks", "all");
        set(&mut properties, "enable.idempotence", "true");
        set(&mut properties, "transactional.id", transactional);
        properties
    }

    /// The producer of a sink task's dead letters.
    pub(crate) fn dead_letter_producer(&self, id: &TaskId) -> Result<ConfigMap, ConnectError> {
        let mut properties = self.base_producer(&format!("connector-dlq-producer-{id}"));
        self.finish(ClientKind::Producer, &mut properties)?;
        Ok(properties)
    }

    fn base_producer(&self, client_id: &str) -> ConfigMap {
        let mut properties = self.base(client_id);
        set(&mut properties, "acks", "all");
        set(&mut properties, "enable.idempotence", "false");
        set(&mut properties, "max.in.flight.requests.per.connection", "1");
        set(&mut properties, "delivery.timeout.ms", &i32::MAX.to_string());
        properties
    }

    fn overrides(&self, key: &str) -> bool {
        let kind = ClientKind::Producer;
        let worker = format!("{}{key}", kind.worker_prefix());
        let connector = format!("{}{key}", kind.override_prefix());
        self.worker.properties.contains_key(&worker) || self.connector.contains_key(&connector)
    }

    /// The consumer of a sink task.
    pub(crate) fn consumer(&self, id: &TaskId) -> Result<ConfigMap, ConnectError> {
        let mut properties = self.base(&format!("connector-consumer-{id}"));
        set(&mut properties, "group.id", &format!("connect-{}", id.connector));
        set(&mut properties, "auto.offset.reset", "earliest");
        self.finish(ClientKind::Consumer, &mut properties)?;
        set(&mut properties, "enable.auto.commit", "false");
        Ok(properties)
    }

    /// The group of a sink connector.
    pub(crate) fn group(&self, connector: &str) -> Result<String, ConnectError> {
        let id = TaskId { connector: connector.to_owned(), task: 0 };
        Ok(self.consumer(&id)?.remove("group.id").unwrap_or_default())
    }

    /// An admin client. For compatibility with old releases it also gets the worker's properties without prefix.
    pub(crate) fn admin(&self, client_id: &str) -> Result<ConfigMap, ConnectError> {
        let prefixed = |key: &str| ClientKind::ALL.iter().any(|kind| key.starts_with(kind.worker_prefix()));
        let own = self.worker.properties.iter().filter(|(key, _)| !prefixed(key));
        let mut properties: ConfigMap = own.map(|(key, value)| (key.clone(), value.clone())).collect();
        properties.extend(self.base(client_id));
        self.finish(ClientKind::Admin, &mut properties)?;
        Ok(properties)
    }

    fn base(&self, client_id: &str) -> ConfigMap {
        let servers = text(&self.worker.properties, "bootstrap.servers").unwrap_or("localhost:9092");
        let mut properties = ConfigMap::new();
        set(&mut properties, "bootstrap.servers", servers);
        set(&mut properties, "client.id", client_id);
        properties
    }

    fn finish(&self, kind: ClientKind, properties: &mut ConfigMap) -> Result<(), ConnectError> {
        properties.extend(super::super::settings::with_prefix(&self.worker.properties, kind.worker_prefix()));
        // `admin.listeners` and `admin.listeners.https.*` are settings of the REST server.
        properties.retain(|key, _| key != "listeners" && !key.starts_with("listeners."));
        properties.extend(self.worker.override_policy.overrides(kind, self.connector)?);
        Ok(())
    }
}

/// True for what a worker's properties say of connections to its cluster, whoever makes them.
fn concerns_connections(key: &str) -> bool {
    const OTHERS: [&str; 8] = [
        "security.protocol",
        "request.timeout.ms",
        "metadata.max.age.ms",
        "connections.max.idle.ms",
        "retry.backoff.ms",
        "retry.backoff.max.ms",
        "reconnect.backoff.ms",
        "reconnect.backoff.max.ms",
    ];
    key.starts_with("sasl.") || key.starts_with("ssl.") || OTHERS.contains(&key)
}

fn set(properties: &mut ConfigMap, key: &str, value: &str) {
    properties.insert(key.to_owned(), value.to_owned());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn map<const N: usize>(entries: [(&str, &str); N]) -> ConfigMap {
        entries.map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    }

    #[test]
    fn later_words_win_and_transactions_have_the_last() {
        let properties = map([
            ("bootstrap.servers", "b:1"),
            ("security.protocol", "SSL"),
            ("producer.linger.ms", "5"),
            ("producer.acks", "1"),
            ("admin.listeners", "http://:1"),
            ("admin.request.timeout.ms", "7"),
        ]);
        let worker = WorkerSettings::from_properties("w:1", properties).unwrap();
        let connector = map([
            ("producer.override.linger.ms", "9"),
            ("producer.override.enable.idempotence", "false"),
            ("consumer.override.group.id", "mine"),
        ]);
        let clients = Clients { worker: &worker, connector: &connector };
        let id = TaskId { connector: "c".to_owned(), task: 3 };
        let producer = clients.producer(&id, None).unwrap();
        assert_eq!(
            producer,
            map([
                ("acks", "1"),
                ("bootstrap.servers", "b:1"),
                ("client.id", "connector-producer-c-3"),
                ("delivery.timeout.ms", "2147483647"),
                ("enable.idempotence", "false"),
                ("linger.ms", "9"),
                ("max.in.flight.requests.per.connection", "1"),
            ])
        );
        let exactly_once = clients.producer(&id, Some("g-c-3")).unwrap();
        assert_eq!(exactly_once["enable.idempotence"], "true");
        assert!(!exactly_once.contains_key("max.in.flight.requests.per.connection"));
        assert_eq!(clients.group("c").unwrap(), "mine");
        let own = clients.own_producer("connect-cluster-g");
        assert_eq!((own["security.protocol"].as_str(), own["acks"].as_str()), ("SSL", "all"));
        assert!(!own.contains_key("linger.ms"), "that is for the producers of connectors");
        let admin = clients.admin("connector-adminclient-c-3").unwrap();
        assert_eq!(admin["security.protocol"], "SSL");
        assert_eq!(admin["request.timeout.ms"], "7");
        assert!(!admin.contains_key("listeners"));
    }
}
