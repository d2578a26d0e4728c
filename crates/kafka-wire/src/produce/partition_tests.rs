//! The window, the sequences and what becomes of faults, without any network.

use super::*;
use crate::batch::{Batch, BatchBuilder, Codec, Headers};

const MERGE: Option<MergeSettings> = Some(MergeSettings { below_bytes: 1000, max_bytes: 10_000 });
const ME: Identity = Identity { producer_id: 7, epoch: 0 };

fn batch(records: i32) -> OutgoingBatch {
    let mut builder = BatchBuilder::new(Codec::None);
    for _ in 0..records {
        builder.push(1, None, Some(b"value"), &Headers::default()).unwrap();
    }
    builder.finish().unwrap()
}

/// A partition with batches tagged 0, 1, … of these numbers of records.
fn partition(records: &[i32]) -> Partition {
    let mut partition = Partition::new("t", 0);
    partition.identity = Some(ME);
    for (tag, records) in records.iter().enumerate() {
        partition.enqueue(tag as i64, batch(*records));
    }
    partition
}

/// One to which the broker has taken the first batch, tagged 0 and of one record, so that the window is open.
fn proven(records: &[i32]) -> Partition {
    let mut partition = partition(&[&[1], records].concat());
    assert_eq!(send(&mut partition, None), [0]);
    partition.answered(0, stored(0));
    assert_eq!(acknowledged(&mut partition), [(0, 0)]);
    assert_eq!(partition.decide(), None);
    partition
}

/// Sends what may be sent; sequences in the order sent.
fn send(partition: &mut Partition, merge: Option<MergeSettings>) -> Vec<i32> {
    let mut sequences = Vec::new();
    loop {
        let may = partition.can_send();
        let sent = partition.take(merge).map(|unit| unit.sequence);
        assert_eq!(may, sent.is_some(), "can_send promises what take does");
        match sent {
            Some(sequence) => sequences.push(sequence),
            None => return sequences,
        }
    }
}

fn stored(base_offset: i64) -> Result<Stored, Fault> {
    Ok(Stored { base_offset, append_time: -1 })
}

fn retry() -> Result<Stored, Fault> {
    Err(Fault::Retry("later".to_owned().into()))
}

fn out_of_order() -> Result<Stored, Fault> {
    Err(Fault::NewProducer("45".to_owned().into()))
}

fn refused(too_large: bool) -> Result<Stored, Fault> {
    Err(Fault::Refused { too_large, reason: "no".to_owned().into() })
}

/// Decides to try again, and lets the pause pass, as the producer does.
fn tries_again(partition: &mut Partition) {
    assert_eq!(
        partition.decide(),
        Some(Decision::Retry("later".to_owned().into())),
        "the first fault counts"
    );
    partition.phase = Phase::Waiting(Instant::now());
    assert!(!partition.can_send() && partition.decide().is_none());
    partition.phase = Phase::Ready;
}

/// Tags and base offsets that are due.
fn acknowledged(partition: &mut Partition) -> Vec<(i64, i64)> {
    let mut due = Vec::new();
    partition.acknowledged(0, &mut due);
    due.iter().map(|ack| (ack.tag, ack.base_offset)).collect()
}

#[test]
fn at_most_five_are_under_way_and_sequences_count_records() {
    let mut partition = proven(&[2, 3, 1, 1, 1, 1, 1]);
    assert_eq!(send(&mut partition, None), [1, 3, 6, 7, 8]);
    partition.answered(3, stored(103));
    assert!(acknowledged(&mut partition).is_empty(), "the first comes first");
    assert!(send(&mut partition, None).is_empty(), "the window begins at the first that is not stored");
    partition.answered(1, stored(101));
    assert_eq!(acknowledged(&mut partition), [(1, 101), (2, 103)]);
    assert_eq!(send(&mut partition, None), [9, 10]);
}

#[test]
fn a_second_batch_waits_until_the_broker_took_the_first() {
    let mut partition = partition(&[1, 1, 1]);
    assert_eq!(send(&mut partition, None), [0], "a broker without memory of the producer takes any order");
    partition.answered(0, retry());
    tries_again(&mut partition);
    assert_eq!(send(&mut partition, None), [0]);
    partition.answered(0, stored(0));
    assert_eq!(acknowledged(&mut partition), [(0, 0)]);
    assert_eq!(send(&mut partition, None), [1, 2]);
}

