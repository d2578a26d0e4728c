//! Clusters of both kinds come up, work with Kafka's own tools, survive what tests do to them, and leave nothing behind.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use kafka_clusters::{Cluster, Error, Listener, Version};

const PRODUCER: &str = "kafka-console-producer";
const CONSUMER: &str = "kafka-console-consumer";

fn numbers(range: std::ops::RangeInclusive<u32>) -> String {
    range.map(|number| format!("{number}\n")).collect()
}

fn consume(cluster: &Cluster, count: &str, more: &[&str]) -> String {
    let arguments =
        ["--topic", "test-topic", "--from-beginning", "--timeout-ms", "30000", "--max-messages", count];
    cluster.tool(CONSUMER, &[&arguments[..], more].concat()).unwrap()
}

fn produce_restart_consume(version: Version) {
    let cluster = Cluster::builder().version(version).start().unwrap();
    let create = ["--create", "--topic", "test-topic", "--partitions", "1", "--replication-factor", "1"];
    cluster.tool("kafka-topics", &create).unwrap();
    cluster.tool_with_input(PRODUCER, &["--topic", "test-topic"], numbers(1..=500)).unwrap();

    let broker = cluster.broker(1);
    let (port, pid) = (broker.port(), broker.pid().unwrap());
    broker.stop().unwrap();
    assert!(broker.metadata().is_err() && !Path::new(&format!("/proc/{pid}")).exists());
    broker.start().unwrap();
    assert_eq!(broker.port(), port);
    cluster.tool_with_input(PRODUCER, &["--topic", "test-topic"], numbers(501..=1000)).unwrap();

    broker.kill().unwrap();
    broker.start().unwrap();
    assert_eq!(consume(&cluster, "1000", &[]), numbers(1..=1000));

    let segment = broker.data_folder().join("test-topic-0/00000000000000000000.log");
    let dump = cluster.tool("kafka-dump-log", &["--files", &segment.display().to_string()]).unwrap();
    assert!(dump.contains("baseOffset: 0"), "{dump}");
}

#[test]
fn zookeeper_mode_keeps_records_over_restarts_at_the_same_port() {
    produce_restart_consume(Version::V39Zk);
}

#[test]
fn kraft_mode_keeps_records_over_restarts_at_the_same_port() {
    produce_restart_consume(Version::V43);
}

