//! Everything that a cluster knows, behind one lock: brokers, topics with their logs, groups, transactions.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use tokio::sync::watch;
use uuid::Uuid;

use crate::api::groups::registry::Groups;
use crate::api::sessions::Sessions;
use crate::api::transactions::registry::Transactions;
use crate::blueprint::Blueprint;
use crate::clock::Clock;
use crate::config;
use crate::log::Log;
pub(crate) use crate::parts::{Broker, Partition, Topic};
use crate::protocol::Release;

pub(crate) struct State {
    pub(crate) release: Release,
    pub(crate) cluster_id: String,
    /// Broker settings in force.
    pub(crate) properties: BTreeMap<String, String>,
    /// Those of them that were changed while brokers run.
    pub(crate) dynamic: config::Dynamic,
    pub(crate) brokers: BTreeMap<i32, Broker>,
    pub(crate) topics: BTreeMap<String, Topic>,
    pub(crate) groups: Groups,
    pub(crate) transactions: Transactions,
    pub(crate) clock: Clock,
    random: fastrand::Rng,
    touched: bool,
}

impl State {
    pub(crate) fn new(settings: Blueprint, clock: Clock) -> Self {
        let mut random = fastrand::Rng::with_seed(settings.seed);
        let mut properties = settings.properties;
        let cluster_id = Uuid::from_u128(random.u128(..));
        let broker = |id: i32| {
            let rack = settings.racks.then(|| format!("rack-{id}"));
            let (host, port) = (format!("broker-{id}"), 9092);
            let sessions = Sessions::default();
            (id, Broker { host, port, rack, up: true, sessions, ends: watch::channel(0).0 })
        };
        Self {
            release: settings.release,
            cluster_id: short_id(cluster_id),
            brokers: (1..=settings.brokers as i32).map(broker).collect(),
            dynamic: config::Dynamic::of(settings.release, &mut properties),
            properties,
            topics: BTreeMap::new(),
            groups: Groups::default(),
            transactions: Transactions::default(),
            clock,
            random,
            touched: false,
        }
    }

    pub(crate) fn broker(&self, id: i32) -> Option<&Broker> {
        self.brokers.get(&id)
    }

    /// Says that something changed for which others may wait.
    pub(crate) fn touch(&mut self) {
        self.touched = true;
    }

    pub(crate) fn take_touched(&mut self) -> bool {
        std::mem::take(&mut self.touched)
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// When something is due next, ms since 1970.
    pub(crate) fn next_timer_ms(&self) -> Option<i64> {
        let groups = self.groups.next_timer_ms();
        let transactions = self.transactions.next_timer_ms();
        groups.into_iter().chain(transactions).min()
    }

    /// A new random id.
    pub(crate) fn new_id(&mut self) -> Uuid {
        Uuid::from_u128(self.random.u128(..).max(2))
    }

    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<(&String, &Topic)> {
        self.topics.iter().find(|(_, topic)| topic.id == id)
    }

    pub(crate) fn partition(&self, topic: &str, partition: i32) -> Option<&Partition> {
        self.topics.get(topic)?.partitions.get(usize::try_from(partition).ok()?)
    }

    pub(crate) fn partition_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Partition> {
        self.topics.get_mut(topic)?.partitions.get_mut(usize::try_from(partition).ok()?)
    }

    /// A setting in force for a topic: its own, the broker's, or the default.
    pub(crate) fn topic_setting<'a>(&'a self, topic: &'a Topic, name: &str) -> &'a str {
        config::topic_value(self.release, &self.properties, &topic.config, name)
    }

    /// The same as a number.
    pub(crate) fn topic_number(&self, topic: &Topic, name: &str) -> i64 {
        self.topic_setting(topic, name).parse().unwrap_or(-1)
    }

    /// A broker setting in force.
    pub(crate) fn broker_setting(&self, name: &str) -> &str {
        config::broker_value(&self.properties, name)
    }

    /// The same as a number.
    pub(crate) fn broker_number(&self, name: &str) -> i64 {
        self.broker_setting(name).parse().unwrap_or(-1)
    }

    /// The lowest broker that is up; -1 if none is.
    pub(crate) fn controller(&self) -> i32 {
        self.brokers.iter().find(|(_, broker)| broker.up).map_or(-1, |(id, _)| *id)
    }

    /// Adds a topic, its partitions spread over the brokers; `replicas`: the brokers of each partition, the
    /// leader first.
    pub(crate) fn add_topic(
        &mut self,
        name: &str,
        replicas: Vec<Vec<i32>>,
        config: BTreeMap<String, String>,
    ) {
        let id = self.new_id();
        let partitions = replicas.into_iter().map(|replicas| self.new_partition(replicas)).collect();
        self.topics.insert(name.to_owned(), Topic { id, partitions, config });
        self.touch();
    }

    /// An empty partition, led by the first of its replicas that is up.
    pub(crate) fn new_partition(&self, replicas: Vec<i32>) -> Partition {
        let leader = self.first_up(&replicas);
        let mut log = Log::default();
        log.begin_epoch(0);
        Partition { replicas, leader, leader_epoch: 0, log }
    }

    /// Whether a broker exists and is up.
    pub(crate) fn is_up(&self, id: i32) -> bool {
        self.broker(id).is_some_and(|broker| broker.up)
    }

    fn first_up(&self, replicas: &[i32]) -> i32 {
        replicas.iter().copied().find(|id| self.is_up(*id)).unwrap_or(-1)
    }

    /// Replicas for new partitions `first..first + count`, spread as round robin.
    pub(crate) fn place(&self, first: usize, count: usize, factor: usize) -> Vec<Vec<i32>> {
        let ids: Vec<i32> = self.brokers.keys().copied().collect();
        let replicas = |p: usize| (0..factor.min(ids.len())).map(|r| ids[(p + r) % ids.len()]).collect();
        (first..first + count).map(replicas).collect()
    }
}

/// An id as Kafka writes it: 22 characters of URL-safe base 64.
pub(crate) fn short_id(id: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_look_as_kafka_writes_them() {
        assert_eq!(short_id(Uuid::nil()), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(short_id(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(short_id(Uuid::from_u128(u128::MAX)), "_____________________w");
    }
}
