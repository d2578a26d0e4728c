//! The bytes that workers exchange: metadata in JoinGroup, assignments in SyncGroup. Layouts: KIP-415 (version 1) and
//! KIP-507 (version 2) beside the first one (version 0). Readers are as tolerant as Java's: trailing fields may be
//! missing, arrays may be null, a higher version is read as the one that is known.

use bytes::{BufMut, Bytes, BytesMut};

use super::wire::{ProtocolError, Reader, put_string};
use super::work::ConnectorsAndTasks;
use crate::ids::TaskId;

/// Task number that means the connector instance.
const CONNECTOR_TASK: i32 = -1;

/// Way in which the group shares work: `connect.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConnectProtocol {
    /// All work stops for every rebalance.
    Eager,
    /// Incremental cooperative rebalancing (KIP-415), internal requests are not signed.
    Compatible,
    /// As `Compatible`, and the leader distributes a session key with which internal requests are signed (KIP-507).
    Sessioned,
}

/// A value that `connect.protocol` cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a Connect protocol; write sessioned, compatible or eager (connect.protocol)")]
pub struct UnknownProtocol(String);

impl std::str::FromStr for ConnectProtocol {
    type Err = UnknownProtocol;

    /// The setting's value, in any case.
    fn from_str(text: &str) -> Result<Self, UnknownProtocol> {
        let all = [Self::Eager, Self::Compatible, Self::Sessioned];
        let found = all.into_iter().find(|p| p.setting().eq_ignore_ascii_case(text));
        found.ok_or_else(|| UnknownProtocol(text.to_owned()))
    }
}

impl ConnectProtocol {
    /// The value of `connect.protocol`, and of the metric `connect-protocol`.
    pub fn setting(self) -> &'static str {
        match self {
            Self::Eager => "eager",
            Self::Compatible => "compatible",
            Self::Sessioned => "sessioned",
        }
    }

    /// The protocol's name in JoinGroup.
    pub fn wire_name(self) -> &'static str {
        match self {
            Self::Eager => "default",
            Self::Compatible | Self::Sessioned => self.setting(),
        }
    }

    /// The protocol with a name in JoinGroup.
    ///
    /// # Errors
    /// A name that this worker has not offered.
    pub fn from_wire_name(name: &str) -> Result<Self, UnknownProtocol> {
        let found = Self::Sessioned.offered().iter().find(|p| p.wire_name() == name);
        found.copied().ok_or_else(|| UnknownProtocol(name.to_owned()))
    }

    /// Version of metadata and assignments.
    pub fn version(self) -> i16 {
        match self {
            Self::Eager => 0,
            Self::Compatible => 1,
            Self::Sessioned => 2,
        }
    }

    /// Protocols that a worker with this setting offers in JoinGroup, best first.
    pub fn offered(self) -> &'static [Self] {
        match self {
            Self::Eager => &[Self::Eager],
            Self::Compatible => &[Self::Compatible, Self::Eager],
            Self::Sessioned => &[Self::Sessioned, Self::Compatible, Self::Eager],
        }
    }
}

/// A worker's word about itself when it joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metadata {
    /// Advertised REST URL, as `http://host:8083/`.
    pub url: String,
    /// Offset up to which it has read the config topic.
    pub config_offset: i64,
    /// Work that it holds; `None` when it holds nothing, and with [`ConnectProtocol::Eager`].
    pub allocation: Option<Assignment>,
}

impl Metadata {
    /// Name and metadata of each protocol that a worker with this `connect.protocol` offers, best first.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`].
    pub fn offer(&self, setting: ConnectProtocol) -> Result<Vec<(String, Bytes)>, ProtocolError> {
        let one = |p: &ConnectProtocol| Ok((p.wire_name().to_owned(), self.encode(*p)?));
        setting.offered().iter().map(one).collect()
    }

