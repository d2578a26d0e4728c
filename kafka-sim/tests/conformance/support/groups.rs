//! Finding coordinators.

use kafka_protocol::messages::FindCoordinatorRequest;

use super::{T, text};

impl T<'_> {
    /// Waits until a group (0) or a transactional id (1) has a coordinator: the first of either kind makes the broker
    /// create a topic.
    pub(crate) fn coordinator(&mut self, kind: i8, key: &str) {
        let request =
            FindCoordinatorRequest::default().with_key_type(kind).with_coordinator_keys(vec![text(key)]);
        self.until("a coordinator", |t| {
            let answer = t.client.call(4, &request);
            (answer.coordinators[0].error_code == 0).then_some(())
        });
    }
}
