//! Where a producer's partitions are sent, and as whom: leaders by metadata, producer ids by InitProducerId. Both are
//! asked for as long as it takes; a partition that waits long for either is told to wait.

use std::time::Duration;

use kafka_protocol::messages::InitProducerIdRequest;
use tokio::time::{Instant, sleep};

use super::partition::Identity;
use super::producer::{Outcome, PATIENCE, Producer};
use crate::error::{WireError, code_name};

/// Partitions that lose their leader together ask for it together.
const GATHER: Duration = Duration::from_millis(5);

/// A partition that looks for its leader.
#[derive(Debug)]
pub(super) struct Homeless {
    /// Not before this time.
    pub(super) at: Instant,
    /// The cached metadata was shown to be wrong: ask before using it again.
    stale: bool,
    /// Look-ups in a row that brought no leader.
    failures: u32,
}

impl Homeless {
    /// One that never had a leader.
    pub(super) fn new() -> Self {
        Self { at: Instant::now(), stale: false, failures: 0 }
    }

    /// One whose leader failed or is elsewhere.
    pub(super) fn after_fault() -> Self {
        Self { at: Instant::now() + GATHER, stale: true, failures: 0 }
    }
}

impl Producer {
    /// Pins partitions to lanes of their leaders, and looks for leaders and a producer id where there is none.
    pub(super) fn assign(&mut self) {
        if self.homeless.is_empty() {
            return;
        }
        if self.identity.is_none() && !self.naming {
            self.naming = true;
            self.name(None);
        }
        let now = Instant::now();
        let metadata = self.cluster.metadata();
        let (mut asked, mut found) = (Vec::new(), Vec::new());
        for (index, homeless) in self.homeless.iter().filter(|(_, h)| h.at <= now) {
            let partition = &self.partitions[*index];
            match metadata.leader(&partition.topic, partition.number).filter(|_| !homeless.stale) {
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
        self.homeless.remove(&index);
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
        let failed = result.err().map(|error| error.to_string());
        if let Some(reason) = &failed {
            self.remind(reason);
        }
        let metadata = self.cluster.metadata();
        for index in asked {
            let partition = &self.partitions[*index];
            let leader = metadata.leader(&partition.topic, partition.number);
            let Some(homeless) = self.homeless.get_mut(index) else { continue };
            homeless.stale = failed.is_some();
            if leader.is_some() && failed.is_none() {
                homeless.at = Instant::now();
                continue;
            }
            homeless.failures += 1;
            let failures = homeless.failures;
            let at = Instant::now() + self.pause(failures - 1);
            self.homeless.entry(*index).and_modify(|homeless| homeless.at = at);
            if failures >= PATIENCE {
                let partition = &self.partitions[*index];
                let missing = || match metadata.topics.get(&*partition.topic).map_or(0, |t| t.error_code) {
                    0 => format!("the {} cluster names no leader for it now", self.cluster.role()),
                    code => format!("the {} cluster answers {}", self.cluster.role(), code_name(code)),
                };
                let reason = failed.clone().unwrap_or_else(missing);
                self.tell_waiting(*index, reason);
            }
        }
    }

    /// Asks for a producer id, for as long as it takes.
    pub(super) fn name(&mut self, partition: Option<usize>) {
        let cluster = self.cluster.clone();
        self.operations.push(Box::pin(async move {
            let request = InitProducerIdRequest::default()
                .with_transactional_id(None)
                .with_transaction_timeout_ms(i32::MAX);
            let result = cluster
                .retry(|| async {
                    let answer = cluster.call_any(request.clone()).await?;
                    match answer.error_code {
                        0 => Ok(Identity { producer_id: answer.producer_id.0, epoch: answer.producer_epoch }),
                        code => Err(WireError::broker("a producer id (InitProducerId)", code)
                            .needing("WRITE on a topic, or IDEMPOTENT_WRITE on the cluster")),
                    }
                })
                .await;
            if result.is_err() {
                sleep(Duration::from_secs(1)).await;
            }
            Outcome::Named(partition, result)
        }));
    }

    /// Takes note of a producer id, for one partition or for all that have none.
    pub(super) fn named(&mut self, partition: Option<usize>, result: Result<Identity, WireError>) {
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
                        Some(_) => self.partitions[index].renamed(identity),
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
                    self.tell_waiting(index, error.to_string());
                }
                self.name(partition);
            }
        }
    }
}
