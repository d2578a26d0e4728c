//! Messages decoded without trusting their counts.
//!
//! The decoders of the message structs reserve memory for as many elements as an array claims to have, before they
//! read one: four damaged bytes ask for gigabytes. [`decode`] refuses such a message first.
//!
//! How: an array that claims more elements than bytes are left is dishonest, because each takes at least one; but the
//! decoder does not tell which numbers are counts. So the message is read through a [`Probe`], twice for trial: it hands
//! out every number that exceeds the bytes left as 0, and then as 1. A number that was a mere value changes nothing in
//! what is read next; one that was a count, or the length of a string, does. The third time the true numbers are handed
//! out, as long as everything is read at the places where it was read in the trials. No pass copies a payload.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::Decodable;
use kafka_protocol::protocol::buf::ByteBuf;

/// Reads a message from the front of `frame`. Reserves at most a few hundred bytes for each byte of `frame`.
///
/// # Errors
/// Says what cannot be read.
pub fn decode<T: Decodable>(frame: &mut Bytes, version: i16) -> Result<T, String> {
    let trial = |instead| {
        let mut probe = Probe::new(frame, Pass::Trial { instead });
        T::decode(&mut probe, version).map(|_| probe.trace).map_err(|e| e.to_string())
    };
    let first = trial(0)?;
    if !first.large.is_empty() && first != trial(1)? {
        return Err("an array or a text claims to be longer than the message".to_owned());
    }
    let mut probe = Probe::new(frame, Pass::True { trial: first });
    let message = T::decode(&mut probe, version).map_err(|e| e.to_string())?;
    *frame = probe.rest;
    Ok(message)
}

/// What a pass read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Trace {
    /// Where each read ended.
    reads: Vec<usize>,
    /// Where numbers stood that exceed what is left.
    large: Vec<usize>,
}

enum Pass {
    Trial {
        /// Handed out for large numbers.
        instead: u8,
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
    fn note(&mut self) {
        let position = self.position();
        if let Pass::True { trial } = &self.pass {
            self.astray |= trial.reads.get(self.trace.reads.len()) != Some(&position);
        }
        self.trace.reads.push(position);
    }

    /// Whether a large number, which starts at `at`, is to be handed out as it is, or as another.
    fn large(&mut self, at: usize) -> Result<Option<u8>, TryGetError> {
        match &self.pass {
            Pass::Trial { instead } => {
                self.trace.large.push(at);
                Ok(Some(*instead))
            }
            Pass::True { trial } if !self.astray && trial.large.binary_search(&at).is_ok() => Ok(None),
            Pass::True { .. } => Err(self.refused()),
        }
    }

    fn refused(&self) -> TryGetError {
        TryGetError { requested: usize::MAX, available: self.rest.len() }
    }
}

/// Most bytes of a variable-length number; the decoder takes what it has after them, whatever the last one says.
const VARINT_BYTES: usize = 5;

/// The variable-length number at the front and its length, if it is there as a whole.
fn varint(bytes: &[u8]) -> Option<(u32, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.iter().take(VARINT_BYTES).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 || index == VARINT_BYTES - 1 {
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
        self.note();
    }

    /// Single bytes are truth values and the parts of variable-length numbers.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        if self.within == 0
            && let Some((value, length)) = varint(&self.rest)
        {
            // Counts and lengths are written as one more than they are.
            let large = value as usize > self.rest.len() - length + 1;
            if let Some(instead) = if large { self.large(self.position())? } else { None } {
                // In the true pass it is read byte by byte.
                for _ in 0..length {
                    self.advance(1);
                }
                return Ok(instead + 1);
            }
            self.within = length;
        }
        self.within = self.within.saturating_sub(1);
        let byte = self.rest.try_get_u8()?;
        self.note();
        if self.astray { Err(self.refused()) } else { Ok(byte) }
    }

    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        let at = self.position();
        let value = self.rest.try_get_i32()?;
        self.note();
        let large = usize::try_from(value).is_ok_and(|value| value > self.rest.len());
        match if large { self.large(at)? } else { None } {
            Some(instead) => Ok(i32::from(instead)),
            None if self.astray => Err(self.refused()),
            None => Ok(value),
        }
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
        let endless = Bytes::from_static(&[0xcf; 6]);
        for (version, bytes) in [(1, fixed), (9, variable), (9, endless)] {
            let refused = decode::<MetadataRequest>(&mut bytes.clone(), version).unwrap_err();
            assert!(!refused.is_empty(), "version {version}");
        }
    }

    #[test]
    fn a_truth_value_that_looks_like_a_large_number_hides_nothing() {
        // Truth values of Metadata version 9 follow the topics: 0xff, and behind it an endless number.
        let honest = encoded(&MetadataRequest::default().with_allow_auto_topic_creation(true), 9);
        assert!(decode::<MetadataRequest>(&mut honest.clone(), 9).is_ok());
        for at in 0..honest.len() {
            let mut bytes = honest[..at].to_vec();
            bytes.extend_from_slice(&[0xff; 12]);
            bytes.extend_from_slice(&honest[at..]);
            assert!(decode::<MetadataRequest>(&mut bytes.into(), 9).is_err(), "at {at}");
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
