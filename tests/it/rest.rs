//! The REST interface of a running replicator, in Connect's shapes.

use serde_json::json;

use crate::support::{Record, Setup, Writer, kraft_to_zk, topics};

#[test]
fn rest_answers_in_connects_shapes() {
    let pair = kraft_to_zk();
    let setup =
        Setup::new(&pair, "rest").args(["--cluster.threads", "2"]).producer("ssl.key.password", "secret");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 3, &[]);
    let replicator = setup.clone().whitelist(&[&topic]).start();
    replicator.wait_tasks(2);

    let (code, root) = replicator.rest_get("/");
    assert_eq!(code, 200);
    let fields: Vec<_> = root.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["version", "commit", "kafka_cluster_id"]);
    let metadata = pair.destination.broker(1).metadata().unwrap();
    assert_eq!(root["kafka_cluster_id"].as_str(), metadata.cluster_id.as_deref());

    assert_eq!(replicator.rest_get("/connectors"), (200, json!(["replicator"])));
    let (_, connector) = replicator.rest_get("/connectors/replicator");
    let tasks = json!([{"connector": "replicator", "task": 0}, {"connector": "replicator", "task": 1}]);
    assert_eq!((&connector["name"], &connector["type"]), (&json!("replicator"), &json!("source")));
    assert_eq!(connector["tasks"], tasks);

    let (code, config) = replicator.rest_get("/connectors/replicator/config");
    assert_eq!((code, &config), (200, &connector["config"]));
    assert_eq!((&config["topic.whitelist"], &config["tasks.max"]), (&json!(topic), &json!("2")));
    assert!(!config.to_string().contains("secret"), "{config}");

    let (_, status) = replicator.rest_get("/connectors/replicator/status");
    let worker = json!(format!("127.0.0.1:{}", setup.port));
    assert_eq!((&status["name"], &status["type"]), (&json!("replicator"), &json!("source")));
    assert_eq!(
        (&status["connector"]["state"], &status["connector"]["worker_id"]),
        (&json!("RUNNING"), &worker)
    );
    for (number, task) in status["tasks"].as_array().unwrap().iter().enumerate() {
        assert_eq!(
            (&task["id"], &task["state"], &task["worker_id"]),
            (&json!(number), &json!("RUNNING"), &worker)
        );
    }
    assert_eq!(replicator.rest_get("/connectors/replicator/tasks/1/status").1["state"], "RUNNING");

    let (_, tasks) = replicator.rest_get("/connectors/replicator/tasks");
    assert_eq!(tasks[1]["id"], json!({"connector": "replicator", "task": 1}));
    assert_eq!(tasks[1]["config"]["task.id"], "replicator-1");
    replicator.stop();
}

#[test]
fn what_is_not_there_is_a_404_in_connects_words() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "rest-404");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let replicator = setup.whitelist(&[&topic]).start();
    let missing = |message: &str| (404, json!({"error_code": 404, "message": message}));
    assert_eq!(replicator.rest_get("/connectors/other"), missing("Connector other not found"));
    assert_eq!(replicator.rest_get("/connectors/other/config"), missing("Connector other not found"));
    assert_eq!(
        replicator.rest_get("/connectors/other/status"),
        missing("No status found for connector other")
    );
    assert_eq!(replicator.rest_get("/nowhere"), missing("HTTP 404 Not Found"));
    replicator.stop();
}

#[test]
fn metrics_tell_position_lag_and_counts() {
    let pair = kraft_to_zk();
    let setup = Setup::new(&pair, "metrics");
    let topic = setup.topic("t");
    topics::create(&pair.origin, &topic, 1, &[]);
    let replicator = setup.whitelist(&[&topic]).start();
    let records: Vec<_> =
        (0..30).map(|number| Record::new(number.to_string(), "v").at(1000 + number)).collect();
    Writer::new(&pair.origin, &[]).write(&topic, &records);
    replicator.wait_position(&topic, &[30]);
    let partition = replicator.partition(&topic, 0);
    let expected = [
        ("destTopic", json!(format!("{topic}.replica"))),
        ("state", json!("RUNNING")),
        ("reason", json!(null)),
        ("messageLag", json!(0)),
        ("endOffset", json!(30)),
        ("records", json!(30)),
        ("expiredOffsets", json!(0)),
        ("duplicateBatches", json!(0)),
        ("newestTimestamp", json!(1029)),
    ];
    for (field, value) in expected {
        assert_eq!(partition[field], value, "{field} in {partition}");
    }
    assert!(partition["bytes"].as_u64().unwrap() > 30 * 5);
    assert_ne!(partition["srcCluster"], partition["destCluster"]);
    replicator.stop();
}
