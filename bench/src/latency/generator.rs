//! The open-loop generator of a latency run: one batch a millisecond by the clock, whether or not the last one was answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use kafka_wire::batch::{BatchBuilder, Codec, Headers, OutgoingBatch};
use kafka_wire::cluster::Cluster as Client;
use kafka_wire::produce::{ProduceEvent, Producer};
use tokio::time::{MissedTickBehavior, interval_at};

use super::figures::RECORDS_PER_BATCH;
use crate::cases::{Content, PARTITIONS};
use crate::fill;
use crate::interrupt;
use crate::payload::Payload;

const RECORD_BYTES: usize = 1000;

/// The number of a record that only asks whether the way is open.
pub(super) const PROBE: u64 = u64::MAX;

/// Sends records at the origin: probes until `start` is set, then the schedule that begins there.
pub(super) struct Generator {
    pub(super) client: Client,
    pub(super) topic: String,
    /// µs after `zero` at which the schedule begins; negative: not yet known.
    pub(super) start: Arc<AtomicI64>,
    pub(super) zero: Instant,
    pub(super) batches: u64,
}

impl Generator {
    pub(super) async fn run(self) -> Result<()> {
        let mut producer = Producer::new(self.client.clone(), fill::settings());
        let partitions: Vec<usize> =
            (0..PARTITIONS).map(|number| producer.open(&self.topic, number)).collect();
        let mut payload = Payload::new(Content::Letters, RECORD_BYTES, 1);
        let mut tag = 0;
        while self.start.load(Ordering::Acquire) < 0 {
            producer.enqueue(partitions[0], tag, batch(&mut payload, PROBE, 1)?);
            tag += 1;
            pump(&mut producer, Duration::from_millis(20)).await?;
            if interrupt::asked() {
                return Ok(());
            }
        }
        let start = self.zero + Duration::from_micros(self.start.load(Ordering::Acquire).unsigned_abs());
        let mut ticks = interval_at(start.into(), Duration::from_millis(1));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let mut sent = 0;
        while sent < self.batches && !interrupt::asked() {
            tokio::select! {
                biased;
                _ = ticks.tick() => {
                    let batch = batch(&mut payload, sent * RECORDS_PER_BATCH, RECORDS_PER_BATCH)?;
                    producer.enqueue(partitions[sent as usize % partitions.len()], tag, batch);
                    tag += 1;
                    sent += 1;
                }
                events = producer.next() => settle(&events)?,
            }
        }
        while !producer.is_idle() && !interrupt::asked() {
            pump(&mut producer, Duration::from_millis(20)).await?;
        }
        Ok(())
    }
}

/// Lets the producer work for this long.
async fn pump(producer: &mut Producer, time: Duration) -> Result<()> {
    let end = tokio::time::Instant::now() + time;
    while let Ok(events) = tokio::time::timeout_at(end, producer.next()).await {
        settle(&events)?;
    }
    Ok(())
}

fn settle(events: &[ProduceEvent]) -> Result<()> {
    match events.iter().find(|event| !matches!(event, ProduceEvent::Acknowledged(_))) {
        Some(other) => anyhow::bail!("the generator was interrupted: {other:?}"),
        None => Ok(()),
    }
}

fn batch(payload: &mut Payload, first: u64, count: u64) -> Result<OutgoingBatch> {
    let (mut builder, mut value) = (BatchBuilder::new(Codec::None), Vec::with_capacity(RECORD_BYTES));
    for index in 0..count {
        payload.next_into(&mut value);
        value[..8].copy_from_slice(&first.wrapping_add(index).to_be_bytes());
        builder.push(fill::now_ms(), None, Some(&value), &Headers::default())?;
    }
    Ok(builder.finish()?)
}
