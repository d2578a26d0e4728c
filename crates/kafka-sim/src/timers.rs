//! Time that passes: whoever takes the cluster's lock has this run first.

use crate::api::transactions::markers::write_markers;
use crate::state::State;

/// Runs what is due: sessions and rebalances of groups that end, transactions that time out.
pub(crate) fn run(state: &mut State) {
    let now = state.now_ms();
    if state.groups.run_timers(&state.brokers, now) {
        state.touch();
    }
    for id in state.transactions.due(&state.brokers, now) {
        write_markers(state, &id);
    }
}
