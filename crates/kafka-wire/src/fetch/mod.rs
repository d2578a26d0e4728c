//! Reads whole record batches from a cluster, as fast as the caller takes them.
//!
//! A [`Fetcher`] holds any number of partitions. Each is pinned to a *lane*, a connection with a fetch
//! session to the partition's leader, so its batches come in order. Back-pressure is not fetching: a lane
//! asks again only while the frames that its earlier answers came in (and of which slices are still held
//! anywhere) fit its share of the memory budget.
//!
//! Guarantees: batches of a partition come in offset order without gaps of our making; a position moves only
//! past what was handed out; what the broker says is wrong with a partition is told once, as a
//! [`FetchProblem`], and never resolved by skipping.

mod answer;
mod answers;
mod budget;
mod fetcher;
mod lane;
mod leaders;
mod session;

use std::time::Duration;

use uuid::Uuid;

use crate::batch::{BatchError, Entry};
use crate::error_code::{ErrorCode, code_name};

pub use fetcher::Fetcher;

/// Settings of a fetcher.
#[derive(Debug, Clone)]
pub struct FetchSettings {
    /// `fetch.max.wait.ms`: how long the broker may wait for `min_bytes`.
    pub max_wait: Duration,
    /// `fetch.min.bytes`.
    pub min_bytes: i32,
    /// Bytes of one answer.
    pub max_bytes: usize,
    /// Bytes of one partition in one answer.
    pub partition_max_bytes: i32,
    /// Bytes of frames that one lane may hold.
    pub lane_buffer_bytes: usize,
    /// Bytes of frames that all lanes together may hold.
    pub budget_bytes: usize,
    /// Connections for each broker.
    pub lanes_per_broker: usize,
    /// True: only committed data, with the list of aborted transactions.
    pub read_committed: bool,
    /// `client.rack`, empty if none: a broker that knows a replica in that rack sends us there (KIP-392).
    pub rack: String,
}

/// Something to handle, about the partition that the caller added under `key`.
#[derive(Debug)]
pub struct FetchEvent {
    /// The caller's key.
    pub key: usize,
    /// The news.
    pub news: News,
}

/// Data, or what stands in its way.
#[derive(Debug)]
pub enum News {
    /// Entries in offset order, possibly none.
    Data(Fetched),
    /// The partition is not read any further until [`Fetcher::seek`] (or, where noted, by itself).
    Problem(FetchProblem),
    /// A problem that resolved by itself is over.
    Recovered,
}

/// Part of one answer that is about one partition.
#[derive(Debug)]
pub struct Fetched {
    /// Whole entries. The first may begin before the position that was asked for.
    pub entries: Vec<Entry>,
    /// The position that was asked for: records below it are not wanted.
    pub position: i64,
    /// End of what is replicated.
    pub high_watermark: i64,
    /// End of what is decided (no open transaction below it); -1 if the broker did not say.
    pub last_stable_offset: i64,
    /// First offset of the log; -1 if the broker did not say.
    pub log_start_offset: i64,
    /// Aborted transactions in reach of this data as `(producer id, first offset)`, when reading committed
    /// data.
    pub aborted: Vec<(i64, i64)>,
}

/// Problem that keeps a partition from being read on. Whose cluster it is, the caller knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchProblem {
    /// The position is outside the log: expired by retention, or beyond the end.
    #[error("offset {0} is outside the log")]
    OutOfRange(i64),
    /// The log below the position is not the one that was read: it was truncated there (unclean election).
    #[error("the log was truncated below offset {position}: epoch {epoch} ends at {end_offset}")]
    Diverged {
        /// Position of the reader.
        position: i64,
        /// Largest epoch that both sides know.
        epoch: i32,
        /// End of that epoch now.
        end_offset: i64,
    },
    /// The topic was deleted and created again under the same name.
    #[error("the topic was deleted and created again (topic id {was} is now {now})")]
    Recreated {
        /// Id at the time the partition was added.
        was: Uuid,
        /// Id now.
        now: Uuid,
    },
    /// The topic is not there. Looked for again by itself.
    #[error("the topic does not exist now")]
    Missing,
    /// No broker has answered for the partition for a while. Tried again by itself.
    #[error("the cluster does not answer: {0}")]
    Unreachable(String),
    /// No right to read. Tried again by itself.
    #[error("no right to read the topic (TOPIC_AUTHORIZATION_FAILED)")]
    NotAuthorized,
    /// The bytes are not record batches.
    #[error("the broker sent records that cannot be read: {0}")]
    Unreadable(BatchError),
    /// Another error code of the broker. After UNKNOWN_SERVER_ERROR (-1) it is tried again by itself.
    #[error("the broker answers {}", code_name(code.code()))]
    Other {
        /// Kafka's error code.
        code: ErrorCode,
    },
}

impl FetchProblem {
    /// True when the fetcher goes on trying by itself and tells [`News::Recovered`] in the end.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Missing | Self::Unreachable(_) | Self::NotAuthorized => true,
            Self::Other { code } => *code == ErrorCode::UnknownServerError,
            Self::OutOfRange(_) | Self::Diverged { .. } | Self::Recreated { .. } | Self::Unreadable(_) => {
                false
            }
        }
    }
}
