//! Views, splitting, passing on, records and merging, seen from outside.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use proptest::prelude::*;

use super::testing::{CODECS, Stored, build, push_record, read, read_back, records, values};
use super::*;

fn dense(count: i32, codec: Codec) -> Stored {
    Stored::with_deltas(&(0..count).collect::<Vec<_>>(), count - 1, codec)
}

#[test]
fn every_header_field_is_read_from_its_place() {
    let mut stored = dense(3, Codec::Lz4);
    stored.attributes |= 1 << 3 | 1 << 4 | 1 << 6;
    stored.producer = (0x0102_0304_0506, 7, 8);
    let batch = stored.batch();
    assert_eq!((batch.base_offset(), batch.partition_leader_epoch(), batch.magic()), (1000, 77, 2));
    assert_eq!((batch.last_offset_delta(), batch.count()), (2, 3));
    assert_eq!((batch.last_offset(), batch.next_offset()), (1002, 1003));
    assert_eq!((batch.base_timestamp(), batch.max_timestamp()), (5_000, 9_000));
    assert_eq!(
        (batch.producer_id(), batch.producer_epoch(), batch.base_sequence()),
        (0x0102_0304_0506, 7, 8)
    );
    let attributes = batch.attributes();
    assert_eq!(attributes.codec(), Codec::Lz4);
    assert!(attributes.log_append_time() && attributes.transactional() && attributes.delete_horizon());
    assert!(!attributes.control() && batch.is_dense() && batch.crc_is_valid());
    assert_eq!(batch.payload(), stored.payload);
    assert_eq!(batch.size(), 61 + stored.payload.len());
}

#[test]
fn a_flipped_bit_breaks_the_crc() {
    let mut bytes = dense(3, Codec::None).bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 1;
    assert!(!Batch::new(bytes.into()).unwrap().crc_is_valid());
}

#[test]
fn dense_is_what_a_broker_accepts() {
    let judge = |count, last_offset_delta| {
        Stored { count, last_offset_delta, ..dense(1, Codec::None) }.batch().is_dense()
    };
    assert!(judge(5, 4) && judge(i32::MAX, i32::MAX - 1));
    assert!(!judge(5, 9) && !judge(0, 4) && !judge(0, -1) && !judge(6, 4) && !judge(-1, -2));
}

#[test]
fn an_impossible_last_offset_never_leads_backwards() {
    let batch = Stored { last_offset_delta: -500, ..dense(1, Codec::None) }.batch();
    assert_eq!(batch.next_offset(), 1001);
    let batch = Stored { base_offset: i64::MAX, ..dense(2, Codec::None) }.batch();
    assert_eq!(batch.next_offset(), i64::MAX);
}

#[test]
fn split_yields_whole_batches_and_leaves_the_torn_tail() {
    let first = dense(3, Codec::None).bytes();
    let second = dense(2, Codec::Gzip).bytes();
    let joined = Bytes::from([&first[..], &second[..]].concat());
    for cut in 0..second.len() {
        let mut split = split(joined.slice(..first.len() + cut));
        let entries: Vec<_> = split.by_ref().map(Result::unwrap).collect();
        assert_eq!(entries, [Entry::Batch(Batch::new(first.clone()).unwrap())]);
        assert_eq!(split.remaining(), cut);
    }
    let entries: Vec<_> = split(joined.clone()).map(Result::unwrap).collect();
    assert_eq!(entries.len(), 2);
    assert_eq!((entries[1].size(), entries[1].next_offset()), (second.len(), 1002));
    let Entry::Batch(batch) = &entries[1] else { panic!("a v2 batch") };
    assert_eq!(batch.bytes().as_ptr(), joined[first.len()..].as_ptr(), "shares the frame's memory");
}

#[test]
fn split_reports_impossible_lengths_and_formats_once() {
    let good = dense(1, Codec::None).bytes();
    let with = |at: usize, patch: &[u8]| {
        let mut bad = good.to_vec();
        bad[at..at + patch.len()].copy_from_slice(patch);
        let mut split = split([&good[..], &bad[..]].concat().into());
        split.next().unwrap().unwrap();
        let error = split.next().unwrap().unwrap_err();
        assert_eq!(split.next(), None);
        error
    };
    let position = good.len();
    let minimum = 49;
    assert_eq!(with(8, &48i32.to_be_bytes()), BatchError::Length { position, length: 48, minimum });
    assert_eq!(with(8, &(-1i32).to_be_bytes()), BatchError::Length { position, length: -1, minimum: 14 });
    assert_eq!(with(8, &0i32.to_be_bytes()), BatchError::Length { position, length: 0, minimum: 14 });
    assert_eq!(with(16, &[3]), BatchError::Magic { position, magic: 3 });
    assert_eq!(with(16, &[0xff]), BatchError::Magic { position, magic: -1 });
    assert!(split(Bytes::new()).next().is_none());
}

