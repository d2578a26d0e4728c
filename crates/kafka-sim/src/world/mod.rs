//! Deeds of a test, or the demo, that no client can do to a cluster: every deed is noted in the log of
//! faults.

pub(crate) mod coordinators;

use std::collections::BTreeMap;

use bytes::Bytes;
use kafka_wire::batch::Batch;

use crate::cluster::Cluster;
use crate::log::Cleaning;
use crate::state::State;

impl Cluster {
    /// Ids of all brokers.
    pub fn brokers(&self) -> Vec<i32> {
        self.with(|state| state.brokers.keys().copied().collect())
    }

    /// Sets the address that metadata tells of a broker.
    pub fn set_address(&self, broker: i32, host: &str, port: u16) {
        self.with(|state| {
            if let Some(b) = state.brokers.get_mut(&broker) {
                (b.host, b.port) = (host.to_owned(), port);
            }
        });
    }

    /// `host:port` of every broker, with commas between.
    pub fn bootstrap(&self) -> String {
        self.with(|state| {
            state.brokers.values().map(|b| format!("{}:{}", b.host, b.port)).collect::<Vec<_>>().join(",")
        })
    }

    /// Creates a topic, its partitions spread over the brokers. Panics if it exists: the test is wrong.
    pub fn create_topic(&self, name: &str, partitions: usize, replicas: usize, config: &[(&str, &str)]) {
        let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.with(|state| {
            assert!(!state.topics.contains_key(name), "topic {name} exists");
            let replicas = state.place(0, partitions, replicas);
            state.add_topic(name, replicas, config);
        });
    }

    /// Deletes a topic and creates it anew under the same name, empty, with another id. False: there is none.
    pub fn recreate_topic(&self, name: &str) -> bool {
        self.note(0, format!("topic {name} is deleted and created again"));
        self.with(|state| {
            let Some(old) = state.topics.remove(name) else { return false };
            state.groups.forget_topic(name);
            let replicas = old.partitions.into_iter().map(|p| p.replicas).collect();
            state.add_topic(name, replicas, old.config);
            true
        })
    }

    /// Deletes a topic. False: there is none.
    pub fn delete_topic(&self, name: &str) -> bool {
        self.note(0, format!("topic {name} is deleted"));
        self.with(|state| {
            state.touch();
            state.groups.forget_topic(name);
            state.topics.remove(name).is_some()
        })
    }

    /// Ends a broker at once, with its connections; other replicas take over what it led.
    pub fn kill(&self, broker: i32) {
        self.note(broker, "killed");
        self.with(|state| {
            if let Some(b) = state.brokers.get_mut(&broker).filter(|b| b.up) {
                b.end();
            }
            elect_where(state, |leader| leader == broker);
        });
    }

    /// Starts a broker that was killed; it leads what has no leader and what it is the first replica of stays
    /// where it is. As a real one, it has forgotten producers whose records are older than
    /// `producer.id.expiration.ms`.
    pub fn restart(&self, broker: i32) {
        self.note(broker, "restarted");
        self.with(|state| {
            if let Some(b) = state.brokers.get_mut(&broker) {
                b.up = true;
            }
            let before = state.now_ms() - state.broker_number("producer.id.expiration.ms");
            for partition in state.topics.values_mut().flat_map(|t| &mut t.partitions) {
                if partition.leader == -1 && partition.replicas.contains(&broker) {
                    partition.log.restarted(before);
                }
            }
            elect_where(state, |leader| leader == -1);
        });
    }

    /// Whether a broker is up.
    pub fn is_up(&self, broker: i32) -> bool {
        self.with(|state| state.is_up(broker))
    }

    /// The leader of a partition, -1 when there is none.
    pub fn leader(&self, topic: &str, partition: i32) -> i32 {
        self.with(|state| state.partition(topic, partition).map_or(-1, |p| p.leader))
    }

    /// Makes another replica the leader. False: it is no replica, or not up.
    pub fn move_leader(&self, topic: &str, partition: i32, broker: i32) -> bool {
        self.note(broker, format!("becomes the leader of {topic}-{partition}"));
        self.with(|state| {
            let up = state.is_up(broker);
            let Some(p) = state.partition_mut(topic, partition) else { return false };
            if !up || !p.replicas.contains(&broker) {
                return false;
            }
            lead(p, broker);
            state.touch();
            true
        })
    }

    /// Loses everything of a partition from the batch with `offset` on, as an unclean election does; the
    /// leader epoch rises. The new end.
    pub fn truncate(&self, topic: &str, partition: i32, offset: i64) -> Option<i64> {
        self.note(0, format!("{topic}-{partition} is truncated to {offset}"));
        self.with(|state| {
            let p = state.partition_mut(topic, partition)?;
            let end = p.log.truncate(offset);
            lead(p, p.leader);
            state.touch();
            Some(end)
        })
    }

