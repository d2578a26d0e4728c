//! The stores on topics of real brokers, in both kinds of cluster, side by side with Kafka's own tools.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use connect_core::api::SourcePartition;
use connect_core::config::{StorageTopic, StorageTopics};
use connect_core::storage::{Properties, State, Status, StatusId, StorageError, Stores};
use kafka_clusters::Version;
use kafka_wire::admin::NewTopic;
use kafka_wire::cluster::Cluster;
use kafka_wire::log::{LogRecord, TopicLog, partition_for};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;
use serde_json::{Map, Value, json};

const LIMIT: Duration = Duration::from_secs(30);

fn storage(name: &str, partitions: i32) -> StorageTopic {
    StorageTopic { name: name.to_owned(), partitions, replication_factor: 1, configs: Default::default() }
}

fn storage_topics() -> StorageTopics {
    StorageTopics {
        offsets: storage("connect-offsets", 25),
        configs: storage("connect-configs", 1),
        statuses: storage("connect-status", 5),
    }
}

async fn connect(brokers: &kafka_clusters::Cluster) -> Cluster {
    let properties = BTreeMap::from([("bootstrap.servers".to_owned(), brokers.bootstrap())]);
    let settings = ClientSettings::from_properties(&properties).unwrap();
    let connector = TcpConnector::new(&settings).unwrap();
    let cluster = Cluster::new("destination", settings, Arc::new(connector));
    cluster.connect().await.unwrap();
    cluster
}

