//! Admin calls: topics, their configs, and offsets. All are methods of [`Cluster`](crate::cluster::Cluster);
//! each retries passing faults and returns the broker's own words otherwise.

mod configs;
mod group_members;
mod group_offsets;
mod log_offsets;
mod topics;

pub use configs::{ConfigSource, TopicConfig};
pub use group_members::GroupMemberInfo;
pub use group_offsets::GroupOffset;
pub use log_offsets::OffsetSpec;
pub use topics::NewTopic;

/// A partition by topic name and number.
pub type TopicPartition = (String, i32);
