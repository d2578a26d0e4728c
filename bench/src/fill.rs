//! Fills a topic with batches of exactly one shape, as fast as the broker takes them.
//!
//! Batches are built here, record by record, and produced as they are: no client library decides where a batch ends.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use kafka_wire::batch::{BatchBuilder, Headers, OutgoingBatch};
use kafka_wire::cluster::Cluster as Client;
use kafka_wire::produce::{Advice, ProduceEvent, ProduceSettings, Producer};
use tokio::sync::mpsc;

use crate::cases::{Case, PARTITIONS};
use crate::interrupt;
use crate::payload::Payload;

/// Batches that may wait for their acknowledgement: enough to keep the window of every partition full.
const UNDER_WAY: usize = PARTITIONS as usize * 10;

/// Every so many records one has a key and headers, so that a copy which loses them is found out.
const ADORNED: u64 = 997;

/// Settings of the benchmark's own producers.
pub(crate) fn settings() -> ProduceSettings {
    ProduceSettings {
        lanes_per_broker: 2,
        max_request_bytes: 1 << 20,
        timeout: Duration::from_secs(30),
        merge: None,
        advice: Advice::default(),
    }
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

/// Writes `records` records of `case` into `topic`, round robin by batch.
pub(crate) async fn fill(client: Client, topic: &str, case: &'static Case, records: u64) -> Result<()> {
    let (sender, mut batches) = mpsc::channel(64);
    let builder = std::thread::spawn(move || build(case, records, &sender));
    let mut producer = Producer::new(client, settings());
    let partitions: Vec<usize> = (0..PARTITIONS).map(|number| producer.open(topic, number)).collect();
    let (mut enqueued, mut stored, mut acknowledged) = (0, 0, 0);
    let mut open = true;
    while open || stored < enqueued {
        interrupt::check()?;
        tokio::select! {
            batch = batches.recv(), if open && enqueued - stored < UNDER_WAY => match batch {
                Some(batch) => {
                    producer.enqueue(partitions[enqueued % partitions.len()], enqueued as i64, batch);
                    enqueued += 1;
                }
                None => open = false,
            },
            events = producer.next() => for event in events {
                acknowledged += settle(event)?;
                stored += 1;
            },
        }
    }
    builder.join().ok().context("the builder of batches panicked")??;
    if acknowledged != records {
        bail!("{acknowledged} of {records} records were stored in {topic}");
    }
    Ok(())
}

fn settle(event: ProduceEvent) -> Result<u64> {
    match event {
        ProduceEvent::Acknowledged(stored) => Ok(stored.records as u64),
        other => bail!("the filler was interrupted: {other:?}"),
    }
}

fn build(case: &Case, records: u64, out: &mpsc::Sender<OutgoingBatch>) -> Result<()> {
    let mut payload = Payload::new(case.content, case.record_bytes, 1);
    let (plain, adorned) = (Headers::default(), adornment());
    let mut value = Vec::with_capacity(case.record_bytes);
    let mut builder = BatchBuilder::new(case.codec);
    let mut batch_time = now_ms();
    for number in 0..records {
        payload.next_into(&mut value);
        // A record's own fields take some bytes beside its value.
        let grown = builder.uncompressed_size() + value.len() + 16;
        if !builder.is_empty() && grown > case.batch_bytes {
            let full = std::mem::replace(&mut builder, BatchBuilder::new(case.codec));
            if out.blocking_send(full.finish()?).is_err() {
                return Ok(());
            }
            batch_time = now_ms();
        }
        let special = number % ADORNED == 0;
        let key = special.then(|| number.to_be_bytes());
        let timestamp = batch_time + (number % 3) as i64;
        builder.push(
            timestamp,
            key.as_ref().map(|key| &key[..]),
            Some(&value),
            if special { &adorned } else { &plain },
        )?;
    }
    let _ = out.blocking_send(builder.finish()?);
    Ok(())
}

/// A repeated key, a null value, and a key that is not first in any order.
fn adornment() -> Headers {
    Headers::from_pairs([
        (&b"trace"[..], Some(&b"1"[..])),
        (&b"trace"[..], Some(&b"2"[..])),
        (&b"again"[..], None),
    ])
}
