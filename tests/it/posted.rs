//! The replication connector on general workers: posted to `connect-distributed` by REST, given to `connect-standalone` as a
//! file.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use kafka_clusters::Server;
use serde_json::{Value, json};

use crate::support::setup::free_port;
use crate::support::{
    Isolation, PATIENCE, Pair, Record, Writer, kraft_to_zk, read, topics, wait_for, zk_to_kraft,
};

const CLASS: &str = "io.confluent.connect.replicator.ReplicatorSourceConnector";
/// As every configuration from Confluent's documentation has it.
const CONVERTER: &str = "io.confluent.connect.replicator.util.ByteArrayConverter";

/// A worker's process with its REST interface.
struct Worker {
    server: Server,
    port: u16,
}

impl Worker {
    fn start(folder: &Path, executable: &str, name: &str, properties: &str, files: &[&Path]) -> Self {
        let port = free_port();
        let mut text = format!("listeners=http://127.0.0.1:{port}\n{properties}");
        for key in ["key.converter", "value.converter"] {
            text.push_str(&format!("{key}=org.apache.kafka.connect.json.JsonConverter\n"));
        }
        let file = folder.join(format!("{name}.properties"));
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(executable);
        command.arg(file).args(files);
        let worker = Self { server: Server::run(name, &command, folder).unwrap(), port };
        let healthy = || worker.try_ask("GET", "/health", None).ok().filter(|(code, _)| *code == 200);
        wait_for(healthy, || format!("{name} is not healthy:\n{}", worker.server.log_text()));
        worker
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn try_ask(&self, method: &str, path: &str, body: Option<&Value>) -> std::io::Result<(u16, Value)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let bad = || std::io::Error::other(format!("not an answer: {answer}"));
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok()).ok_or_else(bad)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or_else(bad)?;
        Ok((status, serde_json::from_str(body).unwrap_or_default()))
    }

    /// One request, again while the group is busy with itself.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        wait_for(
            || {
                let answer = self.try_ask(method, path, body).ok()?;
                (answer.0 != 409).then_some(answer)
            },
            || format!("{method} {path} is not answered:\n{}", self.server.log_text()),
        )
    }

    fn must(&self, method: &str, path: &str, body: Option<&Value>, status: u16) -> Value {
        let (code, answer) = self.ask(method, path, body);
        assert_eq!(code, status, "{method} {path}: {answer}");
        answer
    }

    /// Waits until connector and `tasks` tasks are in this state; the workers of the tasks.
    fn await_state(&self, connector: &str, state: &str, tasks: usize) -> Vec<String> {
        let status = || self.try_ask("GET", &format!("/connectors/{connector}/status"), None).ok();
        let found = || {
            let (_, status) = status()?;
            let all = status["tasks"].as_array()?;
            let good = |one: &Value| one["state"] == state && one["version"].is_string();
            let done = good(&status["connector"]) && all.len() == tasks && all.iter().all(good);
            done.then(|| all.iter().map(|task| task["worker_id"].as_str().unwrap().to_owned()).collect())
        };
        wait_for(found, || format!("{connector} is not {state} with {tasks} tasks: {:?}", status()))
    }

    /// Topics and partitions that `/ReplicatorMetrics` of this worker shows of a connector.
    fn measured(&self, connector: &str) -> Vec<(String, i64)> {
        let topic = |p: &Value| p["srcTopic"].as_str().unwrap().to_owned();
        let partitions = self.partitions(connector);
        partitions.iter().map(|p| (topic(p), p["partition"].as_i64().unwrap())).collect()
    }

    /// Waits until `/ReplicatorMetrics` of this worker shows all partitions of a connector in a state.
    fn await_partitions(&self, connector: &str, state: &str) {
        let all_are = || self.partitions(connector).iter().all(|p| p["state"] == state);
        wait_for(
            || all_are().then_some(()),
            || format!("not all are {state}: {:?}", self.partitions(connector)),
        );
    }

    /// Partitions as `/ReplicatorMetrics` of this worker shows them.
    fn partitions(&self, connector: &str) -> Vec<Value> {
        let metrics = self.must("GET", "/ReplicatorMetrics", None, 200);
        let all = metrics["connectors"].as_array().unwrap().iter().filter(|one| one["name"] == connector);
        let tasks = all.flat_map(|one| one["tasks"].as_array().unwrap());
        tasks.flat_map(|task| task["partitions"].as_array().unwrap().clone()).collect()
    }
}

