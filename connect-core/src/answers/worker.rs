//! The worker itself: its loggers, what its herder does, and how it proves to others that it belongs to their group.

use std::collections::BTreeMap;
use std::time::SystemTime;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Level of a logger: `/admin/loggers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggerLevel {
    /// `TRACE` … `ERROR`, `OFF`.
    pub level: String,
    /// When REST last changed it, in ms since the epoch.
    pub last_modified: Option<i64>,
}

/// Loggers by name.
pub type LoggerLevels = BTreeMap<String, LoggerLevel>;

/// Proof of a worker to another that it belongs to the group (KIP-507).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalRequestSignature {
    /// The signed bytes: the body as it was received.
    pub body: Bytes,
    /// `X-Connect-Request-Signature-Algorithm`.
    pub algorithm: String,
    /// `X-Connect-Authorization`, decoded.
    pub signature: Vec<u8>,
}

/// Something that the herder's thread does or has done, for people who wait for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The work, to be read after "The worker is currently ".
    pub description: String,
    /// Since when.
    pub started: SystemTime,
    /// When it was done; `None`: it is still being done.
    pub completed: Option<SystemTime>,
}
