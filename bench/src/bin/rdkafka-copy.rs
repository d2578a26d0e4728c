//! A copier as one writes it in a day with a good client library: one consumer, one idempotent producer, record by record.
//!
//! Started by the benchmark as a peer. It keeps partition, key, value, headers and timestamp, commits only what is
//! acknowledged, never drops a record, and runs until it is killed.

#![allow(clippy::print_stderr)] // The only thing a copier has to say goes there.
#![allow(clippy::disallowed_methods)] // There is no runtime here.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::producer::{BaseRecord, DeliveryResult, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};

/// Copies one topic, record by record.
#[derive(Parser)]
struct Args {
    /// Bootstrap servers of the origin.
    #[arg(long)]
    origin: String,
    /// Bootstrap servers of the destination.
    #[arg(long)]
    destination: String,
    /// Topic at the origin.
    #[arg(long)]
    topic: String,
    /// Topic at the destination.
    #[arg(long)]
    to: String,
    /// The consumer's group.
    #[arg(long)]
    group: String,
    /// The producer's codec.
    #[arg(long, default_value = "none")]
    compression: String,
    /// Longest wait of the producer for a batch to fill, ms.
    #[arg(long, default_value = "20")]
    linger_ms: String,
    /// Records are so small that the default consumer queue runs dry and waits a second.
    #[arg(long)]
    small_records: bool,
}

const MAX_PARTITIONS: usize = 1024;
const COMMIT_EVERY: Duration = Duration::from_secs(5);

/// The next offset to commit of each partition, and whether anything failed for good.
struct Acknowledged {
    next: Vec<AtomicI64>,
    failed: AtomicBool,
}

#[derive(Clone)]
struct Delivery(Arc<Acknowledged>);

impl ClientContext for Delivery {}

impl ProducerContext for Delivery {
    /// Partition and offset at the origin.
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, opaque: usize) {
        let (partition, offset) = (opaque >> 48, (opaque & ((1 << 48) - 1)) as i64);
        match result {
            // An idempotent producer tells its acknowledgements of a partition in order.
            Ok(_) => self.0.next[partition].store(offset + 1, Ordering::Release),
            Err(_) => self.0.failed.store(true, Ordering::Release),
        }
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    let consumer = consumer(&args)?;
    let acknowledged = Arc::new(Acknowledged {
        next: (0..MAX_PARTITIONS).map(|_| AtomicI64::new(-1)).collect(),
        failed: AtomicBool::new(false),
    });
    let producer = producer(&args, Delivery(acknowledged.clone()))?;
    let mut committed = Instant::now();
    loop {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => forward(&producer, &args.to, &message)?,
            Some(Err(error)) => eprintln!("reading: {error}"),
            None => {}
        }
        if committed.elapsed() > COMMIT_EVERY {
            commit(&consumer, &args.topic, &acknowledged)?;
            committed = Instant::now();
        }
    }
}

fn consumer(args: &Args) -> Result<BaseConsumer> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &args.origin)
        .set("group.id", &args.group)
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false")
        .set("socket.nagle.disable", "true")
        .set("fetch.message.max.bytes", "2097152");
    if args.small_records {
        config.set("queued.min.messages", "1000000").set("fetch.queue.backoff.ms", "5");
    }
    let consumer: BaseConsumer = config.create().context("cannot make the consumer")?;
    consumer.subscribe(&[&args.topic])?;
    Ok(consumer)
}

fn producer(args: &Args, context: Delivery) -> Result<ThreadedProducer<Delivery>> {
    ClientConfig::new()
        .set("bootstrap.servers", &args.destination)
        .set("enable.idempotence", "true")
        .set("compression.codec", &args.compression)
        .set("linger.ms", &args.linger_ms)
        .set("batch.size", "1000000")
        .set("batch.num.messages", "100000")
        .set("queue.buffering.max.messages", "1000000")
        .set("queue.buffering.max.kbytes", "131072")
        .set("socket.nagle.disable", "true")
        .create_with_context(context)
        .context("cannot make the producer")
}

fn forward(producer: &ThreadedProducer<Delivery>, topic: &str, message: &BorrowedMessage<'_>) -> Result<()> {
    let opaque = (message.partition() as usize) << 48 | message.offset() as usize;
    let mut record: BaseRecord<'_, [u8], [u8], usize> =
        BaseRecord::with_opaque_to(topic, opaque).partition(message.partition());
    record.key = message.key();
    record.payload = message.payload();
    record.timestamp = message.timestamp().to_millis();
    if let Some(headers) = message.headers().filter(|headers| headers.count() > 0) {
        record = record.headers(headers.detach());
    }
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), returned)) => {
                std::thread::sleep(Duration::from_millis(1));
                record = returned;
            }
            Err((error, _)) => return Err(error).context("cannot enqueue a record"),
        }
    }
}

fn commit(consumer: &BaseConsumer, topic: &str, acknowledged: &Acknowledged) -> Result<()> {
    if acknowledged.failed.load(Ordering::Acquire) {
        bail!("the destination refused a record; nothing more is committed");
    }
    let mut offsets = TopicPartitionList::new();
    for (partition, next) in acknowledged.next.iter().enumerate() {
        let next = next.load(Ordering::Acquire);
        if next >= 0 {
            offsets.add_partition_offset(topic, partition as i32, Offset::Offset(next))?;
        }
    }
    if offsets.count() > 0 {
        consumer.commit(&offsets, CommitMode::Async)?;
    }
    Ok(())
}
