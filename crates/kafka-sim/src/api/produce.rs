//! Produce.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{ApiKey, ProduceRequest, ProduceResponse};
use kafka_wire::batch::{Batch, Codec};

use super::{Context, code, text, transactions};
use crate::log::Appended;
use crate::log::validate::{Refusal, Rules, only_batch};
use crate::protocol::Release;
use crate::state::{State, Topic};

/// Part of a request that all its partitions share.
struct Call<'a> {
    context: &'a Context,
    version: i16,
    acks: i16,
    transactional_id: Option<String>,
}

/// Appends. `None` when no acknowledgement is wanted; after a failure of that kind the connection is to be
/// closed.
pub(super) async fn produce(
    context: &mut Context,
    request: ProduceRequest,
    version: i16,
) -> Option<ProduceResponse> {
    let acks = request.acks;
    let transactional_id = request.transactional_id.map(|id| id.to_string());
    let by_id = version >= 13;
    let topics = collapse(request.topic_data, by_id);
    let unauthorised = transactional_id.is_none() && topics.iter().any(has_transactional);
    let call = Call { context, version, acks, transactional_id };
    let mut responses = Vec::new();
    for topic in topics {
        responses.push(call.topic(topic, by_id, unauthorised));
    }
    let failed = responses.iter().flat_map(|t| &t.partition_responses).any(|p| p.error_code != 0);
    if acks == 0 {
        context.close = failed;
        return None;
    }
    let throttle = context.throttle_ms(ApiKey::Produce);
    Some(ProduceResponse::default().with_responses(responses).with_throttle_time_ms(throttle))
}

/// A broker keeps requests in a map: of a partition that is named twice only the last is seen, without an
/// error.
fn collapse(topics: Vec<TopicProduceData>, by_id: bool) -> Vec<TopicProduceData> {
    let mut places: BTreeMap<(String, i32), (usize, usize)> = BTreeMap::new();
    let mut out: Vec<TopicProduceData> = Vec::new();
    for topic in topics {
        let name = if by_id { topic.topic_id.to_string() } else { topic.name.to_string() };
        let at =
            out.iter().position(|t| if by_id { t.topic_id == topic.topic_id } else { t.name == topic.name });
        let at = at.unwrap_or_else(|| {
            out.push(TopicProduceData::default().with_name(topic.name.clone()).with_topic_id(topic.topic_id));
            out.len() - 1
        });
        for data in topic.partition_data {
            let place = places.entry((name.clone(), data.index)).or_insert((at, usize::MAX));
            match out[place.0].partition_data.get_mut(place.1) {
                Some(earlier) => *earlier = data,
                None => {
                    place.1 = out[at].partition_data.len();
                    out[at].partition_data.push(data);
                }
            }
        }
    }
    out
}

fn has_transactional(topic: &TopicProduceData) -> bool {
    topic.partition_data.iter().filter_map(|data| data.records.as_ref()).any(|records| {
        let attributes = records.get(21..23).map(|b| i16::from_be_bytes([b[0], b[1]]));
        records.get(16) == Some(&2) && attributes.is_some_and(|a| a & (1 << 4) != 0)
    })
}

