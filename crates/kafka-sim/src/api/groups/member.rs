//! Members of groups, and what they are told: the words in which `group` speaks to those who answer requests.

use bytes::Bytes;

/// Stage of a group's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

impl Phase {
    /// As answers and filters write it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// A member's words about itself when it joins.
#[derive(Debug, Clone)]
pub(crate) struct Joining {
    pub(crate) instance: Option<String>,
    pub(crate) client_id: String,
    pub(crate) protocol_type: String,
    /// Name and metadata, the one it likes best first.
    pub(crate) protocols: Vec<(String, Bytes)>,
    pub(crate) session_ms: i64,
    pub(crate) rebalance_ms: i64,
}

/// A member.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) said: Joining,
    pub(crate) assignment: Bytes,
    /// When its session ends, unless it waits for an answer.
    pub(super) expires_ms: i64,
    /// Its JoinGroup that waits.
    pub(super) join: Option<u64>,
    /// Its SyncGroup that waits.
    pub(super) sync: Option<u64>,
    /// It has not asked for its assignment in this generation.
    pub(super) unsynced: bool,
}

impl Member {
    /// Its metadata for a protocol.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        let said = self.said.protocols.iter().find(|(name, _)| name == protocol);
        said.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
    }

    pub(super) fn waits(&self) -> bool {
        self.join.is_some() || self.sync.is_some()
    }

    pub(super) fn supports(&self, protocol: &str) -> bool {
        self.said.protocols.iter().any(|(name, _)| name == protocol)
    }
}

/// Answer to JoinGroup.
#[derive(Debug, Clone, Default)]
pub(crate) struct Joined {
    pub(crate) error: i16,
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) leader: String,
    pub(crate) member_id: String,
    pub(crate) skip_assignment: bool,
    /// Id, instance and metadata of all; only for the leader.
    pub(crate) members: Vec<(String, Option<String>, Bytes)>,
}

impl Joined {
    pub(crate) fn error(member_id: &str, error: i16) -> Self {
        Self { error, generation: -1, member_id: member_id.to_owned(), ..Self::default() }
    }
}

/// Answer to SyncGroup.
#[derive(Debug, Clone, Default)]
pub(crate) struct Synced {
    pub(crate) error: i16,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) assignment: Bytes,
}

impl Synced {
    pub(crate) fn error(error: i16) -> Self {
        Self { error, ..Self::default() }
    }
}
