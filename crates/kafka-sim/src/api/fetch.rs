//! Fetch: sessions, byte limits, long polls, epochs, transactions.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, PartitionData,
};
use kafka_protocol::messages::{ApiKey, FetchRequest, FetchResponse, TopicName};

use super::sessions::{TopicKey, Turn, Wanted};
use super::{Context, code, epochs, text};
use crate::protocol::Release;
use crate::state::{Partition, State};

/// Part of a request that all its partitions share.
struct Call<'a> {
    context: &'a Context,
    version: i16,
    committed: bool,
    min_bytes: usize,
    max_bytes: usize,
    rack: String,
}

/// Progress of reading one partition.
enum Look<'a> {
    /// There may be data.
    Data(&'a Partition),
    /// The epoch that the client read last ended earlier than the client thinks.
    Diverged(&'a Partition, i32, i64),
    /// Another replica is nearer.
    Elsewhere(&'a Partition, i32),
}

pub(super) async fn fetch(context: &Context, request: FetchRequest, version: i16) -> FetchResponse {
    let broker = context.broker;
    let turn = context.cluster.with(|state| {
        let slots = state.broker_number("max.incremental.fetch.session.cache.slots").max(0) as usize;
        match state.brokers.get_mut(&broker) {
            Some(b) => b.sessions.turn(&request, version, slots),
            None => Err(ResponseError::BrokerNotAvailable),
        }
    });
    let turn = match turn {
        Ok(turn) => turn,
        Err(error) => return FetchResponse::default().with_error_code(code(error)),
    };
    let call = Call {
        context,
        version,
        committed: request.isolation_level == 1,
        min_bytes: request.min_bytes.max(0) as usize,
        max_bytes: request.max_bytes.max(0) as usize,
        rack: request.rack_id.to_string(),
    };
    let injected: Vec<Option<i16>> = turn.partitions.iter().map(|wanted| call.injected(wanted)).collect();
    let deadline = context.cluster.clock().now_ms() + i64::from(request.max_wait_ms.max(0));
    let answers =
        context.cluster.wait(deadline, |state, expired| call.attempt(state, &turn, &injected, expired)).await;
    let told = context.cluster.with(|state| match state.brokers.get_mut(&broker) {
        Some(b) => b.sessions.tell(&turn, answers),
        None => Vec::new(),
    });
    FetchResponse::default()
        .with_session_id(turn.session_id)
        .with_responses(grouped(told))
        .with_throttle_time_ms(context.throttle_ms(ApiKey::Fetch))
}

impl Call<'_> {
    fn injected(&self, wanted: &Wanted) -> Option<i16> {
        let name = match &wanted.topic {
            TopicKey::Name(name) => name.clone(),
            TopicKey::Id(id) => {
                self.context.cluster.with(|s| s.topic_by_id(*id).map(|(name, _)| name.clone()))?
            }
        };
        self.context.injected(ApiKey::Fetch, &name, wanted.asked.partition)
    }

    /// The answers, once there is something to tell, enough data, or no more time.
    fn attempt(
        &self,
        state: &State,
        turn: &Turn,
        injected: &[Option<i16>],
        expired: bool,
    ) -> Option<Vec<PartitionData>> {
        let looks: Vec<Result<Look<'_>, i16>> = turn
            .partitions
            .iter()
            .zip(injected)
            .map(|(wanted, injected)| match injected {
                Some(error) => Err(*error),
                None => self.look(state, wanted).map_err(code),
            })
            .collect();
        if !expired && !turn.partitions.is_empty() {
            let mut available = 0;
            for (wanted, look) in turn.partitions.iter().zip(&looks) {
                match look {
                    Ok(Look::Data(partition)) => {
                        let enough = self.min_bytes - self.min_bytes.min(available);
                        let (offset, limit) = (wanted.asked.fetch_offset, self.limit(partition));
                        available += partition.log.available(offset, limit, enough);
                    }
                    _ => available = self.min_bytes.max(1),
                }
                if available >= self.min_bytes {
                    break;
                }
            }
            if available < self.min_bytes {
                return None;
            }
        }
        let mut left = self.max_bytes;
        let mut whole_first = true;
        let wanted = turn.partitions.iter();
        let answers = wanted.zip(looks).map(|(wanted, look)| match look {
            Ok(look) => {
                let answer = self.read(wanted, look, left, whole_first);
                let size = answer.records.as_ref().map_or(0, Bytes::len);
                left -= left.min(size);
                whole_first &= size == 0;
                answer
            }
            Err(error) => failed(wanted.asked.partition, error),
        });
        Some(answers.collect())
    }

    fn look<'a>(&self, state: &'a State, wanted: &Wanted) -> Result<Look<'a>, ResponseError> {
        let topic = match &wanted.topic {
            TopicKey::Name(name) => {
                state.topics.get_key_value(name).ok_or(ResponseError::UnknownTopicOrPartition)?
            }
            TopicKey::Id(id) => state.topic_by_id(*id).ok_or(ResponseError::UnknownTopicId)?,
        };
        let asked = &wanted.asked;
        let zstd = state.topic_setting(topic.1, "compression.type") == "zstd";
        if zstd && self.version < 10 && state.release == Release::V3_9 {
            return Err(ResponseError::UnsupportedCompressionType);
        }
        let partition =
            state.partition(topic.0, asked.partition).ok_or(ResponseError::UnknownTopicOrPartition)?;
        let leads = partition.leader == self.context.broker;
        let follows = self.version >= 11 && partition.replicas.contains(&self.context.broker);
        if !leads && !follows {
            return Err(ResponseError::NotLeaderOrFollower);
        }
        epochs::check(partition.leader_epoch, asked.current_leader_epoch)?;
        if asked.last_fetched_epoch >= 0 && self.version >= 12 {
            let (epoch, end) = partition.log.end_of_epoch(asked.last_fetched_epoch);
            if epoch < 0 {
                return Err(ResponseError::OffsetOutOfRange);
            }
            if epoch < asked.last_fetched_epoch || end < asked.fetch_offset {
                return Ok(Look::Diverged(partition, epoch, end));
            }
        }
        if asked.partition_max_bytes < 0 {
            return Err(ResponseError::UnknownServerError);
        }
        if let Some(near) = self.nearer(state, partition).filter(|_| leads) {
            return Ok(Look::Elsewhere(partition, near));
        }
        if asked.fetch_offset < partition.log.start() || asked.fetch_offset > partition.log.end() {
            return Err(ResponseError::OffsetOutOfRange);
        }
        Ok(Look::Data(partition))
    }

    /// A replica in the client's rack, if the leader is not there.
    fn nearer(&self, state: &State, partition: &Partition) -> Option<i32> {
        if self.version < 11 || self.rack.is_empty() {
            return None;
        }
        let here =
            |id: &i32| state.brokers.get(id).is_some_and(|b| b.up && b.rack.as_deref() == Some(&*self.rack));
        if here(&partition.leader) {
            return None;
        }
        partition.replicas.iter().copied().find(here)
    }

    fn limit(&self, partition: &Partition) -> i64 {
        if self.committed { partition.log.last_stable_offset() } else { partition.log.end() }
    }

    fn read(&self, wanted: &Wanted, look: Look<'_>, left: usize, whole_first: bool) -> PartitionData {
        let asked = &wanted.asked;
        let bare = |p: &Partition| {
            PartitionData::default()
                .with_partition_index(asked.partition)
                .with_high_watermark(p.log.end())
                .with_last_stable_offset(p.log.last_stable_offset())
                .with_log_start_offset(p.log.start())
                .with_aborted_transactions(self.committed.then(Vec::new))
                .with_preferred_read_replica((-1).into())
                .with_records(Some(Bytes::new()))
        };
        match look {
            Look::Data(partition) => {
                let max = left.min(asked.partition_max_bytes.max(0) as usize);
                let limit = self.limit(partition);
                let slice = partition.log.read(asked.fetch_offset, limit, max, whole_first, self.committed);
                let aborted = |a: &crate::log::Aborted| {
                    AbortedTransaction::default()
                        .with_producer_id(a.producer_id.into())
                        .with_first_offset(a.first_offset)
                };
                bare(partition).with_records(Some(slice.records)).with_aborted_transactions(
                    self.committed.then(|| slice.aborted.iter().map(aborted).collect()),
                )
            }
            Look::Elsewhere(partition, near) => bare(partition).with_preferred_read_replica(near.into()),
            Look::Diverged(partition, epoch, end) => {
                let diverging = EpochEndOffset::default().with_epoch(epoch).with_end_offset(end);
                bare(partition).with_diverging_epoch(diverging)
            }
        }
    }
}

fn failed(partition: i32, error: i16) -> PartitionData {
    PartitionData::default()
        .with_partition_index(partition)
        .with_error_code(error)
        .with_high_watermark(-1)
        .with_last_stable_offset(-1)
        .with_log_start_offset(-1)
        .with_preferred_read_replica((-1).into())
        .with_current_leader(LeaderIdAndEpoch::default())
        .with_records(Some(Bytes::new()))
}

/// Neighbours of one topic under one entry.
fn grouped(told: Vec<(TopicKey, PartitionData)>) -> Vec<FetchableTopicResponse> {
    let mut out: Vec<FetchableTopicResponse> = Vec::new();
    let mut last: Option<TopicKey> = None;
    for (key, data) in told {
        if last.as_ref() != Some(&key) {
            out.push(match &key {
                TopicKey::Name(name) => {
                    FetchableTopicResponse::default().with_topic(TopicName(text(&**name)))
                }
                TopicKey::Id(id) => FetchableTopicResponse::default().with_topic_id(*id),
            });
            last = Some(key);
        }
        if let Some(topic) = out.last_mut() {
            topic.partitions.push(data);
        }
    }
    out
}
