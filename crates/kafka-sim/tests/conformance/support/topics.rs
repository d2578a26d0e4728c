//! Making topics that answer at once, and asking for them.

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::list_offsets_response::ListOffsetsPartitionResponse;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::MetadataResponseTopic;
use kafka_protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteTopicsRequest, ListOffsetsRequest, MetadataRequest,
};
use uuid::Uuid;

use super::{T, name, text};

pub(crate) const EARLIEST: i64 = -2;
pub(crate) const LATEST: i64 = -1;

/// A topic to be made.
pub(crate) fn creatable(topic: &str, partitions: i32, configs: &[(&str, &str)]) -> CreatableTopic {
    let config = |(key, value): &(&str, &str)| {
        CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
    };
    CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(1)
        .with_configs(configs.iter().map(config).collect())
}

impl T<'_> {
    /// A topic of one partition with the broker's defaults.
    pub(crate) fn topic(&mut self, topic: &str) -> String {
        self.topic_with(topic, 1, &[])
    }

    /// A topic whose partitions all have a leader that knows it.
    pub(crate) fn topic_with(&mut self, topic: &str, partitions: i32, configs: &[(&str, &str)]) -> String {
        let topic = self.unique(topic);
        self.create(&topic, partitions, configs);
        topic
    }

    pub(crate) fn create(&mut self, topic: &str, partitions: i32, configs: &[(&str, &str)]) {
        let request = CreateTopicsRequest::default()
            .with_topics(vec![creatable(topic, partitions, configs)])
            .with_timeout_ms(20_000);
        let result = self.until("the end of a topic of that name", |t| {
            let result = t.client.call(7, &request).topics.remove(0);
            (result.error_code != 36).then_some(result)
        });
        assert_eq!(result.error_code, 0, "creating {topic}: {:?}", result.error_message);
        for partition in 0..partitions {
            self.until("a leader", |t| {
                (t.list_offset(topic, partition, EARLIEST).error_code == 0).then_some(())
            });
        }
        self.until("metadata", |t| (t.metadata(topic).error_code == 0).then_some(()));
    }

    pub(crate) fn delete(&mut self, topic: &str) {
        let request =
            DeleteTopicsRequest::default().with_topic_names(vec![name(topic)]).with_timeout_ms(20_000);
        assert_eq!(self.client.call(5, &request).responses[0].error_code, 0, "deleting {topic}");
        self.until("the end of a topic", |t| {
            (t.metadata(topic).error_code == 3 && t.list_offset(topic, 0, EARLIEST).error_code == 3)
                .then_some(())
        });
    }

    pub(crate) fn metadata(&mut self, topic: &str) -> MetadataResponseTopic {
        let wanted = MetadataRequestTopic::default().with_name(Some(name(topic)));
        let request =
            MetadataRequest::default().with_topics(Some(vec![wanted])).with_allow_auto_topic_creation(false);
        self.client.call(12, &request).topics.remove(0)
    }

    pub(crate) fn topic_id(&mut self, topic: &str) -> Uuid {
        self.metadata(topic).topic_id
    }

    pub(crate) fn list_offset(
        &mut self,
        topic: &str,
        partition: i32,
        at: i64,
    ) -> ListOffsetsPartitionResponse {
        self.list_offset_as(7, 0, topic, partition, at)
    }

    pub(crate) fn list_offset_as(
        &mut self,
        version: i16,
        isolation: i8,
        topic: &str,
        partition: i32,
        at: i64,
    ) -> ListOffsetsPartitionResponse {
        let partition = ListOffsetsPartition::default()
            .with_partition_index(partition)
            .with_current_leader_epoch(-1)
            .with_timestamp(at);
        let topic = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_isolation_level(isolation)
            .with_topics(vec![topic]);
        self.client.call(version, &request).topics.remove(0).partitions.remove(0)
    }

    /// The log's end.
    pub(crate) fn end(&mut self, topic: &str) -> i64 {
        self.list_offset(topic, 0, LATEST).offset
    }
}
