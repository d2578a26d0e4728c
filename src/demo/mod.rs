//! `replicator demo`: two embedded clusters, a producer that writes to the first, and the replicator between them as it
//! would run for real, with a table of what it does. Nothing needs to be installed.

mod clusters;
mod options;
mod records;
mod scenario;
mod table;
mod tally;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use replicator::Worker;
use replicator::config::{self, ConfigFile, ReplicatorConfig, Source, Sources};
use replicator::monitoring::{Monitor, PartitionFigures, PartitionState};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tracing::{error, info};

use self::clusters::Clusters;
pub(crate) use self::options::DemoOptions;
use self::table::Table;
use crate::process::console::Console;
use crate::process::exit::{Exit, code};
use crate::process::life::{self, VERSION};
use crate::process::signals::Signals;
use crate::start;

/// Time between two tables, on a terminal and elsewhere.
const REDRAW: Duration = Duration::from_millis(500);
const TELL: Duration = Duration::from_secs(5);
/// Time that the last records may take to arrive after the producer was stopped.
const LAST_RECORDS: Duration = Duration::from_secs(5);

/// Runs the demo to its end, which is an exit code.
pub(crate) async fn live(options: &DemoOptions, console: &Console) -> u8 {
    match play(options, console).await {
        Ok(code) => code,
        Err(exit) => {
            error!("{}", exit.text.trim_end());
            exit.code
        }
    }
}

async fn play(options: &DemoOptions, console: &Console) -> Result<u8, Exit> {
    let began = Instant::now();
    let mut signals = Signals::new().map_err(|e| Exit::error(code::INTERNAL, format!("no signals: {e}")))?;
    let clusters = Clusters::start(options).await.map_err(|e| Exit::error(code::UNAVAILABLE, e))?;
    let folder = tempfile::tempdir()
        .map_err(|e| Exit::error(code::UNAVAILABLE, format!("no temporary folder: {e}")))?;
    let sources = write_files(folder.path(), &clusters)
        .map_err(|e| Exit::error(code::UNAVAILABLE, format!("{}: {e}", folder.path().display())))?;
    let config = config::load(&sources).map_err(|e| Exit::config(&e))?;
    let writer = writer::start(&clusters, options.rate);
    let worker = tokio::select! {
        worker = start(config) => worker?,
        name = signals.next() => {
            info!("{name} before the start was complete");
            return Ok(code::OK);
        }
    };
    let monitor = worker.monitor();
    introduce(&clusters, folder.path());
    let first = tokio::spawn(first_record(monitor.clone(), began));
    let scenario = options.fault.map(|fault| tokio::spawn(scenario::play(fault, clusters.clone())));

    let shown = show(console, &monitor, &clusters, began);
    let ended = tokio::select! {
        () = shown => unreachable!("the table is shown until something else ends the demo"),
        name = signals.next() => name,
        () = until(options.seconds) => "the time is over",
    };
    first.abort();
    if let Some(scenario) = scenario {
        scenario.abort();
    }
    console.clear();
    println(&Table::of(&monitor).since(&Table::empty(began)).to_string());
    info!("{ended}: the producer stops, what it wrote is delivered (again to end at once)");
    Ok(life::end(finish(writer, worker, &clusters), signals, "").await)
}

async fn start(config: ReplicatorConfig) -> Result<Worker, Exit> {
    let started = Worker::start(config, VERSION).await;
    started.map_err(|e| Exit::error(start::exit_code(&e), format!("the replicator cannot start: {e}")))
}

/// Files as a user would write them, in a folder that goes with the demo.
fn write_files(folder: &Path, clusters: &Clusters) -> std::io::Result<Sources> {
    let write = |name: &str, text: String| -> std::io::Result<ConfigFile> {
        let path: PathBuf = folder.join(name);
        std::fs::write(&path, text)?;
        Ok(ConfigFile { path, named_by: Source::Default })
    };
    let consumer = format!("bootstrap.servers={}\ngroup.id=replicator-demo\n", clusters.origin.bootstrap());
    let producer = format!("bootstrap.servers={}\n", clusters.destination.bootstrap());
    let replication = format!(
        "topic.regex=shop\\\\..*\ntopic.rename.format=${{topic}}.replica\ntopic.poll.interval.ms=2000\n\
         listeners=http://127.0.0.1:{}\noffset.storage.replication.factor=1\n\
         config.storage.replication.factor=1\nstatus.storage.replication.factor=1\n",
        clusters.rest_port
    );
    Ok(Sources {
        consumer: Some(write("consumer.properties", consumer)?),
        producer: Some(write("producer.properties", producer)?),
        replication: Some(write("replication.properties", replication)?),
        default_cluster_id: Some("demo".to_owned()),
        ..Sources::default()
    })
}

