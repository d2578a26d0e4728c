//! Command line and files together, as users write them.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use connect_core::api::ConfigMap;

use super::*;

mod posted;

/// A folder with the three files, and what the command line says.
struct Bench {
    folder: tempfile::TempDir,
    sources: Sources,
}

impl Bench {
    fn new(consumer: &str, producer: &str, replication: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(ConfigFile { path, named_by: Source::Flag(name.replace("properties", "config")) })
        };
        let sources = Sources {
            consumer: file("consumer.properties", &format!("bootstrap.servers=origin:9082\n{consumer}")),
            producer: file("producer.properties", &format!("bootstrap.servers=dest:9092\n{producer}")),
            replication: file("replication.properties", replication),
            ..Sources::default()
        };
        Self { folder, sources }.flag("cluster.id", "cid", "cluster.id").flag(
            "topic.whitelist",
            "a",
            "whitelist",
        )
    }

    fn replication(text: &str) -> Self {
        Self::new("", "", text)
    }

    fn flag(mut self, key: &str, value: &str, name: &str) -> Self {
        let source = Source::Flag(name.to_owned());
        self.sources.settings.push(Setting { key: key.to_owned(), value: value.to_owned(), source });
        self
    }

    fn load(&self) -> ReplicatorConfig {
        load(&self.sources).unwrap()
    }

    /// All problems, without the folder's name.
    fn errors(&self) -> Vec<String> {
        self.plain(load(&self.sources).unwrap_err().to_string().lines())
    }

    /// All notices as `level: text`, without the folder's name.
    fn notices(&self) -> Vec<String> {
        let said: Vec<_> = self.load().notices.iter().map(|n| format!("{:?}: {n}", n.level)).collect();
        self.plain(said.iter().map(String::as_str))
    }

    fn plain<'a>(&self, lines: impl Iterator<Item = &'a str>) -> Vec<String> {
        let folder = format!("{}/", self.folder.path().display());
        lines.map(|line| line.replace(&folder, "")).collect()
    }
}

fn entry<'a>(config: &'a ReplicatorConfig, key: &str) -> &'a ConfigEntry {
    config.entries.iter().find(|entry| entry.key == key).unwrap()
}

fn contains(lines: &[String], text: &str) {
    assert!(lines.iter().any(|line| line.contains(text)), "{text:?} is not in {lines:#?}");
}

#[test]
fn defaults() {
    let bench = Bench::replication("");
    let config = bench.load();
    assert_eq!((config.cluster_id.as_str(), config.tasks_max), ("cid", 1));
    assert_eq!(config.origin.client.bootstrap_servers, [("origin".to_owned(), 9082)]);
    assert_eq!(config.origin.group_id.as_deref(), Some("cid"));
    assert_eq!(config.topics.whitelist, ["a"]);
    assert_eq!(config.topics.rename_format, "${topic}");
    assert!(config.topics.auto_create && config.topics.preserve_partitions && config.topics.config_sync);
    assert_eq!(config.topics.poll_interval, Duration::from_secs(120));
    assert_eq!(config.topics.replication_factor, 0);
    assert_eq!(config.offsets.start, OffsetStart::Connect);
    assert_eq!(config.offsets.flush_interval, Duration::from_secs(5));
    assert_eq!(config.worker_properties["listeners"], "http://:8083");
    assert_eq!(config.storage.offsets.name, "connect-offsets");
    assert_eq!((config.storage.offsets.partitions, config.storage.statuses.partitions), (25, 5));
    assert_eq!(config.storage.configs.replication_factor, 3);
    assert_eq!(config.copy.inflight_bytes, 48 << 20);
    assert_eq!((config.copy.fetch_max_bytes, config.copy.fetch_partition_max_bytes), (4 << 20, 1 << 20));
    assert_eq!(config.copy.batches, BatchMode::Merge);
    assert_eq!(bench.notices(), Vec::<String>::new());
}

#[test]
fn command_line_beats_file_beats_default() {
    let bench = Bench::replication("topic.rename.format=${topic}.file\ntopic.whitelist=x\ntasks.max=7\n")
        .flag("topic.rename.format", "${topic}.flag", "topic.rename.format");
    let config = bench.load();
    assert_eq!(config.topics.rename_format, "${topic}.flag");
    assert_eq!(config.topics.whitelist, ["a"]);
    assert_eq!(config.tasks_max, 7);
    assert_eq!(entry(&config, "topic.whitelist").source, Source::Flag("whitelist".to_owned()));
    let Source::File { path, line } = &entry(&config, "tasks.max").source else { panic!("not a file") };
    assert_eq!((path.file_name().unwrap().to_str(), *line), (Some("replication.properties"), 3));
    assert_eq!(entry(&config, "topic.auto.create").source, Source::Default);
}