#[test]
fn one_batch_means_exactly_one() {
    let bytes = dense(1, Codec::None).bytes();
    let longer = [&bytes[..], &[0]].concat();
    let expected = bytes.len();
    assert_eq!(Batch::new(longer.into()), Err(BatchError::NotOneBatch { actual: expected + 1, expected }));
    assert!(Batch::new(bytes.slice(..expected - 1)).is_err());
    assert!(Batch::new(bytes.slice(..60)).is_err());
}

#[test]
fn passing_keeps_the_payload_and_clears_the_traps() {
    let mut stored = dense(4, Codec::Zstd);
    // Bits 7 to 14 are carried along as brokers do.
    stored.attributes |= 1 << 3 | 1 << 4 | 1 << 6 | 1 << 9;
    stored.producer = (4000, 3, 17);
    let batch = stored.batch();
    let kept = OutgoingBatch::pass(&batch, false);
    assert_eq!(kept.attributes().0, 4 | 1 << 3 | 1 << 9);
    assert!(kept.log_append_time());
    let passed = OutgoingBatch::pass(&batch, true);
    assert_eq!(passed.attributes().0, 4 | 1 << 9);
    assert_eq!(passed.payload().as_ptr(), batch.payload().as_ptr(), "no copy");
    assert_eq!((passed.count(), passed.size(), passed.codec()), (4, batch.size(), Codec::Zstd));
    assert_eq!((passed.base_timestamp(), passed.max_timestamp()), (5_000, 9_000));
    assert!(passed.is_dense());
    let sent = Batch::new(passed.to_bytes()).unwrap();
    assert!(sent.crc_is_valid());
    assert_eq!((sent.base_offset(), sent.partition_leader_epoch()), (0, -1));
    assert_eq!((sent.producer_id(), sent.producer_epoch(), sent.base_sequence()), (-1, -1, -1));
    assert_eq!(values(&read(&sent)), ["0", "1", "2", "3"]);
}

#[test]
fn damage_after_the_source_crc_is_not_blessed() {
    let stored = dense(4, Codec::None);
    let mut bytes = stored.bytes().to_vec();
    *bytes.last_mut().unwrap() ^= 0x10;
    let damaged = Batch::new(bytes.into()).unwrap();
    let sent = OutgoingBatch::pass(&damaged, false).to_bytes();
    assert!(!Batch::new(sent).unwrap().crc_is_valid());
}

#[test]
fn record_errors_name_the_record() {
    let mut short = dense(3, Codec::None);
    short.count = 4;
    let error = short.batch().records().unwrap().last().unwrap().unwrap_err();
    assert!(matches!(error, BatchError::Record { base_offset: 1000, index: 3, .. }), "{error}");
    let mut long = dense(3, Codec::None);
    long.count = 2;
    let mut iterator = long.batch().records().unwrap();
    let error = iterator.by_ref().last().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "batch at offset 1000 is inconsistent: bytes follow the last record");
    assert_eq!(iterator.next(), None);
}

#[test]
fn timestamps_far_below_the_delete_horizon_are_read_with_64_bits() {
    let mut payload = Vec::new();
    push_record(&mut payload, -86_460_000_000, 0, Some(b"k"), None);
    let stored =
        Stored { base_timestamp: 1_800_000_000_000, attributes: 1 << 6, payload, ..dense(1, Codec::None) };
    let records = read(&stored.batch());
    assert_eq!(records[0].timestamp, 1_800_000_000_000 - 86_460_000_000);
    assert_eq!((records[0].key.as_deref(), records[0].value.as_deref()), (Some(&b"k"[..]), None));
}

#[test]
fn log_append_time_resolves_to_the_max_timestamp() {
    let mut stored = dense(3, Codec::Snappy);
    stored.attributes |= 1 << 3;
    assert!(read(&stored.batch()).iter().all(|record| record.timestamp == 9_000));
}

