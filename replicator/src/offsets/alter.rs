//! Positions that users set or reset by REST, while the connector is stopped. The worker keeps its own store in step; here is
//! checked what they say, and the group at the origin follows, which [`super::start_positions`] may believe first.

use std::collections::BTreeMap;

use connect_core::api::{ConnectError, ConnectorOffset};
use kafka_wire::WireError;
use kafka_wire::admin::{GroupOffset, OffsetSpec, TopicPartition};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::topics::rename::check_name;

/// New last copied offset of each partition; `None`: as if nothing had been copied.
pub(crate) type Altered = BTreeMap<TopicPartition, Option<i64>>;

/// The offsets of a request.
///
/// # Errors
/// When one is not what the copy stores: `{"topic":…,"partition":…}` and `{"offset":…}`.
pub(crate) fn checked(offsets: &[ConnectorOffset]) -> Result<Altered, ConnectError> {
    let check = |entry: &ConnectorOffset| {
        let offset = entry.offset.as_ref().map(last_offset).transpose()?;
        Ok((partition(&entry.partition)?, offset))
    };
    offsets.iter().map(check).collect()
}

fn partition(map: &Map<String, Value>) -> Result<TopicPartition, ConnectError> {
    let refused = |reason: String| {
        Err(ConnectError::new(format!(
            "the partition {} cannot be used: {reason}; it must be \
             {{\"topic\":\"<name at the origin>\",\"partition\":<number>}}",
            Value::Object(map.clone())
        )))
    };
    if let Some(other) = map.keys().find(|key| !["topic", "partition"].contains(&key.as_str())) {
        return refused(format!("{other} is not part of it"));
    }
    let Some(topic) = map.get("topic").and_then(Value::as_str) else {
        return refused("topic must be a text".to_owned());
    };
    if let Err(reason) = check_name(topic) {
        return refused(format!("topic is not a topic name: {reason}"));
    }
    let number = map.get("partition").and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    match number.filter(|number| *number >= 0) {
        Some(number) => Ok((topic.to_owned(), number)),
        None => refused("partition must be a whole number of at least 0".to_owned()),
    }
}

fn last_offset(map: &Map<String, Value>) -> Result<i64, ConnectError> {
    let number = map.get("offset").and_then(Value::as_i64).filter(|offset| *offset >= 0);
    match number.filter(|offset| map.len() == 1 && *offset < i64::MAX) {
        Some(offset) => Ok(offset),
        None => Err(ConnectError::new(format!(
            "the offset {} cannot be used: it must be {{\"offset\":<number>}}, the last offset that counts as copied, at \
             least 0; null resets the partition",
            Value::Object(map.clone())
        ))),
    }
}

/// Commits for the group at the origin what was set; a reset is its log's beginning, as a commit cannot be taken back
/// without being the group's only member.
///
/// # Errors
/// When the origin does not take it.
pub(crate) async fn at_origin(context: &Context, altered: &Altered) -> Result<(), ConnectError> {
    let group = context.group();
    let origin = context.origin().map_err(ConnectError::new)?;
    let commit = async {
        origin.connect().await?;
        let topics: Vec<String> = altered.keys().map(|(topic, _)| topic.clone()).collect();
        let metadata = origin.refresh(Some(&topics)).await?;
        // A partition that is gone has no position there.
        let there = altered.iter().filter(|((t, p), _)| metadata.partition(t, *p).is_some());
        let (set, reset): (Vec<_>, Vec<_>) = there.partition(|(_, offset)| offset.is_some());
        let reset: Vec<TopicPartition> = reset.into_iter().map(|(partition, _)| partition.clone()).collect();
        let first = if reset.is_empty() {
            BTreeMap::new()
        } else {
            origin.list_offsets(&reset, OffsetSpec::Earliest).await?
        };
        let next = set.into_iter().filter_map(|(partition, last)| Some((partition.clone(), (*last)? + 1)));
        let positions: BTreeMap<TopicPartition, GroupOffset> = next
            .chain(first)
            .map(|(partition, offset)| (partition, GroupOffset { offset, leader_epoch: -1 }))
            .collect();
        if positions.is_empty() {
            return Ok(());
        }
        origin.commit_group_offsets(group, &positions).await
    };
    let outcome: Result<(), WireError> = commit.await;
    outcome.map_err(|error| {
        ConnectError::new(format!(
            "the positions of group {group} at the origin cannot be changed: {error}; offset.topic.commit=false leaves them \
             alone"
        ))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(partition: Value, offset: Value) -> ConnectorOffset {
        ConnectorOffset {
            partition: partition.as_object().unwrap().clone(),
            offset: offset.as_object().cloned(),
        }
    }

    #[test]
    fn positions_are_what_the_copy_stores() {
        let good = json!({"topic": "t", "partition": 3});
        let one = |partition: &Value, offset: Value| checked(&[entry(partition.clone(), offset)]);
        let key = ("t".to_owned(), 3);
        assert_eq!(one(&good, json!({"offset": 7})).unwrap(), BTreeMap::from([(key.clone(), Some(7))]));
        assert_eq!(one(&good, Value::Null).unwrap(), BTreeMap::from([(key, None)]));
        for offset in [json!({}), json!({"offset": -1}), json!({"offset": "7"}), json!({"offset": 1, "x": 1})]
        {
            let error = one(&good, offset).unwrap_err().to_string();
            assert!(error.contains("{\"offset\":<number>}"), "{error}");
        }
        for (partition, says) in [
            (json!({"topic": "t"}), "partition must be a whole number"),
            (json!({"topic": "t", "partition": -1}), "partition must be a whole number"),
            (json!({"topic": "t", "partition": "0"}), "partition must be a whole number"),
            (json!({"partition": 0}), "topic must be a text"),
            (json!({"topic": "a/b", "partition": 0}), "not a topic name"),
            (json!({"topic": "t", "partition": 0, "cluster": "x"}), "cluster is not part of it"),
        ] {
            let error = one(&partition, Value::Null).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
