//! Membership of a Connect group: what workers tell each other through the group coordinator, and how the leader
//! divides connectors and tasks. Everything here is pure: bytes in and out, time as an argument. The herder drives it
//! with [`kafka_wire::group`], which carries the bytes.
//!
//! Guarantees: byte layouts and assignments are those of Connect 3.9 (KIP-415, KIP-507), so that workers of both kinds
//! can be in one group and either can lead. `tests/vectors/group` holds what Java's classes do with the same rounds.

mod assignor;
mod eager;
mod incremental;
mod protocol;
mod round;
mod wire;
mod work;

pub use assignor::{Assignor, GroupAssignment, LeaderState};
pub use incremental::IncrementalAssignor;
pub use protocol::{Assignment, ConnectProtocol, Metadata, UnknownProtocol};
pub use round::{ConfigSnapshot, Round};
pub use wire::ProtocolError;
pub use work::ConnectorsAndTasks;