#[test]
fn keys_in_the_wrong_file_are_tolerated_and_the_right_file_wins() {
    let bench = Bench::new(
        "topic.preserve.partitions=false\ntopic.auto.create=false",
        "replication.factor=1",
        "topic.auto.create=true",
    );
    let config = bench.load();
    assert!(!config.topics.preserve_partitions);
    assert!(config.topics.auto_create);
    assert_eq!(config.storage.statuses.replication_factor, 1);
    let notices = bench.notices();
    assert_eq!(
        notices,
        [
            "Warning: consumer.properties:3: topic.auto.create is overridden by replication.properties:1 (true)"
        ]
    );
}

#[test]
fn prefixed_client_settings_in_the_replication_file() {
    let bench = Bench::replication(
        "src.consumer.group.id=g\nsrc.kafka.request.timeout.ms=5000\ndest.kafka.client.id=d\n\
         producer.override.max.request.size=2000000\ndest.kafka.bootstrap.servers=other:1",
    );
    let config = bench.load();
    assert_eq!(config.origin.group_id.as_deref(), Some("g"));
    assert_eq!(config.origin.client.request_timeout, Duration::from_secs(5));
    assert_eq!(config.destination.client.client_id, "d");
    assert_eq!(config.destination.max_request_size, 2_000_000);
    assert_eq!(config.destination.client.bootstrap_servers, [("dest".to_owned(), 9092)]);
    assert_eq!(
        bench.notices(),
        ["Warning: replication.properties:5: dest.kafka.bootstrap.servers is overridden by \
         producer.properties:1 (dest:9092)"]
    );
}

#[test]
fn everything_can_stand_in_the_replication_file() {
    let mut bench = Bench::replication(
        "src.kafka.bootstrap.servers=o:1\ndest.kafka.bootstrap.servers=d:2\ncluster.id=filed",
    );
    bench.sources.consumer = None;
    bench.sources.producer = None;
    bench.sources.settings.retain(|setting| setting.key != "cluster.id");
    let config = bench.load();
    assert_eq!(config.destination.client.bootstrap_servers, [("d".to_owned(), 2)]);
    assert_eq!(config.worker_properties["group.id"], "filed");
}

#[test]
fn unknown_keys_name_file_line_and_what_was_meant() {
    let bench = Bench::new(
        "\nfetch.min.byte=1",
        "max.requestsize=1\nfetch.min.bytes=2",
        "topic.whitelst=a\nsomething.else=1\ngroup.id=x\nsrc.consumer.grop.id=g",
    );
    assert_eq!(
        bench.notices(),
        [
            "Warning: consumer.properties:3: unknown key fetch.min.byte, ignored; did you mean fetch.min.bytes?",
            "Warning: producer.properties:2: unknown key max.requestsize, ignored; did you mean max.request.size?",
            "Warning: producer.properties:3: fetch.min.bytes is a consumer property and has no effect here; put it \
         into the consumer's file",
            "Warning: replication.properties:1: unknown key topic.whitelst, ignored; did you mean topic.whitelist?",
            "Warning: replication.properties:2: unknown key something.else, ignored",
            "Warning: replication.properties:3: group.id has no effect here: put it into the file of \
         --consumer.config or --producer.config, or write src.consumer.group.id or dest.kafka.group.id",
            "Warning: replication.properties:4: unknown key src.consumer.grop.id, ignored; did you mean \
         src.consumer.group.id?",
        ]
    );
}

#[test]
fn licence_zookeeper_and_monitoring_are_said_once() {
    let bench = Bench::new(
        "zookeeper.connect=z:2181\ninterceptor.classes=\
         io.confluent.monitoring.clients.interceptor.MonitoringConsumerInterceptor",
        "interceptor.classes=com.example.Own",
        "zookeeper.connect=z:2181\nconfluent.topic.replication.factor=1\nplugin.path=/usr/share/java\n\
         rest.extension.classes=io.confluent.connect.replicator.monitoring.ReplicatorMonitoringExtension,x.Y",
    )
    .flag("confluent.license", "abc", "confluent.license");
    assert_eq!(
        bench.notices(),
        [
            "Info: --confluent.license: confluent.license is ignored: no licence is needed",
            "Info: consumer.properties:2: zookeeper.connect is ignored: ZooKeeper is not used",
            "Info: consumer.properties:3: interceptor \
         io.confluent.monitoring.clients.interceptor.MonitoringConsumerInterceptor is accepted and does nothing: \
         Control Center is not fed",
            "Warning: producer.properties:2: interceptor com.example.Own is not run: interceptor.classes cannot load \
         Java classes",
            "Info: replication.properties:2: confluent.topic.replication.factor is ignored: no licence is needed",
            "Info: replication.properties:3: plugin.path is ignored: everything is built in",
            "Warning: replication.properties:4: REST extension x.Y is not run: rest.extension.classes cannot load \
         Java classes",
        ]
    );
}

