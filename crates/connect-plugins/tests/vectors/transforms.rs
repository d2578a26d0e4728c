//! Transformations.

use connect_api::data::Headers;
use connect_api::{ConnectError, Record};
use connect_plugins::transforms::plugins;
use serde_json::{Value as Json, json};

use super::notation::{pair, pair_node};
use super::{Case, replay};

#[test]
fn records_are_transformed_as_in_java() {
    replay("transforms.jsonl", 2500, |case| {
        // Java looks for fields in schemas that are no structs, and fails.
        let no_struct = case.input["error"][0][1] == "Cannot list fields on non-struct type";
        if no_struct && case.text("class").contains("SetSchemaMetadata") {
            return None;
        }
        Some(apply(case).map(|record| record.as_ref().map_or(Json::Null, node)))
    });
}

fn apply(case: &Case) -> Result<Option<Record>, ConnectError> {
    let plugin = plugins().into_iter().find(|plugin| plugin.class == case.text("class")).unwrap();
    (plugin.create)(&case.config())?.apply(record(&case.input["record"]))
}

fn record(node: &Json) -> Record {
    let mut headers = Headers::default();
    for header in node["headers"].as_array().unwrap() {
        headers.add(header[0].as_str().unwrap(), pair(&header[1]));
    }
    Record {
        topic: node["topic"].as_str().unwrap().to_owned(),
        partition: node["partition"].as_i64().map(|n| n as i32),
        key: pair(&node["key"]),
        value: pair(&node["value"]),
        timestamp: node["timestamp"].as_i64(),
        headers,
        offset: node["offset"].as_i64(),
    }
}

fn node(record: &Record) -> Json {
    let headers: Vec<Json> = record.headers.iter().map(|h| json!([h.key, pair_node(&h.value)])).collect();
    json!({
        "topic": record.topic,
        "partition": record.partition,
        "timestamp": record.timestamp,
        "offset": record.offset,
        "key": pair_node(&record.key),
        "value": pair_node(&record.value),
        "headers": headers,
    })
}
