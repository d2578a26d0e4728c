//! Every fault does what it says, is seen by a client on the wire, and is noted.

#![allow(clippy::unwrap_used)]

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    FetchRequest, FetchResponse, ListGroupsRequest, ListGroupsResponse, ProduceRequest, ProduceResponse,
    TopicName,
};
use kafka_protocol::protocol::{Decodable, Request, StrBytes};
use kafka_sim::{Action, ApiKey, Clock, Cluster, Fault, Link};
use kafka_wire::batch::{BatchBuilder, Codec, Headers};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, timeout};

const NOW: i64 = 1_700_000_000_000;
/// Virtual: time is paused in these tests.
const LONG: Duration = Duration::from_secs(3600);

fn cluster(brokers: usize) -> Cluster {
    let cluster = Cluster::builder().brokers(brokers).clock(Clock::tokio_from(NOW)).build();
    cluster.create_topic("t", 2, brokers, &[]);
    cluster
}

/// One connection to a broker.
struct Peer(DuplexStream);

impl Peer {
    fn of(cluster: &Cluster, broker: i32) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let cluster = cluster.clone();
        tokio::spawn(async move { cluster.serve(broker, theirs).await });
        Self(ours)
    }

    /// The answer; `None` when the connection ends instead.
    async fn ask<R: Request>(&mut self, request: &R, version: i16) -> Option<R::Response> {
        let mut body = BytesMut::new();
        body.put_i16(R::KEY);
        body.put_i16(version);
        body.put_i32(1);
        body.put_i16(-1);
        let flexible = ApiKey::try_from(R::KEY).unwrap().request_header_version(version) >= 2;
        if flexible {
            body.put_u8(0);
        }
        request.encode(&mut body, version).unwrap();
        self.0.write_u32(body.len() as u32).await.ok()?;
        self.0.write_all(&body).await.ok()?;
        let length = self.0.read_u32().await.ok()?;
        let mut answer = vec![0; length as usize];
        self.0.read_exact(&mut answer).await.ok()?;
        let mut answer = Bytes::from(answer).split_off(if flexible { 5 } else { 4 });
        Some(R::Response::decode(&mut answer, version).unwrap())
    }

    async fn produce(&mut self, partition: i32) -> Option<ProduceResponse> {
        let mut builder = BatchBuilder::new(Codec::None);
        builder.push(NOW, Some(b"k"), Some(b"v"), &Headers::empty()).unwrap();
        let records = builder.finish().unwrap().to_bytes();
        let data = PartitionProduceData::default().with_index(partition).with_records(Some(records));
        let topic = TopicProduceData::default().with_name(name()).with_partition_data(vec![data]);
        let request =
            ProduceRequest::default().with_acks(-1).with_timeout_ms(1000).with_topic_data(vec![topic]);
        self.ask(&request, 9).await
    }

    async fn fetch(&mut self, id: uuid::Uuid) -> Option<FetchResponse> {
        let partition = FetchPartition::default()
            .with_current_leader_epoch(-1)
            .with_last_fetched_epoch(-1)
            .with_partition_max_bytes(1 << 20);
        let topic = FetchTopic::default().with_topic_id(id).with_partitions(vec![partition]);
        let request = FetchRequest::default()
            .with_replica_id((-1).into())
            .with_max_wait_ms(10)
            .with_max_bytes(1 << 20)
            .with_session_epoch(-1)
            .with_topics(vec![topic]);
        self.ask(&request, 13).await
    }
}

fn name() -> TopicName {
    TopicName(StrBytes::from_static_str("t"))
}

fn code(answer: &ProduceResponse) -> i16 {
    answer.responses[0].partition_responses[0].error_code
}

fn end(cluster: &Cluster, partition: i32) -> i64 {
    cluster.offsets("t", partition).unwrap().2
}

fn noted(cluster: &Cluster, text: &str) -> usize {
    cluster.faults().log().iter().filter(|hit| hit.what.contains(text)).count()
}

