//! Holes, crops, append times and splits.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::testing::{CODECS, Stored, build, read_back, records, values};
use super::*;

fn run(offset: i64, count: i32) -> SourceRun {
    SourceRun { offset, count }
}

#[test]
fn holes_close_and_are_accounted_for() {
    for codec in CODECS {
        // Holes at the front, in the middle and at the end, as the log cleaner leaves them.
        let batch = Stored::with_deltas(&[2, 3, 6], 9, codec).batch();
        let rebuilt = reencode(&batch, 0, TimestampPolicy::AsRead).unwrap().unwrap();
        assert_eq!(rebuilt.batch.codec(), codec);
        let records = read_back(&rebuilt.batch);
        assert_eq!(values(&records), ["2", "3", "6"]);
        assert_eq!(records.iter().map(|record| record.timestamp).collect::<Vec<_>>(), [5_020, 5_030, 5_060]);
        assert_eq!(rebuilt.batch.max_timestamp(), 5_060);
        assert_eq!(rebuilt.runs, [run(1002, 2), run(1006, 1)]);
        assert_eq!(rebuilt.last_source_offset, 1009);
    }
}

#[test]
fn records_below_the_start_are_cropped() {
    let batch = Stored::with_deltas(&[0, 1, 2, 3], 3, Codec::None).batch();
    let rebuilt = reencode(&batch, 1002, TimestampPolicy::AsRead).unwrap().unwrap();
    assert_eq!(values(&read_back(&rebuilt.batch)), ["2", "3"]);
    assert_eq!(rebuilt.runs, [run(1002, 2)]);
    assert!(reencode(&batch, 1004, TimestampPolicy::AsRead).unwrap().is_none());
}

#[test]
fn emptied_batches_leave_nothing() {
    let stored = Stored { payload: Vec::new(), ..Stored::with_deltas(&[], 5, Codec::None) };
    assert!(reencode(&stored.batch(), 0, TimestampPolicy::AsRead).unwrap().is_none());
    assert!(reencode_split(&stored.batch(), 0, TimestampPolicy::AsRead, 100).unwrap().is_empty());
}

#[test]
fn append_time_becomes_create_time_or_gives_way() {
    let mut stored = Stored::with_deltas(&[0, 1], 1, Codec::Gzip);
    stored.attributes |= 1 << 3;
    let times = |policy| {
        let rebuilt = reencode(&stored.batch(), 0, policy).unwrap().unwrap();
        assert!(!rebuilt.batch.log_append_time());
        read_back(&rebuilt.batch).iter().map(|record| record.timestamp).collect::<Vec<_>>()
    };
    assert_eq!(times(TimestampPolicy::AsRead), [9_000, 9_000]);
    assert_eq!(times(TimestampPolicy::Producer), [5_000, 5_010]);
}

#[test]
fn control_batches_and_unknown_codecs_are_refused() {
    let stored = Stored::with_deltas(&[0], 0, Codec::None);
    let control = Stored { attributes: 1 << 5, ..stored.clone() };
    let error = reencode(&control.batch(), 0, TimestampPolicy::AsRead).unwrap_err();
    assert!(error.to_string().contains("a control batch holds no data"), "{error}");
    let unknown = Stored { attributes: 6, ..stored };
    assert!(matches!(
        reencode(&unknown.batch(), 0, TimestampPolicy::AsRead),
        Err(BatchError::Compression { codec: Codec::Unknown(6), .. })
    ));
}

#[test]
fn a_record_that_does_not_fit_is_named() {
    let batch = Stored::with_deltas(&[0, 1, 7], 7, Codec::None).batch();
    let error = reencode_split(&batch, 1001, TimestampPolicy::AsRead, 60).unwrap_err();
    let BatchError::RecordTooLarge { offset: 1001, size, limit: 60 } = error else { panic!("{error}") };
    assert!(size > 61);
    let fitting = reencode_split(&batch, 1001, TimestampPolicy::AsRead, size).unwrap();
    assert_eq!(fitting.iter().map(|part| part.last_source_offset).collect::<Vec<_>>(), [1001, 1007]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn splitting_loses_nothing_and_keeps_the_limit(source in records(1..60), codec in 0usize..5,
                                                   limit in 700usize..3000) {
        let batch = Batch::new(build(CODECS[codec], &source).to_bytes()).unwrap();
        let parts = reencode_split(&batch, 0, TimestampPolicy::AsRead, limit).unwrap();
        let mut read = Vec::new();
        let mut covered = 0;
        for part in &parts {
            prop_assert!(part.batch.size() <= limit);
            prop_assert_eq!(&part.runs, &[run(covered, part.batch.count())]);
            covered += i64::from(part.batch.count());
            prop_assert_eq!(part.last_source_offset, covered - 1);
            read.extend(read_back(&part.batch));
        }
        for (offset, record) in (0..).zip(&mut read) {
            record.offset = offset;
        }
        prop_assert_eq!(read, source);
    }
}
