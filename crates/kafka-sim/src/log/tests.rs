#![allow(clippy::unwrap_used)]

use kafka_wire::batch::{BatchBuilder, Codec, Headers, split};

use super::clean::Cleaning;
use super::*;

const NOW: i64 = 1_700_000_000_000;

fn rules() -> Rules {
    Rules {
        max_message_bytes: 1_048_588,
        segment_bytes: 1 << 30,
        log_append_time: false,
        before_max_ms: i64::MAX,
        after_max_ms: i64::MAX,
        compacted: false,
        codec: None,
        now_ms: NOW,
    }
}

fn batch(codec: Codec, records: &[(&str, Option<&str>)]) -> Batch {
    sequenced(codec, records, -1, -1, -1)
}

fn sequenced(codec: Codec, records: &[(&str, Option<&str>)], id: i64, epoch: i16, sequence: i32) -> Batch {
    let mut builder = BatchBuilder::new(codec);
    for (index, (key, value)) in records.iter().enumerate() {
        let value = value.map(str::as_bytes);
        builder.push(NOW + index as i64, Some(key.as_bytes()), value, &Headers::empty()).unwrap();
    }
    let outgoing = builder.finish().unwrap();
    let mut bytes = outgoing.header_for(id, epoch, sequence).to_vec();
    bytes.extend_from_slice(outgoing.payload());
    Batch::new(bytes.into()).unwrap()
}

fn log_of(batches: &[Batch]) -> Log {
    let mut log = Log::default();
    for batch in batches {
        log.append(batch, &rules(), 0, false).unwrap();
    }
    log
}

fn offsets(log: &Log) -> Vec<i64> {
    let slice = log.read(log.start(), log.end(), usize::MAX, true, false);
    let batches = split(slice.records).map(|entry| match entry.unwrap() {
        kafka_wire::batch::Entry::Batch(batch) => batch,
        kafka_wire::batch::Entry::Legacy(_) => unreachable!("nothing writes old formats here"),
    });
    batches.flat_map(|b| b.records().unwrap().map(|r| r.unwrap().offset).collect::<Vec<_>>()).collect()
}

#[test]
fn appends_number_records_and_epochs() {
    let mut log = log_of(&[batch(Codec::None, &[("a", Some("1")), ("b", Some("2"))])]);
    log.append(&batch(Codec::Lz4, &[("c", Some("3"))]), &rules(), 3, false).unwrap();
    assert_eq!((log.start(), log.end(), log.latest_epoch()), (0, 3, 3));
    assert_eq!(offsets(&log), [0, 1, 2]);
    assert!(log.batches().all(Batch::crc_is_valid));
    assert_eq!((log.end_of_epoch(0), log.end_of_epoch(2), log.end_of_epoch(3)), ((0, 2), (0, 2), (3, 3)));
    assert_eq!(log.end_of_epoch(4), (-1, -1));
}

#[test]
fn reading_is_cut_by_bytes_but_for_the_first_batch() {
    let one = batch(Codec::None, &[("a", Some("1"))]);
    let size = one.size();
    let log = log_of(&[one.clone(), one.clone(), one]);
    let read = |max, whole| log.read(0, 3, max, whole, false).records.len();
    assert_eq!((read(1, true), read(1, false), read(size, false)), (size, 0, size));
    assert_eq!((read(size + 5, true), read(usize::MAX, false)), (size + 5, 3 * size));
    assert_eq!(log.read(1, 2, usize::MAX, true, false).records.len(), size, "not beyond the limit");
}

#[test]
fn repeated_batches_are_known_and_gaps_are_refused() {
    let send = |log: &mut Log, epoch, sequence| {
        log.append(&sequenced(Codec::None, &[("k", Some("v"))], 7, epoch, sequence), &rules(), 0, false)
    };
    let mut log = Log::default();
    for sequence in 0..6 {
        assert_eq!(send(&mut log, 0, sequence).unwrap().log_append_time_ms, -1);
    }
    let again = send(&mut log, 0, 1).unwrap();
    assert_eq!((again.base_offset, again.log_append_time_ms), (1, NOW), "the fifth back");
    assert_eq!(send(&mut log, 0, 0).unwrap_err().code, 45, "the sixth back");
    assert_eq!(send(&mut log, 0, 7).unwrap_err().code, 45);
    assert_eq!(send(&mut log, 1, 5).unwrap_err().code, 45);
    assert_eq!(send(&mut log, 1, 0).unwrap().base_offset, 6);
    assert_eq!(send(&mut log, 0, 6).unwrap_err().code, 47);
}

