//! One round of a rebalance as its leader sees it: what the members said, what is configured. The assignors divide by it.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::protocol::{Assignment, ConnectProtocol, Metadata};
use super::wire::ProtocolError;
use super::work::ConnectorsAndTasks;

/// The config topic as far as the leader has read it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigSnapshot {
    /// Offset up to which it was read, -1 for nothing.
    pub offset: i64,
    /// Connectors with their numbers of tasks; 0 also where the task configurations are not all there.
    pub connectors: BTreeMap<String, usize>,
}

/// The broker's word to the leader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// The protocol that all members know.
    pub protocol: ConnectProtocol,
    /// Member id of the leader.
    pub leader: String,
    /// The generation that the members have just joined.
    pub generation: i32,
    /// The last generation for which the leader has received its own assignment, -1 for none.
    pub last_completed_generation: i32,
    /// Member ids with what they said, in the broker's order.
    pub members: Vec<(String, Metadata)>,
}

impl Round {
    /// Reads the members' metadata.
    ///
    /// # Errors
    /// Metadata that no Connect worker writes, or a leader that is no member.
    pub fn read(
        protocol: ConnectProtocol,
        leader: &str,
        generation: i32,
        last_completed_generation: i32,
        members: impl IntoIterator<Item = (String, Bytes)>,
    ) -> Result<Self, ProtocolError> {
        let read = |(id, bytes)| Ok((id, Metadata::decode(bytes)?));
        let members: Vec<_> = members.into_iter().map(read).collect::<Result<_, _>>()?;
        if !members.iter().any(|(id, _)| id == leader) {
            return Err(ProtocolError::NoLeader { leader: leader.to_owned(), members: members.len() });
        }
        Ok(Self { protocol, leader: leader.to_owned(), generation, last_completed_generation, members })
    }

    /// Offset up to which the member that has read most of the config topic has read it. A leader that is behind this has to read
    /// on before it calls [`super::Assignor::assign`], or nobody gets work.
    pub fn config_offset(&self) -> i64 {
        self.members.iter().map(|(_, m)| m.config_offset).max().unwrap_or(-1)
    }

    fn leader_url(&self) -> &str {
        self.members.iter().find(|(id, _)| *id == self.leader).map_or("", |(_, m)| &m.url)
    }

    /// An assignment of this round without work.
    pub(super) fn blank(&self, error: i16, config_offset: i64) -> Assignment {
        Assignment {
            version: self.protocol.version(),
            error,
            leader: self.leader.clone(),
            leader_url: self.leader_url().to_owned(),
            config_offset,
            assigned: ConnectorsAndTasks::default(),
            revoked: ConnectorsAndTasks::default(),
            delay_ms: 0,
        }
    }
}

/// An assignor's decision for one member.
#[derive(Debug, Clone, Default)]
pub(super) struct Share {
    pub(super) member: String,
    pub(super) assigned: ConnectorsAndTasks,
    pub(super) revoked: ConnectorsAndTasks,
    /// All that the member runs when it has done what it was told.
    pub(super) owned: ConnectorsAndTasks,
}
