//! Message formats 0 and 1 from byte vectors.
#![allow(clippy::unwrap_used)]

use super::super::{Entry, TimestampPolicy, codec, reencode, split, testing};
use super::*;

/// A stored message; timestamp only with magic 1; `attributes` as they are.
fn message(
    offset: i64,
    magic: u8,
    attributes: u8,
    timestamp: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
) -> Vec<u8> {
    let mut covered = vec![magic, attributes];
    if magic == 1 {
        covered.extend_from_slice(&timestamp.to_be_bytes());
    }
    for field in [key, value] {
        covered.extend_from_slice(&field.map_or(-1, |field| field.len() as i32).to_be_bytes());
        covered.extend_from_slice(field.unwrap_or_default());
    }
    let mut crc = flate2::Crc::new();
    crc.update(&covered);
    let mut out = offset.to_be_bytes().to_vec();
    out.extend_from_slice(&(covered.len() as i32 + 4).to_be_bytes());
    out.extend_from_slice(&crc.sum().to_be_bytes());
    out.extend_from_slice(&covered);
    out
}

fn only(bytes: Vec<u8>) -> LegacySet {
    let mut entries: Vec<_> = split(bytes.into()).map(Result::unwrap).collect();
    assert_eq!(entries.len(), 1);
    match entries.remove(0) {
        Entry::Legacy(set) => set,
        Entry::Batch(batch) => panic!("{batch:?}"),
    }
}

/// Offset, timestamp and value of each message.
fn read(set: &LegacySet) -> Vec<(i64, i64, Option<Bytes>)> {
    set.records()
        .unwrap()
        .map(|record| record.map(|record| (record.offset, record.timestamp, record.value)).unwrap())
        .collect()
}

fn text(value: &'static str) -> Option<Bytes> {
    Some(Bytes::from_static(value.as_bytes()))
}

#[test]
fn a_plain_message_of_format_0_byte_by_byte() {
    let set = only(vec![
        0, 0, 0, 0, 0, 0, 0, 42, // offset
        0, 0, 0, 18, // length
        0x93, 0x91, 0xe6, 0x57, // CRC32
        0, 0, // magic, attributes
        0, 0, 0, 1, b'k', // key
        0, 0, 0, 3, b'a', b'b', b'c', // value
    ]);
    assert_eq!((set.magic(), set.codec(), set.timestamp()), (0, Codec::None, -1));
    assert_eq!((set.last_offset(), set.next_offset(), set.size()), (42, 43, 30));
    assert!(set.crc_is_valid() && !set.log_append_time());
    let record = set.records().unwrap().next().unwrap().unwrap();
    assert_eq!((record.offset, record.timestamp), (42, -1));
    assert_eq!((record.key, record.value), (text("k"), text("abc")));
    assert!(record.headers.is_empty());
}

#[test]
fn a_plain_message_of_format_1_byte_by_byte() {
    let set = only(vec![
        0, 0, 0, 0, 0, 0, 0, 7, // offset
        0, 0, 0, 22, // length
        0x46, 0xf1, 0x41, 0x85, // CRC32
        1, 8, // magic, attributes: LogAppendTime
        0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0x00, // timestamp
        0xff, 0xff, 0xff, 0xff, // null key
        0xff, 0xff, 0xff, 0xff, // null value
    ]);
    assert!(set.crc_is_valid() && set.log_append_time());
    let record = set.records().unwrap().next().unwrap().unwrap();
    assert_eq!((record.offset, record.timestamp), (7, 1_700_000_000_000));
    assert_eq!((record.key, record.value), (None, None));
}

#[test]
fn wrappers_of_format_0_hold_absolute_offsets() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4] {
        let inner = [10, 11, 15].map(|offset| message(offset, 0, 0, 0, None, Some(b"v"))).concat();
        let mut packed = codec::compress(codec, None, inner).unwrap().to_vec();
        if codec == Codec::Lz4 {
            // The checksum over the magic number too, as this format's writers had it.
            packed[6] = super::super::lz4_legacy::header_checksum(&packed[..6]);
            assert_ne!(packed[6], 0x82);
        }
        let set = only(message(15, 0, codec.id(), 0, None, Some(&packed)));
        assert!(set.crc_is_valid());
        let expected = [10, 11, 15].map(|offset| (offset, -1, text("v")));
        assert_eq!(read(&set), expected, "{codec}");
    }
}

