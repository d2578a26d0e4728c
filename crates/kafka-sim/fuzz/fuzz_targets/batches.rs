//! Record sets as a broker could send them: cut, walked, merged and encoded again. Nothing may panic, and no payload may
//! grow beyond the limit it is given.

#![no_main]

use bytes::Bytes;
use kafka_wire::batch::{Batch, Entry, MergePlan, OutgoingBatch, control_type, merge, split};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 1 << 20;

fuzz_target!(|data: &[u8]| {
    let mut passed = Vec::new();
    for entry in split(Bytes::copy_from_slice(data)).flatten() {
        match entry {
            Entry::Batch(batch) => look(&batch, &mut passed),
            Entry::Legacy(set) => {
                let _ = set.crc_is_valid();
                if let Ok(records) = set.records() {
                    records.for_each(drop);
                }
            }
        }
    }
    let mut plan = MergePlan::new(LIMIT);
    let fit = passed.iter().take_while(|batch| plan.add(batch)).count();
    let _ = merge(&passed[..fit], LIMIT);
});

fn look(batch: &Batch, passed: &mut Vec<OutgoingBatch>) {
    let _ = (batch.crc_is_valid(), batch.is_dense(), control_type(batch), batch.next_offset());
    if let Ok(records) = batch.records_within(LIMIT) {
        let mut bytes = 0;
        for record in records.flatten() {
            bytes += record.key.map_or(0, |k| k.len()) + record.value.map_or(0, |v| v.len());
            record.headers.iter().for_each(drop);
        }
        assert!(bytes <= LIMIT, "records of {bytes} bytes from a payload of at most {LIMIT}");
    }
    // What the copy path checks before it passes a batch; the CRC is left to chance, which would never hit it.
    if !batch.is_dense() || batch.attributes().control() {
        return;
    }
    let outgoing = OutgoingBatch::pass(batch, true);
    let _ = outgoing.header_for(1, 2, 3);
    passed.push(outgoing);
}
