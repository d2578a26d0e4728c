//! Fetch requests and their answers.

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse};
use uuid::Uuid;

use super::batch::{Stored, split};
use super::{T, code, name};

/// A Fetch of some partitions; by default version 12, no session, no limits, no wait.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) version: i16,
    pub(crate) isolation: i8,
    pub(crate) min_bytes: i32,
    pub(crate) max_bytes: i32,
    pub(crate) partition_max: i32,
    pub(crate) wait: i32,
    pub(crate) session: (i32, i32),
    pub(crate) leader_epoch: i32,
    pub(crate) last_epoch: i32,
    pub(crate) id: Uuid,
    /// Topic, partition, offset.
    pub(crate) partitions: Vec<(String, i32, i64)>,
}

impl Ask {
    pub(crate) fn of(topic: &str, offset: i64) -> Self {
        Self {
            version: 12,
            isolation: 0,
            min_bytes: 1,
            max_bytes: 50 << 20,
            partition_max: 50 << 20,
            wait: 0,
            session: (0, -1),
            leader_epoch: -1,
            last_epoch: -1,
            id: Uuid::nil(),
            partitions: vec![(topic.to_owned(), 0, offset)],
        }
    }

    pub(crate) fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub(crate) fn committed(self) -> Self {
        Self { isolation: 1, ..self }
    }

    pub(crate) fn request(&self) -> FetchRequest {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for (topic, partition, offset) in &self.partitions {
            let entry = FetchPartition::default()
                .with_partition(*partition)
                .with_current_leader_epoch(self.leader_epoch)
                .with_fetch_offset(*offset)
                .with_last_fetched_epoch(self.last_epoch)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(self.partition_max);
            match topics.last_mut() {
                Some(last) if last.topic == name(topic) && self.version < 13 => last.partitions.push(entry),
                _ if self.version < 13 => {
                    topics.push(FetchTopic::default().with_topic(name(topic)).with_partitions(vec![entry]));
                }
                _ => topics.push(FetchTopic::default().with_topic_id(self.id).with_partitions(vec![entry])),
            }
        }
        let request = FetchRequest::default()
            .with_max_wait_ms(self.wait)
            .with_min_bytes(self.min_bytes)
            .with_max_bytes(self.max_bytes)
            .with_isolation_level(self.isolation)
            .with_session_id(self.session.0)
            .with_session_epoch(self.session.1)
            .with_topics(topics);
        if self.version < 15 { request.with_replica_id(BrokerId(-1)) } else { request }
    }
}

/// A partition of a Fetch's answer, its records split into batches.
pub(crate) struct Fetched {
    pub(crate) partition: PartitionData,
    pub(crate) batches: Vec<Stored>,
    /// Bytes of a cut batch at the end.
    pub(crate) torn: usize,
}

impl Fetched {
    pub(crate) fn code(&self) -> String {
        code(self.partition.error_code)
    }

    /// Error code, high watermark, last stable offset, log start.
    pub(crate) fn head(&self) -> String {
        let p = &self.partition;
        let (high, stable, start) = (p.high_watermark, p.last_stable_offset, p.log_start_offset);
        format!("{} high {high} stable {stable} start {start}", self.code())
    }

    /// `first..last` of each batch, and the torn bytes.
    pub(crate) fn ranges(&self) -> String {
        let range = |s: &Stored| format!("{}..{}", s.batch.base_offset, s.next_offset() - 1);
        let mut all: Vec<String> = self.batches.iter().map(range).collect();
        if self.torn > 0 {
            all.push(format!("torn {}", self.torn));
        }
        if all.is_empty() { "nothing".to_owned() } else { all.join(" ") }
    }
}

impl T<'_> {
    pub(crate) fn ask(&mut self, ask: &Ask) -> FetchResponse {
        self.client.call(ask.version, &ask.request())
    }

    /// A Fetch of one partition.
    pub(crate) fn fetch_as(&mut self, ask: &Ask) -> Fetched {
        let mut answer = self.ask(ask);
        assert_eq!(answer.error_code, 0, "top level");
        let partition = answer.responses.remove(0).partitions.remove(0);
        let (batches, torn) = split(partition.records.clone().unwrap_or_default());
        Fetched { partition, batches, torn }
    }

    pub(crate) fn fetch(&mut self, topic: &str, offset: i64) -> Fetched {
        self.fetch_as(&Ask::of(topic, offset))
    }

    /// Everything of a partition, batch by batch on a line each.
    pub(crate) fn note_log(&mut self, label: &str, topic: &str) {
        let log = self.log(topic);
        if log.is_empty() {
            self.note(label, "nothing");
        }
        for (at, stored) in log.iter().enumerate() {
            let text = self.batch(stored);
            self.note(format!("{label} {at}"), text);
        }
    }

    /// All batches of partition 0.
    pub(crate) fn log(&mut self, topic: &str) -> Vec<Stored> {
        let mut at = self.list_offset(topic, 0, super::topics::EARLIEST).offset;
        let mut all = Vec::new();
        loop {
            let fetched = self.fetch(topic, at);
            assert_eq!(fetched.partition.error_code, 0, "reading {topic} at {at}");
            let Some(last) = fetched.batches.last() else { return all };
            at = last.next_offset();
            all.extend(fetched.batches);
        }
    }
}
