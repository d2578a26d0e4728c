//! Targets of a producer's partitions, and the names they go by: leaders by metadata, producer ids by
//! InitProducerId. Both are asked for as long as it takes; a partition that waits long for either is told to
//! wait.

use std::time::Duration;

use kafka_protocol::messages::InitProducerIdRequest;
use tokio::time::{Instant, sleep};

use super::fault::Refusal;
use super::partition::Identity;
use super::producer::{Outcome, PATIENCE, Producer};
use crate::error::WireError;
use crate::error_code::{ErrorCode, code_name};

impl Producer {
    /// Pins partitions to lanes of their leaders, and looks for leaders and a producer id where there is
    /// none.
    pub(super) fn assign(&mut self) {
        if self.leaderless.is_empty() {
            return;
        }
        if self.identity.is_none() && !self.awaits_producer_id {
            self.awaits_producer_id = true;
            self.init_producer_id(None);
        }
        let now = Instant::now();
        let metadata = self.cluster.metadata();
        let (mut asked, mut found) = (Vec::new(), Vec::new());
        for (index, leaderless) in self.leaderless.iter().filter(|(_, h)| h.at <= now) {
            let partition = &self.partitions[*index];
            match metadata.leader(&partition.topic, partition.number).filter(|_| !leaderless.stale) {
                Some(leader) => found.push((*index, leader)),
                None => asked.push(*index),
            }
        }
        for (index, leader) in found {
            self.settle_down(index, leader);
        }
        if !asked.is_empty() && !self.looking_up {
            self.look_up(asked);
        }
    }

    fn settle_down(&mut self, index: usize, leader: i32) {
        self.leaderless.remove(&index);
        let lane = (leader, index % self.settings.lanes_per_broker.max(1));
        self.lanes.entry(lane).or_default();
        let partition = &mut self.partitions[index];
        partition.lane = Some(lane);
        partition.identity = partition.identity.or(self.identity);
        self.let_try(index);
        self.list(index);
    }

    fn look_up(&mut self, asked: Vec<usize>) {
        let mut topics: Vec<String> = asked.iter().map(|i| self.partitions[*i].topic.to_string()).collect();
        topics.sort_unstable();
        topics.dedup();
        self.looking_up = true;
        let cluster = self.cluster.clone();
        self.operations.push(Box::pin(async move {
            let result = cluster.fetch_metadata(Some(&topics)).await.map(|_| ());
            Outcome::Metadata(asked, result)
        }));
    }

    /// Takes note of an answer about the partitions that were asked for.
    pub(super) fn looked_up(&mut self, asked: &[usize], result: Result<(), WireError>) {
        self.looking_up = false;
        let failed = result.err().map(|error| Refusal::from(&error));
        if let Some(reason) = &failed {
            self.remind(&reason.message);
        }
        let metadata = self.cluster.metadata();
        for index in asked {
            let partition = &self.partitions[*index];
            let leader = metadata.leader(&partition.topic, partition.number);
            let Some(leaderless) = self.leaderless.get_mut(index) else { continue };
            leaderless.stale = failed.is_some();
            if leader.is_some() && failed.is_none() {
                leaderless.at = Instant::now();
                continue;
            }
            leaderless.failures += 1;
            let failures = leaderless.failures;
            let at = Instant::now() + self.pause(failures - 1);
            self.leaderless.entry(*index).and_modify(|leaderless| leaderless.at = at);
            if failures >= PATIENCE {
                let partition = &self.partitions[*index];
                let role = self.cluster.role();
                let missing = || match metadata.topics.get(&*partition.topic).and_then(|t| t.error) {
                    None => format!("the {role} cluster names no leader for it now").into(),
                    Some(code) => {
                        let message = format!("the {role} cluster answers {}", code_name(code.code()));
                        Refusal { code: Some(code), message, cure: None }
                    }
                };
                let reason = failed.clone().unwrap_or_else(missing);
                self.tell_waiting(*index, reason);
            }
        }
    }

    /// Asks for a producer id, for as long as it takes.
    pub(super) fn init_producer_id(&mut self, partition: Option<usize>) {
        let cluster = self.cluster.clone();
        self.operations.push(Box::pin(async move {
            let request = InitProducerIdRequest::default()
                .with_transactional_id(None)
                .with_transaction_timeout_ms(i32::MAX);
            let result = cluster
                .retry(|| async {
                    let answer = cluster.call_any(request.clone()).await?;
                    match ErrorCode::try_from_code(answer.error_code) {
                        None => {
                            Ok(Identity { producer_id: answer.producer_id.0, epoch: answer.producer_epoch })
                        }
                        Some(code) => Err(WireError::broker("a producer id (InitProducerId)", code)
                            .needing("WRITE on a topic, or IDEMPOTENT_WRITE on the cluster")),
                    }
                })
                .await;
            if result.is_err() {
                sleep(Duration::from_secs(1)).await;
            }
            Outcome::ProducerId(partition, result)
        }));
    }

    /// Takes note of a producer id, for one partition or for all that have none.
    pub(super) fn producer_id_given(
        &mut self,
        partition: Option<usize>,
        result: Result<Identity, WireError>,
    ) {
        let whom = match partition {
            Some(index) => index..index + 1,
            None => 0..self.partitions.len(),
        };
        match result {
            Ok(identity) => {
                if partition.is_none() {
                    self.identity = Some(identity);
                }
                for index in whom {
                    match partition {
                        Some(_) => self.partitions[index].begin_as(identity),
                        None => {
                            self.partitions[index].identity.get_or_insert(identity);
                        }
                    }
                    self.let_try(index);
                    self.list(index);
                }
            }
            Err(error) => {
                self.remind(&error.to_string());
                for index in whom.filter(|_| !error.is_retriable()) {
                    self.tell_waiting(index, (&error).into());
                }
                self.init_producer_id(partition);
            }
        }
    }
}
