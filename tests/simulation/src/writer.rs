//! The workload: what producers write to the origin, before the replicator starts and while it runs.
//!
//! Every record differs from every other of its partition, so that the oracle can tell which one it meets again.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use kafka_sim::Cluster;
use kafka_wire::ErrorCode;
use kafka_wire::batch::Headers;
use kafka_wire::frame::Connection;
use kafka_wire::kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_wire::kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_wire::kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_wire::kafka_protocol::messages::{
    AddPartitionsToTxnRequest, CreatePartitionsRequest, EndTxnRequest, FindCoordinatorRequest,
    InitProducerIdRequest, ProduceRequest, TopicName, TransactionalId,
};
use kafka_wire::kafka_protocol::protocol::{Request, StrBytes};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::SharedConnector;
use tokio::time::sleep;

use crate::draw::Draw;
use crate::event_log::EventLog;
use crate::network::Direct;
use crate::plan::PlannedTopic;
use crate::records::{Author, Content, encode};

/// Pause before a broker that does not answer is asked again.
const PAUSE: Duration = Duration::from_millis(50);

/// Versions of requests: those before transactions of the second protocol.
const INIT: i16 = 4;
const ADD: i16 = 3;
const PRODUCE: i16 = 11;
const END: i16 = 3;
const FIND: i16 = 3;
const PARTITIONS: i16 = 3;

/// Writes one partition.
pub struct Writer {
    cluster: Cluster,
    connector: SharedConnector,
    settings: ClientSettings,
    topic: PlannedTopic,
    partition: i32,
    draw: Draw,
    log: EventLog,
    /// Producer id, epoch and next sequence outside of transactions.
    plain: Option<(i64, i16, i32)>,
    /// Number of records made so far.
    made: u64,
    newest: i64,
}

impl Writer {
    /// The writer of one partition.
    ///
    /// # Errors
    /// None in practice: when its client's settings are refused.
    pub fn new(
        number: u64,
        cluster: &Cluster,
        topic: &PlannedTopic,
        partition: i32,
        log: &EventLog,
    ) -> anyhow::Result<Self> {
        let properties =
            [("bootstrap.servers", "1:1"), ("client.id", "writer"), ("request.timeout.ms", "1000")];
        let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let settings = ClientSettings::from_properties(&BTreeMap::from(properties))?;
        Ok(Self {
            cluster: cluster.clone(),
            connector: std::sync::Arc::new(Direct(cluster.clone())),
            settings,
            topic: topic.clone(),
            partition,
            draw: Draw::new(number, &format!("writer {}-{partition}", topic.name)),
            log: log.clone(),
            plain: None,
            made: 0,
            newest: 0,
        })
    }

    /// Writes what is there before the replicator starts.
    ///
    /// # Errors
    /// When the cluster refuses what a producer may write.
    pub async fn head_start(&mut self) -> anyhow::Result<()> {
        for _ in 0..self.topic.head_start {
            self.step().await?;
        }
        Ok(())
    }

    /// Writes until `end`, in simulated time.
    ///
    /// # Errors
    /// As [`Writer::head_start`].
    pub async fn work(&mut self, end: Duration) -> anyhow::Result<()> {
        while self.log.now() < end {
            let average = self.topic.pause.as_millis() as u64;
            let pause = self.draw.millis(0..=2 * average);
            sleep(pause).await;
            self.step().await?;
        }
        Ok(())
    }

    /// Writes one batch outside of transactions.
    ///
    /// # Errors
    /// As [`Writer::head_start`].
    pub async fn fresh(&mut self) -> anyhow::Result<()> {
        let records = self.records();
        self.plain(&records).await
    }

