//! A writer that numbers its records and does what the producer's events ask for, checking each acknowledgement.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kafka_wire::batch::Codec;
use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::{FetchSettings, Fetcher};
use kafka_wire::produce::{MergeSettings, ProduceEvent, Producer};

use crate::support::{
    Collected, Kafka, LIMIT, MERGE, expect_numbers, fetch_settings, numbered, produce_settings,
};

/// One partition that is written.
#[derive(Debug)]
pub struct Feed {
    pub partition: i32,
    /// Number of the next record to enqueue.
    pub next: i64,
    /// All below are acknowledged.
    pub acknowledged: i64,
    pub waiting: bool,
    pub stopped: Option<String>,
}

pub struct Load {
    pub producer: Producer,
    pub feeds: BTreeMap<usize, Feed>,
    pub per_batch: i64,
    /// Records that may be enqueued without being acknowledged.
    pub ahead: i64,
    pub duplicates: usize,
    pub merged: usize,
    pub waits: usize,
    pub resumed: usize,
    pub rewinds: Vec<String>,
}

impl Load {
    pub fn new(client: &Cluster, topic: &str, partitions: i32, merge: Option<MergeSettings>) -> Self {
        let mut producer = Producer::new(client.clone(), produce_settings(merge));
        let feed = |partition| Feed { partition, next: 0, acknowledged: 0, waiting: false, stopped: None };
        let feeds = (0..partitions).map(|p| (producer.open(topic, p), feed(p))).collect();
        Self {
            producer,
            feeds,
            per_batch: 10,
            ahead: 200,
            duplicates: 0,
            merged: 0,
            waits: 0,
            resumed: 0,
            rewinds: Vec::new(),
        }
    }

    /// Enqueues what may be enqueued, up to the record `end`.
    pub fn fill(&mut self, end: i64) {
        for (index, feed) in &mut self.feeds {
            while feed.next < end
                && feed.next - feed.acknowledged < self.ahead
                && !feed.waiting
                && feed.stopped.is_none()
            {
                let count = self.per_batch.min(end - feed.next);
                let batch = numbered(Codec::None, feed.partition, feed.next, count);
                self.producer.enqueue(*index, feed.next, batch);
                feed.next += count;
            }
        }
    }

    pub fn take(&mut self, event: ProduceEvent) {
        match event {
            ProduceEvent::Acknowledged(ack) => {
                let feed = self.feeds.get_mut(&ack.partition).unwrap();
                assert_eq!(ack.tag, feed.acknowledged, "acknowledged out of order: {ack:?}");
                assert_eq!(ack.base_offset, ack.tag, "stored elsewhere than where it belongs: {ack:?}");
                feed.acknowledged += i64::from(ack.records);
                self.duplicates += usize::from(ack.duplicate);
                self.merged += usize::from(ack.merged);
            }
            ProduceEvent::Waiting { partition, .. } => {
                self.waits += 1;
                self.feeds.get_mut(&partition).unwrap().waiting = true;
            }
            ProduceEvent::Resumed { partition } => {
                self.resumed += 1;
                self.feeds.get_mut(&partition).unwrap().waiting = false;
            }
            ProduceEvent::Rewind { partition, tag, reason } => {
                let feed = self.feeds.get_mut(&partition).unwrap();
                assert!((feed.acknowledged..=feed.next).contains(&tag), "{feed:?} rewound to {tag}");
                feed.next = tag;
                self.rewinds.push(reason.to_string());
            }
            ProduceEvent::Stopped { partition, tag, reason } => {
                let feed = self.feeds.get_mut(&partition).unwrap();
                assert_eq!(tag, feed.acknowledged);
                feed.stopped = Some(reason.to_string());
            }
        }
    }

    /// Waits for news, at most `limit`, and handles them.
    pub async fn step(&mut self, limit: Duration) {
        if let Ok(events) = tokio::time::timeout(limit, self.producer.next()).await {
            events.into_iter().for_each(|event| self.take(event));
        }
    }

    /// Writes the records `0..end` of every partition. `next` is given up and called again all the time, as in a
    /// loop that waits for several things.
    pub async fn write(&mut self, end: i64) {
        let writing = async {
            while self.feeds.values().any(|f| f.acknowledged < end && f.stopped.is_none()) {
                self.fill(end);
                self.step(Duration::from_millis(3)).await;
            }
        };
        let in_time = tokio::time::timeout(LIMIT, writing).await.is_ok();
        assert!(in_time, "not all is acknowledged: {:?}", self.feeds);
    }
}

/// Writes and reads all the time while `fault` happens, and for a while after.
pub async fn survives(
    kafka: &Kafka,
    client: &Cluster,
    topic: &str,
    partitions: i32,
    fault: impl FnOnce(&kafka_clusters::Cluster) + Send + 'static,
) {
    let mut load = Load::new(client, topic, partitions, MERGE);
    load.write(200).await;
    let settings = FetchSettings { max_wait: Duration::from_millis(200), ..fetch_settings() };
    let mut fetcher = Fetcher::new(client.clone(), settings);
    (0..partitions).for_each(|p| fetcher.add(p as usize, topic, p, 0));
    let mut collected = Collected::default();

    let fault = kafka.run(fault);
    tokio::pin!(fault);
    let mut over: Option<Instant> = None;
    let started = Instant::now();
    while over.is_none_or(|at| at.elapsed() < Duration::from_secs(1)) {
        assert!(started.elapsed() < Duration::from_secs(120), "{:?} {:?}", load.feeds, fetcher);
        // A record every other millisecond, so that something is under way whenever the fault strikes.
        load.fill(200 + started.elapsed().as_millis() as i64 / 2);
        tokio::select! {
            () = &mut fault, if over.is_none() => over = Some(Instant::now()),
            () = load.step(Duration::from_millis(3)) => {}
            events = fetcher.next() => events.into_iter().for_each(|event| collected.take(event)),
        }
    }
    let end = load.feeds.values().map(|f| f.next).max().unwrap() + 500;
    load.write(end).await;
    collected.until(&mut fetcher, |c| (0..partitions).all(|p| c.count(p as usize) >= end as usize)).await;
    collected.expect(partitions, end as usize);
    expect_numbers(kafka, client, topic, partitions, end).await;
}
