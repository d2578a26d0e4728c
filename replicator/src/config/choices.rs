//! Settings that are one of a few names. Each type knows its names; the table of settings and the reader take them from
//! here.

use std::fmt;

/// A setting with a fixed set of names, compared without regard to case.
pub(super) trait Choice: Copy + 'static {
    /// The names, in the order in which they are told.
    const NAMES: &'static [&'static str];
    /// The value of each of [`Self::NAMES`].
    const VALUES: &'static [Self];
}

macro_rules! names {
    ($type:ty: $($name:literal => $value:expr),+) => {
        impl Choice for $type {
            const NAMES: &'static [&'static str] = &[$($name),+];
            const VALUES: &'static [Self] = &[$($value),+];
        }
    };
}

names!(bool: "true" => true, "false" => false);
names!(TimestampType: "CreateTime" => Self::CreateTime, "LogAppendTime" => Self::LogAppendTime);
names!(OffsetStart: "connect" => Self::Connect, "consumer" => Self::Consumer);
names!(Profile: "default" => Self::Default, "small-memory" => Self::SmallMemory);
names!(BatchMode: "merge" => Self::Merge, "preserve" => Self::Preserve);

/// Kafka's `message.timestamp.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// Records keep the timestamp their producer gave.
    CreateTime,
    /// The broker stamps records when it appends them.
    LogAppendTime,
}

impl fmt::Display for TimestampType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CreateTime => "CreateTime",
            Self::LogAppendTime => "LogAppendTime",
        })
    }
}

/// Which store of offsets is believed first; without an answer from either, the start is the earliest offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetStart {
    /// Connect's offsets topic, then the consumer group at the origin.
    Connect,
    /// The consumer group at the origin, then Connect's offsets topic: takes over a MirrorMaker 1 group.
    Consumer,
}

/// `replicator.profile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// For throughput: tens of MiB of buffers.
    Default,
    /// For small machines: a few MiB of buffers.
    SmallMemory,
}

/// `replicator.batches`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchMode {
    /// Small uncompressed batches that wait for the link anyway are sent as one.
    Merge,
    /// Each batch of the origin stays one batch at the destination.
    Preserve,
}
