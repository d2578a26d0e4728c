//! Arrival times of records, as a reader of a topic sees it. Called by a latency run for either end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use rdkafka::consumer::BaseConsumer;
use rdkafka::message::Message;

use crate::cases::PARTITIONS;
use crate::verify::consumer;

/// Arrival time of each record, µs after `zero`; 0: it has not.
#[derive(Debug)]
pub(super) struct Arrivals {
    zero: Instant,
    pub(super) at: Vec<AtomicU64>,
    pub(super) seen: AtomicU64,
}

impl Arrivals {
    pub(super) fn new(zero: Instant, records: u64) -> Arc<Self> {
        let at = (0..records).map(|_| AtomicU64::new(0)).collect();
        Arc::new(Self { zero, at, seen: AtomicU64::new(0) })
    }

    pub(super) fn note(&self, number: u64) {
        self.seen.fetch_add(1, Ordering::Relaxed);
        if let Some(slot) = self.at.get(number as usize) {
            let now = self.zero.elapsed().as_micros() as u64;
            // Of a duplicate the first counts.
            let _ = slot.compare_exchange(0, now.max(1), Ordering::Release, Ordering::Relaxed);
        }
    }

    pub(super) fn get(&self, number: u64) -> Option<u64> {
        self.at.get(number as usize).map(|slot| slot.load(Ordering::Acquire)).filter(|at| *at > 0)
    }
}

/// A thread that reads a topic until it is told to end.
pub(super) struct Reader {
    pub(super) arrivals: Arc<Arrivals>,
    end: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Reader {
    pub(super) fn start(bootstrap: &str, topic: &str, zero: Instant, records: u64) -> Result<Self> {
        let settings = [("fetch.wait.max.ms", "100"), ("socket.nagle.disable", "true")];
        let numbers: Vec<i32> = (0..PARTITIONS).collect();
        let consumer = consumer(bootstrap, topic, &numbers, &settings)?;
        let (arrivals, end) = (Arrivals::new(zero, records), Arc::new(AtomicBool::new(false)));
        let (sink, ended) = (arrivals.clone(), end.clone());
        let thread = std::thread::spawn(move || read(&consumer, &sink, &ended));
        Ok(Self { arrivals, end, thread: Some(thread) })
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(consumer: &BaseConsumer, arrivals: &Arrivals, end: &AtomicBool) {
    while !end.load(Ordering::Acquire) {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(50))
            && let Some(number) = message.payload().and_then(|value| value.get(..8)?.try_into().ok())
        {
            arrivals.note(u64::from_be_bytes(number));
        }
    }
}
