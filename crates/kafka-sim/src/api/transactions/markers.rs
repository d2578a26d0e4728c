//! The markers by which a transaction ends in the logs.

use crate::coordination::Coordinated;
use crate::internal_topics::partitions_of_offsets;
use crate::state::State;

/// Writes the markers of a transaction that ends where there are leaders; it has ended when all are written.
pub(crate) fn write_markers(state: &mut State, id: &str) {
    let Some(transaction) = state.transactions.known.get(id) else { return };
    let Some(commit) = transaction.ending() else { return };
    let (producer, epoch, coordinator_epoch) =
        (transaction.producer_id, transaction.epoch, transaction.coordinator_epoch);
    let partitions = transaction.partitions.clone();
    let (now, count) = (state.now_ms(), partitions_of_offsets(state));
    let written = |(topic, partition): &(String, i32)| {
        if topic == Coordinated::Group.topic() {
            state.groups.end_transaction(*partition, count, producer, commit);
            return true;
        }
        match state.partition_mut(topic, *partition) {
            Some(p) if p.leader < 0 => false,
            Some(p) => {
                p.log.append_marker(producer, epoch, coordinator_epoch, commit, p.leader_epoch, now);
                true
            }
            // Deleted in between.
            None => true,
        }
    };
    let (done, waiting): (Vec<_>, Vec<_>) = partitions.into_iter().partition(written);
    let Some(transaction) = state.transactions.known.get_mut(id) else { return };
    transaction.partitions = waiting.into_iter().collect();
    let complete = transaction.partitions.is_empty();
    if complete {
        transaction.complete();
    }
    if complete || !done.is_empty() {
        state.touch();
    }
}
