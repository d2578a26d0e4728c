//! Messages decoded without trusting their counts.
//!
//! The decoders of the message structs reserve memory for as many elements as an array claims to have, before
//! they read one: four damaged bytes ask for gigabytes. [`decode`] refuses such a message first, by reading
//! it through a [`Probe`] that knows how many bytes are left: an element takes at least one.
//!
//! - Variable-length numbers are counts and lengths only, so one that exceeds what is left is refused at
//!   once.
//! - Four-byte numbers are mere values in flexible versions (KIP-482), whose counts and lengths all have
//!   variable length: such a message is read once. In older versions they are counts or values, and the
//!   decoder does not tell which. So where one exceeds what is left, the message is first read for trial with
//!   0, with 1 and with -1 in its place: a mere value changes nothing in what is read next, a count does, or
//!   cannot be -1.
//!
//! No pass copies a payload.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::ByteBuf;

/// Reads a message from the front of `frame`. Reserves at most a few hundred bytes for each byte of `frame`.
/// `flexible`: this version of the message is; false is always safe, and slower.
///
/// # Errors
/// Says what cannot be read.
pub fn decode<T: Decodable>(frame: &mut Bytes, version: i16, flexible: bool) -> Result<T, String> {
    let pass = if flexible { Pass::Only } else { Pass::True { trial: tried::<T>(frame, version)? } };
    let mut probe = Probe::new(frame, pass);
    let message = T::decode(&mut probe, version).map_err(|e| e.to_string())?;
    *frame = probe.rest;
    Ok(message)
}

/// Content of a message whose four-byte numbers are no counts that lie.
fn tried<T: Decodable>(frame: &Bytes, version: i16) -> Result<Trace, String> {
    let trial = |instead| {
        let mut probe = Probe::new(frame, Pass::Trial { instead });
        T::decode(&mut probe, version).map(|_| probe.trace).map_err(|e| e.to_string())
    };
    let first = trial(0)?;
    if !first.large.is_empty() && (first != trial(1)? || first != trial(-1)?) {
        return Err("an array claims to be longer than the message".to_owned());
    }
    Ok(first)
}

/// Trace of a pass.
#[derive(Debug, Default, PartialEq, Eq)]
struct Trace {
    /// End and kind of each read.
    reads: Vec<(usize, Kind)>,
    /// Positions of four-byte numbers that exceed what is left.
    large: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Byte,
    Int,
    Bytes,
    Other,
}

enum Pass {
    /// Of a flexible version.
    Only,
    Trial {
        /// Handed out for large numbers.
        instead: i32,
    },
    True {
        trial: Trace,
    },
}

/// Hands out a message's bytes and looks after its numbers.
struct Probe {
    rest: Bytes,
    length: usize,
    pass: Pass,
    trace: Trace,
    /// Bytes of a variable-length number that has begun.
    within: usize,
    /// Reading has left the places of the trial.
    astray: bool,
}

impl Probe {
    fn new(frame: &Bytes, pass: Pass) -> Self {
        let trace = Trace::default();
        Self { rest: frame.clone(), length: frame.len(), pass, trace, within: 0, astray: false }
    }

    fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    /// Notes the end of a read.
    fn note(&mut self, kind: Kind) {
        if matches!(self.pass, Pass::Only) {
            return;
        }
        let read = (self.position(), kind);
        if let Pass::True { trial } = &self.pass {
            self.astray |= trial.reads.get(self.trace.reads.len()) != Some(&read);
        }
        self.trace.reads.push(read);
    }

    fn refused(&self) -> TryGetError {
        TryGetError { requested: usize::MAX, available: self.rest.len() }
    }
}

/// Most bytes of a variable-length number.
const VARINT_BYTES: usize = 5;

/// The variable-length number at the front and its length; `None` when it is not there as a whole, or does
/// not end where such a number must.
fn varint(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(VARINT_BYTES).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

impl Buf for Probe {
    fn remaining(&self) -> usize {
        // Nothing is left for a reading that has gone astray.
        if self.astray { 0 } else { self.rest.remaining() }
    }

    fn chunk(&self) -> &[u8] {
        self.rest.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.rest.advance(count);
        self.note(Kind::Other);
    }

    /// Single bytes are truth values, which are 0 and 1, and the parts of variable-length numbers. A truth
    /// value that looks like the start of a number is taken for one, which can only refuse too much: what
    /// follows it is then read as a part of that number, ends where it ends, and is smaller.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        if self.within == 0 {
            let (value, length) = varint(&self.rest).ok_or_else(|| self.refused())?;
            // Counts and lengths are written as one more than they are.
            if value as usize > self.rest.len() - length + 1 {
                return Err(self.refused());
            }
            self.within = length;
        }
        self.within -= 1;
        let byte = self.rest.try_get_u8()?;
        self.note(Kind::Byte);
        if self.astray { Err(self.refused()) } else { Ok(byte) }
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        let at = self.position();
        let value = self.rest.try_get_i32()?;
        if matches!(self.pass, Pass::Only) {
            return Ok(value);
        }
        self.note(Kind::Int);
        let large = usize::try_from(value).is_ok_and(|value| value > self.rest.len());
        match &self.pass {
            Pass::Trial { instead } if large => {
                self.trace.large.push(at);
                Ok(*instead)
            }
            Pass::True { trial } if self.astray || large && trial.large.binary_search(&at).is_err() => {
                Err(self.refused())
            }
            _ => Ok(value),
        }
    }
}