fn connector(pair: &Pair, regex: &str) -> Value {
    json!({
        "connector.class": CLASS,
        "tasks.max": "4",
        "key.converter": CONVERTER,
        "value.converter": CONVERTER,
        "header.converter": CONVERTER,
        "src.kafka.bootstrap.servers": pair.origin.bootstrap(),
        "dest.kafka.bootstrap.servers": pair.destination.bootstrap(),
        "topic.regex": regex,
        "topic.rename.format": "${topic}.replica",
        "topic.poll.interval.ms": "500",
        "offset.flush.interval.ms": "1000",
    })
}

fn write(pair: &Pair, topic: &str, numbers: std::ops::Range<u32>) {
    let records: Vec<Record> = numbers.map(|number| Record::new(number.to_string(), "v")).collect();
    Writer::new(&pair.origin, &[]).write(topic, &records);
}

/// Waits until partition 0 of the copy has these records: keys are numbers.
fn await_copied(pair: &Pair, topic: &str, expected: impl IntoIterator<Item = u32>) {
    let expected: Vec<u32> = expected.into_iter().collect();
    let replica = format!("{topic}.replica");
    let copied = || {
        topics::partitions_if_any(&pair.destination, &replica)?;
        let mut all = read(&pair.destination, &replica, Isolation::Uncommitted);
        let key = |key: Option<Vec<u8>>| String::from_utf8(key.unwrap()).unwrap().parse::<u32>().unwrap();
        Some(all.remove(&0)?.into_iter().map(|stored| key(stored.record.key)).collect::<Vec<_>>())
    };
    wait_for(|| copied().filter(|keys| *keys == expected), || format!("{replica} has {:?}", copied()));
}

#[test]
fn the_connector_is_posted_to_a_group_of_workers() {
    let pair = kraft_to_zk();
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "bootstrap.servers={}\ngroup.id=posted\nscheduled.rebalance.max.delay.ms=1000\n{}\
         rest.extension.classes=io.confluent.connect.replicator.monitoring.ReplicatorMonitoringExtension\n\
         offset.storage.partitions=1\nstatus.storage.partitions=1\n",
        pair.destination.bootstrap(),
        ["config", "offset", "status"]
            .map(|which| format!(
                "{which}.storage.topic=posted-{which}\n{which}.storage.replication.factor=1\n"
            ))
            .concat()
    );
    let executable = env!("CARGO_BIN_EXE_connect-distributed");
    let [first, second] =
        ["one", "two"].map(|name| Worker::start(folder.path(), executable, name, &text, &[]));

    topics::create(&pair.origin, "posted-a", 2, &[]);
    write(&pair, "posted-a", 0..10);
    let config = connector(&pair, "posted-[ab]");

    // What is wrong is named by its setting.
    let mut bad = config.clone();
    bad["topic.rename.format"] = json!("/");
    bad["src.kafka.security.protocol"] = json!("SASL_TLS");
    let answer = second.must("POST", "/connectors", Some(&json!({"name": "copy", "config": bad})), 400);
    for key in ["topic.rename.format", "src.kafka.security.protocol"] {
        assert!(answer["message"].as_str().unwrap().contains(key), "{key} in {answer}");
    }
    let path = format!("/connector-plugins/{CLASS}/config/validate");
    let answer = first.must("PUT", &path, Some(&bad), 200);
    let wrong: Vec<&Value> = answer["configs"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| !one["value"]["errors"].as_array().unwrap().is_empty())
        .map(|one| &one["value"]["name"])
        .collect();
    assert!(wrong.contains(&&json!("topic.rename.format")), "{wrong:?}");
    let answer = first.must("PUT", &path, Some(&config), 200);
    assert_eq!(answer["error_count"], 1, "only the name is missing: {answer}");

    second.must("POST", "/connectors", Some(&json!({"name": "copy", "config": config})), 201);
    first.await_state("copy", "RUNNING", 2);
    await_copied(&pair, "posted-a", 0..10);
    // More topics, more tasks, on both workers.
    topics::create(&pair.origin, "posted-b", 3, &[]);
    let workers = second.await_state("copy", "RUNNING", 4);
    for worker in [&first, &second] {
        assert!(workers.contains(&worker.address()), "{workers:?}");
        assert!(!worker.measured("copy").is_empty(), "a part of it is measured at {}", worker.address());
    }
    let mut measured = first.measured("copy");
    measured.extend(second.measured("copy"));
    measured.sort();
    let all = [("posted-a", 0), ("posted-a", 1), ("posted-b", 0), ("posted-b", 1), ("posted-b", 2)];
    assert_eq!(measured, all.map(|(topic, number)| (topic.to_owned(), number)));
    write(&pair, "posted-b", 0..5);
    await_copied(&pair, "posted-b", 0..5);
    let mut used = first.must("GET", "/connectors/copy/topics", None, 200)["copy"]["topics"].clone();
    used.as_array_mut().unwrap().sort_by_key(ToString::to_string);
    assert_eq!(used, json!(["posted-a.replica", "posted-b.replica"]));

    first.must("PUT", "/connectors/copy/pause", None, 202);
    second.await_state("copy", "PAUSED", 4);
    for worker in [&first, &second] {
        worker.await_partitions("copy", "PAUSED");
        assert!(!worker.measured("copy").is_empty());
    }
    write(&pair, "posted-a", 10..20);
    second.must("PUT", "/connectors/copy/resume", None, 202);
    first.await_state("copy", "RUNNING", 4);
    first.await_partitions("copy", "RUNNING");
    await_copied(&pair, "posted-a", 0..20);
    second.must("POST", "/connectors/copy/restart?includeTasks=true", None, 202);
    first.must("POST", "/connectors/copy/tasks/0/restart", None, 204);
    first.await_state("copy", "RUNNING", 4);
    write(&pair, "posted-a", 20..30);
    await_copied(&pair, "posted-a", 0..30);

    let of_topic =
        |topic: &str, offset: Value| json!({"partition": {"topic": topic, "partition": 0}, "offset": offset});
    let altered = json!({"offsets": [of_topic("posted-a", json!({"offset": 24}))]});
    let refused = first.must("PATCH", "/connectors/copy/offsets", Some(&altered), 400);
    assert!(refused["message"].as_str().unwrap().contains("STOPPED"), "{refused}");
    first.must("PUT", "/connectors/copy/stop", None, 204);
    second.await_state("copy", "STOPPED", 0);
    let offsets = second.must("GET", "/connectors/copy/offsets", None, 200);
    for expected in [of_topic("posted-a", json!({"offset": 29})), of_topic("posted-b", json!({"offset": 4}))]
    {
        assert!(offsets["offsets"].as_array().unwrap().contains(&expected), "{expected} in {offsets}");
    }
    second.must("PATCH", "/connectors/copy/offsets", Some(&altered), 200);
    first.must("PUT", "/connectors/copy/resume", None, 202);
    second.await_state("copy", "RUNNING", 4);
    await_copied(&pair, "posted-a", (0..30).chain(25..30));
    first.must("PUT", "/connectors/copy/stop", None, 204);
    second.await_state("copy", "STOPPED", 0);
    first.must("DELETE", "/connectors/copy/offsets", None, 200);
    assert_eq!(second.must("GET", "/connectors/copy/offsets", None, 200), json!({"offsets": []}));
    second.must("DELETE", "/connectors/copy", None, 204);
    wait_for(
        || (first.must("GET", "/connectors", None, 200) == json!([])).then_some(()),
        || "the connector is still there".to_owned(),
    );
    for worker in [first, second] {
        worker.server.terminate(PATIENCE).unwrap();
    }
}

