//! The demo's producer: an ordinary client of the origin, over its port.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kafka_wire::batch::OutgoingBatch;
use kafka_wire::cluster::Cluster;
use kafka_wire::produce::{Advice, ProduceEvent, ProduceSettings, Producer};
use kafka_wire::settings::ClientSettings;
use kafka_wire::transport::TcpConnector;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tracing::{debug, warn};

use super::clusters::Clusters;
use super::records::{TOPICS, Topic};

/// Time between two rounds of batches.
const ROUND: Duration = Duration::from_millis(50);
/// Records that may wait for an acknowledgement; beyond, rounds are left out.
const AHEAD: usize = 200_000;
/// Longest time for the last acknowledgements.
const LAST: Duration = Duration::from_secs(5);

/// A running producer.
pub(super) struct Writer {
    stop: watch::Sender<bool>,
    task: JoinHandle<BTreeMap<&'static str, u64>>,
}

impl Writer {
    /// Stops it; how many records of each topic were acknowledged.
    pub(super) async fn stop(self) -> BTreeMap<&'static str, u64> {
        self.stop.send_replace(true);
        self.task.await.unwrap_or_default()
    }
}

/// Starts writing `rate` records a second.
pub(super) fn start(clusters: &Clusters, rate: u32) -> Writer {
    let (stop, stopped) = watch::channel(false);
    let bootstrap = clusters.origin.bootstrap();
    Writer { stop, task: tokio::spawn(run(bootstrap, rate, stopped)) }
}

/// One partition that is written.
struct Feed {
    topic: &'static Topic,
    index: usize,
    /// Records made.
    made: u64,
    /// Fractions of records that are due.
    due: f64,
    /// Sent and not acknowledged, by the number of its first record.
    sent: BTreeMap<i64, OutgoingBatch>,
    acknowledged: u64,
}

async fn run(
    bootstrap: String,
    rate: u32,
    mut stopped: watch::Receiver<bool>,
) -> BTreeMap<&'static str, u64> {
    let mut writer = match Feeds::open(&bootstrap, rate) {
        Ok(writer) => writer,
        Err(error) => {
            warn!("the demo's producer cannot start: {error}");
            return BTreeMap::new();
        }
    };
    let mut rounds = interval(ROUND);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = Instant::now();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            now = rounds.tick() => {
                writer.make(now - last);
                last = now;
            }
            events = writer.producer.next() => writer.take(events),
        }
    }
    let settle = async {
        while !writer.producer.is_idle() {
            let events = writer.producer.next().await;
            writer.take(events);
        }
    };
    if timeout(LAST, settle).await.is_err() {
        debug!("the demo's producer ends without its last acknowledgements");
    }
    writer.acknowledged()
}

struct Feeds {
    producer: Producer,
    feeds: Vec<Feed>,
    rate: u32,
    random: fastrand::Rng,
}

impl Feeds {
    fn open(bootstrap: &str, rate: u32) -> Result<Self, String> {
        let properties = [("bootstrap.servers", bootstrap), ("client.id", "shop")];
        let properties = properties.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let settings = ClientSettings::from_properties(&properties).map_err(|e| e.to_string())?;
        let connector = TcpConnector::new(&settings).map_err(|e| e.to_string())?;
        let cluster = Cluster::new("origin", settings, Arc::new(connector));
        let settings = ProduceSettings {
            lanes_per_broker: 1,
            max_request_bytes: 1024 * 1024,
            timeout: Duration::from_secs(30),
            merge: None,
            advice: Advice::default(),
        };
        let mut producer = Producer::new(cluster, settings);
        let mut feeds = Vec::new();
        for topic in TOPICS {
            for partition in 0..topic.partitions {
                let index = producer.open(topic.name, partition as i32);
                feeds.push(Feed { topic, index, made: 0, due: 0.0, sent: BTreeMap::new(), acknowledged: 0 });
            }
        }
        Ok(Self { producer, feeds, rate, random: fastrand::Rng::new() })
    }

    /// Makes what is due after `elapsed`.
    fn make(&mut self, elapsed: Duration) {
        let waiting: usize =
            self.feeds.iter().flat_map(|f| f.sent.values()).map(|b| b.count() as usize).sum();
        if waiting > AHEAD {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as i64;
        for feed in &mut self.feeds {
            let share = f64::from(self.rate * feed.topic.share) / 100.0 / feed.topic.partitions as f64;
            feed.due += share * elapsed.as_secs_f64();
            let count = feed.due as u64;
            if count == 0 {
                continue;
            }
            feed.due -= count as f64;
            match feed.topic.batch(&mut self.random, now, feed.made, count) {
                Ok(batch) => {
                    let tag = feed.made as i64;
                    feed.made += count;
                    feed.sent.insert(tag, batch.clone());
                    self.producer.enqueue(feed.index, tag, batch);
                }
                Err(error) => warn!("{}: {error}", feed.topic.name),
            }
        }
    }

    fn take(&mut self, events: Vec<ProduceEvent>) {
        for event in events {
            match event {
                ProduceEvent::Acknowledged(ack) => {
                    let Some(feed) = self.feeds.iter_mut().find(|f| f.index == ack.partition) else {
                        continue;
                    };
                    feed.sent.remove(&ack.tag);
                    feed.acknowledged += u64::from(ack.records.unsigned_abs());
                }
                ProduceEvent::Rewind { partition, tag, .. } => {
                    let Some(feed) = self.feeds.iter_mut().find(|f| f.index == partition) else { continue };
                    for (tag, batch) in feed.sent.range(tag..) {
                        self.producer.enqueue(partition, *tag, batch.clone());
                    }
                }
                ProduceEvent::Stopped { reason, .. } => warn!("the demo's producer was refused: {reason}"),
                ProduceEvent::Waiting { .. } | ProduceEvent::Resumed { .. } => {}
            }
        }
    }

    fn acknowledged(&self) -> BTreeMap<&'static str, u64> {
        let mut all = BTreeMap::new();
        for feed in &self.feeds {
            *all.entry(feed.topic.name).or_default() += feed.acknowledged;
        }
        all
    }
}
