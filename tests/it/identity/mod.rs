//! Byte identity: what the origin's consumers see is what the destination's consumers see, whatever shape it has, and
//! the bytes on disk are the same where batches pass through.

mod compacted;
mod matrix;
mod shapes;
mod stamping;
mod transactions;

use std::collections::BTreeMap;

use crate::support::reader::assert_same_records;
use crate::support::{Isolation, Pair, Record, Stored, read};

/// A record whose shape depends on `number`: every combination of null, empty and filled keys and values comes up, as
/// do duplicate, empty and non-ASCII header keys, null header values, and times that go back and forth.
fn varied(number: usize) -> Record {
    let choice = |kind: usize, text: &str| match kind % 4 {
        0 => None,
        1 => Some(Vec::new()),
        _ => Some(format!("{text}-{number}-").repeat(number % 7 + 1).into_bytes()),
    };
    let record =
        Record { key: choice(number, "key"), value: choice(number / 4, "value"), ..Record::default() };
    let record = match number % 5 {
        0 => record
            .header("h", Some(b"1"))
            .header("h", Some(b"2"))
            .header("other", None)
            .header("h", Some(b"1")),
        1 => record.header("", Some(b"")).header("schlüssel", Some(&[0xff, 0xfe, 0])),
        2 => record.header("null", None).header("null", None),
        _ => record,
    };
    let times = [1, 946_684_800_000, 1_700_000_000_123, 1_600_000_000_000, 86_400_000];
    record.at(times[number % times.len()])
}

/// Checks every partition of `topic` against its replica, and that the replica's offsets are dense.
fn assert_identical(pair: &Pair, topic: &str, origin_view: Isolation) -> BTreeMap<i32, Vec<Stored>> {
    let origin = read(&pair.origin, topic, origin_view);
    let copy = read(&pair.destination, &format!("{topic}.replica"), Isolation::Uncommitted);
    assert_eq!(origin.keys().collect::<Vec<_>>(), copy.keys().collect::<Vec<_>>(), "partitions of {topic}");
    for (number, records) in &copy {
        assert_same_records(records, &origin[number], &format!("{topic}-{number}"));
        let dense = records.iter().enumerate().all(|(index, stored)| stored.offset == index as i64);
        assert!(dense, "{topic}-{number}: the offsets of the copy have holes");
    }
    copy
}
