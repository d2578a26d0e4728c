//! The share of one task, as it stands in its configuration: `partition.assignment` is Kafka's ConsumerProtocol
//! assignment (version 1) in base64, as Confluent Replicator writes it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_wire::kafka_protocol::messages::ConsumerProtocolAssignment;
use kafka_wire::kafka_protocol::messages::consumer_protocol_assignment::TopicPartition as AssignedTopic;
use kafka_wire::kafka_protocol::protocol::{Decodable, Encodable, StrBytes};

/// Key of the assignment in a task's configuration.
pub(crate) const PARTITION_ASSIGNMENT: &str = "partition.assignment";

/// Key of the task's name in its configuration.
pub(crate) const TASK_ID: &str = "task.id";

const VERSION: i16 = 1;

/// Writes an assignment.
pub(crate) fn encode(partitions: &[(String, i32)]) -> Result<String, String> {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for (topic, partition) in partitions {
        topics.entry(topic).or_default().push(*partition);
    }
    let assigned = topics.into_iter().map(|(topic, partitions)| {
        AssignedTopic::default()
            .with_topic(StrBytes::from_string(topic.to_owned()).into())
            .with_partitions(partitions)
    });
    let assignment = ConsumerProtocolAssignment::default().with_assigned_partitions(assigned.collect());
    let mut out = BytesMut::new();
    out.put_i16(VERSION);
    assignment.encode(&mut out, VERSION).map_err(|e| e.to_string())?;
    Ok(STANDARD.encode(out))
}

/// Reads an assignment, of any version.
pub(crate) fn decode(text: &str) -> Result<Vec<(String, i32)>, String> {
    let mut bytes = Bytes::from(STANDARD.decode(text).map_err(|e| e.to_string())?);
    if bytes.len() < 2 {
        return Err("it is too short".to_owned());
    }
    let version = bytes.get_i16().clamp(0, 3);
    let assignment = ConsumerProtocolAssignment::decode(&mut bytes, version).map_err(|e| e.to_string())?;
    let topic = |t: &AssignedTopic| {
        let name = t.topic.to_string();
        t.partitions.iter().map(|p| (name.clone(), *p)).collect::<Vec<_>>()
    };
    Ok(assignment.assigned_partitions.iter().flat_map(topic).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let partitions = vec![("a".to_owned(), 0), ("a".to_owned(), 3), ("b".to_owned(), 1)];
        assert_eq!(decode(&encode(&partitions).unwrap()).unwrap(), partitions);
        assert!(decode("!").is_err());
        assert!(decode("AA==").is_err());
    }
}