fn wrapper_1(codec: Codec, attributes: u8) -> LegacySet {
    // Relative offsets with a hole, as a cleaned wrapper has them; the wrapper carries the last one.
    let inner = [(0, 100), (1, 300), (4, 200)]
        .map(|(offset, time)| message(offset, 1, 0, time, Some(b"k"), Some(b"v")))
        .concat();
    let packed = codec::compress(codec, None, inner).unwrap();
    only(message(504, 1, codec.id() | attributes, 300, None, Some(&packed)))
}

#[test]
fn wrappers_of_format_1_hold_relative_offsets() {
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4] {
        let set = wrapper_1(codec, 0);
        let expected = [(500, 100), (501, 300), (504, 200)].map(|(offset, time)| (offset, time, text("v")));
        assert_eq!(read(&set), expected, "{codec}");
        let stamped = wrapper_1(codec, 8);
        assert!(read(&stamped).iter().all(|(_, time, _)| *time == 300));
    }
}

#[test]
fn old_formats_become_v2_batches() {
    let rebuilt = reencode(&wrapper_1(Codec::Gzip, 0), 501, TimestampPolicy::AsRead).unwrap().unwrap();
    assert_eq!(rebuilt.batch.codec(), Codec::Gzip);
    assert_eq!(rebuilt.last_source_offset, 504);
    assert_eq!(
        rebuilt.runs.iter().map(|run| (run.offset, run.count)).collect::<Vec<_>>(),
        [(501, 1), (504, 1)]
    );
    let records = testing::read_back(&rebuilt.batch);
    assert_eq!(records.iter().map(|record| record.timestamp).collect::<Vec<_>>(), [300, 200]);
    let own = reencode(&wrapper_1(Codec::Lz4, 8), 0, TimestampPolicy::Producer).unwrap().unwrap();
    let times: Vec<_> = testing::read_back(&own.batch).iter().map(|record| record.timestamp).collect();
    assert_eq!(times, [100, 300, 200]);
    let plain = reencode(&only(message(3, 0, 0, 0, None, Some(b"v"))), 0, TimestampPolicy::AsRead);
    assert_eq!(testing::read_back(&plain.unwrap().unwrap().batch)[0].timestamp, -1);
}

#[test]
fn mixed_sets_split_entry_by_entry() {
    let v2 = testing::Stored::with_deltas(&[0], 0, Codec::None).bytes();
    let bytes = [
        message(1, 0, 0, 0, None, Some(b"a")),
        message(2, 1, 0, 5, None, Some(b"b")),
        v2.to_vec(),
        message(3, 1, 0, 5, None, Some(b"torn"))[..20].to_vec(),
    ]
    .concat();
    let next: Vec<_> = split(bytes.into()).map(|entry| entry.unwrap().next_offset()).collect();
    assert_eq!(next, [2, 3, 1001]);
}

#[test]
fn malformed_messages_are_errors() {
    let error = |set: LegacySet| match set.records() {
        Err(error) => error.to_string(),
        Ok(mut records) => records.find_map(Result::err).unwrap().to_string(),
    };
    let wrap = |inner: Vec<u8>| {
        let packed = codec::compress(Codec::Gzip, None, inner).unwrap();
        only(message(9, 1, 1, 0, None, Some(&packed)))
    };
    assert!(error(only(message(9, 1, 1, 0, None, None))).contains("its value is null"));
    assert!(error(wrap(Vec::new())).contains("a wrapper without messages"));
    assert!(error(wrap(message(0, 1, 0, 0, None, None)[..20].to_vec())).contains("without messages"));
    let nested = message(0, 1, 1, 0, None, Some(b"x"));
    assert!(error(wrap(nested)).contains("a compressed message inside a compressed message"));
    let mut long_key = message(5, 0, 0, 0, Some(b"key"), None);
    long_key[21] = 200;
    assert!(error(only(long_key)).contains("its key does not fit"));
}