#[test]
fn a_proof_does_not_hold_for_ever() {
    let mut partition = proven(&[1, 1]);
    partition.proven = Instant::now().checked_sub(PROOF_HOLDS + Duration::from_secs(1));
    assert!(partition.proven.is_some());
    assert_eq!(send(&mut partition, None), [1]);
    partition.answered(1, stored(1));
    assert_eq!(acknowledged(&mut partition).len(), 1);
    assert_eq!(send(&mut partition, None), [2]);
}

#[test]
fn sequences_wrap_to_zero() {
    assert_eq!(advance(i32::MAX, 1), 0);
    assert_eq!(advance(i32::MAX - 1, 4), 2);
    assert_eq!(advance(0, i32::MAX), i32::MAX);
    let mut partition = proven(&[4, 1]);
    partition.next_sequence = i32::MAX - 1;
    assert_eq!(send(&mut partition, None), [i32::MAX - 1, 2]);
}

#[test]
fn what_failed_is_sent_again_in_order_with_the_same_sequences() {
    let mut partition = proven(&[1, 1, 1, 1]);
    assert_eq!(send(&mut partition, None), [1, 2, 3, 4]);
    partition.answered(1, retry());
    assert_eq!(partition.decide(), None, "waits for the others");
    assert!(send(&mut partition, None).is_empty(), "sends nothing meanwhile");
    for sequence in 2..=4 {
        partition.answered(sequence, out_of_order());
    }
    tries_again(&mut partition);
    assert_eq!(send(&mut partition, None), [1]);
    partition.answered(1, stored(11));
    assert_eq!(acknowledged(&mut partition), [(1, 11)]);
    assert_eq!(send(&mut partition, None), [2, 3, 4]);
}

#[test]
fn one_that_is_stored_behind_one_that_failed_is_told_after_it_and_not_sent_again() {
    let mut partition = proven(&[1, 1]);
    send(&mut partition, None);
    // Stored at the leader, but its replicas were late.
    partition.answered(1, retry());
    partition.answered(2, stored(12));
    assert!(acknowledged(&mut partition).is_empty());
    tries_again(&mut partition);
    assert_eq!(send(&mut partition, None), [1]);
    partition.answered(1, Ok(Stored { base_offset: 11, append_time: 5 }));
    let mut due = Vec::new();
    partition.acknowledged(0, &mut due);
    assert_eq!(due.iter().map(|a| (a.tag, a.duplicate)).collect::<Vec<_>>(), [(1, true), (2, false)]);
    assert!(partition.is_idle());
}

#[test]
fn a_lost_sequence_makes_a_new_producer_that_begins_at_zero() {
    let mut partition = proven(&[2, 3, 1]);
    assert_eq!(send(&mut partition, None), [1, 3, 6]);
    partition.answered(1, stored(11));
    assert_eq!(acknowledged(&mut partition), [(1, 11)]);
    partition.answered(3, out_of_order());
    partition.answered(6, out_of_order());
    assert_eq!(partition.decide(), Some(Decision::NewProducer("45".to_owned().into())));
    assert!(send(&mut partition, None).is_empty(), "waits for the new producer id");
    partition.begin_as(Identity { producer_id: 8, epoch: 0 });
    assert_eq!(partition.identity.map(|i| i.producer_id), Some(8));
    assert_eq!(send(&mut partition, None), [0]);
    partition.answered(0, stored(20));
    assert_eq!(acknowledged(&mut partition), [(2, 20)]);
    assert_eq!(send(&mut partition, None), [3]);
}

