//! Writes topics: with librdkafka where it can, with batches made here where it cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kafka_clusters::Cluster;
use rdkafka::ClientConfig;
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::record::{Record, Time};

/// Counts deliveries.
#[derive(Clone, Default)]
pub(crate) struct Deliveries {
    delivered: Arc<AtomicU64>,
    failed: Arc<AtomicU64>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let counter = if result.is_ok() { &self.delivered } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// A producer whose every record must be delivered.
pub(crate) struct Writer {
    producer: ThreadedProducer<Deliveries>,
    deliveries: Deliveries,
    sent: AtomicU64,
}

impl Writer {
    /// `settings` are librdkafka's.
    pub(crate) fn new(cluster: &Cluster, settings: &[(&str, &str)]) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", cluster.bootstrap())
            .set("linger.ms", "5")
            .set("enable.idempotence", "true");
        for (key, value) in settings {
            config.set(*key, *value);
        }
        let deliveries = Deliveries::default();
        let producer = config.create_with_context(deliveries.clone()).unwrap();
        Self { producer, deliveries, sent: AtomicU64::new(0) }
    }

    /// For transactions.
    pub(crate) fn producer(&self) -> &ThreadedProducer<Deliveries> {
        &self.producer
    }

    /// Hands a record over. librdkafka stamps records itself that have the time 0 or none; see [`raw`] for those.
    pub(crate) fn send(&self, topic: &str, partition: i32, record: &Record) {
        let mut message = BaseRecord::<[u8], [u8]>::to(topic).partition(partition);
        message.key = record.key.as_deref();
        message.payload = record.value.as_deref();
        if let Time::Create(time) = record.time {
            message.timestamp = Some(time);
        }
        if !record.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(record.headers.len());
            let add = |headers: OwnedHeaders, (key, value): &(String, Option<Vec<u8>>)| {
                headers.insert(Header { key, value: value.as_ref() })
            };
            message.headers = Some(record.headers.iter().fold(headers, add));
        }
        while let Err((error, same)) = self.producer.send(message) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
                    std::thread::sleep(Duration::from_millis(5));
                    message = same;
                }
                other => panic!("{topic}: {other}"),
            }
        }
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    /// Records delivered so far.
    pub(crate) fn delivered(&self) -> u64 {
        self.deliveries.delivered.load(Ordering::Relaxed)
    }

    /// Waits until everything is delivered.
    pub(crate) fn flush(&self) {
        self.producer.flush(super::PATIENCE).unwrap();
        let (delivered, failed) = (self.delivered(), self.deliveries.failed.load(Ordering::Relaxed));
        assert_eq!(
            (delivered, failed),
            (self.sent.load(Ordering::Relaxed), 0),
            "not everything was delivered"
        );
    }

    /// Sends all of `records` into partition 0 and waits until they are delivered.
    pub(crate) fn write<'a>(&self, topic: &str, records: impl IntoIterator<Item = &'a Record>) {
        for record in records {
            self.send(topic, 0, record);
        }
        self.flush();
    }
}

/// Batches with bytes that librdkafka cannot write.
pub(crate) mod raw {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use kafka_clusters::Cluster;
    use kafka_wire::batch::OutgoingBatch;
    use kafka_wire::produce::{Advice, ProduceEvent, ProduceSettings, Producer};
    use kafka_wire::settings::ClientSettings;
    use kafka_wire::transport::TcpConnector;

    /// Writes batches as they are into a partition, in order.
    pub(crate) fn write(cluster: &Cluster, topic: &str, partition: i32, batches: Vec<OutgoingBatch>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let properties = BTreeMap::from([("bootstrap.servers".to_owned(), cluster.bootstrap())]);
            let settings = ClientSettings::from_properties(&properties).unwrap();
            let connector = Arc::new(TcpConnector::new(&settings).unwrap());
            let cluster = kafka_wire::cluster::Cluster::new("test", settings, connector);
            cluster.connect().await.unwrap();
            let mut producer = Producer::new(cluster, produce_settings());
            let number = producer.open(topic, partition);
            let mut left = batches.len();
            for (tag, batch) in batches.into_iter().enumerate() {
                producer.enqueue(number, i64::try_from(tag).unwrap(), batch);
            }
            while left > 0 {
                for event in producer.next().await {
                    match event {
                        ProduceEvent::Acknowledged(_) => left -= 1,
                        other => panic!("{topic}-{partition}: {other:?}"),
                    }
                }
            }
        });
    }

    fn produce_settings() -> ProduceSettings {
        let timeout = std::time::Duration::from_secs(30);
        ProduceSettings {
            lanes_per_broker: 1,
            max_request_bytes: 4 << 20,
            timeout,
            merge: None,
            advice: Advice::default(),
        }
    }
}