    /// Adds the writer's partition to its topic, which has all before it.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub async fn add_partition(&self) -> anyhow::Result<()> {
        let topic = CreatePartitionsTopic::default()
            .with_name(TopicName(StrBytes::from_string(self.topic.name.clone())))
            .with_count(self.partition + 1)
            .with_assignments(None);
        let request = CreatePartitionsRequest::default().with_topics(vec![topic]).with_timeout_ms(1_000);
        loop {
            let answer = self.ask(self.any_broker(), &request, PARTITIONS).await;
            match answer.and_then(|answer| Some(answer.results.first()?.error_code)) {
                Some(0) => return Ok(()),
                Some(code) if !passing(code) => bail!("CreatePartitions: {code}"),
                _ => sleep(PAUSE).await,
            }
        }
    }

    async fn step(&mut self) -> anyhow::Result<()> {
        if self.draw.chance(self.topic.transactions) { self.transaction().await } else { self.fresh().await }
    }

    fn records(&mut self) -> Vec<Content> {
        let count = self.draw.number(1..=self.topic.batch_records);
        (0..count).map(|_| self.record()).collect()
    }

    fn record(&mut self) -> Content {
        self.made += 1;
        self.newest = self.cluster.clock().now_ms().max(self.newest + 1);
        let draw = &mut self.draw;
        let key = match draw.number(0..=3) {
            _ if self.topic.compact => Some(Bytes::from(format!("key-{}", draw.number(0..=9)))),
            0 => None,
            1 => Some(Bytes::new()),
            _ => Some(Bytes::from(draw.bytes(8))),
        };
        let value = match draw.number(0..=7) {
            0 => None,
            1 => Some(Bytes::new()),
            _ => {
                let length = draw.number(0..=self.topic.value_bytes);
                Some(Bytes::from(draw.bytes(length)))
            }
        };
        let number = self.made.to_string();
        let mut headers: Vec<(&[u8], Option<&[u8]>)> = Vec::new();
        if self.topic.log_append_time || draw.chance(40) {
            headers.push((b"number", Some(number.as_bytes())));
        }
        if draw.chance(20) {
            headers.extend([(b"".as_slice(), None), (b"twice".as_slice(), Some(b"".as_slice()))]);
            headers.push((b"twice", Some(b"again")));
        }
        let headers = Headers::from_pairs(headers).raw().clone();
        Content { timestamp: self.newest, key, value, headers }
    }

    /// True when the topic was deleted: nothing can be written any more.
    fn is_gone(&self) -> bool {
        !self.cluster.topics().contains_key(&self.topic.name)
    }

    async fn plain(&mut self, records: &[Content]) -> anyhow::Result<()> {
        while !self.is_gone() {
            let (id, epoch, sequence) = match self.plain {
                Some(known) => known,
                None => {
                    let (id, epoch) = self.identity(None).await?;
                    (id, epoch, 0)
                }
            };
            let author = Author { producer: (id, epoch), sequence, transactional: false };
            if self.produce(records, author, None).await? {
                self.plain = Some((id, epoch, sequence + records.len() as i32));
                return Ok(());
            }
            // The log that knew this producer is gone.
            self.plain = None;
        }
        Ok(())
    }

    async fn transaction(&mut self) -> anyhow::Result<()> {
        let id = format!("{}-{}-{}", self.topic.name, self.partition, self.made);
        let producer = self.identity(Some(&id)).await?;
        self.add_to_transaction(&id, producer).await?;
        let mut sequence = 0;
        let mut whole = true;
        for _ in 0..self.draw.number(1..=3) {
            let records = self.records();
            let author = Author { producer, sequence, transactional: true };
            whole &= self.produce(&records, author, Some(&id)).await?;
            sequence += records.len() as i32;
            // Others may come between: not the partition's own writer, but the replicator's reads.
            let pause = self.draw.millis(0..=100);
            sleep(pause).await;
        }
        let commit = whole && self.draw.chance(50);
        self.end(&id, producer, commit).await
    }

    async fn identity(&mut self, transaction: Option<&str>) -> anyhow::Result<(i64, i16)> {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(transaction.map(transactional))
            .with_transaction_timeout_ms(60_000);
        loop {
            let answer = match transaction {
                Some(id) => self.ask_coordinator(id, &request, INIT).await,
                None => self.ask(self.any_broker(), &request, INIT).await,
            };
            match answer {
                Some(answer) if answer.error_code == 0 => {
                    return Ok((answer.producer_id.0, answer.producer_epoch));
                }
                Some(answer) if !passing(answer.error_code) => bail!("InitProducerId: {}", answer.error_code),
                _ => sleep(PAUSE).await,
            }
        }
    }

    async fn add_to_transaction(&self, id: &str, (producer, epoch): (i64, i16)) -> anyhow::Result<()> {
        let topic = AddPartitionsToTxnTopic::default()
            .with_name(TopicName(StrBytes::from_string(self.topic.name.clone())))
            .with_partitions(vec![self.partition]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(transactional(id))
            .with_v3_and_below_producer_id(producer.into())
            .with_v3_and_below_producer_epoch(epoch)
            .with_v3_and_below_topics(vec![topic]);
        loop {
            let answer = self.ask_coordinator(id, &request, ADD).await;
            let code = answer.and_then(|answer| {
                let topic = answer.results_by_topic_v3_and_below.first()?;
                Some(topic.results_by_partition.first()?.partition_error_code)
            });
            match code {
                Some(0) => return Ok(()),
                _ if self.is_gone() => return Ok(()),
                Some(code) if !passing(code) => bail!("AddPartitionsToTxn: {code}"),
                _ => sleep(PAUSE).await,
            }
        }
    }

    async fn end(&self, id: &str, (producer, epoch): (i64, i16), commit: bool) -> anyhow::Result<()> {
        let request = EndTxnRequest::default()
            .with_transactional_id(transactional(id))
            .with_producer_id(producer.into())
            .with_producer_epoch(epoch)
            .with_committed(commit);
        loop {
            match self.ask_coordinator(id, &request, END).await.map(|answer| answer.error_code) {
                Some(0) => return Ok(()),
                _ if self.is_gone() => return Ok(()),
                Some(code) if !passing(code) => bail!("EndTxn: {code}"),
                _ => sleep(PAUSE).await,
            }
        }
    }

    /// Produces until the batch is stored. False: the log no longer takes this producer's sequence.
    async fn produce(
        &self,
        records: &[Content],
        author: Author,
        transaction: Option<&str>,
    ) -> anyhow::Result<bool> {
        let bytes = encode(self.topic.codec, records, author)?;
        let data = PartitionProduceData::default().with_index(self.partition).with_records(Some(bytes));
        let topic = TopicProduceData::default()
            .with_name(TopicName(StrBytes::from_string(self.topic.name.clone())))
            .with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_acks(-1)
            .with_timeout_ms(1_000)
            .with_transactional_id(transaction.map(transactional))
            .with_topic_data(vec![topic]);
        loop {
            let leader = self.cluster.leader(&self.topic.name, self.partition);
            let answer = self.ask(leader, &request, PRODUCE).await;
            let code = answer
                .and_then(|answer| Some(answer.responses.first()?.partition_responses.first()?.error_code));
            match code.map(ErrorCode::try_from_code) {
                // A duplicate was stored before, so long ago that the broker no longer knows where.
                Some(None | Some(ErrorCode::DuplicateSequenceNumber)) => return Ok(true),
                Some(Some(
                    ErrorCode::OutOfOrderSequenceNumber
                    | ErrorCode::UnknownProducerId
                    | ErrorCode::InvalidProducerEpoch,
                )) => return Ok(false),
                _ if self.is_gone() => return Ok(false),
                Some(Some(code)) if !passing(code.code()) => {
                    bail!("Produce to {}-{}: {}", self.topic.name, self.partition, code.code())
                }
                _ => sleep(PAUSE).await,
            }
        }
    }

    fn any_broker(&self) -> i32 {
        self.cluster.brokers().into_iter().find(|id| self.cluster.is_up(*id)).unwrap_or(1)
    }

    async fn ask_coordinator<R: Request>(&self, id: &str, request: &R, version: i16) -> Option<R::Response> {
        let find =
            FindCoordinatorRequest::default().with_key(StrBytes::from_string(id.to_owned())).with_key_type(1);
        let found = self.ask(self.any_broker(), &find, FIND).await.filter(|found| found.error_code == 0)?;
        self.ask(found.node_id.0, request, version).await
    }

    /// One request on a connection of its own; `None` when the broker does not answer.
    async fn ask<R: Request>(&self, broker: i32, request: &R, version: i16) -> Option<R::Response> {
        let connection =
            Connection::open(&self.connector, &self.settings, &broker.to_string(), 0).await.ok()?;
        let frame = connection.encode(request, version).ok()?;
        let mut body = connection.send::<R>(version, frame).await.ok()?;
        connection.decode::<R>(&mut body, version).ok()
    }
}

/// True for error codes that pass.
fn passing(code: i16) -> bool {
    use ErrorCode as E;
    matches!(
        ErrorCode::try_from_code(code),
        Some(
            E::UnknownTopicOrPartition
                | E::LeaderNotAvailable
                | E::NotLeaderOrFollower
                | E::RequestTimedOut
                | E::CoordinatorLoadInProgress
                | E::CoordinatorNotAvailable
                | E::NotCoordinator
                | E::NotEnoughReplicas
                | E::NotEnoughReplicasAfterAppend
                | E::NotController
                | E::ConcurrentTransactions
                | E::KafkaStorageError
        )
    )
}

fn transactional(id: &str) -> TransactionalId {
    TransactionalId(StrBytes::from_string(id.to_owned()))
}
