//! Reading, changing and resetting offsets of connectors.

use connect_api::ConnectorOffset;
use connect_core::answers::BAD_REQUEST_CLASS;
use serde_json::{Map, Value, json};

use crate::scripted::{Step, partition, record};
use crate::support::{Rig, eventually, map, task};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn source_offset(n: Value) -> ConnectorOffset {
    ConnectorOffset { partition: partition().0, offset: n.as_i64().map(|n| object(json!({"n": n}))) }
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_offsets_of_a_source_are_read_changed_and_reset() {
    for properties in [&[][..], &[("exactly.once.source.support", "enabled")]] {
        let rig = Rig::with(properties).await;
        rig.sim.create_topic("t", 1, 1, &[]);
        let config = map(&[("connector.class", "ScriptedSource")]);
        assert!(rig.worker.connector_offsets("c", &config).await.unwrap().is_empty());
        rig.then([Step::Records(vec![record(3, "t", "a")])]);
        rig.start_source(&[], None).await;
        eventually("it is told", || rig.source.told.lock().unwrap().len() == 1).await;
        rig.worker.stop_tasks(&[task(0)]).await;
        assert_eq!(rig.worker.connector_offsets("c", &config).await.unwrap(), [source_offset(json!(3))]);
        let offsets = Some(vec![source_offset(json!(9))]);
        let message = rig.worker.alter_connector_offsets("c", &config, offsets).await.unwrap();
        assert_eq!(
            message,
            "The Connect framework-managed offsets for this connector have been altered successfully. However, if this \
             connector manages offsets externally, they will need to be manually altered in the system that the \
             connector uses."
        );
        assert_eq!(rig.worker.connector_offsets("c", &config).await.unwrap(), [source_offset(json!(9))]);
        let message = rig.worker.alter_connector_offsets("c", &config, None).await.unwrap();
        assert!(message.contains("have been reset successfully"), "{message}");
        assert!(rig.worker.connector_offsets("c", &config).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sim_offsets_of_a_sink_are_read_changed_and_reset() {
    let rig = Rig::new().await;
    rig.sim.create_topic("t", 1, 1, &[]);
    rig.write("t", &[b"a", b"b", b"c"]).await;
    let config = map(&[("connector.class", "ScriptedSink"), ("topics", "t")]);
    let sink_offset = |offset: Value| ConnectorOffset {
        partition: object(json!({"kafka_partition": 0, "kafka_topic": "t"})),
        offset: offset.as_object().cloned(),
    };
    rig.start_sink(&[]).await;
    eventually("all are put", || rig.sink.values().len() == 3).await;
    let change = Some(vec![sink_offset(json!({"kafka_offset": 1}))]);
    let error = rig.worker.alter_connector_offsets("c", &config, change.clone()).await.unwrap_err();
    assert!(error.message().contains("haven't stopped completely yet"), "{error}");
    let error = rig.worker.alter_connector_offsets("c", &config, None).await.unwrap_err();
    assert!(error.message().contains("haven't stopped completely yet"), "{error}");
    rig.worker.stop_tasks(&[task(0)]).await;
    let read = rig.worker.connector_offsets("c", &config).await.unwrap();
    assert_eq!(read, [sink_offset(json!({"kafka_offset": 3}))]);
    rig.worker.alter_connector_offsets("c", &config, change).await.unwrap();
    let read = rig.worker.connector_offsets("c", &config).await.unwrap();
    assert_eq!(read, [sink_offset(json!({"kafka_offset": 1}))]);
    rig.worker.alter_connector_offsets("c", &config, Some(vec![sink_offset(json!(null))])).await.unwrap();
    assert!(rig.worker.connector_offsets("c", &config).await.unwrap().is_empty());
    for _ in 0..2 {
        let message = rig.worker.alter_connector_offsets("c", &config, None).await.unwrap();
        assert!(message.contains("have been reset successfully"), "{message}");
    }
    let bad = Some(vec![sink_offset(json!({"kafka_offset": "x"}))]);
    let error = rig.worker.alter_connector_offsets("c", &config, bad).await.unwrap_err();
    assert_eq!(error.class(), BAD_REQUEST_CLASS);
    rig.start_sink(&[]).await;
    eventually("it begins again", || rig.sink.values().len() == 6).await;
    rig.worker.stop_tasks(&[task(0)]).await;
}
