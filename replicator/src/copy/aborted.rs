//! Which batches of a fetch answer belong to aborted transactions. A batch belongs to one producer, so whole batches
//! are dropped and none is split.

use std::collections::HashSet;

use kafka_wire::batch::{Batch, ControlType, control_type};

/// The state for one answer, whose batches are shown to it in order.
#[derive(Debug)]
pub(super) struct AbortedFilter {
    /// Transactions still ahead, the nearest last.
    ahead: Vec<(i64, i64)>,
    aborted: HashSet<i64>,
}

impl AbortedFilter {
    /// From the broker's list of `(producer id, first offset)`, in any order.
    pub(super) fn new(mut transactions: Vec<(i64, i64)>) -> Self {
        transactions.sort_unstable_by_key(|(_, first)| std::cmp::Reverse(*first));
        Self { ahead: transactions, aborted: HashSet::new() }
    }

    /// True when the batch holds aborted data.
    pub(super) fn drops(&mut self, batch: &Batch) -> bool {
        while let Some((producer, _)) = self.ahead.pop_if(|(_, first)| *first <= batch.last_offset()) {
            self.aborted.insert(producer);
        }
        if batch.attributes().control() {
            if control_type(batch) == Some(ControlType::Abort) {
                self.aborted.remove(&batch.producer_id());
            }
            return false;
        }
        batch.attributes().transactional() && self.aborted.contains(&batch.producer_id())
    }
}