#[test]
fn features_to_come_are_never_silent() {
    for key in [
        "provenance.header.enable=true",
        "offset.translator.tasks.max=-1",
        "offset.timestamps.commit=true",
        "schema.registry.topic=_schemas",
        "schema.subject.translator.prefix=x",
        "src.kafka.timestamps.topic.replication.factor=1",
        "transforms=t",
        "errors.tolerance=all",
    ] {
        let name = key.split_once('=').unwrap().0;
        let expected = format!("Warning: replication.properties:1: {name} has no effect yet");
        assert_eq!(Bench::replication(key).notices(), [expected]);
    }
    // What they ask for happens anyway.
    let quiet =
        "provenance.header.enable=false\noffset.timestamps.commit=false\noffset.translator.tasks.max=0";
    assert_eq!(Bench::replication(quiet).notices(), Vec::<String>::new());
}

#[test]
fn client_settings_without_effect_are_told_unless_they_are_defaults() {
    let bench = Bench::new(
        "enable.auto.commit=true\nkey.deserializer=org.apache.kafka.common.serialization.StringDeserializer",
        "compression.type=lz4\nacks=all\nlinger.ms=100",
        "",
    );
    let notices = bench.notices();
    assert_eq!(notices.len(), 3, "{notices:#?}");
    contains(&notices, "Info: consumer.properties:3: key.deserializer has no effect: keys, values");
    contains(&notices, "Info: producer.properties:2: compression.type has no effect: batches pass through");
    contains(&notices, "Info: producer.properties:4: linger.ms has no effect");
}

#[test]
fn repeated_keys_are_told() {
    let bench = Bench::replication("tasks.max=1\ntasks.max=2");
    assert_eq!(bench.load().tasks_max, 2);
    assert_eq!(
        bench.notices(),
        ["Warning: replication.properties:1: tasks.max is set again in line 2, which counts"]
    );
}

#[test]
fn all_problems_at_once_with_file_line_key_and_value() {
    let bench = Bench::new(
        "request.timeout.ms=soon",
        "ssl.key.password=hunter2\nsecurity.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER",
        "tasks.max=0\ntopic.config.sync=maybe\n\ntopic.regex=a{,2}\ntopic.rename.format=x y\n\
         topic.timestamp.type=Now\nlisteners=ftp://:8443\nvalue.converter=io.confluent.connect.avro.AvroConverter\n\
         topic.blacklist=a.*\noffset.storage.topic=a/b\nreplicator.profile=huge",
    )
    .flag("topic.auto.create", "yes", "topic.auto.create");
    let errors = bench.errors();
    for expected in [
        "consumer.properties:2: request.timeout.ms=soon: must be a whole number",
        "producer.properties:4: sasl.mechanism=OAUTHBEARER: is not supported; supported: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512",
        "replication.properties:1: tasks.max=0: must be a whole number from 1 to 10000",
        "replication.properties:2: topic.config.sync=maybe: must be true or false",
        "replication.properties:4: topic.regex=a{,2}: is not a Java regular expression: illegal repetition",
        "replication.properties:5: topic.rename.format=x y: ' ' cannot be part of a topic name",
        "replication.properties:6: topic.timestamp.type=Now: must be CreateTime or LogAppendTime",
        "replication.properties:7: listeners=ftp://:8443: ftp://:8443: the protocol must be http or https",
        "replication.properties:8: value.converter=io.confluent.connect.avro.AvroConverter: keys, values",
        "replication.properties:9: topic.blacklist=a.*: \"a.*\" is not a topic name",
        "replication.properties:10: offset.storage.topic=a/b: is not a topic name",
        "replication.properties:11: replicator.profile=huge: must be default or small-memory",
        "--topic.auto.create yes: must be true or false",
    ] {
        contains(&errors, expected);
    }
    assert_eq!(errors.len(), 13, "{errors:#?}");
    assert!(errors.iter().all(|line| !line.contains("hunter2")));
}

