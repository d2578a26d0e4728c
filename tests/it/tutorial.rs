//! The tutorial, as a person types it: Kafka's own tools, Kafka's stock files with only `bootstrap.servers` changed.

use std::path::Path;

use crate::support::setup::free_port;
use crate::support::{Pair, Replicator, Setup, finished, kraft_to_zk, log, topics, zk_to_kraft};

const REPLICATION: &str = "\
topic.rename.format=${topic}.replica
replication.factor=1
config.storage.replication.factor=1
offset.storage.replication.factor=1
status.storage.replication.factor=1
confluent.topic.replication.factor=1
";

/// Kafka's sample file `name`, pointed at `bootstrap`.
fn stock_file(folder: &Path, name: &str, bootstrap: &str) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/kafka").join(name);
    let sample = std::fs::read_to_string(sample).unwrap();
    let text = sample.replace("bootstrap.servers=localhost:9092", &format!("bootstrap.servers={bootstrap}"));
    assert_ne!(text, sample);
    std::fs::write(folder.join(name), text).unwrap();
}

fn tutorial(pair: &Pair) {
    let folder = tempfile::tempdir().unwrap();
    let create = ["--create", "--topic", "test-topic", "--partitions", "1", "--replication-factor", "1"];
    pair.origin.tool("kafka-topics", &create).unwrap();
    stock_file(folder.path(), "consumer.properties", &pair.origin.bootstrap());
    stock_file(folder.path(), "producer.properties", &pair.destination.bootstrap());
    // The tutorial leaves the port at 8083, which tests beside each other cannot.
    let port = free_port();
    let replication = format!("{REPLICATION}listeners=http://127.0.0.1:{port}\n");
    std::fs::write(folder.path().join("replication.properties"), replication).unwrap();

    let mut command = finished::command(folder.path());
    command.args(["--cluster.id", "replicator", "--consumer.config", "consumer.properties"]);
    command.args(["--producer.config", "producer.properties"]);
    command.args(["--replication.config", "replication.properties", "--whitelist", "test-topic"]);
    let replicator = Replicator::spawn(command, port, log::Announcements::default());
    replicator.wait_for_log("test-topic -> test-topic.replica");
    replicator.wait_tasks(1);

    let numbers: String = (1..=10_000).map(|number| format!("{number}\n")).collect();
    pair.origin.tool_with_input("kafka-console-producer", &["--topic", "test-topic"], &*numbers).unwrap();
    let read = ["--topic", "test-topic.replica", "--from-beginning", "--max-messages", "10000"];
    let read = [&read[..], &["--timeout-ms", "30000"]].concat();
    let printed = pair.destination.tool("kafka-console-consumer", &read).unwrap();
    assert!(printed == numbers, "{} lines came", printed.lines().count());

    let described =
        pair.destination.tool("kafka-topics", &["--describe", "--topic", "test-topic.replica"]).unwrap();
    for fact in ["PartitionCount: 1", "ReplicationFactor: 1", "message.timestamp.type=CreateTime"] {
        assert!(described.contains(fact), "{described}");
    }
    replicator.stop();
    let committed = topics::committed(&pair.origin, "test-consumer-group", "test-topic", 0);
    assert_eq!(committed, Some(10_000), "position in the group of the stock consumer.properties");
}

#[test]
fn the_tutorial_works_from_zookeeper_to_kraft() {
    tutorial(&zk_to_kraft());
}

#[test]
fn the_tutorial_works_from_kraft_to_zookeeper() {
    tutorial(&kraft_to_zk());
}

#[test]
fn the_monitoring_part_starts_with_its_class_names() {
    let pair = zk_to_kraft();
    let monitoring = "io.confluent.monitoring.clients.interceptor.Monitoring";
    let setup = Setup::new(&pair, "monitoring")
        .consumer("interceptor.classes", format!("{monitoring}ConsumerInterceptor"))
        .producer("interceptor.classes", format!("{monitoring}ProducerInterceptor"))
        .replication(
            "rest.extension.classes",
            "io.confluent.connect.replicator.monitoring.ReplicatorMonitoringExtension",
        )
        .replication("confluent.controlcenter.kafka.origin.bootstrap.servers", pair.origin.bootstrap())
        .replication("confluent.controlcenter.connect.cluster", "http://localhost:8083");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let replicator = setup.whitelist(&[&topic]).start();
    replicator.wait_tasks(1);
    // Without a warning: its end judges the log.
    replicator.stop();
}
