//! Workers of ours at the secured listeners of a broker: the worker's own clients, and those of connectors, which have settings of their
//! own (`producer.*`, `consumer.*`, `admin.*`).

use connect_differential::Side::Ours;
use connect_differential::http::Request;
use kafka_clusters::{Listener, StoreKind};
use serde_json::json;

use crate::flow::Flow;
use crate::lots::until;
use crate::verifiable::Verifiable;
use crate::workers::{Fleet, PATIENCE};

/// A member whose clients all use this listener: without TLS with PLAIN, with it as most Java workers have it, with stores of
/// keytool and SCRAM.
fn fleet(name: &str, listener: Listener, password: Option<&str>) -> Fleet {
    let fleet = Fleet::new(name);
    let security = fleet.cluster.security().unwrap();
    let password = password.unwrap_or(&security.password);
    let (mechanism, module) = match listener {
        Listener::SaslSsl => ("SCRAM-SHA-512", "scram.ScramLoginModule"),
        _ => ("PLAIN", "plain.PlainLoginModule"),
    };
    let user = &security.username;
    let mut client = vec![
        ("bootstrap.servers", fleet.cluster.bootstrap_of(listener)),
        ("security.protocol", listener.protocol().to_owned()),
        ("sasl.mechanism", mechanism.to_owned()),
        (
            "sasl.jaas.config",
            format!(
                "org.apache.kafka.common.security.{module} required username=\"{user}\" password=\"{password}\";"
            ),
        ),
    ];
    if listener == Listener::SaslSsl {
        fleet.cluster.add_scram_user(mechanism, user, &security.password).unwrap();
        client.extend(security.java_stores(StoreKind::Jks).unwrap().properties());
    }
    let prefixed = ["", "producer.", "consumer.", "admin."].into_iter();
    let settings: Vec<(String, &str)> = prefixed
        .flat_map(|prefix| client.iter().map(move |(key, value)| (format!("{prefix}{key}"), value.as_str())))
        .collect();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), *value)).collect();
    fleet.with(Ours, &settings)
}

fn numbers_pass(fleet: &Fleet) {
    fleet.launch(0);
    fleet.await_ready(0);
    let numbers = Verifiable::start(fleet, 0);
    fleet.await_running(0, Verifiable::INSTANCES, &[0]);
    numbers.await_arrival(fleet);
    numbers.assert_whole(fleet, false);
}

#[test]
fn ours_numbers_pass_with_a_login() {
    numbers_pass(&fleet("secured-login", Listener::SaslPlaintext, None));
}

#[test]
fn ours_a_wrong_password_is_told() {
    let fleet = fleet("secured-wrong", Listener::SaslPlaintext, Some("wrong"));
    fleet.launch(0);
    let log = until("the log says why", PATIENCE, || {
        let log = fleet.output(0);
        if log.contains("Authentication failed") { Ok(log) } else { Err(log) }
    });
    assert!(log.contains("sasl.jaas.config"), "the setting is named: {log}");
    assert!(!log.contains("password=\"wrong\""), "the password is not shown: {log}");
}

/// `--add` or `--remove`: the login may do nothing with this topic.
fn deny(fleet: &Fleet, change: &str, topic: &str) {
    let user = format!("User:{}", fleet.cluster.security().unwrap().username);
    let rule = ["--deny-principal", &user, "--operation", "All", "--topic", topic];
    let done = fleet.cluster.tool("kafka-acls", &[&[change, "--force"][..], &rule].concat());
    done.unwrap_or_else(|error| panic!("{error}"));
}

/// A worker that may no longer see its config topic says so to whoever asks, and goes on when it may again.
#[test]
fn ours_a_config_topic_that_may_not_be_seen_is_told() {
    let fleet = fleet("secured-hidden", Listener::SaslPlaintext, None);
    fleet.launch(0);
    fleet.await_ready(0);
    deny(&fleet, "--add", &fleet.topic("config"));
    let file = fleet.folder().join("none.txt");
    let config = json!({"connector.class": "FileStreamSource", "file": file, "topic": "hidden"});
    let request = Request::new("PUT", "/connectors/hidden/config").json(config.to_string());
    until("the request is refused", PATIENCE, || {
        let answer = fleet.send(0, &request);
        let told = answer.body.contains("DESCRIBE on the topic");
        if answer.status == 500 && told { Ok(()) } else { Err(format!("{answer:?}")) }
    });
    deny(&fleet, "--remove", &fleet.topic("config"));
    until("the request is carried out", PATIENCE, || {
        let answer = fleet.send(0, &request);
        if matches!(answer.status, 200 | 201) { Ok(()) } else { Err(format!("{answer:?}")) }
    });
    fleet.await_running(0, 2, &[0]);
}