#[test]
fn unreadable_files_name_flag_and_path() {
    let mut bench = Bench::replication("");
    bench.sources.consumer.as_mut().unwrap().path = PathBuf::from("/nonexistent/c");
    let named_by = Source::Env("PRODUCER_MONITORING_CONFIG".to_owned());
    bench.sources.producer_monitoring = Some(ConfigFile { path: PathBuf::from("/nonexistent/m"), named_by });
    assert_eq!(
        bench.errors(),
        [
            "--consumer.config /nonexistent/c: cannot be read: No such file or directory (os error 2)",
            "$PRODUCER_MONITORING_CONFIG /nonexistent/m: cannot be read: No such file or directory (os error 2)",
        ]
    );
    let bench = Bench::replication("a=\\u00zz");
    contains(&bench.errors(), "--replication.config replication.properties: cannot be read: line 1: `\\u`");
}

#[test]
fn what_is_missing_is_named() {
    let errors = load(&Sources::default()).unwrap_err().to_string();
    for expected in ["--cluster.id NAME", "--consumer.config FILE", "--producer.config FILE"] {
        assert!(errors.contains(expected), "{errors}");
    }
    let mut bench = Bench::replication("");
    std::fs::write(&bench.sources.producer.as_ref().unwrap().path, "acks=all").unwrap();
    assert_eq!(
        bench.errors(),
        ["producer.properties: bootstrap.servers: names no broker; write host1:9092,host2:9092"]
    );
    bench.sources.settings.retain(|setting| setting.key != "cluster.id");
    bench.sources.default_cluster_id = Some("replicator".to_owned());
    std::fs::write(&bench.sources.producer.as_ref().unwrap().path, "bootstrap.servers=d:1").unwrap();
    assert_eq!(bench.load().cluster_id, "replicator");
}

#[test]
fn secrets_are_never_shown() {
    let bench = Bench::new(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=x.PlainLoginModule required \
         username=\"u\" password=\"hunter2\";",
        "ssl.truststore.password=hunter2",
        "src.kafka.sasl.jaas.config=y.PlainLoginModule required username=u password=hunter2;",
    );
    let config = bench.load();
    let jaas = entry(&config, "src.kafka.sasl.jaas.config");
    assert_eq!((jaas.value.as_str(), jaas.secret), ("[hidden]", true));
    let everything = format!("{config:?}\n{}\n{:?}", config.listing(), config.connector_config());
    assert!(!everything.contains("hunter2"), "{everything}");
    contains(
        &bench.notices(),
        "src.kafka.sasl.jaas.config is overridden for the origin by consumer.properties:4",
    );
}

#[test]
fn connector_config_is_what_connect_would_store() {
    let bench = Bench::new("client.id=c", "", "offset.start=consumer\nlisteners=http://:1\ntopic.regex=b.*");
    let config = bench.load().connector_config();
    for (key, value) in [
        ("name", "replicator"),
        ("connector.class", "io.confluent.connect.replicator.ReplicatorSourceConnector"),
        ("tasks.max", "1"),
        ("topic.whitelist", "a"),
        ("topic.regex", "b.*"),
        ("topic.rename.format", "${topic}"),
        ("src.kafka.bootstrap.servers", "origin:9082"),
        ("src.kafka.client.id", "c"),
        ("src.consumer.group.id", "cid"),
        ("dest.kafka.bootstrap.servers", "dest:9092"),
        ("offset.start", "consumer"),
    ] {
        assert_eq!(config.get(key).map(String::as_str), Some(value), "{key} in {config:#?}");
    }
    for absent in ["listeners", "offset.storage.topic", "replication.factor", "topic.blacklist"] {
        assert!(!config.contains_key(absent), "{absent}");
    }
}

#[test]
fn listing_names_every_source() {
    let listing = Bench::replication("tasks.max=2").load().listing();
    let line = |key: &str| listing.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line("tasks.max=2 ").ends_with("replication.properties:1"), "{listing}");
    assert!(line("topic.whitelist=a ").ends_with("# --whitelist"), "{listing}");
    assert!(line("listeners=http://:8083 ").ends_with("# default"), "{listing}");
    assert!(line("dest.kafka.request.timeout.ms=30000 ").ends_with("# default"), "{listing}");
}