impl Call<'_> {
    fn topic(&self, topic: TopicProduceData, by_id: bool, unauthorised: bool) -> TopicProduceResponse {
        let name = if by_id {
            self.context.cluster.with(|s| s.topic_by_id(topic.topic_id).map(|(name, _)| name.clone()))
        } else {
            Some(topic.name.to_string())
        };
        let mut partitions = Vec::new();
        for data in topic.partition_data {
            let index = data.index;
            let outcome = match &name {
                _ if unauthorised => Err(Refusal::bare(ResponseError::TransactionalIdAuthorizationFailed)),
                None => Err(Refusal::bare(ResponseError::UnknownTopicId)),
                Some(name) => self.partition(name, data),
            };
            partitions.push(self.answer(name.as_deref(), index, outcome));
        }
        TopicProduceResponse::default()
            .with_name(topic.name)
            .with_topic_id(topic.topic_id)
            .with_partition_responses(partitions)
    }

    fn partition(&self, topic: &str, data: PartitionProduceData) -> Result<Appended, Refusal> {
        if let Some(error) = self.context.injected(ApiKey::Produce, topic, data.index) {
            return Err(Refusal::of(error));
        }
        if !matches!(self.acks, -1..=1) {
            return Err(Refusal::bare(ResponseError::InvalidRequiredAcks));
        }
        self.context.cluster.with(|state| {
            let exists = state.partition(topic, data.index).is_some();
            if !exists {
                return Err(Refusal::bare(ResponseError::UnknownTopicOrPartition));
            }
            let batch = only_batch(&data.records.unwrap_or_default(), self.version)?;
            if is_internal(topic) && self.context.client_id != "__admin_client" {
                let said = format!("Cannot append to internal topic {topic}");
                return Err(Refusal::new(ResponseError::InvalidTopicException, said));
            }
            self.append(state, topic, data.index, &batch)
        })
    }

    fn append(&self, state: &mut State, topic: &str, index: i32, batch: &Batch) -> Result<Appended, Refusal> {
        let release = state.release;
        let settings = &state.topics[topic];
        let rules = rules(state, settings);
        // No more are asked for than there are replicas in all.
        let min_insync = state.topic_number(settings, "min.insync.replicas");
        let Some(partition) = state.partition(topic, index) else {
            return Err(Refusal::bare(ResponseError::UnknownTopicOrPartition));
        };
        if partition.leader != self.context.broker {
            return Err(Refusal::bare(ResponseError::NotLeaderOrFollower));
        }
        let in_sync = partition.replicas.iter().filter(|id| state.is_up(**id)).count();
        let min_insync = min_insync.min(partition.replicas.len() as i64);
        if self.acks == -1 && (in_sync as i64) < min_insync {
            let said = format!("{in_sync} replicas are in sync, min.insync.replicas is {min_insync}");
            return Err(Refusal::new(ResponseError::NotEnoughReplicas, said));
        }
        let transactional = batch.attributes().transactional();
        if let Some(id) = self.transactional_id.as_deref().filter(|_| transactional) {
            let (producer, epoch) = (batch.producer_id(), batch.producer_epoch());
            transactions::check_produce(state, id, producer, epoch, topic, index, self.version)
                .map_err(Refusal::bare)?;
        }
        let zero_first = release >= Release::V4_3 && self.version >= 12 && transactional;
        let Some(partition) = state.partition_mut(topic, index) else {
            return Err(Refusal::bare(ResponseError::UnknownTopicOrPartition));
        };
        let epoch = partition.leader_epoch;
        let appended = partition.log.append(batch, &rules, epoch, zero_first);
        let appended = appended.map_err(|refusal| Refusal { by_log: tells_start(&refusal), ..refusal })?;
        state.touch();
        Ok(appended)
    }

    fn answer(
        &self,
        topic: Option<&str>,
        index: i32,
        outcome: Result<Appended, Refusal>,
    ) -> PartitionProduceResponse {
        let answer = PartitionProduceResponse::default().with_index(index);
        let start = self.context.cluster.with(|state| {
            let partition = topic.and_then(|topic| state.partition(topic, index));
            partition.map_or(-1, |partition| partition.log.start())
        });
        let refusal = match outcome {
            Ok(appended) => {
                return answer
                    .with_base_offset(appended.base_offset)
                    .with_log_append_time_ms(appended.log_append_time_ms)
                    .with_log_start_offset(start);
            }
            Err(refusal) => refusal,
        };
        let error = |(index, message): (i32, String)| {
            let message = Some(text(message));
            BatchIndexAndErrorMessage::default()
                .with_batch_index(index)
                .with_batch_index_error_message(message)
        };
        let moved = refusal.code == code(ResponseError::NotLeaderOrFollower) && self.version >= 10;
        let leader = topic.filter(|_| moved).and_then(|topic| {
            self.context.cluster.with(|s| s.partition(topic, index).map(|p| (p.leader, p.leader_epoch)))
        });
        let (leader, epoch) = leader.unwrap_or((-1, -1));
        answer
            .with_error_code(refusal.code)
            .with_base_offset(-1)
            .with_log_append_time_ms(-1)
            .with_log_start_offset(if refusal.by_log { start } else { -1 })
            .with_error_message(refusal.message.map(text))
            .with_record_errors(refusal.records.into_iter().map(error).collect())
            .with_current_leader(
                LeaderIdAndEpoch::default().with_leader_id(leader.into()).with_leader_epoch(epoch),
            )
    }
}

/// Of a batch that is too large or damaged a broker tells nothing about the log; of others that the log
/// refuses it does.
fn tells_start(refusal: &Refusal) -> bool {
    use ResponseError::{CorruptMessage, MessageTooLarge, RecordListTooLarge};
    ![CorruptMessage, MessageTooLarge, RecordListTooLarge].map(code).contains(&refusal.code)
}

/// Topics that Kafka keeps for itself.
pub(super) fn is_internal(topic: &str) -> bool {
    matches!(topic, "__consumer_offsets" | "__transaction_state")
}

fn rules(state: &State, topic: &Topic) -> Rules {
    let number = |name| state.topic_number(topic, name);
    let codec = match state.topic_setting(topic, "compression.type") {
        "uncompressed" => Some(Codec::None),
        "gzip" => Some(Codec::Gzip),
        "snappy" => Some(Codec::Snappy),
        "lz4" => Some(Codec::Lz4),
        "zstd" => Some(Codec::Zstd),
        _ => None,
    };
    Rules {
        max_message_bytes: number("max.message.bytes"),
        segment_bytes: number("segment.bytes"),
        log_append_time: state.topic_setting(topic, "message.timestamp.type") == "LogAppendTime",
        before_max_ms: number("message.timestamp.before.max.ms"),
        after_max_ms: number("message.timestamp.after.max.ms"),
        compacted: state.topic_setting(topic, "cleanup.policy").split(',').any(|p| p.trim() == "compact"),
        codec,
        now_ms: state.now_ms(),
    }
}