#[test]
fn the_connector_is_given_to_a_standalone_worker_as_a_file() {
    let pair = zk_to_kraft();
    let folder = tempfile::tempdir().unwrap();
    topics::create(&pair.origin, "alone-a", 2, &[]);
    write(&pair, "alone-a", 0..10);
    let mut config = connector(&pair, "alone-.*");
    // Its destination is the worker's cluster.
    config.as_object_mut().unwrap().remove("dest.kafka.bootstrap.servers");
    let mut text = "name=copy\n".to_owned();
    for (key, value) in config.as_object().unwrap() {
        text.push_str(&format!("{key}={}\n", value.as_str().unwrap()));
    }
    let file = folder.path().join("copy.properties");
    std::fs::write(&file, text).unwrap();
    let text = format!(
        "bootstrap.servers={}\noffset.storage.file.filename={}\noffset.flush.interval.ms=500\n",
        pair.destination.bootstrap(),
        folder.path().join("offsets").display()
    );
    let executable = env!("CARGO_BIN_EXE_connect-standalone");
    let start = |name: &str| Worker::start(folder.path(), executable, name, &text, &[&file]);
    let worker = start("first");
    worker.await_state("copy", "RUNNING", 2);
    await_copied(&pair, "alone-a", 0..10);
    topics::create(&pair.origin, "alone-b", 1, &[]);
    worker.await_state("copy", "RUNNING", 3);
    assert_eq!(worker.measured("copy").len(), 3);
    worker.server.terminate(PATIENCE).unwrap();
    write(&pair, "alone-a", 10..20);
    // Its positions are in the file.
    let worker = start("second");
    worker.await_state("copy", "RUNNING", 3);
    await_copied(&pair, "alone-a", 0..20);
    worker.must("PUT", "/connectors/copy/pause", None, 202);
    worker.await_state("copy", "PAUSED", 3);
    worker.server.terminate(PATIENCE).unwrap();
}
