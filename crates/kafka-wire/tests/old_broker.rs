//! Every call of ours, sent to a broker that offers what Kafka 2.1 does, the oldest that we speak with: requests must
//! encode in its versions, and its answers must do. The broker here is not a real one: it decodes strictly, answers
//! plausibly and notes which versions it was asked in.
#![allow(clippy::unwrap_used, unreachable_pub, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures::future::BoxFuture;
use kafka_wire::admin::{GroupOffset, NewTopic, OffsetSpec};
use kafka_wire::batch::{BatchBuilder, Codec, Headers};
use kafka_wire::cluster::Cluster;
use kafka_wire::fetch::{FetchSettings, Fetcher, News};
use kafka_wire::kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_wire::kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_wire::kafka_protocol::messages::*;
use kafka_wire::kafka_protocol::protocol::{Decodable, Encodable, StrBytes};
use kafka_wire::produce::{Advice, ProduceEvent, ProduceSettings, Producer};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::{BoxStream, Connector};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

/// What Kafka 2.1 offers of what we use, highest versions.
const OFFERED: [(ApiKey, i16); 14] = [
    (ApiKey::Produce, 7),
    (ApiKey::Fetch, 10),
    (ApiKey::ListOffsets, 4),
    (ApiKey::Metadata, 7),
    (ApiKey::OffsetCommit, 6),
    (ApiKey::OffsetFetch, 5),
    (ApiKey::FindCoordinator, 2),
    (ApiKey::SaslHandshake, 1),
    (ApiKey::SaslAuthenticate, 0),
    (ApiKey::ApiVersions, 2),
    (ApiKey::CreateTopics, 3),
    (ApiKey::DescribeConfigs, 2),
    (ApiKey::InitProducerId, 1),
    (ApiKey::CreatePartitions, 1),
];

#[derive(Clone, Default)]
struct OldBroker {
    asked: Arc<Mutex<BTreeSet<(i16, i16)>>>,
}

impl Connector for OldBroker {
    fn connect<'a>(&'a self, _host: &'a str, _port: u16) -> BoxFuture<'a, io::Result<BoxStream>> {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(self.clone().serve(theirs));
        Box::pin(async move { Ok(Box::new(ours) as BoxStream) })
    }
}

impl OldBroker {
    async fn serve(self, mut stream: DuplexStream) {
        while let Ok(length) = stream.read_u32().await {
            let mut frame = vec![0; length as usize];
            stream.read_exact(&mut frame).await.unwrap();
            let mut frame = Bytes::from(frame);
            let (key, version) = ((&frame[..2]).get_i16(), (&frame[2..4]).get_i16());
            let api = ApiKey::try_from(key).unwrap();
            let header = RequestHeader::decode(&mut frame, api.request_header_version(version)).unwrap();
            let highest = OFFERED.iter().find(|(offered, _)| *offered == api).map(|(_, max)| *max).unwrap();
            let mut out = BytesMut::new();
            out.put_u32(0);
            out.put_i32(header.correlation_id);
            if version > highest {
                assert_eq!(api, ApiKey::ApiVersions, "asked in version {version}");
                api_versions().with_error_code(35).encode(&mut out, 0).unwrap();
            } else {
                self.asked.lock().unwrap().insert((key, version));
                answer(api, version, &mut frame, &mut out);
                assert!(frame.is_empty(), "{api:?} {version} has bytes left over");
            }
            let length = (out.len() - 4) as u32;
            out[..4].copy_from_slice(&length.to_be_bytes());
            stream.write_all(&out).await.unwrap();
        }
    }
}

fn api_versions() -> ApiVersionsResponse {
    let api =
        |(key, max): &(ApiKey, i16)| ApiVersion::default().with_api_key(*key as i16).with_max_version(*max);
    ApiVersionsResponse::default().with_api_keys(OFFERED.iter().map(api).collect())
}

fn metadata() -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(1.into())
        .with_host(StrBytes::from_static_str("old"))
        .with_port(9092);
    let partition = MetadataResponsePartition::default()
        .with_leader_id(1.into())
        .with_leader_epoch(3)
        .with_replica_nodes(vec![1.into()])
        .with_isr_nodes(vec![1.into()]);
    let topic = MetadataResponseTopic::default()
        .with_name(Some(StrBytes::from_static_str("t").into()))
        .with_partitions(vec![partition]);
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_controller_id(1.into())
        .with_topics(vec![topic])
}