#[test]
fn a_damaged_batch_is_fetched_once_more_and_then_stops_the_partition() {
    let damaged = || Err(Fault::FetchAgain("CORRUPT_MESSAGE".to_owned().into()));
    let mut partition = proven(&[1, 1]);
    send(&mut partition, None);
    partition.answered(1, damaged());
    partition.answered(2, out_of_order());
    assert!(matches!(partition.decide(), Some(Decision::Rewind { tag: 1, .. })));
    assert!(partition.is_idle());
    partition.enqueue(1, batch(1));
    assert_eq!(send(&mut partition, None), [1], "the sequence goes on where the dropped batch began");
    partition.answered(1, damaged());
    assert!(matches!(partition.decide(), Some(Decision::Stop { tag: 1, .. })));
    partition.enqueue(2, batch(1));
    assert!(partition.is_idle() && !partition.can_send(), "a stopped partition takes nothing");
}

#[test]
fn a_merged_batch_that_is_too_large_comes_again_unmerged() {
    let mut partition = proven(&[2, 3, 1]);
    assert_eq!(send(&mut partition, MERGE), [1]);
    partition.answered(1, refused(true));
    let Some(Decision::Rewind { tag: 1, reason }) = partition.decide() else { panic!("a rewind to tag 1") };
    assert!(reason.to_string().contains("unmerged"), "{reason}");
    for (tag, records) in [(1, 2), (2, 3), (3, 1)] {
        partition.enqueue(tag, batch(records));
    }
    assert_eq!(send(&mut partition, MERGE), [1], "alone, for the fault took the proof away");
    partition.answered(1, stored(11));
    assert_eq!(acknowledged(&mut partition), [(1, 11)]);
    assert_eq!(send(&mut partition, MERGE), [3, 6]);
    partition.answered(3, refused(true));
    partition.answered(6, out_of_order());
    assert!(matches!(partition.decide(), Some(Decision::Stop { tag: 2, .. })));
}

#[test]
fn parts_of_a_merged_batch_are_told_one_by_one() {
    let mut partition = proven(&[2, 3]);
    let unit = partition.take(MERGE).unwrap();
    let merged = Batch::new(unit.batch.to_bytes()).unwrap();
    assert_eq!((merged.count(), merged.records().unwrap().count()), (5, 5));
    partition.answered(1, stored(100));
    let mut due = Vec::new();
    partition.acknowledged(4, &mut due);
    let told: Vec<_> = due.iter().map(|a| (a.partition, a.tag, a.base_offset, a.records, a.merged)).collect();
    assert_eq!(told, [(4, 1, 100, 2, true), (4, 2, 102, 3, true)]);
}

#[test]
fn a_refusal_behind_another_fault_is_asked_again() {
    let mut partition = proven(&[1, 1]);
    send(&mut partition, None);
    partition.answered(1, retry());
    partition.answered(2, refused(false));
    tries_again(&mut partition);
    assert_eq!(send(&mut partition, None), [1]);
    partition.answered(1, stored(11));
    assert_eq!(acknowledged(&mut partition).len(), 1);
    assert_eq!(send(&mut partition, None), [2]);
}

#[test]
fn a_refusal_stops_after_what_is_stored_before_it_is_told() {
    let mut partition = proven(&[1, 1, 1]);
    send(&mut partition, None);
    partition.answered(1, stored(11));
    partition.answered(2, refused(false));
    partition.answered(3, out_of_order());
    assert_eq!(acknowledged(&mut partition), [(1, 11)]);
    assert_eq!(partition.decide(), Some(Decision::Stop { tag: 2, reason: "no".to_owned().into() }));
    assert!(partition.is_idle());
}

#[test]
fn letting_go_drops_what_was_never_sent_and_copies_what_was() {
    let mut partition = proven(&[1, 1, 1, 1, 1, 1, 1]);
    send(&mut partition, None);
    for sequence in 1..=5 {
        partition.answered(sequence, retry());
    }
    let before = partition.units[0].batch.payload().as_ptr();
    tries_again(&mut partition);
    assert_eq!(partition.let_go(), Some(6));
    assert_ne!(partition.units[0].batch.payload().as_ptr(), before, "the frame it came in is not held");
    assert_eq!(partition.let_go(), None);
    assert_eq!(send(&mut partition, None), [1]);
    partition.answered(1, stored(11));
    assert_eq!(acknowledged(&mut partition), [(1, 11)]);
    partition.enqueue(6, batch(1));
    assert_eq!(send(&mut partition, None), [2, 3, 4, 5, 6]);
}
