//! The produce request, framed by hand: every byte but the payloads is written here, payloads go out as the
//! slices they came in.

use bytes::{BufMut, Bytes, BytesMut};

use crate::batch::OutgoingBatch;
use crate::frame::Outbound;

/// First version with compact types and tagged fields.
const FLEXIBLE: i16 = 9;

/// One partition's part of a request.
pub(super) struct Part<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) batch: &'a OutgoingBatch,
    pub(super) producer_id: i64,
    pub(super) producer_epoch: i16,
    pub(super) sequence: i32,
}

/// Encodes a request body for versions 3 to 12, acks=all. `parts` must be sorted by topic and partition and
/// name each partition once: brokers silently keep only the last of two.
pub(super) fn encode(parts: &[Part<'_>], version: i16, timeout_ms: i32) -> Outbound {
    let distinct = |w: &[Part<'_>]| (w[0].topic, w[0].partition) < (w[1].topic, w[1].partition);
    assert!(parts.windows(2).all(distinct), "a produce request names each partition once, in order");

    let flexible = version >= FLEXIBLE;
    let mut out = Outbound::default();
    let mut head = BytesMut::with_capacity(32 + parts.len() * 96);
    if flexible {
        head.put_u8(0)
    } else {
        head.put_i16(-1)
    }
    head.put_i16(-1);
    head.put_i32(timeout_ms);
    let topics: Vec<&[Part<'_>]> = parts.chunk_by(|a, b| a.topic == b.topic).collect();
    put_length(&mut head, flexible, topics.len());
    for topic in topics {
        put_name(&mut head, flexible, topic[0].topic);
        put_length(&mut head, flexible, topic.len());
        for part in topic {
            head.put_i32(part.partition);
            put_length(&mut head, flexible, part.batch.size());
            head.put_slice(&part.batch.header_for(part.producer_id, part.producer_epoch, part.sequence));
            out.push(head.split().freeze());
            out.push(part.batch.payload().clone());
            put_no_tags(&mut head, flexible);
        }
        put_no_tags(&mut head, flexible);
    }
    put_no_tags(&mut head, flexible);
    out.push(Bytes::from(head));
    out
}

/// Length of an array or of bytes: 32 bits, or compact (one more, as a varint).
fn put_length(head: &mut BytesMut, flexible: bool, length: usize) {
    if !flexible {
        head.put_i32(length as i32);
        return;
    }
    let mut rest = length as u32 + 1;
    while rest >= 0x80 {
        head.put_u8(rest as u8 | 0x80);
        rest >>= 7;
    }
    head.put_u8(rest as u8);
}

fn put_name(head: &mut BytesMut, flexible: bool, name: &str) {
    if flexible {
        put_length(head, true, name.len())
    } else {
        head.put_i16(name.len() as i16)
    }
    head.put_slice(name.as_bytes());
}

fn put_no_tags(head: &mut BytesMut, flexible: bool) {
    if flexible {
        head.put_u8(0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use bytes::Buf;
    use kafka_protocol::messages::ProduceRequest;
    use kafka_protocol::protocol::Decodable;

    use super::*;
    use crate::batch::{BatchBuilder, Codec, Headers};

    fn batch(value: &str) -> OutgoingBatch {
        let mut builder = BatchBuilder::new(Codec::None);
        builder.push(1, None, Some(value.as_bytes()), &Headers::default()).unwrap();
        builder.finish().unwrap()
    }

    #[test]
    fn every_version_is_what_the_message_structs_read() {
        let (a, b) = (batch("a"), batch(&"b".repeat(300)));
        let part = |topic, partition, batch| Part {
            topic,
            partition,
            batch,
            producer_id: 7,
            producer_epoch: 1,
            sequence: 3,
        };
        for version in 3..=12 {
            let parts = [part("s", 0, &a), part("t", 0, &b), part("t", 4, &a)];
            let mut out = encode(&parts, version, 30_000);
            let mut bytes = out.copy_to_bytes(out.remaining());
            let read = ProduceRequest::decode(&mut bytes, version).unwrap();
            assert!(bytes.is_empty(), "version {version} leaves bytes");
            assert_eq!((read.acks, read.timeout_ms, read.transactional_id), (-1, 30_000, None));
            let found: Vec<_> = read
                .topic_data
                .iter()
                .flat_map(|t| {
                    t.partition_data.iter().map(|p| (t.name.to_string(), p.index, p.records.clone()))
                })
                .collect();
            assert_eq!(found.len(), 3);
            assert_eq!((found[1].0.as_str(), found[1].1, found[2].1), ("t", 0, 4));
            let records = found[1].2.clone().unwrap();
            assert_eq!(records.len(), b.size());
            assert_eq!(records[..61], b.header_for(7, 1, 3));
        }
    }

    #[test]
    #[should_panic(expected = "each partition once")]
    fn the_same_partition_twice_is_a_bug() {
        let a = batch("a");
        let part =
            || Part { topic: "t", partition: 0, batch: &a, producer_id: 7, producer_epoch: 1, sequence: 3 };
        encode(&[part(), part()], 9, 1);
    }
}