    /// The bytes for one protocol.
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`].
    pub fn encode(&self, protocol: ConnectProtocol) -> Result<Bytes, ProtocolError> {
        let mut to = BytesMut::new();
        to.put_i16(protocol.version());
        put_string(&mut to, &self.url, "url")?;
        to.put_i64(self.config_offset);
        if protocol != ConnectProtocol::Eager {
            match &self.allocation {
                None => to.put_i32(-1),
                Some(held) => {
                    let held = held.encode(protocol)?;
                    to.put_i32(held.len() as i32);
                    to.put_slice(&held);
                }
            }
        }
        Ok(to.freeze())
    }

    /// Reads any version.
    ///
    /// # Errors
    /// Bytes that no Connect worker writes.
    pub fn decode(bytes: Bytes) -> Result<Self, ProtocolError> {
        let mut from = Reader::new(bytes, "metadata");
        read_version(&mut from)?;
        let url = from.string("url")?;
        let config_offset = from.i64("config-offset")?;
        let allocation = if from.at_end() { None } else { from.nullable_bytes("allocation")? };
        let allocation = allocation.map(Assignment::decode).transpose()?;
        Ok(Self { url, config_offset, allocation })
    }
}

/// The leader's gift to a worker; also a worker's word about the work that it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Protocol version, 0 to 2.
    pub version: i16,
    /// [`Assignment::NO_ERROR`] or [`Assignment::CONFIG_MISMATCH`].
    pub error: i16,
    /// Member id of the leader.
    pub leader: String,
    /// REST URL of the leader.
    pub leader_url: String,
    /// Offset of the config topic that this was made from.
    pub config_offset: i64,
    /// All work (eager), or what comes to the work that is held (incremental).
    pub assigned: ConnectorsAndTasks,
    /// Work to be stopped (incremental).
    pub revoked: ConnectorsAndTasks,
    /// Ms until the worker is to join again; 0: not by itself.
    pub delay_ms: i32,
}

impl Assignment {
    /// [`Assignment::error`]: all is well.
    pub const NO_ERROR: i16 = 0;
    /// [`Assignment::error`]: the leader has not read the config topic as far as some member; there is no work in the
    /// assignment, and all join again once they have caught up.
    pub const CONFIG_MISMATCH: i16 = 1;

    /// True for an assignment without work because of an error.
    pub fn failed(&self) -> bool {
        self.error != Self::NO_ERROR
    }

    /// This incremental assignment with all that the worker has to run after it: what it was given now, and what it held
    /// and is not to stop. That is what it announces when it joins next. An eager assignment is complete by itself.
    #[must_use]
    pub fn with_held(mut self, held: &ConnectorsAndTasks) -> Self {
        let kept = held.minus(&self.revoked);
        self.assigned.add(&kept);
        self
    }

    /// The bytes for one protocol; eager has neither [`Assignment::revoked`] nor [`Assignment::delay_ms`].
    ///
    /// # Errors
    /// [`ProtocolError::TooLong`].
    pub fn encode(&self, protocol: ConnectProtocol) -> Result<Bytes, ProtocolError> {
        let mut to = BytesMut::new();
        to.put_i16(protocol.version());
        to.put_i16(self.error);
        put_string(&mut to, &self.leader, "leader")?;
        put_string(&mut to, &self.leader_url, "leader-url")?;
        to.put_i64(self.config_offset);
        put_work(&mut to, &self.assigned)?;
        if protocol != ConnectProtocol::Eager {
            put_work(&mut to, &self.revoked)?;
            to.put_i32(self.delay_ms);
        }
        Ok(to.freeze())
    }

    /// Reads any version.
    ///
    /// # Errors
    /// Bytes that no Connect worker writes; also no bytes at all, which is what a member gets whom the leader forgot.
    pub fn decode(bytes: Bytes) -> Result<Self, ProtocolError> {
        let mut from = Reader::new(bytes, "assignment");
        Ok(Self {
            version: read_version(&mut from)?,
            error: from.i16("error")?,
            leader: from.string("leader")?,
            leader_url: from.string("leader-url")?,
            config_offset: from.i64("config-offset")?,
            assigned: read_work(&mut from, "assignment")?,
            revoked: read_work(&mut from, "revoked")?,
            delay_ms: if from.at_end() { 0 } else { from.i32("delay")? },
        })
    }
}

fn read_version(from: &mut Reader) -> Result<i16, ProtocolError> {
    let version = from.i16("version")?;
    if version < 0 { Err(from.invalid("version", version)) } else { Ok(version) }
}

/// An array of connectors with task numbers, where -1 is the instance; missing: nothing.
fn read_work(from: &mut Reader, field: &'static str) -> Result<ConnectorsAndTasks, ProtocolError> {
    let mut work = ConnectorsAndTasks::default();
    if from.at_end() {
        return Ok(work);
    }
    for _ in 0..from.count(field)? {
        let connector = from.string("connector")?;
        for _ in 0..from.count("tasks")? {
            let number = from.i32("tasks")?;
            match usize::try_from(number) {
                Ok(task) => work.tasks.push(TaskId { connector: connector.clone(), task }),
                Err(_) if number == CONNECTOR_TASK => work.connectors.push(connector.clone()),
                Err(_) => return Err(from.invalid("tasks", number)),
            }
        }
    }
    Ok(work)
}

/// Connectors whose instance is in it come first, then those of which there are only tasks.
fn put_work(to: &mut BytesMut, work: &ConnectorsAndTasks) -> Result<(), ProtocolError> {
    let mut places = std::collections::HashMap::new();
    let mut grouped: Vec<(&str, Vec<i32>)> = Vec::new();
    let instances = work.connectors.iter().map(|name| (name, CONNECTOR_TASK));
    let number = |task: usize| i32::try_from(task).unwrap_or(i32::MAX);
    let tasks = work.tasks.iter().map(|id| (&id.connector, number(id.task)));
    for (name, number) in instances.chain(tasks) {
        let place = *places.entry(name).or_insert_with(|| {
            grouped.push((name, Vec::new()));
            grouped.len() - 1
        });
        grouped[place].1.push(number);
    }
    to.put_i32(grouped.len() as i32);
    for (name, numbers) in grouped {
        put_string(to, name, "connector")?;
        to.put_i32(numbers.len() as i32);
        numbers.into_iter().for_each(|number| to.put_i32(number));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn assignment() -> Assignment {
        let work = |connector: &str| ConnectorsAndTasks {
            connectors: vec![connector.to_owned()],
            tasks: vec![TaskId { connector: connector.to_owned(), task: 3 }],
        };
        Assignment {
            version: 1,
            error: 0,
            leader: "l".to_owned(),
            leader_url: "u".to_owned(),
            config_offset: 5,
            assigned: work("a"),
            revoked: work("b"),
            delay_ms: 7,
        }
    }

    #[test]
    fn missing_trailing_fields_and_null_arrays_read_as_nothing() {
        let whole = assignment().encode(ConnectProtocol::Compatible).unwrap();
        let head = 2 + 2 + 3 + 3 + 8;
        let bare = Assignment::decode(whole.slice(..head)).unwrap();
        assert_eq!((bare.assigned.is_empty(), bare.revoked.is_empty(), bare.delay_ms), (true, true, 0));
        let nulls = [&whole[..head], &[0xff; 8], &[0, 0, 0, 9]].concat();
        assert_eq!(Assignment::decode(nulls.into()).unwrap(), Assignment { delay_ms: 9, ..bare });
        let metadata = Metadata { url: "u".to_owned(), config_offset: 1, allocation: None };
        let eager = metadata.encode(ConnectProtocol::Eager).unwrap();
        assert_eq!(Metadata::decode(eager).unwrap(), metadata);
    }

    #[test]
    fn every_cut_inside_a_field_is_an_error_and_never_a_panic() {
        let held = Metadata { url: "u".to_owned(), config_offset: 1, allocation: Some(assignment()) };
        let whole = held.encode(ConnectProtocol::Sessioned).unwrap();
        let cut = |end: usize| Metadata::decode(whole.slice(..end));
        let readable: Vec<usize> = (0..whole.len()).filter(|end| cut(*end).is_ok()).collect();
        assert_eq!(readable, [2 + 3 + 8], "only where the allocation is missing as a whole");
        assert_eq!(cut(3).unwrap_err(), ProtocolError::Truncated { what: "metadata", field: "url" });
    }

    #[test]
    fn a_higher_version_is_read_and_a_negative_one_refused() {
        let mut bytes = assignment().encode(ConnectProtocol::Sessioned).unwrap().to_vec();
        bytes[1] = 9;
        bytes.extend([1, 2, 3]);
        assert_eq!(
            Assignment::decode(bytes.clone().into()).unwrap(),
            Assignment { version: 9, ..assignment() }
        );
        bytes[0] = 0xff;
        assert!(Assignment::decode(bytes.into()).unwrap_err().to_string().contains("'version': -247"));
    }

    #[test]
    fn settings_and_wire_names() {
        assert_eq!("SESSIONED".parse(), Ok(ConnectProtocol::Sessioned));
        assert!("default".parse::<ConnectProtocol>().unwrap_err().to_string().contains("connect.protocol"));
        assert_eq!(ConnectProtocol::from_wire_name("default"), Ok(ConnectProtocol::Eager));
        assert!(ConnectProtocol::from_wire_name("eager").is_err());
        let offer = Metadata { url: String::new(), config_offset: 0, allocation: None };
        let names: Vec<String> =
            offer.offer(ConnectProtocol::Sessioned).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["sessioned", "compatible", "default"]);
    }

    #[test]
    fn what_is_held_goes_on_unless_revoked() {
        let mut held = assignment().revoked;
        held.connectors.push("c".to_owned());
        let after = assignment().with_held(&held);
        assert_eq!(after.assigned.connectors, ["a", "c"]);
        assert_eq!(after.assigned.tasks.len(), 1);
    }
}