#[test]
fn cleaning_leaves_holes_horizons_and_emptied_batches() {
    for codec in [Codec::None, Codec::Lz4] {
        let mut log = log_of(&[
            batch(codec, &[("a", Some("1")), ("b", Some("2")), ("c", None)]),
            sequenced(codec, &[("d", Some("3"))], 5, 0, 0),
            batch(codec, &[("a", Some("4")), ("d", Some("5"))]),
        ]);
        let cleaning = Cleaning { now_ms: NOW, delete_retention_ms: 1000 };
        assert_eq!(log.clean(log.end(), cleaning), 2);
        assert_eq!(offsets(&log), [1, 2, 4, 5]);
        let counts: Vec<i32> = log.batches().map(Batch::count).collect();
        assert_eq!(counts, [2, 0, 2], "the producer's last batch stays as a header");
        let first = log.batches().next().unwrap();
        assert!(first.attributes().delete_horizon() && first.base_timestamp() == NOW + 1000);
        assert_eq!((first.last_offset_delta(), first.crc_is_valid()), (2, true));
        let times: Vec<i64> = first.records().unwrap().map(|r| r.unwrap().timestamp).collect();
        assert_eq!(times, [NOW + 1, NOW + 2], "deltas are relative to the horizon");
        let later = Cleaning { now_ms: NOW + 1001, delete_retention_ms: 1000 };
        assert_eq!(log.clean(log.end(), later), 1);
        assert_eq!(offsets(&log), [1, 4, 5]);
    }
}

#[test]
fn an_aborted_transaction_holds_the_stable_offset_until_its_end() {
    let mut log = log_of(&[batch(Codec::None, &[("a", Some("1"))])]);
    let mut open = sequenced(Codec::None, &[("b", Some("2"))], 9, 0, 0).bytes().to_vec();
    open[22] |= encode::TRANSACTIONAL as u8;
    let crc = crc32c::crc32c(&open[21..]);
    open[17..21].copy_from_slice(&crc.to_be_bytes());
    let open = Batch::new(open.into()).unwrap();
    log.append(&open, &rules(), 0, false).unwrap();
    assert_eq!((log.last_stable_offset(), log.end()), (1, 2));
    let plain = sequenced(Codec::None, &[("c", Some("3"))], 9, 0, 1);
    assert_eq!(log.append(&plain, &rules(), 0, false).unwrap_err().code, 48);
    assert_eq!(log.append_marker(9, 0, 0, false, 0, NOW), 2);
    assert_eq!(log.last_stable_offset(), 3);
    let aborted = log.read(0, 3, usize::MAX, true, true).aborted;
    assert_eq!(aborted, [Aborted { producer_id: 9, first_offset: 1, last_offset: 2 }]);
    // A little later is told, too, as from a broker's sparse index.
    assert_eq!(log.read(0, 1, usize::MAX, true, true).aborted.len(), 1);
    assert!(log.read(3, 4, usize::MAX, true, true).aborted.is_empty());
}

#[test]
fn truncation_goes_back_to_a_batch_and_forgets_what_was_after_it() {
    let two = batch(Codec::None, &[("a", Some("1")), ("b", Some("2"))]);
    let mut log = log_of(&[two.clone(), two.clone(), two]);
    assert_eq!(log.truncate(3), 2);
    assert_eq!((log.end(), offsets(&log)), (2, vec![0, 1]));
    log.begin_epoch(1);
    assert_eq!(log.end_of_epoch(0), (0, 2));
}

#[test]
fn retention_takes_the_last_batch_only_for_its_age() {
    let one = batch(Codec::None, &[("a", Some("1"))]);
    let size = one.size();
    let mut log = log_of(&[one.clone(), one.clone(), one]);
    assert_eq!(log.retain(None, Some(2 * size)), 1);
    assert_eq!((log.retain(None, Some(0)), log.bytes), (2, size));
    assert_eq!((log.retain(Some(i64::MAX), None), log.bytes), (3, 0));
    assert_eq!(log.end(), 3);
}