/// Tells what runs where, and what can be tried.
fn introduce(clusters: &Clusters, folder: &Path) {
    let (origin, destination) = (clusters.origin.bootstrap(), clusters.destination.bootstrap());
    let rest = clusters.rest_port;
    println(&format!(
        "\nTwo embedded Kafka clusters (in memory, for trying only) and the replicator between them:\n\
         \x20 origin       {origin}\n\
         \x20 destination  {destination}\n\
         \x20 REST         http://127.0.0.1:{rest}\n\
         \x20 files        {}\n\
         \n\
         Try in another terminal, with the tools of any Kafka from 2.1 to 4.3:\n\
         \x20 curl -s http://127.0.0.1:{rest}/connectors/replicator/status\n\
         \x20 curl -s http://127.0.0.1:{rest}/ReplicatorMetrics\n\
         \x20 kafka-topics.sh --bootstrap-server {destination} --describe --topic shop.orders.replica\n\
         \x20 kafka-console-consumer.sh --bootstrap-server {destination} --topic shop.orders.replica --max-messages 5\n\
         \x20 kafka-console-producer.sh --bootstrap-server {origin} --topic shop.orders\n\
         \x20 kafka-consumer-groups.sh --bootstrap-server {origin} --describe --group replicator-demo\n",
        folder.display(),
    ));
    for note in &clusters.notes {
        println(note);
    }
}

/// Draws the table, over the last one on a terminal, below it elsewhere. Never ends.
async fn show(console: &Console, monitor: &Monitor, clusters: &Clusters, began: Instant) {
    let period = if console.is_terminal() { REDRAW } else { TELL };
    let mut ticks = interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await;
    let mut before = Table::of(monitor);
    loop {
        ticks.tick().await;
        let now = Table::of(monitor).since(&before);
        if console.is_terminal() {
            console.show(format!("running for {} s\n{now}", began.elapsed().as_secs()));
        } else {
            println(&now.to_string());
        }
        before = now;
        clusters.tidy();
    }
}

async fn first_record(monitor: Arc<Monitor>, began: Instant) {
    while monitor.totals().records == 0 {
        sleep(Duration::from_millis(5)).await;
    }
    info!("first record copied {} ms after the start", began.elapsed().as_millis());
}

async fn until(seconds: Option<u64>) {
    match seconds {
        Some(seconds) => sleep(Duration::from_secs(seconds)).await,
        None => std::future::pending().await,
    }
}

/// Stops the producer, waits for the last records, stops the replicator and compares both sides.
async fn finish(writer: writer::Writer, worker: Worker, clusters: &Clusters) {
    clusters.repair();
    let written = writer.stop().await;
    let monitor = worker.monitor();
    let copied = async {
        // The figures know the end of a log only from the last answer; the cluster knows it now.
        let behind = |p: &Arc<PartitionFigures>| {
            let end = clusters.origin.offsets(&p.topic, p.partition).map_or(0, |(_, _, end)| end);
            !matches!(p.state(), PartitionState::Stopped(_)) && p.position.load(Relaxed) < end
        };
        while monitor.partitions().iter().any(behind) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    // What does not arrive shows in the comparison.
    let _ = timeout(LAST_RECORDS, copied).await;
    worker.stop().await;
    println(&tally::compare(clusters, written));
}

/// Standard output is for what the demo tells; a closed pipe is no reason to complain.
fn println(text: &str) {
    use std::io::Write as _;
    let _printed_or_nobody_listens = writeln!(std::io::stdout().lock(), "{text}");
}