#[tokio::test(start_paused = true)]
async fn sim_an_error_hits_its_partition_so_many_times() {
    let cluster = cluster(1);
    let mut peer = Peer::of(&cluster, 1);
    cluster.faults().add(Fault::of(ApiKey::Produce, Action::Error(19)).on("t", 1).after(1).times(2));
    let mut seen = Vec::new();
    for partition in [1, 0, 1, 1, 1] {
        seen.push(code(&peer.produce(partition).await.unwrap()));
    }
    assert_eq!(seen, [0, 0, 19, 19, 0]);
    assert_eq!((end(&cluster, 1), noted(&cluster, "Produce of t-1: error 19")), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn sim_requests_are_delayed_dropped_or_cut_as_the_fault_says() {
    let cluster = cluster(1);
    let faults = cluster.faults();
    let pause = Duration::from_secs(7);
    faults.add(Fault::of(ApiKey::Produce, Action::Delay(pause)).times(1));
    let began = Instant::now();
    assert!(Peer::of(&cluster, 1).produce(0).await.is_some());
    assert!(began.elapsed() >= pause && end(&cluster, 0) == 1);

    faults.add(Fault::of(ApiKey::Produce, Action::Disconnect).times(1));
    assert!(Peer::of(&cluster, 1).produce(0).await.is_none());
    assert_eq!(end(&cluster, 0), 1, "not applied");

    faults.add(Fault::of(ApiKey::Produce, Action::ApplyThenDisconnect).times(1));
    assert!(Peer::of(&cluster, 1).produce(0).await.is_none());
    assert_eq!(end(&cluster, 0), 2, "applied");

    faults.add(Fault::of(ApiKey::Produce, Action::Truncate(6)).times(1));
    let mut peer = Peer::of(&cluster, 1);
    assert!(peer.produce(0).await.is_none());
    assert_eq!(end(&cluster, 0), 3, "applied");

    faults.add(Fault::of(ApiKey::Produce, Action::Drop).times(1));
    let mut peer = Peer::of(&cluster, 1);
    assert!(timeout(LONG, peer.produce(0)).await.is_err(), "no answer, and the connection stays");
    assert_eq!(end(&cluster, 0), 4, "applied");

    faults.add(Fault::of(ApiKey::Produce, Action::Throttle(pause)).times(1));
    assert_eq!(Peer::of(&cluster, 1).produce(0).await.unwrap().throttle_time_ms, 7000);
    for what in ["Delay", "Disconnect", "ApplyThenDisconnect", "Truncate(6)", "Drop", "throttled for 7s"] {
        assert!(noted(&cluster, what) >= 1, "{what}: {:?}", faults.log());
    }
    assert!(Peer::of(&cluster, 1).produce(0).await.is_some(), "all have ended");
}

#[tokio::test(start_paused = true)]
async fn sim_a_fault_finds_its_topic_by_id_too() {
    let cluster = cluster(1);
    let id = cluster.topic_id("t").unwrap();
    cluster.faults().add(Fault::of(ApiKey::Fetch, Action::Disconnect).on("t", 0).times(1));
    cluster.faults().add(Fault::of(ApiKey::Fetch, Action::Disconnect).on("other", 0));
    assert!(Peer::of(&cluster, 1).fetch(id).await.is_none());
    assert!(Peer::of(&cluster, 1).fetch(id).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn sim_links_are_cut_one_way_slowed_and_repaired() {
    let cluster = cluster(1);
    let faults = cluster.faults();
    faults.set_link(1, Link { inbound_cut: true, ..Link::default() });
    let mut peer = Peer::of(&cluster, 1);
    assert!(timeout(LONG, peer.produce(0)).await.is_err());
    assert_eq!(end(&cluster, 0), 0, "the request did not arrive");

    faults.set_link(1, Link { outbound_cut: true, ..Link::default() });
    let mut peer = Peer::of(&cluster, 1);
    assert!(timeout(LONG, peer.produce(0)).await.is_err());
    assert!(end(&cluster, 0) >= 1, "the request arrived, its answer did not");

    let slow = Link { delay: Duration::from_secs(2), bytes_per_second: 100, ..Link::default() };
    faults.set_link(1, slow);
    let began = Instant::now();
    assert!(Peer::of(&cluster, 1).produce(0).await.is_some());
    assert!(began.elapsed() > Duration::from_secs(3), "delay and bytes: {:?}", began.elapsed());

    faults.clear();
    let began = Instant::now();
    assert!(Peer::of(&cluster, 1).produce(0).await.is_some());
    assert!(began.elapsed() < Duration::from_secs(1));
    assert_eq!(noted(&cluster, "link set to"), 3);
}

#[tokio::test(start_paused = true)]
async fn sim_a_killed_broker_cuts_its_connections_and_another_leads() {
    let cluster = cluster(2);
    let (first, second) = (cluster.leader("t", 0), 3 - cluster.leader("t", 0));
    let mut peer = Peer::of(&cluster, first);
    assert_eq!(code(&peer.produce(0).await.unwrap()), 0);
    cluster.kill(first);
    assert!(peer.produce(0).await.is_none());
    assert!(Peer::of(&cluster, first).produce(0).await.is_none(), "nobody answers there");
    assert_eq!(cluster.leader("t", 0), second);
    assert_eq!(code(&Peer::of(&cluster, second).produce(0).await.unwrap()), 0);
    cluster.kill(second);
    assert_eq!(cluster.leader("t", 0), -1);
    cluster.restart(first);
    assert_eq!(code(&Peer::of(&cluster, first).produce(0).await.unwrap()), 0);
    assert_eq!(end(&cluster, 0), 3, "state outlives brokers");
    assert_eq!((noted(&cluster, "killed"), noted(&cluster, "restarted")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn sim_topics_are_made_anew_with_another_id_and_bytes_are_damaged() {
    let cluster = cluster(1);
    let mut peer = Peer::of(&cluster, 1);
    peer.produce(0).await.unwrap();
    assert!(cluster.corrupt("t", 0, 0) && !cluster.corrupt("t", 0, 9));
    let id = cluster.topic_id("t").unwrap();
    let stored = peer.fetch(id).await.unwrap().responses[0].partitions[0].records.clone().unwrap();
    assert!(!kafka_wire::batch::Batch::new(stored).unwrap().crc_is_valid());
    assert!(cluster.recreate_topic("t") && cluster.topic_id("t") != Some(id));
    assert_eq!(peer.fetch(id).await.unwrap().responses[0].partitions[0].error_code, 100);
    assert_eq!(end(&cluster, 0), 0);
}

#[tokio::test(start_paused = true)]
async fn sim_requests_without_partitions_fail_as_a_whole() {
    let cluster = cluster(1);
    cluster.faults().add(Fault::of(ApiKey::ListGroups, Action::Error(15)).at(1).times(1));
    let mut peer = Peer::of(&cluster, 1);
    let ask = ListGroupsRequest::default();
    let answer: ListGroupsResponse = peer.ask(&ask, 4).await.unwrap();
    assert_eq!(answer.error_code, 15);
    assert_eq!(peer.ask(&ask, 4).await.unwrap().error_code, 0);
}
