//! Settings of a task's fetcher and of the producer of its batches, from the configuration of its connector.

use kafka_wire::fetch::FetchSettings;
use kafka_wire::produce::{MergeSettings, ProduceSettings};

use super::cures::advice;
use crate::config::{BatchMode, ReplicatorConfig};

/// Bytes of one produce request: enough for a merged batch of every partition of a busy lane.
const MAX_REQUEST_BYTES: usize = 4 * 1024 * 1024;

/// Settings of the fetcher. The memory of a connector is shared evenly by its tasks.
pub(super) fn fetch_settings(config: &ReplicatorConfig) -> FetchSettings {
    let (origin, copy) = (&config.origin, &config.copy);
    FetchSettings {
        max_wait: origin.fetch_max_wait,
        min_bytes: origin.fetch_min_bytes,
        max_bytes: usize::try_from(copy.fetch_max_bytes).unwrap_or(usize::MAX),
        partition_max_bytes: copy.fetch_partition_max_bytes,
        lane_buffer_bytes: copy.lane_buffer_bytes,
        budget_bytes: copy.inflight_bytes / config.tasks_max.max(1),
        lanes_per_broker: copy.lanes_per_broker,
        read_committed: origin.read_committed,
        rack: origin.client_rack.clone(),
    }
}

/// Settings of the producer.
pub(super) fn produce_settings(config: &ReplicatorConfig) -> ProduceSettings {
    let copy = &config.copy;
    let merge = MergeSettings { below_bytes: copy.merge_below_bytes, max_bytes: copy.merge_max_bytes };
    ProduceSettings {
        lanes_per_broker: copy.lanes_per_broker,
        max_request_bytes: MAX_REQUEST_BYTES,
        timeout: config.destination.client.request_timeout,
        merge: (copy.batches == BatchMode::Merge).then_some(merge),
        advice: advice(),
    }
}
