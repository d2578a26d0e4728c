//! The copy path's own settings (`replicator.*`), and how the clients' sizes bear on them.

use kafka_wire::settings::{ConsumerSettings, ProducerSettings};

use super::choices::Profile;
use super::notice::{Notice, NoticeLevel};
use super::settings::CopySettings;
use super::table::find;
use super::values::{Number, Values, default_number};

/// Reads the copy path's settings. The clusters' settings are missing if they could not be read, and then Kafka's
/// defaults stand in, so that all problems are found.
pub(super) fn copy(
    values: &mut Values,
    origin: Option<&ConsumerSettings>,
    destination: Option<&ProducerSettings>,
    notices: &mut Vec<Notice>,
) -> CopySettings {
    let profile = values.choice("replicator.profile");
    let inflight_bytes = sized(values, "replicator.inflight.bytes", profile);
    let fetch_max_bytes = fetch_max_bytes(values, profile, origin, inflight_bytes, notices);
    let partition = origin.map_or_else(
        || default_number("replicator.fetch.partition.max.bytes"),
        |origin| origin.max_partition_fetch_bytes,
    );
    let request = destination.map_or(1 << 20, |destination| destination.max_request_size);
    let merge = default_number::<usize>("replicator.merge.max.bytes").min(request);
    CopySettings {
        profile,
        lanes_per_broker: values.number("replicator.lanes.per.broker"),
        inflight_bytes,
        fetch_max_bytes,
        fetch_partition_max_bytes: values
            .number_or("replicator.fetch.partition.max.bytes", partition.min(fetch_max_bytes)),
        lane_buffer_bytes: sized(values, "replicator.lane.buffer.bytes", profile),
        batches: values.choice("replicator.batches"),
        merge_max_bytes: values.number_or("replicator.merge.max.bytes", merge).min(request),
        merge_below_bytes: values.number("replicator.merge.below.bytes"),
    }
}

/// A fetch must fit into the memory for data under way.
fn fetch_max_bytes(
    values: &mut Values,
    profile: Profile,
    origin: Option<&ConsumerSettings>,
    inflight_bytes: usize,
    notices: &mut Vec<Notice>,
) -> i32 {
    const KEY: &str = "replicator.fetch.max.bytes";
    let wanted = origin.and_then(|origin| origin.fetch_max_bytes);
    let wanted = wanted.unwrap_or_else(|| default_in(profile, KEY));
    let bytes = values.number_or(KEY, wanted);
    let most = i32::try_from(inflight_bytes).unwrap_or(i32::MAX);
    if bytes > most {
        let text = format!(
            "one fetch of {bytes} bytes does not fit into replicator.inflight.bytes={inflight_bytes}, which is \
             used instead"
        );
        notices.push(Notice { level: NoticeLevel::Warning, source: None, text });
    }
    bytes.min(most)
}

/// A size whose default is the profile's.
fn sized<T: Number>(values: &mut Values, key: &str, profile: Profile) -> T {
    values.number_or(key, default_in(profile, key))
}

fn default_in<T: Number>(profile: Profile, key: &str) -> T {
    let small = find(key).and_then(|known| known.small_memory).filter(|_| profile == Profile::SmallMemory);
    small.and_then(|text| text.parse().ok()).unwrap_or_else(|| default_number(key))
}