#[test]
fn a_leader_moves_when_one_of_three_brokers_is_killed_and_a_frozen_broker_does_not_answer() {
    let cluster = Cluster::builder().brokers(3).start().unwrap();
    assert_eq!(cluster.wait_ready().unwrap().brokers.len(), 3);
    let create = ["--create", "--topic", "test-topic", "--replica-assignment", "3:2:1"];
    cluster.tool("kafka-topics", &create).unwrap();
    let leader = || {
        let others = ["--bootstrap-server", &cluster.broker(1).address(Listener::Plaintext).unwrap()];
        let describe = [&others[..], &["--describe", "--topic", "test-topic"]].concat();
        let text = cluster.tool("kafka-topics", &describe).unwrap();
        text.split("Leader: ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(leader(), "3");

    let frozen = cluster.broker(2);
    frozen.suspend().unwrap();
    assert!(frozen.metadata().is_err());
    frozen.resume().unwrap();
    assert!(frozen.metadata().is_ok());

    cluster.broker(3).kill().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while leader() == "3" {
        assert!(Instant::now() < deadline, "the leader stayed on the killed broker");
    }
    cluster.broker(3).start().unwrap();
    assert_eq!(cluster.wait_ready().unwrap().brokers.len(), 3);
}

fn secured(version: Version) {
    let cluster = Cluster::builder().version(version).with_security().start().unwrap();
    let security = cluster.security().unwrap();
    cluster.tool_with_input(PRODUCER, &["--topic", "test-topic"], "one\n").unwrap();
    let jaas = |password: &str| {
        format!(
            "sasl.mechanism=PLAIN\nsasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
             username=\"{}\" password=\"{password}\";\n",
            security.username
        )
    };
    let trust = format!("ssl.truststore.type=PEM\nssl.truststore.location={}\n", security.ca_file.display());
    let key = format!("ssl.keystore.type=PEM\nssl.keystore.location={}\n", security.client_file.display());
    let read = |listener: Listener, settings: &str| {
        let file = cluster.folder().join("client.properties");
        let text = format!("security.protocol={}\n{settings}request.timeout.ms=5000\n", listener.protocol());
        std::fs::write(&file, text).unwrap();
        let bootstrap = cluster.bootstrap_of(listener);
        let config = if version == Version::V43 { "--command-config" } else { "--consumer.config" };
        let more = ["--bootstrap-server", &bootstrap, config, &file.display().to_string()];
        let arguments = ["--topic", "test-topic", "--from-beginning", "--max-messages", "1"];
        cluster.tool(CONSUMER, &[&arguments[..], &more].concat())
    };
    assert_eq!(read(Listener::Ssl, &format!("{trust}{key}")).unwrap(), "one\n");
    assert_eq!(read(Listener::SaslPlaintext, &jaas(&security.password)).unwrap(), "one\n");
    assert_eq!(read(Listener::SaslSsl, &format!("{trust}{}", jaas(&security.password))).unwrap(), "one\n");
    // The console consumer ends with 0 whatever happens; what tells is that it read nothing.
    assert_eq!(read(Listener::SaslPlaintext, &jaas("wrong")).unwrap(), "");
}

#[test]
fn zookeeper_mode_has_tls_and_sasl_listeners() {
    secured(Version::V39Zk);
}

#[test]
fn kraft_mode_has_tls_and_sasl_listeners() {
    secured(Version::V43);
}

#[test]
fn a_bad_property_is_reported_with_the_end_of_the_log() {
    let error = Cluster::builder().property("log.segment.bytes", "none").start().unwrap_err();
    assert!(error.to_string().contains("log.segment.bytes"), "{error}");
}

#[test]
fn a_taken_port_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let error = Cluster::builder().port(port).start().unwrap_err();
    assert!(matches!(error, Error::PortTaken { port: taken } if taken == port));
}

/// Not a test by itself: the owner that `nothing_outlives_a_killed_owner` kills.
#[test]
#[ignore = "run by nothing_outlives_a_killed_owner"]
fn owner_to_be_killed() {
    let cluster = Cluster::builder().version(Version::V39Zk).start().unwrap();
    let tool = cluster.spawn_tool(CONSUMER, &["--topic", "test-topic"]).unwrap();
    let pids = [cluster.broker(1).pid().unwrap(), tool.pid()];
    let zookeeper = std::fs::read_to_string(cluster.folder().join("zookeeper.pid")).unwrap();
    std::fs::write(std::env::var("OWNED_PIDS").unwrap(), format!("{} {} {zookeeper}", pids[0], pids[1]))
        .unwrap();
    std::fs::write(std::env::var("OWNED_FOLDER").unwrap(), cluster.folder().display().to_string()).unwrap();
    eprintln!("ready");
    std::thread::sleep(Duration::from_secs(600));
}

#[test]
fn nothing_outlives_a_killed_owner() {
    let folder = tempfile::tempdir().unwrap();
    let (pids, owned) = (folder.path().join("pids"), folder.path().join("folder"));
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "owner_to_be_killed", "--ignored", "--nocapture"])
        .env("OWNED_PIDS", &pids)
        .env("OWNED_FOLDER", &owned)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "ready"), "the owner ended before its cluster was up");
    let text = std::fs::read_to_string(&pids).unwrap();
    let processes: Vec<PathBuf> = text.split_whitespace().map(|pid| Path::new("/proc").join(pid)).collect();
    assert!(processes.len() == 3 && processes.iter().all(|process| process.exists()), "{text}");

    owner.kill().unwrap();
    owner.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while processes.iter().any(|process| process.exists()) {
        assert!(Instant::now() < deadline, "of {text} some still run");
        std::thread::sleep(Duration::from_millis(20));
    }
    std::fs::remove_dir_all(std::fs::read_to_string(&owned).unwrap()).unwrap();
}