/// Decodes a request and encodes an answer to it.
fn answer(api: ApiKey, version: i16, request: &mut Bytes, out: &mut BytesMut) {
    match api {
        ApiKey::ApiVersions => {
            ApiVersionsRequest::decode(request, version).unwrap();
            api_versions().encode(out, version).unwrap();
        }
        ApiKey::Metadata => {
            MetadataRequest::decode(request, version).unwrap();
            metadata().encode(out, version).unwrap();
        }
        ApiKey::InitProducerId => {
            InitProducerIdRequest::decode(request, version).unwrap();
            InitProducerIdResponse::default().with_producer_id(7.into()).encode(out, version).unwrap();
        }
        ApiKey::FindCoordinator => {
            FindCoordinatorRequest::decode(request, version).unwrap();
            let old = StrBytes::from_static_str("old");
            let answer =
                FindCoordinatorResponse::default().with_node_id(1.into()).with_host(old).with_port(9092);
            answer.encode(out, version).unwrap();
        }
        ApiKey::Produce => {
            produced(&ProduceRequest::decode(request, version).unwrap()).encode(out, version).unwrap()
        }
        ApiKey::Fetch => {
            fetched(&FetchRequest::decode(request, version).unwrap()).encode(out, version).unwrap()
        }
        ApiKey::ListOffsets => {
            ListOffsetsRequest::decode(request, version).unwrap();
            use list_offsets_response::{ListOffsetsPartitionResponse, ListOffsetsTopicResponse};
            let partition = ListOffsetsPartitionResponse::default().with_offset(42);
            let topic = ListOffsetsTopicResponse::default()
                .with_name(StrBytes::from_static_str("t").into())
                .with_partitions(vec![partition]);
            ListOffsetsResponse::default().with_topics(vec![topic]).encode(out, version).unwrap();
        }
        ApiKey::OffsetCommit => {
            let read = OffsetCommitRequest::decode(request, version).unwrap();
            assert_eq!((read.generation_id_or_member_epoch, read.member_id.as_str()), (-1, ""));
            OffsetCommitResponse::default().encode(out, version).unwrap();
        }
        ApiKey::OffsetFetch => {
            OffsetFetchRequest::decode(request, version).unwrap();
            use offset_fetch_response::{OffsetFetchResponsePartition, OffsetFetchResponseTopic};
            let partition = OffsetFetchResponsePartition::default().with_committed_offset(11);
            let topic = OffsetFetchResponseTopic::default()
                .with_name(StrBytes::from_static_str("t").into())
                .with_partitions(vec![partition]);
            OffsetFetchResponse::default().with_topics(vec![topic]).encode(out, version).unwrap();
        }
        ApiKey::CreateTopics => {
            let read = CreateTopicsRequest::decode(request, version).unwrap();
            use create_topics_response::CreatableTopicResult;
            let result = CreatableTopicResult::default().with_name(read.topics[0].name.clone());
            CreateTopicsResponse::default().with_topics(vec![result]).encode(out, version).unwrap();
        }
        ApiKey::CreatePartitions => {
            CreatePartitionsRequest::decode(request, version).unwrap();
            CreatePartitionsResponse::default().encode(out, version).unwrap();
        }
        ApiKey::DescribeConfigs => {
            DescribeConfigsRequest::decode(request, version).unwrap();
            use describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult};
            let config = DescribeConfigsResourceResult::default()
                .with_name(StrBytes::from_static_str("retention.ms"))
                .with_value(Some(StrBytes::from_static_str("5")))
                .with_config_source(1);
            let result = DescribeConfigsResult::default()
                .with_resource_type(2)
                .with_resource_name(StrBytes::from_static_str("t"))
                .with_configs(vec![config]);
            DescribeConfigsResponse::default().with_results(vec![result]).encode(out, version).unwrap();
        }
        other => panic!("{other:?} is not for this broker"),
    }
}

fn produced(request: &ProduceRequest) -> ProduceResponse {
    use produce_response::{PartitionProduceResponse, TopicProduceResponse};
    let records = request.topic_data[0].partition_data[0].records.clone().unwrap();
    let batch = kafka_wire::batch::Batch::new(records).unwrap();
    assert!(batch.crc_is_valid() && (batch.producer_id(), batch.base_sequence()) == (7, 0));
    let partition = PartitionProduceResponse::default().with_base_offset(42).with_log_append_time_ms(-1);
    let topic = TopicProduceResponse::default()
        .with_name(StrBytes::from_static_str("t").into())
        .with_partition_responses(vec![partition]);
    ProduceResponse::default().with_responses(vec![topic])
}

fn fetched(request: &FetchRequest) -> FetchResponse {
    use fetch_response::{FetchableTopicResponse, PartitionData};
    // Only the first request of a session names the partition at 0: the next ones get nothing new.
    let asked = request.topics.first().map(|topic| &topic.partitions[0]);
    let fresh = asked.is_some_and(|partition| partition.fetch_offset == 0);
    let partition = PartitionData::default().with_high_watermark(1).with_records(Some(batch().to_bytes()));
    let topic = FetchableTopicResponse::default()
        .with_topic(StrBytes::from_static_str("t").into())
        .with_partitions(vec![partition]);
    let topics = if fresh { vec![topic] } else { Vec::new() };
    assert_eq!(fresh, request.session_epoch == 0, "later requests are incremental");
    FetchResponse::default().with_session_id(9).with_responses(topics)
}

