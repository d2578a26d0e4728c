//! Record sets as Java clients write them, in every message format and codec, read and lifted to v2.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;

use super::testing::read_back;
use super::*;

/// Magic, codec name and bytes of each vector.
fn vectors() -> impl Iterator<Item = (u8, &'static str, Bytes)> {
    include_str!("java_vectors.txt").lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut words = line.split(' ');
        let (magic, codec) = (words.next().unwrap().parse().unwrap(), words.next().unwrap());
        let hex = words.next().unwrap();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (magic, codec, (0..hex.len()).step_by(2).map(byte).collect())
    })
}

/// Content of the vectors: null key at 101, null value at 102, a hole before 105, a repeated header key there
/// in v2.
fn expected(magic: u8) -> Vec<Record> {
    let text = |text: String| Some(Bytes::from(text));
    let record = |index: i64| Record {
        offset: [100, 101, 102, 105][index as usize],
        timestamp: if magic == 0 { -1 } else { 1_700_000_000_030 - 10 * index },
        key: if index == 1 { None } else { text(format!("k{index}")) },
        value: if index == 2 { None } else { text(format!("{}{index}", "value ".repeat(6))) },
        headers: match (magic, index) {
            (2, 3) => Headers::from_pairs([(&b"a"[..], Some(&b"1"[..])), (&b"a"[..], None)]),
            _ => Headers::empty(),
        },
    };
    (0..4).map(record).collect()
}

#[test]
fn records_of_every_format_and_codec_are_read() {
    let mut seen = 0;
    for (magic, name, bytes) in vectors() {
        let mut read = Vec::new();
        for entry in split(bytes) {
            match entry.unwrap() {
                Entry::Batch(batch) => {
                    assert!(magic == 2 && batch.crc_is_valid());
                    assert_eq!(batch.attributes().codec().to_string(), name);
                    assert!(!batch.is_dense(), "the vectors have a hole");
                    read.extend(batch.records().unwrap().map(Result::unwrap));
                }
                Entry::Legacy(set) => {
                    assert!(magic == set.magic() as u8 && set.crc_is_valid());
                    assert_eq!(set.codec().to_string(), name);
                    read.extend(set.records().unwrap().map(Result::unwrap));
                }
            }
        }
        assert_eq!(read, expected(magic), "magic {magic} {name}");
        seen += 1;
    }
    assert_eq!(seen, 13);
}

#[test]
fn every_compressed_vector_becomes_one_dense_batch() {
    for (magic, name, bytes) in vectors().filter(|(magic, name, _)| *magic == 2 || *name != "none") {
        let rebuilt = match split(bytes).next().unwrap().unwrap() {
            Entry::Batch(batch) => reencode(&batch, 101, TimestampPolicy::AsRead),
            Entry::Legacy(set) => reencode(&set, 101, TimestampPolicy::AsRead),
        };
        let rebuilt = rebuilt.unwrap().unwrap();
        let mut wanted = expected(magic).split_off(1);
        for (offset, record) in (0..).zip(&mut wanted) {
            record.offset = offset;
        }
        assert_eq!(read_back(&rebuilt.batch), wanted, "magic {magic} {name}");
        assert_eq!(rebuilt.batch.codec().to_string(), name);
        assert_eq!(rebuilt.last_source_offset, 105);
        assert_eq!(rebuilt.runs, [SourceRun { offset: 101, count: 2 }, SourceRun { offset: 105, count: 1 }]);
    }
}