    /// Runs the log cleaner over a partition up to `upto`. How many records went.
    pub fn clean(&self, topic: &str, partition: i32, upto: i64) -> usize {
        let removed = self.with(|state| {
            let Some(t) = state.topics.get(topic) else { return 0 };
            let delete_retention_ms = state.topic_number(t, "delete.retention.ms");
            let cleaning = Cleaning { now_ms: state.now_ms(), delete_retention_ms };
            state.touch();
            state.partition_mut(topic, partition).map_or(0, |p| p.log.clean(upto, cleaning))
        });
        self.note(0, format!("{topic}-{partition} is cleaned up to {upto}: {removed} records went"));
        removed
    }

    /// Applies `retention.ms` and `retention.bytes` to all topics whose policy is to delete.
    pub fn apply_retention(&self) {
        self.with(|state| {
            let now = state.now_ms();
            let limits: BTreeMap<String, (Option<i64>, Option<usize>)> = state
                .topics
                .iter()
                .filter(|(_, t)| state.topic_setting(t, "cleanup.policy").contains("delete"))
                .map(|(name, t)| {
                    let oldest = Some(state.topic_number(t, "retention.ms")).filter(|ms| *ms >= 0);
                    let bytes = usize::try_from(state.topic_number(t, "retention.bytes")).ok();
                    (name.clone(), (oldest.map(|ms| now - ms), bytes))
                })
                .collect();
            for (name, (oldest, bytes)) in limits {
                for partition in state.topics.get_mut(&name).into_iter().flat_map(|t| &mut t.partitions) {
                    partition.log.retain(oldest, bytes);
                }
            }
            state.touch();
        });
    }

    /// Deletes what is before `offset`. The new start.
    pub fn delete_records(&self, topic: &str, partition: i32, offset: i64) -> Option<i64> {
        self.note(0, format!("{topic}-{partition} loses what is before {offset}"));
        self.with(|state| {
            state.touch();
            let p = state.partition_mut(topic, partition)?;
            Some(p.log.delete_before(offset.min(p.log.end())))
        })
    }

    /// Flips a bit in the stored batch that has `offset` in it. False: there is none.
    pub fn corrupt(&self, topic: &str, partition: i32, offset: i64) -> bool {
        self.note(0, format!("{topic}-{partition} is damaged at {offset}"));
        self.with(|state| state.partition_mut(topic, partition).is_some_and(|p| p.log.corrupt(offset)))
    }

    /// Stores a batch as it is, but for its base offset and leader epoch: what no producer can write. Its
    /// base offset; `None` when the bytes are no batch or there is no such partition.
    pub fn append(&self, topic: &str, partition: i32, batch: &Bytes) -> Option<i64> {
        self.with(|state| {
            state.touch();
            let p = state.partition_mut(topic, partition)?;
            p.log.append_raw(batch, p.leader_epoch)
        })
    }

    /// The batches of a partition as they are stored.
    pub fn stored(&self, topic: &str, partition: i32) -> Vec<Bytes> {
        let bytes = |batch: &Batch| batch.bytes().clone();
        self.with(|state| {
            let partition = state.partition(topic, partition);
            partition.map(|p| p.log.batches().map(bytes).collect()).unwrap_or_default()
        })
    }

    /// Start, stable offset and end of a partition's log.
    pub fn offsets(&self, topic: &str, partition: i32) -> Option<(i64, i64, i64)> {
        self.with(|state| {
            let log = &state.partition(topic, partition)?.log;
            Some((log.start(), log.last_stable_offset(), log.end()))
        })
    }

    /// The id of a topic; another one when it was created again.
    pub fn topic_id(&self, name: &str) -> Option<uuid::Uuid> {
        self.with(|state| state.topics.get(name).map(|topic| topic.id))
    }

    /// Names of all topics with their number of partitions.
    pub fn topics(&self) -> BTreeMap<String, usize> {
        self.with(|state| state.topics.iter().map(|(name, t)| (name.clone(), t.partitions.len())).collect())
    }

    fn note(&self, broker: i32, what: impl Into<String>) {
        self.inner.faults.note(broker, what);
    }
}

fn elect_where(state: &mut State, needs: impl Fn(i32) -> bool) {
    let up: Vec<i32> = state.brokers.iter().filter(|(_, b)| b.up).map(|(id, _)| *id).collect();
    for partition in state.topics.values_mut().flat_map(|t| &mut t.partitions).filter(|p| needs(p.leader)) {
        let next = partition.replicas.iter().copied().find(|id| up.contains(id)).unwrap_or(-1);
        if next != partition.leader {
            lead(partition, next);
        }
    }
    state.touch();
}

fn lead(partition: &mut crate::state::Partition, broker: i32) {
    partition.leader = broker;
    partition.leader_epoch += 1;
    partition.log.begin_epoch(partition.leader_epoch);
}