/// The trace of a sink that may not read says what it may not read, as Java's does; a restart helps when it may.
#[test]
fn ours_a_sink_that_may_not_read_names_its_topic() {
    let fleet = fleet("secured-sink", Listener::SaslPlaintext, None);
    fleet.launch(0);
    fleet.await_ready(0);
    let topic = "secured-forbidden";
    fleet.kafka.create(topic, 1);
    deny(&fleet, "--add", topic);
    let file = fleet.folder().join("read.txt");
    fleet.create(
        0,
        "sink",
        &json!({"connector.class": "FileStreamSink", "tasks.max": "1", "file": file, "topics": topic}),
    );
    let refused = "org.apache.kafka.common.errors.TopicAuthorizationException: \
                   Not authorized to access topics: [secured-forbidden]";
    until("the task has failed", PATIENCE, || match fleet.states(0).get("sink-0") {
        Some(state) if state.trace.as_deref().is_some_and(|trace| trace.starts_with(refused)) => Ok(()),
        other => Err(format!("{other:?}")),
    });
    deny(&fleet, "--remove", topic);
    fleet.call(0, "POST", "/connectors/sink/restart?includeTasks=true", None, 202);
    fleet.await_running(0, 2, &[0]);
}

/// A connector's own login that the brokers refuse fails its tasks, as with Java's worker, and not only in the log.
#[test]
fn ours_a_refused_login_of_a_connector_fails_its_tasks() {
    let fleet = fleet("secured-own", Listener::SaslPlaintext, None);
    fleet.launch(0);
    fleet.await_ready(0);
    let login = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"nobody\" password=\"x\";";
    let file = fleet.folder().join("lines.txt");
    std::fs::write(&file, "one\ntwo\n").unwrap();
    let source = json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": "secured-own-topic",
        "producer.override.sasl.jaas.config": login});
    let sink = json!({"connector.class": "FileStreamSink", "tasks.max": "1", "topics": "secured-own-topic",
        "file": fleet.folder().join("read.txt"), "consumer.override.sasl.jaas.config": login});
    fleet.kafka.create("secured-own-topic", 1);
    fleet.create(0, "source", &source);
    fleet.create(0, "sink", &sink);
    let refused = "org.apache.kafka.common.errors.SaslAuthenticationException";
    until("both tasks have failed", PATIENCE, || {
        let states = fleet.states(0);
        let told = |task: &str| {
            let trace = states.get(task).and_then(|state| state.trace.as_deref()).unwrap_or_default();
            trace.contains(refused) && trace.contains("Invalid username or password")
        };
        if told("source-0") && told("sink-0") { Ok(()) } else { Err(format!("{states:?}")) }
    });
}

/// The worker's own clients have TLS always; those of connectors in a build for it.
#[test]
fn ours_a_build_without_tls_for_connectors_says_so() {
    let fleet = fleet("secured-refused", Listener::SaslSsl, None);
    fleet.launch(0);
    fleet.await_ready(0);
    let file = fleet.folder().join("lines.txt");
    std::fs::write(&file, "one\n").unwrap();
    let config =
        json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": "secured"});
    fleet.create(0, "lines", &config);
    until("the task has failed", PATIENCE, || match fleet.states(0).get("lines-0") {
        Some(state) if state.trace.as_deref().is_some_and(|trace| trace.contains("client-tls")) => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

#[test]
#[ignore = "needs executables built with --features client-tls"]
fn ours_numbers_pass_with_tls() {
    numbers_pass(&fleet("secured-tls", Listener::SaslSsl, None));
}