fn batch() -> kafka_wire::batch::OutgoingBatch {
    let mut builder = BatchBuilder::new(Codec::None);
    builder.push(1, None, Some(b"old"), &Headers::default()).unwrap();
    builder.finish().unwrap()
}

async fn connected() -> (OldBroker, Cluster) {
    let properties = BTreeMap::from([("bootstrap.servers".to_owned(), "old:9092".to_owned())]);
    let settings = ClientSettings::from_properties(&properties).unwrap();
    let broker = OldBroker::default();
    let cluster = Cluster::new("old", settings, Arc::new(broker.clone()));
    cluster.connect().await.unwrap();
    (broker, cluster)
}

#[tokio::test]
async fn every_control_request_fits_an_old_broker() {
    let (broker, cluster) = connected().await;
    let partition = ("t".to_owned(), 0);
    let configs = BTreeMap::from([("retention.ms".to_owned(), "5".to_owned())]);
    let topic =
        NewTopic { name: "t".to_owned(), partitions: 1, replication_factor: 1, configs: configs.clone() };
    assert!(cluster.create_topic(&topic).await.unwrap());
    cluster.create_partitions("t", 1).await.unwrap();
    for spec in [OffsetSpec::Earliest, OffsetSpec::Latest { read_committed: true }] {
        let found = cluster.list_offsets(std::slice::from_ref(&partition), spec).await.unwrap();
        assert_eq!(found[&partition], 42);
    }
    let offset = GroupOffset { offset: 11, leader_epoch: 5 };
    cluster.commit_group_offsets("g", &BTreeMap::from([(partition.clone(), offset)])).await.unwrap();
    let found = cluster.group_offsets("g", std::slice::from_ref(&partition)).await.unwrap();
    assert_eq!(found[&partition].offset, 11);
    let found = cluster.describe_topic_configs(&["t".to_owned()]).await.unwrap();
    assert_eq!(found["t"]["retention.ms"].value.as_deref(), Some("5"));
    let error = cluster.set_topic_configs("t", &configs).await.unwrap_err().to_string();
    assert!(error.contains("IncrementalAlterConfigs") && error.contains("none"), "{error}");

    let asked = broker.asked.lock().unwrap().clone();
    for (api, highest) in OFFERED.iter().filter(|(api, _)| {
        use ApiKey::*;
        !matches!(api, Produce | Fetch | InitProducerId | SaslHandshake | SaslAuthenticate | ApiVersions)
    }) {
        assert!(asked.contains(&(*api as i16, *highest)), "{api:?} {highest} was not asked: {asked:?}");
    }
}

#[tokio::test]
async fn an_old_broker_is_read_and_written() {
    let (broker, cluster) = connected().await;
    let settings = FetchSettings {
        max_wait: Duration::from_millis(100),
        min_bytes: 1,
        max_bytes: 1 << 20,
        partition_max_bytes: 1 << 20,
        lane_buffer_bytes: 1 << 20,
        budget_bytes: 4 << 20,
        lanes_per_broker: 1,
        read_committed: true,
        rack: "r".to_owned(),
    };
    let mut fetcher = Fetcher::new(cluster.clone(), settings);
    fetcher.add(0, "t", 0, 0);
    let events = tokio::time::timeout(Duration::from_secs(10), fetcher.next()).await.unwrap();
    let News::Data(data) = &events[0].news else { panic!("{events:?}") };
    assert_eq!((data.entries.len(), data.entries[0].next_offset()), (1, 1));
    // One more round, in the session and from the new position, with the epoch of what was read.
    let idle = tokio::time::timeout(Duration::from_millis(50), fetcher.next()).await;
    assert!(idle.is_err(), "{idle:?}");

    let settings = ProduceSettings {
        lanes_per_broker: 1,
        max_request_bytes: 1 << 20,
        timeout: Duration::from_secs(1),
        merge: None,
        advice: Advice::default(),
    };
    let mut producer = Producer::new(cluster, settings);
    let partition = producer.open("t", 0);
    producer.enqueue(partition, 5, batch());
    let events = tokio::time::timeout(Duration::from_secs(10), producer.next()).await.unwrap();
    let ProduceEvent::Acknowledged(ack) = &events[0] else { panic!("{events:?}") };
    assert_eq!((ack.tag, ack.base_offset, ack.duplicate), (5, 42, false));
    let asked = broker.asked.lock().unwrap().clone();
    for (api, version) in [(ApiKey::Fetch, 10), (ApiKey::Produce, 7), (ApiKey::InitProducerId, 1)] {
        assert!(asked.contains(&(api as i16, version)), "{api:?} {version} was not asked: {asked:?}");
    }
}
