//! Waiting for news at the end of a topic.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use kafka_protocol::messages::fetch_response::PartitionData;
use kafka_protocol::messages::{FetchRequest, FetchResponse};
use tokio::time::sleep;
use tracing::debug;

use super::TopicLog;
use crate::batch::split;
use crate::cluster::Cluster;
use crate::error::WireError;
use crate::error_code::ErrorCode;

/// Pause after a failed attempt: the news it may have hidden is looked for by whoever is woken.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells when something was appended to a topic. It has connections of its own, because its requests wait at
/// the brokers.
#[derive(Debug)]
pub struct TopicTail {
    log: TopicLog,
}

impl TopicLog {
    /// A watcher that begins where this log has been read to.
    pub fn tail(&self) -> TopicTail {
        let (topic, positions) = (self.topic.clone(), self.positions.clone());
        TopicTail { log: TopicLog { cluster: self.cluster.separate(), topic, positions } }
    }
}

impl TopicTail {
    /// Waits until something was appended since the last call; may also return without. Never fails: while
    /// the cluster is away it returns about once a second. Cancel-safe.
    pub async fn changed(&mut self) {
        loop {
            match self.poll().await {
                Ok(false) => {}
                Ok(true) => return,
                Err(error) => {
                    debug!("watching topic {}: {error}", self.log.topic);
                    sleep(PAUSE).await;
                    return;
                }
            }
        }
    }

    /// One round of requests that wait at the leaders; true when there is news.
    async fn poll(&mut self) -> Result<bool, WireError> {
        let mut by_leader: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
        for partition in 0..self.log.positions.len() {
            by_leader.entry(self.leader(partition).await?).or_default().push(partition);
        }
        let cluster = &self.log.cluster;
        let asks = by_leader.into_iter().map(|(leader, partitions)| {
            let request = self.request(&partitions);
            async move { ask(cluster, leader, request).await }
        });
        let mut news = false;
        for answer in join_all(asks).await {
            for found in answer?.responses.into_iter().flat_map(|topic| topic.partitions) {
                news |= self.advance(found).await?;
            }
        }
        Ok(news)
    }

    async fn leader(&self, partition: usize) -> Result<i32, WireError> {
        let topic = &self.log.topic;
        if let Some(leader) = self.log.cluster.metadata().leader(topic, partition as i32) {
            return Ok(leader);
        }
        let metadata = self.log.cluster.fetch_metadata(Some(std::slice::from_ref(topic))).await?;
        metadata.leader_or_why(topic, partition as i32)
    }

    fn request(&self, partitions: &[usize]) -> FetchRequest {
        let first = partitions.first().copied().unwrap_or_default();
        let mut request = self.log.fetch_request(first as i32, self.log.positions[first]);
        if let Some(topic) = request.topics.first_mut() {
            let of = |partition: &usize| {
                let mut one = topic.partitions[0].clone();
                one.partition = *partition as i32;
                one.fetch_offset = self.log.positions[*partition];
                one
            };
            topic.partitions = partitions.iter().map(of).collect();
        }
        request
    }

    async fn advance(&mut self, found: PartitionData) -> Result<bool, WireError> {
        let partition = found.partition_index as usize;
        if partition >= self.log.positions.len() {
            return Ok(false);
        }
        match ErrorCode::try_from_code(found.error_code) {
            None => {}
            Some(ErrorCode::OffsetOutOfRange) => {
                self.log.begin_again(partition).await?;
                return Ok(true);
            }
            Some(code) => {
                self.log.cluster.fetch_metadata(Some(std::slice::from_ref(&self.log.topic))).await?;
                let what = format!("watch {}-{partition}", self.log.topic);
                return Err(WireError::broker(what, code).needing("READ on the topic"));
            }
        }
        let next = end_of(found.records.unwrap_or_default());
        let news = next > self.log.positions[partition];
        self.log.positions[partition] = next.max(self.log.positions[partition]);
        Ok(news)
    }
}

async fn ask(cluster: &Cluster, leader: i32, request: FetchRequest) -> Result<FetchResponse, WireError> {
    let answer = match cluster.broker(leader).await {
        Ok(connection) => connection.call(&request).await,
        Err(error) => Err(error),
    };
    if answer.is_err() {
        // The leader may have moved; what this finds counts at the next round.
        let _ = cluster.fetch_metadata(Some(&[request.topics[0].topic.to_string()])).await;
    }
    answer
}

/// The offset after the last batch; 0 when there is none.
fn end_of(records: Bytes) -> i64 {
    split(records).map_while(Result::ok).map(|entry| entry.next_offset()).max().unwrap_or_default()
}
