//! The differences between kafka-sim and real brokers that are accepted, each with its reason.

use crate::support::Release;

pub(crate) struct Known {
    pub(crate) case: &'static str,
    pub(crate) label: &'static str,
    /// `None`: both.
    pub(crate) release: Option<Release>,
    pub(crate) sim: &'static str,
    /// Why it is accepted.
    pub(crate) reason: &'static str,
}

const OLD: &str = "no client since 2.1 asks for less; the message structs begin where those of 4.x do";
const NEW: &str = "names of topics in place of ids; the message structs cannot write the newest version";

const NO_TEXTS: &str = "kafka-sim does not explain settings";
const SEGMENTS: &str = "an answer ends with a segment, and kafka-sim's logs have none";

pub(crate) const KNOWN: &[Known] = &[
    versions("Produce", Release::V3_9, "3 to 11", OLD),
    versions("Fetch", Release::V3_9, "4 to 17", OLD),
    versions("ListOffsets", Release::V3_9, "1 to 9", OLD),
    versions("OffsetCommit", Release::V3_9, "2 to 9", OLD),
    versions("OffsetFetch", Release::V3_9, "1 to 9", OLD),
    versions("CreateTopics", Release::V3_9, "2 to 7", OLD),
    versions("DeleteTopics", Release::V3_9, "1 to 6", OLD),
    versions("DescribeConfigs", Release::V3_9, "1 to 4", OLD),
    versions("OffsetForLeaderEpoch", Release::V3_9, "2 to 4", OLD),
    versions("OffsetCommit", Release::V4_3, "2 to 9", NEW),
    versions("OffsetFetch", Release::V4_3, "1 to 9", NEW),
    Known {
        case: "versions_of_configs",
        label: "describe, version 3",
        release: None,
        sim: "0 604800000 type 5 explained false",
        reason: NO_TEXTS,
    },
    Known {
        case: "versions_of_configs",
        label: "describe, version 4",
        release: None,
        sim: "0 604800000 type 5 explained false",
        reason: NO_TEXTS,
    },
    Known {
        case: "compaction_of_transactions",
        label: "read, committed",
        release: None,
        sim: "0 high 12 stable 12 start 0 0..1 2..2 5..5 6..7 8..8 9..10 11..11 aborted [P1 from 3]",
        reason: SEGMENTS,
    },
    Known {
        case: "compaction_of_transactions",
        label: "read, uncommitted",
        release: None,
        sim: "0 high 12 stable 12 start 0 0..1 2..2 5..5 6..7 8..8 9..10 11..11 aborted null",
        reason: SEGMENTS,
    },
    versions("ListOffsets", Release::V4_3, "1 to 10", "11 only adds a question about tiered storage"),
];

const fn versions(api: &'static str, release: Release, sim: &'static str, reason: &'static str) -> Known {
    Known { case: "api_versions", label: api, release: Some(release), sim, reason }
}

pub(crate) fn is_listed(case: &str, label: &str, release: Release, sim: &str) -> bool {
    KNOWN.iter().any(|known| {
        known.case == case
            && known.label == label
            && known.release.is_none_or(|only| only == release)
            && known.sim == sim
            && !known.reason.is_empty()
    })
}
