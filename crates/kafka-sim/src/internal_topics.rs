//! The topics in which real brokers keep groups and transactions; here they are only there to be seen.

use crate::coordination::Coordinated;
use crate::state::State;

/// Creates the internal topic of a type, unless it is there.
pub(crate) fn ensure_topic(state: &mut State, what: Coordinated) {
    if state.topics.contains_key(what.topic()) {
        return;
    }
    let (prefix, compression) = match what {
        Coordinated::Group => ("offsets.topic", "producer"),
        Coordinated::Transaction => ("transaction.state.log", "uncompressed"),
    };
    let count = state.broker_number(&format!("{prefix}.num.partitions")).max(1) as usize;
    let factor = state.broker_number(&format!("{prefix}.replication.factor")).max(1) as usize;
    let settings =
        [("cleanup.policy", "compact"), ("compression.type", compression), ("segment.bytes", "104857600")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let replicas = state.place(0, count, factor);
    state.add_topic(what.topic(), replicas, settings.into());
}

/// Number of partitions of the topic of committed offsets; 1 before it is there.
pub(crate) fn partitions_of_offsets(state: &State) -> i32 {
    state.topics.get(Coordinated::Group.topic()).map_or(1, |topic| topic.partitions.len() as i32)
}
