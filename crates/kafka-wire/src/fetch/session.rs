//! The client's half of a fetch session (KIP-227): which partitions the broker already knows at which offset,
//! so that a request names only what changed. Without a session (the broker's cache may be full) every
//! request is whole, and partitions that were served go to the back so that none starves.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use kafka_protocol::protocol::StrBytes;
use uuid::Uuid;

/// Request of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) topic: Arc<str>,
    pub(super) topic_id: Uuid,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) leader_epoch: i32,
    pub(super) last_fetched_epoch: i32,
}

/// State of one session with one broker.
#[derive(Debug, Default)]
pub(super) struct Session {
    id: i32,
    epoch: i32,
    /// Requests that the broker last knew of each partition, by the fetcher's key.
    pub(super) sent: HashMap<usize, Ask>,
    order: Vec<usize>,
}

impl Session {
    /// Forgets the session: the next request opens a new one.
    pub(super) fn reset(&mut self) {
        self.id = 0;
        self.epoch = 0;
        self.sent.clear();
    }

    /// Fills the session's part of a request that is to read `asks`.
    pub(super) fn fill(
        &mut self,
        request: FetchRequest,
        asks: HashMap<usize, Ask>,
        partition_max_bytes: i32,
    ) -> FetchRequest {
        let incremental = self.id != 0;
        self.order.retain(|key| asks.contains_key(key));
        let placed: HashSet<usize> = self.order.iter().copied().collect();
        let mut new: Vec<usize> = asks.keys().copied().filter(|k| !placed.contains(k)).collect();
        new.sort_unstable();
        self.order.extend(new);

        let changed = self.order.iter().filter(|key| !incremental || self.sent.get(key) != asks.get(key));
        let topics = topics(changed.filter_map(|key| asks.get(key)), partition_max_bytes);
        let forgotten = if incremental {
            // A topic that was created again: the broker knows the old one as another partition.
            let gone = |key: &usize, ask: &Ask| asks.get(key).is_none_or(|now| now.topic_id != ask.topic_id);
            forgotten(self.sent.iter().filter(|(key, ask)| gone(key, ask)).map(|(_, ask)| ask))
        } else {
            Vec::new()
        };
        self.sent = asks;
        request
            .with_session_id(self.id)
            .with_session_epoch(self.epoch)
            .with_topics(topics)
            .with_forgotten_topics_data(forgotten)
    }

    /// Takes note of a successful answer.
    pub(super) fn answered(&mut self, session_id: i32, served: &[usize]) {
        self.id = session_id;
        self.epoch = match (session_id, self.epoch) {
            (0, _) => 0,
            (_, i32::MAX) => 1,
            (_, epoch) => epoch + 1,
        };
        self.order.retain(|key| !served.contains(key));
        self.order.extend(served);
    }
}

fn topics<'a>(asks: impl Iterator<Item = &'a Ask>, partition_max_bytes: i32) -> Vec<FetchTopic> {
    let mut out: Vec<FetchTopic> = Vec::new();
    let mut place: HashMap<&str, usize> = HashMap::new();
    for ask in asks {
        let index = *place.entry(&ask.topic).or_insert_with(|| {
            let name = StrBytes::from_string(ask.topic.to_string());
            out.push(FetchTopic::default().with_topic(name.into()).with_topic_id(ask.topic_id));
            out.len() - 1
        });
        out[index].partitions.push(
            FetchPartition::default()
                .with_partition(ask.partition)
                .with_fetch_offset(ask.offset)
                .with_current_leader_epoch(ask.leader_epoch)
                .with_last_fetched_epoch(ask.last_fetched_epoch)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(partition_max_bytes),
        );
    }
    out
}

fn forgotten<'a>(asks: impl Iterator<Item = &'a Ask>) -> Vec<ForgottenTopic> {
    let mut by_topic: BTreeMap<(&str, Uuid), Vec<i32>> = BTreeMap::new();
    for ask in asks {
        by_topic.entry((&ask.topic, ask.topic_id)).or_default().push(ask.partition);
    }
    let topic = |((name, id), partitions): ((&str, Uuid), Vec<i32>)| {
        ForgottenTopic::default()
            .with_topic(StrBytes::from_string(name.to_owned()).into())
            .with_topic_id(id)
            .with_partitions(partitions)
    };
    by_topic.into_iter().map(topic).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(partition: i32, offset: i64) -> Ask {
        Ask {
            topic: "t".into(),
            topic_id: Uuid::nil(),
            partition,
            offset,
            leader_epoch: -1,
            last_fetched_epoch: -1,
        }
    }

    fn fill(session: &mut Session, asks: &[(usize, Ask)]) -> FetchRequest {
        session.fill(FetchRequest::default(), asks.iter().cloned().collect(), 1)
    }

    fn partitions(request: &FetchRequest) -> Vec<i32> {
        request.topics.iter().flat_map(|t| t.partitions.iter().map(|p| p.partition)).collect()
    }

    #[test]
    fn later_requests_name_only_what_changed() {
        let mut session = Session::default();
        let first = fill(&mut session, &[(0, ask(0, 0)), (1, ask(1, 0))]);
        assert_eq!((first.session_id, first.session_epoch), (0, 0));
        assert_eq!(partitions(&first), [0, 1]);
        session.answered(9, &[0]);
        let second = fill(&mut session, &[(0, ask(0, 5)), (1, ask(1, 0))]);
        assert_eq!((second.session_id, second.session_epoch), (9, 1));
        assert_eq!(partitions(&second), [0]);
        session.answered(9, &[]);
        let third = fill(&mut session, &[(1, ask(1, 0))]);
        assert_eq!(third.session_epoch, 2);
        assert!(partitions(&third).is_empty());
        assert_eq!(third.forgotten_topics_data[0].partitions, [0]);
    }

    #[test]
    fn a_topic_that_was_created_again_replaces_the_old_one() {
        let mut session = Session::default();
        fill(&mut session, &[(0, ask(0, 7))]);
        session.answered(9, &[]);
        let again = Ask { topic_id: Uuid::from_u128(5), ..ask(0, 0) };
        let request = fill(&mut session, &[(0, again)]);
        assert_eq!(partitions(&request), [0]);
        assert_eq!(request.forgotten_topics_data[0].topic_id, Uuid::nil());
    }

    #[test]
    fn without_a_session_served_partitions_go_to_the_back() {
        let mut session = Session::default();
        let asks = [(0, ask(0, 0)), (1, ask(1, 0)), (2, ask(2, 0))];
        fill(&mut session, &asks);
        session.answered(0, &[0]);
        assert_eq!(partitions(&fill(&mut session, &asks)), [1, 2, 0]);
    }

    #[test]
    fn a_reset_session_starts_whole() {
        let mut session = Session::default();
        let asks = [(0, ask(0, 0))];
        fill(&mut session, &asks);
        session.answered(4, &[]);
        session.reset();
        let request = fill(&mut session, &asks);
        assert_eq!((request.session_id, request.session_epoch), (0, 0));
        assert_eq!(partitions(&request), [0]);
    }
}