#[test]
fn sizes_follow_profile_consumer_file_and_own_keys() {
    let small = Bench::replication("replicator.profile=small-memory").load().copy;
    assert_eq!((small.inflight_bytes, small.fetch_max_bytes), (4 << 20, 1 << 19));
    assert_eq!((small.lane_buffer_bytes, small.fetch_partition_max_bytes), (1 << 20, 1 << 19));
    let own = "replicator.profile=small-memory\nreplicator.inflight.bytes=9000000";
    assert_eq!(Bench::replication(own).load().copy.inflight_bytes, 9_000_000);
    let consumer = Bench::new("fetch.max.bytes=2000000\nmax.partition.fetch.bytes=3000", "", "").load().copy;
    assert_eq!((consumer.fetch_max_bytes, consumer.fetch_partition_max_bytes), (2_000_000, 3000));
    let bench = Bench::new("fetch.max.bytes=52428800", "", "");
    assert_eq!(bench.load().copy.fetch_max_bytes, 48 << 20);
    contains(&bench.notices(), "does not fit into replicator.inflight.bytes");
    let request = Bench::new("", "max.request.size=65536", "").load().copy;
    assert_eq!(request.merge_max_bytes, 65536);
}

#[test]
fn filters_that_copy_nothing_are_told() {
    let mut bench = Bench::replication("");
    bench.sources.settings.retain(|setting| setting.key != "topic.whitelist");
    assert_eq!(
        bench.notices(),
        [
            "Warning: no topic is copied: neither topic.whitelist (--whitelist) nor topic.regex (--topic.regex) is set"
        ]
    );
    let internal = bench.flag("topic.whitelist", "__consumer_offsets", "whitelist");
    contains(&internal.notices(), "--whitelist: __consumer_offsets is never copied");
}

fn shipped(name: &str) -> Option<ConfigFile> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name);
    Some(ConfigFile { path, named_by: Source::Flag(name.to_owned()) })
}

#[test]
fn shipped_samples_load_without_a_word() {
    let mut bench = Bench::replication("");
    bench.sources.consumer = shipped("consumer.properties");
    bench.sources.producer = shipped("producer.properties");
    bench.sources.replication = shipped("replication.properties");
    let config = bench.load();
    assert_eq!(config.notices, []);
    assert_eq!(config.topics.rename_format, "${topic}.replica");
    assert_eq!(config.storage.offsets.replication_factor, 1);
}

/// Every line that is commented out in the sample of the replication file states a key and, for most, its default.
#[test]
fn commented_keys_of_the_sample_are_known() {
    let text = std::fs::read_to_string(shipped("replication.properties").unwrap().path).unwrap();
    let all: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(set) if !set.starts_with(' ') => format!("{set}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let bench = Bench::replication(&all);
    assert_eq!(bench.notices(), Vec::<String>::new());
    assert_eq!(bench.load().topics.regex.unwrap().as_str(), r"shop\..*");
}

/// What the worker checks itself has the worker's own default, unless this worker is told another.
#[test]
fn defaults_of_the_worker_are_the_table_s() {
    use connect_core::config::{Mode, WorkerConfig};
    let properties = Bench::replication("").load().worker_properties;
    let worker = WorkerConfig::new(Mode::Distributed, properties).unwrap();
    let mut seen = 0;
    for known in SETTINGS.iter().filter(|known| known.owner == Owner::Handed && !known.default.is_empty()) {
        let told = match known.kind {
            Kind::Int(..) | Kind::Long(..) => worker.millis(known.name).as_millis().to_string(),
            _ => worker.text(known.name).to_owned(),
        };
        if !told.is_empty() {
            assert_eq!(told, known.default, "{}", known.name);
            seen += 1;
        }
    }
    assert!(seen > 8, "{seen}");
}

/// Every line that is commented out in the sample of the replication file states the default, but for the examples of
/// names of topics.
#[test]
fn defaults_in_the_sample_are_the_table_s() {
    let text = std::fs::read_to_string(shipped("replication.properties").unwrap().path).unwrap();
    let out = text.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let examples = ["topic.whitelist", "topic.regex", "topic.blacklist"];
    let mut seen = 0;
    for (key, value) in out.filter(|(key, _)| !key.contains(' ') && !examples.contains(key)) {
        assert_eq!(table::find(key).map(|known| known.default), Some(value), "{key}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn kafka_s_stock_files_load_without_a_word() {
    let mut bench = Bench::replication("");
    bench.sources.consumer = shipped("kafka/consumer.properties");
    bench.sources.producer = shipped("kafka/producer.properties");
    let config = bench.load();
    assert_eq!(config.notices, []);
    assert_eq!(config.origin.group_id.as_deref(), Some("test-consumer-group"));
}
