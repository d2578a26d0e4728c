//! Kafka's own tools: what they print is what a user would see.

use std::time::Duration;

use kafka_clusters::{Distribution, Error, tools};
use kafka_sim::Release;

use crate::Served;
use crate::batch::Batch;

const LIMIT: Duration = Duration::from_secs(60);

/// The tools of one release, and the cluster that they are pointed at.
struct Tools {
    distribution: Distribution,
    served: Served,
}

impl Tools {
    fn new(of: kafka_clusters::Release, against: Release, brokers: usize) -> Self {
        let distribution = Distribution::prepare(of).unwrap_or_else(|e| panic!("no tools: {e}"));
        Self { distribution, served: Served::start(against, brokers) }
    }

    /// Runs `name --bootstrap-server … arguments` with `input`; what it prints.
    fn attempt(&self, name: &str, arguments: &[&str], input: &str) -> Result<String, Error> {
        let bootstrap = self.served.bootstrap();
        let all = [&["--bootstrap-server", &bootstrap], arguments].concat();
        self.plain(name, &all, input)
    }

    fn plain(&self, name: &str, arguments: &[&str], input: &str) -> Result<String, Error> {
        let command = tools::command(&self.distribution, name, arguments)?;
        tools::run(name, &command, Some(input.into()), LIMIT)
    }

    fn run(&self, name: &str, arguments: &[&str]) -> String {
        self.attempt(name, arguments, "").unwrap_or_else(|e| panic!("{e}"))
    }

    fn fails(&self, name: &str, arguments: &[&str]) -> String {
        match self.attempt(name, arguments, "") {
            Ok(output) => panic!("{name} {arguments:?} succeeded: {output}"),
            Err(error) => error.to_string(),
        }
    }

    fn is_3_9(&self) -> bool {
        self.distribution.release() == kafka_clusters::Release::V3_9_2
    }

    /// `kafka-console-consumer` until it has `count` records; offsets, keys, values.
    fn consume(&self, topic: &str, count: usize, more: &[&str]) -> Vec<String> {
        let count = count.to_string();
        // 4.2 gave the option another name.
        let property = if self.is_3_9() { "--property" } else { "--formatter-property" };
        let mut arguments = vec!["--topic", topic, "--max-messages", &count, "--timeout-ms", "20000"];
        for value in ["print.offset=true", "print.key=true"] {
            arguments.extend([property, value]);
        }
        arguments.extend(more);
        self.run("kafka-console-consumer", &arguments).lines().map(str::to_owned).collect()
    }

    /// `kafka-console-producer` with `key:value` lines.
    fn produce(&self, topic: &str, lines: &str) {
        let property = if self.is_3_9() { "--property" } else { "--reader-property" };
        let arguments = ["--topic", topic, property, "parse.key=true", property, "key.separator=:"];
        self.attempt("kafka-console-producer", &arguments, lines).unwrap_or_else(|e| panic!("{e}"));
    }
}

#[track_caller]
fn assert_has(output: &str, wanted: &str) {
    assert!(output.contains(wanted), "{wanted:?} is not in:\n{output}");
}

/// One row of a table that a tool prints, by words that are in it, split into columns.
#[track_caller]
fn row<'a>(table: &'a str, words: &[&str]) -> Vec<&'a str> {
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut found = rows.filter(|row| words.iter().all(|word| row.contains(word)));
    found.next().unwrap_or_else(|| panic!("no row with {words:?} in:\n{table}"))
}

fn topics(t: &Tools) {
    let created = t.run("kafka-topics", &["--create", "--topic", "songs", "--partitions", "3"]);
    assert_has(&created, "Created topic songs.");
    let again = t.fails("kafka-topics", &["--create", "--topic", "songs"]);
    assert_has(&again, "already exists");
    let bad = t.fails("kafka-topics", &["--create", "--topic", "x", "--config", "retention.ms=never"]);
    assert_has(&bad, "retention.ms");
    let described = t.run("kafka-topics", &["--describe", "--topic", "songs"]);
    assert_has(&described, "PartitionCount: 3");
    assert_has(&described, "Partition: 2");
    t.run("kafka-topics", &["--alter", "--topic", "songs", "--partitions", "4"]);
    assert_has(&t.run("kafka-topics", &["--describe", "--topic", "songs"]), "PartitionCount: 4");
    t.run("kafka-topics", &["--create", "--topic", "gone"]);
    t.run("kafka-topics", &["--delete", "--topic", "gone"]);
    let listed = t.run("kafka-topics", &["--list"]);
    let listed: Vec<&str> = listed.lines().filter(|name| !name.starts_with("__")).collect();
    assert_eq!(listed, ["songs"]);
}

