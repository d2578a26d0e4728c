//! Configurations as a connector is posted with, and what Connect stores of them.

use super::*;

fn map(pairs: &[(&str, &str)]) -> ConfigMap {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A connector as it is posted to any worker.
fn posted_map(extra: &[(&str, &str)]) -> ConfigMap {
    let mut config = map(&[
        ("name", "eu-to-us"),
        ("connector.class", CONNECTOR_CLASS),
        ("tasks.max", "3"),
        ("key.converter", "io.confluent.connect.replicator.util.ByteArrayConverter"),
        ("src.kafka.bootstrap.servers", "eu:9092"),
        ("dest.kafka.bootstrap.servers", "us:9092"),
        ("topic.whitelist", "a,b"),
    ]);
    config.extend(map(extra));
    config
}

#[test]
fn a_posted_connector_needs_no_file() {
    let extra = [
        ("src.consumer.fetch.min.bytes", "5"),
        ("src.kafka.fetch.min.bytes", "4"),
        ("producer.override.max.request.size", "2000000"),
        ("dest.kafka.max.request.size", "1000"),
        ("topic.regex", ""),
        ("task.id", "eu-to-us-0"),
        ("offsets.storage.topic", "offsets"),
    ];
    let config = posted(None, "eu-to-us", &posted_map(&extra)).unwrap();
    assert_eq!(config.notices, []);
    assert_eq!((config.cluster_id.as_str(), config.tasks_max), ("eu-to-us", 3));
    assert_eq!(config.origin.group_id.as_deref(), Some("eu-to-us"));
    assert_eq!(config.origin.client.bootstrap_servers, [("eu".to_owned(), 9092)]);
    assert_eq!(config.destination.client.bootstrap_servers, [("us".to_owned(), 9092)]);
    assert_eq!(config.topics.whitelist, ["a", "b"]);
    assert_eq!((config.origin.fetch_min_bytes, config.destination.max_request_size), (5, 2_000_000));
    assert_eq!(entry(&config, "topic.whitelist").source, Source::Connector);
    let group = posted(None, "c", &posted_map(&[("src.consumer.group.id", "g")])).unwrap().origin.group_id;
    assert_eq!(group.as_deref(), Some("g"));
}

#[test]
fn problems_of_a_posted_connector_name_its_keys() {
    let errors = |config: &ConfigMap| posted(None, "c", config).unwrap_err().to_string();
    let text = errors(&posted_map(&[
        ("topic.poll.interval.ms", "0"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("src.kafka.security.protocol", "SASL_TLS"),
    ]));
    for part in
        ["topic.poll.interval.ms=0: must", "value.converter=org", "src.kafka.security.protocol=SASL_TLS"]
    {
        assert!(text.contains(part), "{text}");
    }
    let text = errors(&map(&[("name", "c")]));
    assert!(text.contains("src.kafka.bootstrap.servers: no origin"), "{text}");
    assert!(text.contains("dest.kafka.bootstrap.servers: no destination"), "{text}");
}

#[test]
fn what_has_no_effect_in_a_posted_connector_is_told() {
    let config = posted_map(&[
        ("listeners", "http://:1"),
        ("bootstrap.servers", "x:1"),
        ("transforms", "t"),
        ("topic.whitelists", "c"),
        ("src.kafka.sasl.jaas.config", "[hidden]"),
    ]);
    let config = posted(None, "c", &config).unwrap();
    assert_eq!(config.worker_properties["listeners"], "http://:8083");
    let notices: Vec<String> = config.notices.iter().map(ToString::to_string).collect();
    for text in [
        "listeners has no effect here: it is a setting of the worker",
        "bootstrap.servers has no effect here; write src.kafka.bootstrap.servers",
        "transforms has no effect yet",
        "did you mean topic.whitelist?",
        "src.kafka.sasl.jaas.config is hidden, and no file of this worker sets it",
    ] {
        contains(&notices, text);
    }
    let file = Bench::replication("connector.class=x").notices();
    contains(&file, "connector.class has no effect here");
}

#[test]
fn the_configuration_in_connect_beats_local_files_which_keep_the_secrets() {
    let login = "x.PlainLoginModule required username=\"u\" password=\"hunter2\";";
    let consumer =
        format!("security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config={login}");
    let bench = Bench::new(&consumer, "client.id=d", "topic.rename.format=${topic}.r\nlisteners=http://:7");
    let local = bench.load();
    let mut stored = local.connector_config();
    assert_eq!(stored["src.kafka.sasl.jaas.config"], "[hidden]");
    stored.insert("topic.whitelist".to_owned(), "x,y".to_owned());
    stored.insert("src.kafka.bootstrap.servers".to_owned(), "elsewhere:1".to_owned());
    let config = posted(Some(&local.local), CONNECTOR_NAME, &stored).unwrap();
    assert_eq!(config.notices, []);
    assert_eq!(config.topics.whitelist, ["x", "y"], "it beats the command line");
    assert_eq!(config.origin.client.bootstrap_servers, [("elsewhere".to_owned(), 1)]);
    assert_eq!(config.topics.rename_format, "${topic}.r");
    assert_eq!(config.cluster_id, "cid");
    assert_eq!(config.worker_properties["listeners"], "http://:7");
    assert!(config.origin.client.security.sasl.is_some());
    // What the worker stores again is what was there.
    let mut again = config.connector_config();
    again.retain(|key, _| stored.contains_key(key));
    assert_eq!(again, stored);
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn what_is_removed_in_connect_does_not_come_back_from_local_files() {
    let bench = Bench::new(
        "fetch.min.bytes=7\nssl.key.password=p",
        "client.id=d",
        "topic.regex=r.*\nreplicator.batches=preserve",
    );
    let local = bench.load();
    let mut stored = local.connector_config();
    for key in ["topic.regex", "topic.whitelist", "replicator.batches", "src.consumer.fetch.min.bytes"] {
        assert!(stored.remove(key).is_some(), "{key} in {stored:?}");
    }
    let config = posted(Some(&local.local), CONNECTOR_NAME, &stored).unwrap();
    assert_eq!(config.topics.regex.map(|regex| regex.as_str().to_owned()), None);
    assert_eq!((config.topics.whitelist, config.copy.batches), (Vec::<String>::new(), BatchMode::Merge));
    assert_eq!((config.origin.fetch_min_bytes, config.cluster_id.as_str()), (1, "cid"));
    // A configuration that names no cluster has the way to it from the files.
    stored.retain(|key, _| !key.starts_with("src."));
    let config = posted(Some(&local.local), CONNECTOR_NAME, &stored).unwrap();
    assert_eq!(config.origin.client.bootstrap_servers, [("origin".to_owned(), 9082)]);
    assert_eq!(config.origin.fetch_min_bytes, 7);
}
