//! Offsets of sink connectors as clients write them: maps with Kafka's topic, partition and offset.

use std::collections::BTreeMap;

use connect_api::{ConnectError, ConnectorOffset};
use kafka_wire::admin::{GroupOffset, TopicPartition};
use serde_json::{Map, Value};

use crate::answers::BAD_REQUEST_CLASS;

const TOPIC: &str = "kafka_topic";
const PARTITION: &str = "kafka_partition";
const OFFSET: &str = "kafka_offset";

/// The offset of a group, as clients see it.
pub(super) fn sink_offset((topic, partition): TopicPartition, offset: GroupOffset) -> ConnectorOffset {
    ConnectorOffset {
        partition: Map::from_iter([
            (PARTITION.to_owned(), partition.into()),
            (TOPIC.to_owned(), topic.into()),
        ]),
        offset: Some(Map::from_iter([(OFFSET.to_owned(), offset.offset.into())])),
    }
}

/// The offsets that a client sent; `None` resets one.
///
/// # Errors
/// Of class [`BAD_REQUEST_CLASS`], with the first entry that is wrong.
pub(super) fn parse_sink_offsets(
    offsets: &[ConnectorOffset],
) -> Result<BTreeMap<TopicPartition, Option<i64>>, ConnectError> {
    let mut found = BTreeMap::new();
    for ConnectorOffset { partition, offset } in offsets {
        let (Some(topic), Some(number)) = (partition.get(TOPIC), partition.get(PARTITION)) else {
            return Err(bad(format!(
                "The partition for a sink connector offset must contain the keys '{TOPIC}' and '{PARTITION}'"
            )));
        };
        if topic.is_null() {
            return Err(bad("Kafka topic names must be valid strings and may not be null"));
        }
        if number.is_null() {
            return Err(bad("Kafka partitions must be valid numbers and may not be null"));
        }
        let number: i32 = plain(number).parse().map_err(|_| {
            bad(format!(
                "Failed to parse the following Kafka partition value in the provided offsets: '{}'. Partition values \
                 for sink connectors need to be integers.",
                plain(number)
            ))
        })?;
        let offset = offset.as_ref().map(parse_sink_offset).transpose()?;
        found.insert((plain(topic), number), offset);
    }
    Ok(found)
}

fn parse_sink_offset(offset: &Map<String, Value>) -> Result<i64, ConnectError> {
    let Some(value) = offset.get(OFFSET) else {
        return Err(bad(format!(
            "The offset for a sink connector should either be null or contain the key '{OFFSET}'"
        )));
    };
    plain(value).parse().map_err(|_| {
        bad(format!(
            "Failed to parse the following Kafka offset value in the provided offsets: '{}'. Offset values for sink \
             connectors need to be integers.",
            plain(value)
        ))
    })
}

/// A JSON value as Java's `String.valueOf` writes it, as far as scalars go.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn bad(message: impl std::fmt::Display) -> ConnectError {
    ConnectError::of(BAD_REQUEST_CLASS, message)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn offset(partition: Value, offset: Value) -> ConnectorOffset {
        ConnectorOffset {
            partition: partition.as_object().unwrap().clone(),
            offset: offset.as_object().cloned(),
        }
    }

    #[test]
    fn sink_offsets_are_read_as_connect_reads_them() {
        let parsed = parse_sink_offsets(&[
            offset(json!({TOPIC: "t", PARTITION: "1"}), json!({OFFSET: "20"})),
            offset(json!({TOPIC: 7, PARTITION: 2}), json!(null)),
        ])
        .unwrap();
        assert_eq!(parsed, BTreeMap::from([(("t".to_owned(), 1), Some(20)), (("7".to_owned(), 2), None)]));
        for (partition, value, text) in [
            (json!({TOPIC: "t"}), json!(null), "must contain the keys"),
            (json!({TOPIC: null, PARTITION: 1}), json!(null), "Kafka topic names must be valid"),
            (json!({TOPIC: "t", PARTITION: null}), json!(null), "Kafka partitions must be valid"),
            (
                json!({TOPIC: "t", PARTITION: "x"}),
                json!(null),
                "partition value in the provided offsets: 'x'",
            ),
            (json!({TOPIC: "t", PARTITION: 1}), json!({}), "contain the key 'kafka_offset'"),
            (
                json!({TOPIC: "t", PARTITION: 1}),
                json!({OFFSET: 1.5}),
                "offset value in the provided offsets: '1.5'",
            ),
        ] {
            let error = parse_sink_offsets(&[offset(partition, value)]).unwrap_err();
            assert_eq!(error.class(), BAD_REQUEST_CLASS);
            assert!(error.message().contains(text), "{error}");
        }
    }
}
