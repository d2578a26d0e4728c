//! Messages decoded without trusting their counts.
//!
//! The decoders of the message structs reserve memory for as many elements as an array claims to have, before they
//! read one: four damaged bytes ask for gigabytes. [`decode`] refuses such a message first.
//!
//! How: an array that claims more elements than bytes are left is dishonest, because each takes at least one; but the
//! decoder does not tell which numbers are counts. So the message is first read twice through a [`Probe`], which hands out
//! every number that exceeds the bytes left as 0 and then as 1. A number that was a mere value changes nothing in what
//! is read next; one that was a count, or the length of a string, does. Both passes copy no payload.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::ByteBuf;

/// Reads a message from the front of `frame`. Reserves at most a few hundred bytes for each byte of `frame`.
///
/// # Errors
/// Says what cannot be read.
pub fn decode<T: Decodable>(frame: &mut Bytes, version: i16) -> Result<T, String> {
    let first = Probe::run::<T>(frame, version, 0)?;
    if first.replaced && first != Probe::run::<T>(frame, version, 1)? {
        return Err("an array or a text claims to be longer than the message".to_owned());
    }
    T::decode(frame, version).map_err(|e| e.to_string())
}

/// What a pass read.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    /// Positions of all reads, in one number.
    reads: u64,
    /// Whether a number was handed out as another.
    replaced: bool,
}

/// Hands out a message's bytes, but for numbers that exceed what is left.
struct Probe {
    rest: Bytes,
    length: usize,
    /// Handed out instead of such a number.
    instead: u8,
    /// Bytes of a variable-length number that has begun.
    within: usize,
    trace: Trace,
}

impl Probe {
    fn run<T: Decodable>(frame: &Bytes, version: i16, instead: u8) -> Result<Trace, String> {
        let trace = Trace { reads: 0, replaced: false };
        let mut probe = Self { rest: frame.clone(), length: frame.len(), instead, within: 0, trace };
        T::decode(&mut probe, version).map_err(|e| e.to_string())?;
        probe.note();
        Ok(probe.trace)
    }

    fn note(&mut self) {
        let position = (self.length - self.rest.len()) as u64;
        self.trace.reads = self.trace.reads.wrapping_mul(0x0100_0000_01b3) ^ position;
    }
}

/// The variable-length number at the front and its length, if it is there as a whole.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index).min(63);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

impl Buf for Probe {
    fn remaining(&self) -> usize {
        self.rest.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.rest.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.rest.advance(count);
        self.note();
    }

    /// Single bytes are truth values, which are small, and the parts of variable-length numbers.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        if self.within == 0
            && let Some((value, length)) = varint(&self.rest)
        {
            let left = (self.rest.len() - length) as u64;
            // Counts and lengths are written as one more than they are.
            if value > left.saturating_add(1) {
                self.trace.replaced = true;
                self.advance(length);
                return Ok(self.instead + 1);
            }
            self.within = length;
        }
        self.within = self.within.saturating_sub(1);
        let byte = self.rest.try_get_u8()?;
        self.note();
        Ok(byte)
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        let value = self.rest.try_get_i32()?;
        self.note();
        if usize::try_from(value).is_ok_and(|value| value > self.rest.len()) {
            self.trace.replaced = true;
            return Ok(i32::from(self.instead));
        }
        Ok(value)
    }
}

impl ByteBuf for Probe {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.rest.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        let bytes = self.rest.split_to(size);
        self.note();
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
    use kafka_protocol::protocol::{Encodable, Message, StrBytes};
    use proptest::prelude::*;

    use super::*;

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
                let read: FetchRequest = decode(&mut bytes.clone(), version).unwrap();
                assert_eq!(encoded(&read, version), bytes, "version {version}");
            }
        }
        let broker = MetadataResponseBroker::default().with_node_id(1_000_000.into()).with_port(9092);
        let topic =
            MetadataResponseTopic::default().with_name(Some(TopicName(StrBytes::from_static_str("a"))));
        let answer = MetadataResponse::default().with_brokers(vec![broker]).with_topics(vec![topic]);
        for version in 0..=13 {
            let bytes = encoded(&answer, version);
            let read: MetadataResponse = decode(&mut bytes.clone(), version).unwrap();
            assert_eq!(encoded(&read, version), bytes, "version {version}");
        }
    }

    #[test]
    fn counts_beyond_the_message_are_refused_and_not_reserved() {
        // Version 1: an array's count in four bytes. Version 9: in five, of seven bits each.
        let fixed = Bytes::from_static(&[0x7f, 0xff, 0xff, 0xff]);
        let variable = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0]);
        for (version, bytes) in [(1, fixed), (9, variable)] {
            let refused = decode::<MetadataRequest>(&mut bytes.clone(), version).unwrap_err();
            assert!(!refused.is_empty(), "version {version}");
        }
    }

    proptest! {
        #[test]
        fn damaged_messages_are_an_error_or_a_message(at in 0usize..400, byte: u8, version in 4i16..=18) {
            let mut bytes = encoded(&fetch(5), version).to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = decode::<FetchRequest>(&mut bytes.into(), version);
        }
    }
}
