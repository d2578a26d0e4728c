//! The copy path's own settings (`replicator.*`), and how the clients' sizes bear on them.

use kafka_wire::settings::{ConsumerSettings, ProducerSettings};

use super::settings::{BatchMode, CopySettings, Notice, NoticeLevel, Profile};
use super::values::Values;

/// Reads the copy path's settings. The clusters' settings are missing if they could not be read, and then Kafka's
/// defaults stand in, so that all problems are found.
pub(super) fn copy(
    values: &mut Values,
    origin: Option<&ConsumerSettings>,
    destination: Option<&ProducerSettings>,
    notices: &mut Vec<Notice>,
) -> CopySettings {
    const MIB: usize = 1 << 20;
    let profiles = [("default", Profile::Default), ("small-memory", Profile::SmallMemory)];
    let profile = values.choice("replicator.profile", &profiles);
    let (fetch, buffer, inflight) = match profile {
        Profile::Default => (4 * MIB, 16 * MIB, 48 * MIB),
        Profile::SmallMemory => (MIB / 2, MIB, 4 * MIB),
    };
    let int = |bytes: usize| i32::try_from(bytes).unwrap_or(i32::MAX);
    let inflight_bytes = values.number("replicator.inflight.bytes", inflight, MIB / 4..=usize::MAX / 2);
    let wanted = origin.and_then(|origin| origin.fetch_max_bytes).unwrap_or(int(fetch));
    let mut fetch_max_bytes = values.number("replicator.fetch.max.bytes", wanted, 1..=i32::MAX);
    if fetch_max_bytes > int(inflight_bytes) {
        let text = format!(
            "one fetch of {fetch_max_bytes} bytes does not fit into replicator.inflight.bytes={inflight_bytes}, \
             which is used instead"
        );
        notices.push(Notice { level: NoticeLevel::Warning, source: None, text });
        fetch_max_bytes = int(inflight_bytes);
    }
    let partition = origin.map_or(int(MIB), |origin| origin.max_partition_fetch_bytes).min(fetch_max_bytes);
    let fetch_partition_max_bytes =
        values.number("replicator.fetch.partition.max.bytes", partition, 1..=i32::MAX);
    let request = destination.map_or(MIB, |destination| destination.max_request_size);
    CopySettings {
        profile,
        lanes_per_broker: values.listed_number("replicator.lanes.per.broker", 1..=64),
        inflight_bytes,
        fetch_max_bytes,
        fetch_partition_max_bytes,
        lane_buffer_bytes: values.number("replicator.lane.buffer.bytes", buffer, 1..=usize::MAX / 2),
        batches: values
            .choice("replicator.batches", &[("merge", BatchMode::Merge), ("preserve", BatchMode::Preserve)]),
        merge_max_bytes: values
            .number("replicator.merge.max.bytes", request.min(131_072), 1..=int_max())
            .min(request),
        merge_below_bytes: values.listed_number("replicator.merge.below.bytes", 0..=int_max()),
    }
}

/// The largest batch that Kafka's format can hold.
fn int_max() -> usize {
    usize::try_from(i32::MAX).unwrap_or(usize::MAX)
}