fn records(t: &Tools) {
    t.run("kafka-topics", &["--create", "--topic", "lines", "--config", "retention.ms=-1"]);
    t.produce("lines", "a:one\nb:two\nc:three\n");
    let all = ["Offset:0\ta\tone", "Offset:1\tb\ttwo", "Offset:2\tc\tthree"];
    assert_eq!(t.consume("lines", 3, &["--from-beginning"]), all);
    assert_eq!(t.consume("lines", 2, &["--partition", "0", "--offset", "1"]), all[1..]);
    assert_eq!(t.run("kafka-get-offsets", &["--topic", "lines"]).trim(), "lines:0:3");
    let file = tempfile::NamedTempFile::new().unwrap();
    let wanted = r#"{"partitions":[{"topic":"lines","partition":0,"offset":2}],"version":1}"#;
    std::fs::write(file.path(), wanted).unwrap();
    let path = file.path().display().to_string();
    let deleted = t.run("kafka-delete-records", &["--offset-json-file", &path]);
    assert_has(&deleted, "low_watermark: 2");
    assert_eq!(t.run("kafka-get-offsets", &["--topic", "lines", "--time", "-2"]).trim(), "lines:0:2");
    assert_eq!(t.consume("lines", 1, &["--from-beginning"]), all[2..]);
}

fn groups(t: &Tools) {
    t.run("kafka-topics", &["--create", "--topic", "work", "--partitions", "2"]);
    t.produce("work", "a:1\nb:2\nc:3\nd:4\n");
    let group = ["--from-beginning", "--group", "crew"];
    assert_eq!(t.consume("work", 4, &group).len(), 4);
    let listed = t.run("kafka-consumer-groups", &["--list"]);
    assert_has(&listed, "crew");
    let described = t.run("kafka-consumer-groups", &["--describe", "--group", "crew"]);
    let lags: Vec<&str> = ["0", "1"].map(|partition| row(&described, &["work", partition])[5]).to_vec();
    assert_eq!(lags, ["0", "0"], "{described}");
    let state = t.run("kafka-consumer-groups", &["--describe", "--group", "crew", "--state"]);
    assert_has(&state, "Empty");
    let reset = ["--reset-offsets", "--group", "crew", "--topic", "work", "--to-earliest", "--execute"];
    let reset = t.run("kafka-consumer-groups", &reset);
    // Where the lines of this table end differs between releases.
    let words: Vec<&str> = reset.split_whitespace().collect();
    assert!(words.windows(4).any(|four| four == ["crew", "work", "1", "0"]), "{reset}");
    assert_eq!(t.consume("work", 4, &group[1..]).len(), 4);
    let one = ["--delete-offsets", "--group", "crew", "--topic", "work:0"];
    assert_has(&t.run("kafka-consumer-groups", &one), "Successful");
    let deleted = t.run("kafka-consumer-groups", &["--delete", "--group", "crew"]);
    assert_has(&deleted, "was successful");
    assert!(!t.run("kafka-consumer-groups", &["--list"]).contains("crew"));
}

fn performance(t: &Tools) {
    t.run("kafka-topics", &["--create", "--topic", "load", "--partitions", "2"]);
    let servers = format!("bootstrap.servers={}", t.served.bootstrap());
    let arguments =
        ["--topic", "load", "--num-records", "5000", "--record-size", "500", "--throughput", "-1"];
    let props = ["--producer-props", &servers, "compression.type=lz4", "acks=all"];
    let output = t.plain("kafka-producer-perf-test", &[&arguments[..], &props[..]].concat(), "");
    assert_has(&output.unwrap_or_else(|e| panic!("{e}")), "5000 records sent");
    let count = if t.is_3_9() { "--messages" } else { "--num-records" };
    let read = t.run("kafka-consumer-perf-test", &["--topic", "load", count, "5000", "--timeout", "20000"]);
    assert_has(&read, "5000");
    // With transactions.
    let transactional = ["--transactional-id", "t", "--transaction-duration-ms", "100"];
    let output =
        t.plain("kafka-producer-perf-test", &[&arguments[..], &props[..2], &transactional[..]].concat(), "");
    assert_has(&output.unwrap_or_else(|e| panic!("{e}")), "5000 records sent");
    let committed = if t.is_3_9() { "--consumer-property" } else { "--command-property" };
    let more = ["--from-beginning", committed, "isolation.level=read_committed"];
    assert_eq!(t.consume("load", 10_000, &more).len(), 10_000);
    let transactions = t.run("kafka-transactions", &["list"]);
    assert_has(&transactions, "CompleteCommit");
    let producers =
        t.run("kafka-transactions", &["describe-producers", "--topic", "load", "--partition", "0"]);
    assert_has(&producers, "ProducerId");
}