#[test]
fn control_batches_tell_their_type() {
    let marker = |kind: i16| {
        let mut payload = Vec::new();
        let key = [0i16.to_be_bytes(), kind.to_be_bytes()].concat();
        push_record(&mut payload, 0, 0, Some(&key), Some(&[0, 0, 0, 0, 0, 9]));
        Stored { attributes: 1 << 4 | 1 << 5, payload, ..dense(1, Codec::None) }
    };
    assert_eq!(control_type(&marker(0).batch()), Some(ControlType::Abort));
    assert_eq!(control_type(&marker(1).batch()), Some(ControlType::Commit));
    assert_eq!(control_type(&marker(2).batch()), Some(ControlType::Other));
    assert_eq!(control_type(&Stored { attributes: 0, ..marker(1) }.batch()), None);
    let garbage = Stored { payload: vec![0xff; 9], ..marker(1) };
    assert_eq!(control_type(&garbage.batch()), None);
    let empty = Stored { payload: Vec::new(), count: 0, ..marker(1) };
    assert_eq!(control_type(&empty.batch()), None);
}

#[test]
fn a_batch_without_records_is_not_built() {
    assert_eq!(BatchBuilder::new(Codec::None).finish().unwrap_err(), BatchError::Empty);
}

#[test]
fn levels_reach_the_codec() {
    let built = |level| {
        let mut builder = BatchBuilder::new(Codec::Gzip).with_level(level);
        for n in 0..5000u32 {
            let value = format!("{{\"id\":{n},\"square\":{}}}", n.wrapping_mul(n) % 977);
            builder.push(i64::from(n), None, Some(value.as_bytes()), &Headers::empty()).unwrap();
        }
        assert_eq!(builder.count(), 5000);
        builder.finish().unwrap()
    };
    assert!(built(9).size() < built(1).size());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn header_for_equals_a_recomputed_crc(source in records(1..20), codec in 0usize..5, attributes: i16,
                                          producer: (i64, i16, i32), foreign: (i64, i16, i32), clear: bool) {
        let built = build(CODECS[codec], &source);
        let stored = Stored {
            base_offset: 5,
            attributes: (attributes & !0x27) | codec as i16,
            last_offset_delta: built.count() - 1,
            base_timestamp: built.base_timestamp(),
            max_timestamp: built.max_timestamp(),
            producer: foreign,
            count: built.count(),
            payload: built.payload().to_vec(),
        };
        for outgoing in [OutgoingBatch::pass(&stored.batch(), clear), built] {
            let header = outgoing.header_for(producer.0, producer.1, producer.2);
            let sent = Batch::new([&header[..], outgoing.payload()].concat().into()).unwrap();
            prop_assert!(sent.crc_is_valid());
            prop_assert_eq!((sent.producer_id(), sent.producer_epoch(), sent.base_sequence()), producer);
            prop_assert_eq!(sent.count(), outgoing.count());
        }
    }

    #[test]
    fn records_survive_building_and_reading(source in records(1..40), codec in 0usize..5) {
        let batch = build(CODECS[codec], &source);
        prop_assert_eq!(batch.codec(), CODECS[codec]);
        prop_assert_eq!(batch.base_timestamp(), source[0].timestamp);
        prop_assert_eq!(batch.max_timestamp(), source.iter().map(|record| record.timestamp).max().unwrap());
        prop_assert_eq!(read_back(&batch), source);
    }

    #[test]
    fn arbitrary_bytes_are_split_and_read_safely(mut bytes in prop::collection::vec(any::<u8>(), 0..400),
                                                 magic in 0u8..4, length in 0i32..200) {
        if bytes.len() > 20 {
            bytes[8..12].copy_from_slice(&length.to_be_bytes());
            bytes[16] = magic;
        }
        for entry in split(bytes.into()).flatten() {
            exercise(&entry);
        }
    }

    #[test]
    fn damaged_batches_are_read_safely(source in records(1..5), codec in 0usize..5,
                                       flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = build(CODECS[codec], &source).to_bytes().to_vec();
        for (at, flip) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
        }
        for entry in split(bytes.into()).flatten() {
            exercise(&entry);
        }
    }
}

/// Runs everything that reads an entry; what it returns does not matter, that it returns does.
fn exercise(entry: &Entry) {
    assert!(entry.size() >= 26);
    match entry {
        Entry::Batch(batch) => {
            let _ = (batch.crc_is_valid(), control_type(batch), batch.next_offset());
            let _ = batch.records_within(1 << 20).map(Iterator::count);
            if batch.size() < 4096 {
                let _ = reencode_split(batch, 0, TimestampPolicy::AsRead, 500);
            }
            if batch.is_dense() && !batch.attributes().control() {
                let passed = OutgoingBatch::pass(batch, true);
                let _ = merge(&[passed.clone(), passed], 1 << 20);
            }
        }
        Entry::Legacy(set) => {
            let _ = (set.crc_is_valid(), set.timestamp(), set.next_offset());
            let _ = set.records().map(Iterator::count);
        }
    }
}