fn map(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn source(partition: i32) -> SourcePartition {
    SourcePartition(map(json!({"topic": "t", "partition": partition})))
}

fn running() -> Status {
    Status {
        state: State::Running,
        trace: None,
        worker_id: "w:1".to_owned(),
        generation: 3,
        version: Some("1".to_owned()),
    }
}

async fn records(cluster: &Cluster, topic: &str) -> Vec<LogRecord> {
    let mut log = TopicLog::open(cluster.clone(), topic).await.unwrap();
    let mut records = Vec::new();
    log.read_to_end(&mut |record| records.push(record)).await.unwrap();
    records
}

/// What one worker wrote is what the next one finds, in topics as Connect makes them.
async fn stores_survive(cluster: &Cluster) {
    let topics = ["connect-configs", "connect-offsets", "connect-status"].map(str::to_owned);
    let mut stores = Stores::open(cluster, &storage_topics()).await.unwrap();
    let described = cluster.describe_topic_configs(&topics).await.unwrap();
    let metadata = cluster.refresh(Some(&topics)).await.unwrap();
    for (topic, partitions) in topics.iter().zip([1, 25, 5]) {
        assert_eq!(described[topic]["cleanup.policy"].value.as_deref(), Some("compact"), "{topic}");
        assert_eq!(metadata.topic(topic).unwrap().partitions.len(), partitions, "{topic}");
    }

    let config: Properties = [("tasks.max".to_owned(), Some("1".to_owned()))].into();
    stores.configs.put_connector("c", &config, None).await.unwrap();
    stores.configs.put_tasks("c", std::slice::from_ref(&config)).await.unwrap();
    let offsets: Vec<_> = (0..100).map(|p| (source(p), map(json!({ "offset": p * 10 })))).collect();
    stores.offsets.commit("c", &offsets).await.unwrap();
    let task = StatusId::Task("c".to_owned(), 0);
    stores.statuses.put(task.clone(), running());
    assert!(stores.statuses.flush(LIMIT).await);

    let next = Stores::open(cluster, &storage_topics()).await.unwrap();
    assert_eq!(next.configs.state().connector("c"), Some(&config));
    assert_eq!(next.configs.state().tasks("c"), [&config]);
    assert_eq!(next.statuses.get(&task), Some(running()));
    let partitions: Vec<_> = (0..100).map(source).collect();
    let found = next.offsets.read("c", &partitions).await.unwrap();
    let expected: Vec<_> = offsets.into_iter().map(|(_, offset)| Some(offset)).collect();
    assert_eq!(found, expected);

    // The first worker's reader sees what the second one commits.
    next.offsets.commit("c", &[(source(7), map(json!({"offset": 71})))]).await.unwrap();
    let seen = stores.offsets.read("c", &[source(7)]).await.unwrap();
    assert_eq!(seen, [Some(map(json!({"offset": 71})))]);
}

/// Records of connector `java`, by key: where they are and what they say.
fn of_java(records: Vec<LogRecord>) -> BTreeMap<Bytes, Vec<(i32, Option<Bytes>)>> {
    let mut out: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for record in records {
        if let Some(key) = record.key.filter(|key| key.starts_with(b"[\"java\"")) {
            out.entry(key).or_default().push((record.partition, record.value));
        }
    }
    out
}

/// Keys that Java's producer wrote are found again, go to the partitions Java chose, and keep their bytes.
async fn java_keys_are_continued(cluster: &Cluster, brokers: Arc<kafka_clusters::Cluster>) {
    let key = |p: i32| format!(r#"["java",{{"partition":{p},"topic":"t"}}]"#);
    let lines: String = (0..40).map(|p| format!("{}|{{\"offset\":{p}}}\n", key(p))).collect();
    tokio::task::spawn_blocking(move || {
        let properties = ["--property", "parse.key=true", "--property", "key.separator=|"];
        let arguments = [&["--topic", "connect-offsets"][..], &properties].concat();
        brokers.tool_with_input("kafka-console-producer", &arguments, lines).unwrap()
    })
    .await
    .unwrap();
    let written = of_java(records(cluster, "connect-offsets").await);
    assert_eq!(written.len(), 40);
    for (key, placed) in &written {
        assert_eq!(placed[0].0, partition_for(key, 25), "{key:?}");
    }

    let stores = Stores::open(cluster, &storage_topics()).await.unwrap();
    let found = stores.offsets.read("java", &[source(5), source(39)]).await.unwrap();
    assert_eq!(found, [Some(map(json!({"offset": 5}))), Some(map(json!({"offset": 39})))]);
    stores.offsets.commit("java", &[(source(5), map(json!({"offset": 500})))]).await.unwrap();
    let written = of_java(records(cluster, "connect-offsets").await);
    assert_eq!(written.len(), 40, "no second key for the same source partition");
    let placed = &written[key(5).as_bytes()];
    assert_eq!(placed[1], (placed[0].0, Some(Bytes::from_static(br#"{"offset":500}"#))));
}

/// Topics that cannot serve are refused with the cause and the cure.
async fn unfit_topics_are_refused(cluster: &Cluster) {
    let mut wide = storage_topics();
    wide.offsets = StorageTopic { replication_factor: 3, ..storage("too-wide", 1) };
    let error = Stores::open(cluster, &wide).await.unwrap_err();
    assert!(matches!(error, StorageError::ReplicationFactor { .. }), "{error}");
    let text = error.to_string();
    assert!(text.contains("offset.storage.replication.factor") && text.contains("too-wide"), "{text}");

    for (name, policy) in [("deleting", "delete"), ("both", "compact,delete"), ("wide", "compact")] {
        let configs = [("cleanup.policy".to_owned(), policy.to_owned())].into();
        let topic = NewTopic { name: name.to_owned(), partitions: 2, replication_factor: 1, configs };
        cluster.create_topic(&topic).await.unwrap();
    }
    for topic in ["deleting", "both"] {
        let mut unfit = storage_topics();
        unfit.statuses = storage(topic, 2);
        let text = Stores::open(cluster, &unfit).await.unwrap_err().to_string();
        assert!(text.contains(&format!("'{topic}'")) && text.contains("cleanup.policy=compact"), "{text}");
    }
    let mut unfit = storage_topics();
    unfit.configs = storage("wide", 1);
    let error = Stores::open(cluster, &unfit).await.unwrap_err();
    assert!(matches!(error, StorageError::PartitionCount { partitions: 2, .. }), "{error}");
}

/// A commit begun while the broker is away is stored when it comes back; statuses are true meanwhile.
async fn commits_wait_for_the_broker(cluster: &Cluster, brokers: Arc<kafka_clusters::Cluster>) {
    let stores = Stores::open(cluster, &storage_topics()).await.unwrap();
    stores.offsets.commit("c", &[(source(1), map(json!({"offset": 1})))]).await.unwrap();
    let killed = brokers.clone();
    tokio::task::spawn_blocking(move || killed.broker(1).kill().unwrap()).await.unwrap();
    let offsets = stores.offsets.clone();
    let commit =
        tokio::spawn(async move { offsets.commit("c", &[(source(1), map(json!({"offset": 2})))]).await });
    let id = StatusId::Connector("c".to_owned());
    stores.statuses.put(id.clone(), running());
    assert_eq!(stores.statuses.get(&id), Some(running()));
    assert!(!stores.statuses.flush(Duration::from_millis(500)).await, "the broker is down");
    assert!(!commit.is_finished(), "the broker is down");
    tokio::task::spawn_blocking(move || brokers.broker(1).start().unwrap()).await.unwrap();
    tokio::time::timeout(LIMIT, commit).await.unwrap().unwrap().unwrap();
    assert!(stores.statuses.flush(LIMIT).await);
    let found = stores.offsets.read("c", &[source(1)]).await.unwrap();
    assert_eq!(found, [Some(map(json!({"offset": 2})))]);
}

fn all_on(version: Version) {
    let brokers = Arc::new(kafka_clusters::Cluster::builder().version(version).start().unwrap());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let cluster = connect(&brokers).await;
        stores_survive(&cluster).await;
        java_keys_are_continued(&cluster, brokers.clone()).await;
        unfit_topics_are_refused(&cluster).await;
        commits_wait_for_the_broker(&cluster, brokers.clone()).await;
    });
}

#[test]
fn stores_on_a_zookeeper_cluster() {
    all_on(Version::V39Zk);
}

#[test]
fn stores_on_a_kraft_cluster() {
    all_on(Version::V43);
}