fn settings(t: &Tools) {
    t.run("kafka-topics", &["--create", "--topic", "tuned"]);
    let topic = ["--entity-type", "topics", "--entity-name", "tuned"];
    let configs = |more: &[&str]| t.run("kafka-configs", &[&topic[..], more].concat());
    configs(&["--alter", "--add-config", "retention.ms=86400000,cleanup.policy=[compact,delete]"]);
    let described = configs(&["--describe"]);
    assert_has(&described, "retention.ms=86400000");
    assert_has(&described, "cleanup.policy=compact,delete");
    configs(&["--alter", "--delete-config", "cleanup.policy"]);
    let described = configs(&["--describe"]);
    assert!(!described.contains("cleanup.policy"), "{described}");
    assert_has(&configs(&["--describe", "--all"]), "max.message.bytes=1048588");
    let broker = ["--entity-type", "brokers", "--entity-name", "1", "--describe", "--all"];
    assert_has(&t.run("kafka-configs", &broker), "num.partitions=1");
    assert_has(&t.run("kafka-topics", &["--describe", "--topics-with-overrides"]), "retention.ms=86400000");
}

fn cluster(t: &Tools) {
    let versions = t.run("kafka-broker-api-versions", &[]);
    assert_has(&versions, "Produce(0)");
    let id = t.plain("kafka-cluster", &["cluster-id", "--bootstrap-server", &t.served.bootstrap()], "");
    assert_has(&id.unwrap_or_else(|e| panic!("{e}")), "Cluster ID: ");
}

/// Logs that a producer cannot write, or that were cleaned: the Java consumer reads them as it does a real broker's.
fn odd_logs(t: &Tools) {
    let cluster = &t.served.cluster;
    let base = cluster.clock().now_ms();
    // A hole patched by the header alone: the consumer skips the first records of the next batch, without a word.
    cluster.create_topic("patched", 1, 1, &[]);
    let hole = Batch::keyed(base, &[("a", "0"), ("b", "2"), ("c", "5")]).deltas(&[0, 2, 5]);
    let next = Batch::keyed(base, &[("d", "3"), ("e", "4"), ("f", "5"), ("g", "6")]);
    for batch in [&hole, &next] {
        cluster.append("patched", 0, &batch.encode()).unwrap();
    }
    let seen = t.consume("patched", 4, &["--from-beginning"]);
    assert_eq!(seen, ["Offset:0\ta\t0", "Offset:2\tb\t2", "Offset:5\tc\t5", "Offset:6\tg\t6"]);
    // Cleaned: holes, a batch that is gone, one that is empty, a tombstone.
    cluster.create_topic("cleaned", 1, 1, &[("cleanup.policy", "compact")]);
    let batches = [
        Batch::keyed(base, &[("a", "1"), ("b", "1"), ("c", "1")]).codec("lz4"),
        Batch::keyed(base, &[("d", "1")]),
        Batch::keyed(base, &[("e", "1")]).by(7, 0, 0),
        Batch::keyed(base, &[("a", "2"), ("d", "2"), ("e", "2"), ("c", "")]),
        Batch::keyed(base, &[("last", "1")]),
    ];
    for batch in batches {
        cluster.append("cleaned", 0, &batch.encode()).unwrap();
    }
    cluster.clean("cleaned", 0, 9);
    let seen = t.consume("cleaned", 6, &["--from-beginning"]);
    let offsets: Vec<&str> = seen.iter().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(offsets, ["Offset:1", "Offset:5", "Offset:6", "Offset:7", "Offset:8", "Offset:9"], "{seen:?}");
    assert_eq!(seen[4], "Offset:8\tc\tnull");
}

/// Everything of one family with the tools of both releases, each against its own release.
fn each(family: fn(&Tools)) {
    family(&Tools::new(kafka_clusters::Release::V3_9_2, Release::V3_9, 1));
    family(&Tools::new(kafka_clusters::Release::V4_3_0, Release::V4_3, 1));
}

#[test]
fn java_topics() {
    each(topics);
}

#[test]
fn java_records() {
    each(records);
}

#[test]
fn java_groups() {
    each(groups);
}

#[test]
fn java_performance_and_transactions() {
    each(performance);
}

#[test]
fn java_settings() {
    each(settings);
}

#[test]
fn java_odd_logs() {
    each(odd_logs);
}

#[test]
fn java_cluster() {
    each(cluster);
}

/// Old tools with a new cluster of three brokers, and the other way round.
#[test]
fn java_across_releases() {
    for (of, against) in
        [(kafka_clusters::Release::V3_9_2, Release::V4_3), (kafka_clusters::Release::V4_3_0, Release::V3_9)]
    {
        let t = Tools::new(of, against, 3);
        let copies = ["--create", "--topic", "spread", "--partitions", "3", "--replication-factor", "3"];
        t.run("kafka-topics", &copies);
        t.produce("spread", "a:1\nb:2\nc:3\nd:4\n");
        let more = ["--from-beginning", "--group", "readers"];
        assert_eq!(t.consume("spread", 4, &more).len(), 4);
        let described = t.run("kafka-consumer-groups", &["--describe", "--group", "readers"]);
        let lag = |partition: &str| row(&described, &["spread", partition])[5].to_owned();
        assert_eq!(["0", "1", "2"].map(lag), ["0", "0", "0"].map(str::to_owned), "{described}");
    }
}
