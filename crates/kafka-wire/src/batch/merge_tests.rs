//! Merging against building the same records at once.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::super::testing::{Stored, build, read_back, records, values};
use super::super::{BatchError, Codec, OutgoingBatch};
use super::*;

fn passed(stored: &Stored) -> OutgoingBatch {
    OutgoingBatch::pass(&stored.batch(), false)
}

fn dense(count: i32) -> Stored {
    Stored::with_deltas(&(0..count).collect::<Vec<_>>(), count - 1, Codec::None)
}

#[test]
fn merged_batches_keep_order_and_timestamps() {
    let later = Stored { base_timestamp: 4_000, max_timestamp: 12_000, ..dense(2) };
    let merged = merge(&[passed(&dense(3)), passed(&later)], 1 << 20).unwrap();
    let read = read_back(&merged);
    assert_eq!(values(&read), ["0", "1", "2", "0", "1"]);
    let timestamps: Vec<_> = read.iter().map(|record| record.timestamp).collect();
    assert_eq!(timestamps, [5_000, 5_010, 5_020, 4_000, 4_010]);
    assert_eq!((merged.base_timestamp(), merged.max_timestamp()), (5_000, 12_000));
}

#[test]
fn what_cannot_be_merged_is_refused_with_its_reason() {
    let plain = passed(&dense(2));
    let reason = |other: &Stored| match merge(&[plain.clone(), passed(other)], 1 << 20) {
        Err(BatchError::NotMergeable { why }) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(reason(&Stored::with_deltas(&[0, 1], 1, Codec::Lz4)), "compressed");
    assert_eq!(reason(&Stored { attributes: 1 << 3, ..dense(1) }), "timestamps are LogAppendTime");
    assert_eq!(reason(&Stored { attributes: 1 << 9, ..dense(1) }), "attributes differ");
    let lies = Stored { count: i32::MAX, last_offset_delta: i32::MAX - 1, ..dense(2) };
    assert_eq!(reason(&lies), "the header counts more records than the payload can hold");
    assert_eq!(merge(&[], 100).unwrap_err(), BatchError::Empty);
}

#[test]
fn inner_deltas_are_checked_in_every_batch() {
    let good = passed(&dense(3));
    for deltas in [[0, 2, 5], [2, 1, 0], [0, 0, 1]] {
        let bad = passed(&Stored::with_deltas(&deltas, 2, Codec::None));
        for batches in [[bad.clone(), good.clone()], [good.clone(), bad.clone()]] {
            let error = merge(&batches, 1 << 20).unwrap_err();
            assert!(error.to_string().contains("its offset delta is not its index"), "{error}");
        }
    }
    let mut trailing = dense(3);
    (trailing.count, trailing.last_offset_delta) = (2, 1);
    assert!(merge(&[good, passed(&trailing)], 1 << 20).is_err());
}

#[test]
fn the_limit_holds_exactly() {
    let batches = [passed(&dense(3)), passed(&Stored { base_timestamp: 77_000, ..dense(100) })];
    let size = merge(&batches, 1 << 20).unwrap().size();
    assert_eq!(merge(&batches, size).unwrap().size(), size);
    assert_eq!(merge(&batches, size - 1).unwrap_err(), BatchError::MergedTooLarge { limit: size - 1 });
    assert_eq!(merge(&batches, 0).unwrap_err(), BatchError::MergedTooLarge { limit: 0 });
}

#[test]
fn a_plan_takes_what_fits_and_stays_as_it_was_otherwise() {
    let batches = vec![passed(&dense(50)); 40];
    let mut plan = MergePlan::new(4096);
    let taken = batches.iter().take_while(|batch| plan.add(batch)).count();
    assert_eq!(plan.batches(), taken);
    assert!(taken > 1 && taken < 40 && plan.size_upper_bound() <= 4096, "{taken}");
    assert!(merged_size_upper_bound(&batches[..taken + 1]).unwrap() > 4096);
    assert!(!plan.add(&passed(&Stored::with_deltas(&[0], 0, Codec::Gzip))));
    let merged = merge(&batches[..plan.batches()], 4096).unwrap();
    assert_eq!(merged.count(), 50 * taken as i32);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn merging_equals_concatenation(parts in prop::collection::vec(records(1..90), 1..6)) {
        let batches: Vec<_> = parts.iter().map(|part| build(Codec::None, part)).collect();
        let mut expected = parts.concat();
        for (offset, record) in (0..).zip(&mut expected) {
            record.offset = offset;
        }
        let bound = merged_size_upper_bound(&batches).unwrap();
        let merged = merge(&batches, bound).unwrap();
        prop_assert!(merged.size() <= bound);
        prop_assert_eq!(read_back(&merged), expected);
    }

    #[test]
    fn the_bound_is_close_for_ordinary_records(count in 100usize..400, size in 50usize..300, gap in 0i64..60_000) {
        let value = vec![b'x'; size];
        let batch = |base: i64| {
            let mut builder = super::super::BatchBuilder::new(Codec::None);
            for n in 0..count {
                builder.push(base + n as i64, None, Some(&value), &Default::default()).unwrap();
            }
            builder.finish().unwrap()
        };
        let batches = [batch(0), batch(gap), batch(2 * gap)];
        let bound = merged_size_upper_bound(&batches).unwrap();
        let size = merge(&batches, bound).unwrap().size();
        prop_assert!(bound - size <= 3 * count * 5, "{} {}", bound, size);
    }
}