impl ByteBuf for Probe {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.rest.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        let bytes = self.rest.split_to(size);
        self.note(Kind::Bytes);
        bytes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::BytesMut;
    use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
    use kafka_protocol::messages::metadata_response::{MetadataResponseBroker, MetadataResponseTopic};
    use kafka_protocol::messages::{FetchRequest, MetadataRequest, MetadataResponse, TopicName};
    use kafka_protocol::protocol::{Encodable, HeaderVersion, Message, StrBytes};
    use proptest::prelude::*;

    use super::*;

    fn read<T: Decodable + HeaderVersion>(bytes: &[u8], version: i16) -> Result<T, String> {
        let flexible = T::header_version(version) >= 2;
        let careful = decode::<T>(&mut Bytes::copy_from_slice(bytes), version, false);
        let read = decode::<T>(&mut Bytes::copy_from_slice(bytes), version, flexible);
        assert!(careful.is_err() || read.is_ok(), "what the slow way reads, the fast way reads too");
        read
    }

    fn encoded(message: &impl Encodable, version: i16) -> Bytes {
        let mut out = BytesMut::new();
        message.encode(&mut out, version).unwrap();
        out.freeze()
    }

    fn fetch(partitions: i32) -> FetchRequest {
        let partition = |n| FetchPartition::default().with_partition(n).with_partition_max_bytes(i32::MAX);
        let topic = FetchTopic::default()
            .with_topic(TopicName(StrBytes::from_static_str("t")))
            .with_topic_id(uuid::Uuid::from_u128(u128::MAX))
            .with_partitions((0..partitions).map(partition).collect());
        FetchRequest::default().with_max_wait_ms(500_000).with_session_id(i32::MAX).with_topics(vec![topic])
    }

    #[test]
    fn honest_messages_with_large_numbers_are_read() {
        for version in FetchRequest::VERSIONS.min..=FetchRequest::VERSIONS.max {
            for partitions in [0, 1, 200] {
                let bytes = encoded(&fetch(partitions), version);
                let read: FetchRequest = read(&bytes, version).unwrap();
                assert_eq!(encoded(&read, version), bytes, "version {version}");
            }
        }
        let broker = MetadataResponseBroker::default().with_node_id(1_000_000.into()).with_port(9092);
        let topic =
            MetadataResponseTopic::default().with_name(Some(TopicName(StrBytes::from_static_str("a"))));
        let answer = MetadataResponse::default().with_brokers(vec![broker]).with_topics(vec![topic]);
        for version in 0..=13 {
            let bytes = encoded(&answer, version);
            let flexible = MetadataResponse::header_version(version) >= 1;
            let read: MetadataResponse = decode(&mut bytes.clone(), version, flexible).unwrap();
            assert_eq!(encoded(&read, version), bytes, "version {version}");
        }
    }

    #[test]
    fn counts_beyond_the_message_are_refused_and_not_reserved() {
        // Version 1: an array's count in four bytes. Version 9: in five, of seven bits each.
        let fixed = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff]);
        let variable = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]);
        let endless = Bytes::from_static(&[0xcf; 6]);
        for (version, bytes) in [(1, fixed), (9, variable), (9, endless)] {
            let refused = read::<MetadataRequest>(&bytes, version).unwrap_err();
            assert!(!refused.is_empty(), "version {version}");
        }
    }

    #[test]
    fn a_count_that_reads_like_two_truth_values_is_refused() {
        // Found by fuzzing: with 0 and with 1 element, the same places are read.
        let found = [0xf6, 0x9a, 0x9a, 0x9a, 0x9a, 0x9a, 0x9a, 0x9a, 0, 0, 0, 1, 0, 1, 0, 1, 0xf6, 0];
        assert!(read::<MetadataRequest>(&found, 9).is_err());
        // A truth value and four bytes that could be one number, and with the next byte are a larger one.
        let found = [1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x0f, 0, 0, 0, 0, 0];
        assert!(read::<MetadataRequest>(&found, 9).is_err());
    }

    #[test]
    fn a_truth_value_that_looks_like_a_large_number_hides_nothing() {
        // Truth values of Metadata version 9 follow the topics: 0xff, and behind it an endless number.
        let honest = encoded(&MetadataRequest::default().with_allow_auto_topic_creation(true), 9);
        assert!(read::<MetadataRequest>(&honest, 9).is_ok());
        for at in 0..honest.len() {
            let mut bytes = honest[..at].to_vec();
            bytes.extend_from_slice(&[0xff; 12]);
            bytes.extend_from_slice(&honest[at..]);
            assert!(read::<MetadataRequest>(&bytes, 9).is_err(), "at {at}");
        }
    }

    proptest! {
        #[test]
        fn damaged_messages_are_an_error_or_a_message(at in 0usize..400, byte: u8, version in 4i16..=18) {
            let mut bytes = encoded(&fetch(5), version).to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = read::<FetchRequest>(&bytes, version);
        }
    }
}
